//! Sockets and their loop: turns, clocks, ends.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::time::Duration;

use squall::net::{TcpListener, TcpStream, UnixStream};
use squall::testing::VirtualClock;
use squall::{convert_yielded, moment, sleep, with_timeout, Error, Future, IoLoop, Result};

use crate::{pair, run, turns};

/// Reads byte by byte from a stream that always has some, and counts.
async fn greedy(stream: UnixStream, count: Rc<Cell<u32>>) -> Result<()> {
    while !stream.read(1).await?.is_empty() {
        count.set(count.get() + 1);
    }
    Ok(())
}

/// Returns a stream with `len` bytes to be read, after which it ends.
async fn full(len: usize) -> Result<UnixStream> {
    let (one, other) = UnixStream::pair()?;
    one.write_all(vec![0; len]).await?;
    Ok(other)
}

#[test]
fn ready_socket_lets_callbacks_have_their_turn() {
    run(async {
        let count = Rc::new(Cell::new(0));
        let reading = convert_yielded(greedy(full(20_000).await?, count.clone()))?;
        let mut most = 0;
        while !reading.done() {
            let before = count.get();
            moment().await?;
            most = most.max(count.get() - before);
        }
        assert_eq!(count.get(), 20_000);
        assert!((10..=40).contains(&most), "{most} reads in one turn");
        reading.await
    });
}

#[test]
fn ready_sockets_let_each_other_have_their_turn() {
    const MANY: usize = 30;
    run(async {
        let counts: Vec<_> = (0..MANY).map(|_| Rc::new(Cell::new(0))).collect();
        let mut reading = Vec::new();
        for count in &counts {
            reading.push(convert_yielded(greedy(full(2_000).await?, count.clone()))?);
        }
        while !reading.iter().any(Future::done) {
            moment().await?;
        }
        let least = counts.iter().map(|count| count.get()).min().unwrap();
        assert!(least >= 400, "one has read 2,000 bytes, and another {least}");
        squall::multi(reading).await?;
        Ok(())
    });
}

#[test]
fn ready_listener_lets_timers_have_their_turn() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let clients: Vec<_> = (0..100).map(|_| std::net::TcpStream::connect(address)).collect();
        let accepted = Rc::new(Cell::new(0));
        let counted = accepted.clone();
        let accepting = convert_yielded(async move {
            for _ in 0..100 {
                drop(listener.accept().await?);
                counted.set(counted.get() + 1);
            }
            Result::<()>::Ok(())
        })?;
        moment().await?;
        sleep(Duration::ZERO).await?;
        assert!(accepted.get() < 100, "all were accepted before the timer");
        drop(clients);
        accepting.await
    });
}

#[test]
fn busy_callbacks_do_not_keep_sockets_waiting() {
    fn again(count: Rc<Cell<u32>>) {
        count.set(count.get() + 1);
        IoLoop::current().add_callback(move || again(count));
    }
    run(async {
        let (client, server) = pair().await?;
        let count = Rc::new(Cell::new(0));
        again(count.clone());
        let read = server.read(10);
        client.write_all("x").await?;
        let before = count.get();
        assert_eq!(read.await?, "x");
        assert!(count.get() - before < 10);
        Ok(())
    });
}

#[test]
fn virtual_clock_does_not_jump_while_a_socket_is_waited_for() {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let (go, gone) = channel();
    let time = io_loop.run_sync(|| async move {
        let (mine, mut other) = std::os::unix::net::UnixStream::pair()?;
        let stream = UnixStream::from_std(mine)?;
        std::thread::spawn(move || {
            gone.recv().unwrap();
            other.write_all(b"x").unwrap();
            let mut all = Vec::new();
            other.read_to_end(&mut all).unwrap();
        });
        sleep(Duration::from_secs(60)).await?; // nothing waits for the socket: the clock jumps
        let read = with_timeout(Duration::from_secs(3600), stream.read(10));
        go.send(()).unwrap();
        assert_eq!(read.await?, "x");
        Ok::<_, squall::Exception>(IoLoop::current().time())
    });
    assert_eq!(time.unwrap(), Duration::from_secs(60));
}

#[cfg(all(feature = "macros", feature = "trace"))]
#[squall::test]
fn clock_of_a_test_does_not_jump_while_a_socket_is_waited_for() -> Result<()> {
    let (mine, mut other) = std::os::unix::net::UnixStream::pair()?;
    let stream = UnixStream::from_std(mine)?;
    let (go, gone) = channel();
    let thread = std::thread::spawn(move || {
        gone.recv().unwrap();
        other.write_all(b"x").unwrap();
    });
    let read = with_timeout(Duration::from_secs(3600), stream.read(10));
    IoLoop::current().add_callback(move || go.send(()).unwrap());
    assert_eq!(yield_!(read)?, "x");
    thread.join().unwrap();
    assert_eq!(IoLoop::current().time(), Duration::ZERO);
    Ok(())
}

#[cfg(all(feature = "macros", feature = "trace"))]
#[squall::test(limit = 5)]
fn coroutine_that_has_polled_sockets_and_ended_does_not_stop_a_virtual_clock() -> Result<()> {
    use std::future::poll_fn;
    use std::task::Poll;

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (mine, _other) = std::os::unix::net::UnixStream::pair()?;
    let stream = UnixStream::from_std(mine)?;
    let (polled, full) = (listener.clone(), stream.clone());
    let chunk = vec![0; 1 << 16];
    let ended = convert_yielded(async move {
        poll_fn(|cx| {
            assert!(polled.poll_accept(cx).is_pending());
            assert!(full.poll_read(cx, &mut [0; 10]).is_pending());
            while full.poll_write(cx, &chunk).is_ready() {}
            Poll::Ready(())
        })
        .await;
        Ok::<_, squall::Exception>(())
    })?;
    // Its handle is kept, so it is over and not dropped.
    yield_!(ended.clone())?;
    yield_!(sleep(Duration::from_secs(3600)))?;
    assert_eq!(IoLoop::current().time(), Duration::from_secs(3600));
    drop((ended, listener, stream));
    Ok(())
}

#[cfg(all(feature = "macros", feature = "trace"))]
#[squall::test(limit = 0.2)]
#[should_panic(expected = "waits for a connection. A real socket takes real time")]
fn test_that_waits_for_a_socket_for_ever_says_which() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    yield_!(with_timeout(Duration::from_secs(3600), listener.accept()))?;
    Ok(())
}

#[test]
fn open_socket_without_a_waiter_does_not_hide_a_deadlock() {
    let io_loop = IoLoop::new();
    let error = io_loop.run_sync(|| async {
        let (client, server) = pair().await?;
        let abandoned = server.read(10);
        drop(abandoned);
        Future::<()>::new().await?;
        drop((client, server));
        Ok::<_, squall::Exception>(())
    });
    assert!(matches!(error.unwrap_err().downcast_ref(), Some(Error::Deadlock { .. })));
}

#[test]
fn end_of_the_loop_closes_the_sockets_of_its_coroutines() {
    let io_loop = IoLoop::new();
    let (mine, mut other) = std::os::unix::net::UnixStream::pair().unwrap();
    io_loop
        .run_sync(|| async {
            let stream = UnixStream::from_std(mine)?;
            let read = convert_yielded(async move { stream.read(10).await })?;
            turns(3).await;
            assert!(!read.done());
            drop(read);
            Ok::<_, squall::Exception>(())
        })
        .unwrap();
    drop(io_loop);
    assert_eq!(other.read(&mut [0]).unwrap(), 0);
}

#[test]
fn closed_loop_takes_no_sockets() {
    let io_loop = IoLoop::new();
    io_loop.close();
    let current = io_loop.make_current();
    let error = TcpListener::bind("127.0.0.1:0").unwrap_err();
    assert!(error.to_string().contains("closed"), "{error}");
    drop(current);
}

/// Descriptors are closed and used again while events of their former sockets are under way: none reaches another one.
#[test]
fn descriptors_that_are_used_again_are_not_taken_for_others() {
    run(async {
        let open = Rc::new(RefCell::new(Vec::new()));
        let mut random = 1_u32;
        let mut next = move || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 16) as usize
        };
        for id in 0..3_000_u32 {
            let (one, other) = UnixStream::pair()?;
            drop(one.write_all(id.to_le_bytes().to_vec()));
            let read = other.read_exact(4);
            // Some are closed right away, some with data under way, some after it was read.
            match next() % 4 {
                0 => drop((one, other)),
                1 => drop(one.write_all("more")),
                _ => open.borrow_mut().push((id, one, other, read)),
            }
            if next() % 8 == 0 {
                moment().await?;
            }
            while open.borrow().len() > 20 {
                let n = next() % open.borrow().len();
                let (id, one, other, read) = open.borrow_mut().swap_remove(n);
                drop(one);
                assert_eq!(read.await?, id.to_le_bytes()[..]);
                assert_eq!(other.read(10).await?, "");
            }
        }
        Ok(())
    });
}

#[test]
fn stream_connects_on_the_loop_that_is_current() {
    let io_loop = IoLoop::new();
    let stream = io_loop.run_sync(|| async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        TcpStream::connect(listener.local_addr()?).await
    });
    let stream = stream.unwrap();
    drop(io_loop);
    assert!(stream.read(1).exception().unwrap().to_string().contains("closed"));
}

#[cfg(feature = "trace")]
#[test]
fn test_loop_waits_for_what_was_spawned_on_real_sockets() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut t = squall::testing::TestLoop::new();
    let connected = t.spawn(|| TcpStream::connect(address));
    let both = t.spawn(|| [TcpStream::connect(address), TcpStream::connect(address)]);
    t.run_until_idle();
    assert_eq!(both.into_result().unwrap().len(), 2);
    let stream = connected.into_result().unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    let read = t.spawn(|| with_timeout(Duration::from_secs(3600), stream.read(5)));
    let (job, done) = channel();
    let job = t.spawn(|| IoLoop::current().run_in_executor(move || job.send(()).unwrap()));
    let thread = std::thread::spawn(move || {
        done.recv().unwrap();
        peer.write_all(b"hello").unwrap();
        peer
    });
    t.run_until_idle();
    assert!(job.done());
    assert_eq!(read.into_result().unwrap(), "hello");
    assert_eq!(t.now(), Duration::ZERO);
    drop(thread.join().unwrap());
    t.assert_idle();
}
