//! File descriptors that the loop watches: which handler is called, when, and what it may do to another one.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::cell::{Cell, RefCell};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use squall::ioloop::FdEvents;
use squall::testing::VirtualClock;
use squall::{moment, sleep, Future, IoLoop};

fn pair() -> (Rc<UnixStream>, Rc<UnixStream>) {
    let (a, b) = UnixStream::pair().unwrap();
    a.set_nonblocking(true).unwrap();
    b.set_nonblocking(true).unwrap();
    (Rc::new(a), Rc::new(b))
}

/// Runs this many turns of the loop.
fn turns(io_loop: &IoLoop, n: u32) {
    for _ in 0..n {
        io_loop.run_sync(|| ()).unwrap();
    }
}

/// Returns in which turn after the write a handler is called, while callbacks keep the loop busy, and something is written
/// after this many turns.
fn turn_of_event(
    io_loop: &IoLoop,
    quiet: u32,
    change: impl FnOnce(&IoLoop, &Rc<UnixStream>) + 'static,
) -> u32 {
    let (a, b) = pair();
    let (now, seen) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(None)));
    io_loop
        .add_handler(a.clone(), FdEvents::READ, {
            let (now, seen, a) = (now.clone(), seen.clone(), a.clone());
            move |_| {
                let _ = (&*a).read(&mut [0; 8]);
                seen.set(seen.get().or(Some(now.get())));
            }
        })
        .unwrap();
    let (busy, at) = (io_loop.clone(), seen.clone());
    let ran = io_loop.run_sync(|| {
        squall::native(async move {
            while now.get() < quiet {
                now.set(now.get() + 1);
                moment().await?;
            }
            (&*b).write_all(b"a").unwrap();
            change(&busy, &a);
            while at.get().is_none() && now.get() < quiet + 50 {
                now.set(now.get() + 1);
                moment().await?;
            }
            busy.remove_handler(&a);
            Ok::<_, squall::Exception>(())
        })
    });
    ran.and_then(|ran| ran).unwrap();
    seen.get().unwrap() - quiet
}

#[test]
fn descriptor_is_seen_in_the_next_turns_although_callbacks_are_always_ready() {
    let io_loop = IoLoop::new();
    let at_once = turn_of_event(&io_loop, 3, |_, _| ());
    // After many turns in which nothing was ready, the system is asked in every fourth.
    for quiet in 100..104 {
        let late = turn_of_event(&io_loop, quiet, |_, _| ()) - at_once;
        assert!(late < 4, "{late} turns later");
    }
    // A change of what is watched ends that.
    let update = |io_loop: &IoLoop, a: &Rc<UnixStream>| io_loop.update_handler(a, FdEvents::READ).unwrap();
    for quiet in 100..104 {
        assert_eq!(turn_of_event(&io_loop, quiet, update), at_once);
    }
}

// Tornado: ioloop_test.TestIOLoop.test_multiple_add
#[test]
fn second_handler_for_a_descriptor_is_an_error() {
    let io_loop = IoLoop::new();
    let socket = Rc::new(TcpListener::bind("127.0.0.1:0").unwrap());
    io_loop.add_handler(socket.clone(), FdEvents::READ, |_| ()).unwrap();
    let again = io_loop.add_handler(socket.clone(), FdEvents::READ, |_| ()).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AlreadyExists);
    io_loop.remove_handler(&socket);
    io_loop.add_handler(socket.clone(), FdEvents::READ, |_| ()).unwrap();
}

// Tornado: ioloop_test.TestIOLoop.test_mixed_fd_fileobj
#[test]
fn second_handler_is_an_error_also_for_another_object_with_the_same_descriptor() {
    struct Wrapper(Rc<TcpListener>);
    impl AsFd for Wrapper {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }
    let io_loop = IoLoop::new();
    let socket = Rc::new(TcpListener::bind("127.0.0.1:0").unwrap());
    io_loop.add_handler(socket.clone(), FdEvents::READ, |_| ()).unwrap();
    let again = io_loop.add_handler(Wrapper(socket.clone()), FdEvents::READ, |_| ()).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AlreadyExists);
    io_loop.remove_handler(&Wrapper(socket));
}

// Tornado: ioloop_test.TestIOLoop.test_remove_without_add
#[test]
fn removing_a_handler_that_was_never_added_is_harmless() {
    let io_loop = IoLoop::new();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    io_loop.remove_handler(&socket);
    assert_eq!(io_loop.update_handler(&socket, FdEvents::READ).unwrap_err().kind(), ErrorKind::NotFound);
}

// Tornado: ioloop_test.TestIOLoop.test_read_while_writeable
#[test]
fn handler_that_waits_for_reads_is_not_told_of_writes() {
    let io_loop = IoLoop::new();
    let (client, server) = pair();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let (events, stop) = (seen.clone(), io_loop.clone());
    io_loop
        .add_handler(client.clone(), FdEvents::READ, move |ready| {
            events.borrow_mut().push(ready);
            stop.stop();
        })
        .unwrap();
    turns(&io_loop, 3);
    assert!(seen.borrow().is_empty());
    (&*server).write_all(b"asdf").unwrap();
    io_loop.start();
    assert_eq!(*seen.borrow(), [FdEvents::READ]);
    io_loop.remove_handler(&client);
}

// Tornado: ioloop_test.TestIOLoop.test_remove_handler_from_handler
#[test]
fn handler_that_is_removed_by_another_in_the_same_round_is_not_called() {
    let io_loop = IoLoop::new();
    let (client, server) = pair();
    (&*client).write_all(b"abc").unwrap();
    (&*server).write_all(b"abc").unwrap();
    let chunks = Rc::new(RefCell::new(Vec::new()));
    let handler = |own: &Rc<UnixStream>, other: &Rc<UnixStream>| {
        let (own, other, chunks, io_loop) = (own.clone(), other.clone(), chunks.clone(), io_loop.clone());
        move |_| {
            let mut chunk = [0; 1024];
            let n = (&*own).read(&mut chunk).unwrap();
            chunks.borrow_mut().push(chunk[..n].to_vec());
            io_loop.remove_handler(&other);
        }
    };
    io_loop.add_handler(client.clone(), FdEvents::READ, handler(&client, &server)).unwrap();
    io_loop.add_handler(server.clone(), FdEvents::READ, handler(&server, &client)).unwrap();
    turns(&io_loop, 5);
    assert_eq!(*chunks.borrow(), [b"abc"]);
    io_loop.close();
}

// Tornado: ioloop_test.TestIOLoop.test_handler_callback_file_object
#[test]
fn listener_accepts_in_its_handler() {
    let io_loop = IoLoop::new();
    let listener = Rc::new(TcpListener::bind("127.0.0.1:0").unwrap());
    let accepted = Rc::new(Cell::new(0));
    for n in 1..=2 {
        let (accepting, count, stop) = (listener.clone(), accepted.clone(), io_loop.clone());
        let handler = move |_| {
            drop(accepting.accept().unwrap());
            count.set(count.get() + 1);
            stop.stop();
        };
        io_loop.add_handler(listener.clone(), FdEvents::READ, handler).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        io_loop.start();
        assert_eq!(accepted.get(), n);
        io_loop.remove_handler(&listener);
    }
}

// Tornado: ioloop_test.TestIOLoop.test_close_file_object
#[test]
fn close_of_the_loop_closes_what_only_the_loop_holds() {
    let io_loop = IoLoop::new();
    let (client, server) = pair();
    io_loop.add_handler(client, FdEvents::READ, |_| ()).unwrap();
    turns(&io_loop, 1);
    assert_eq!((&*server).read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    io_loop.close();
    assert_eq!((&*server).read(&mut [0]).unwrap(), 0);
    assert!(io_loop.add_handler(server, FdEvents::READ, |_| ()).is_err());
}

#[test]
fn handler_that_leaves_its_descriptor_ready_is_called_again() {
    let io_loop = IoLoop::new();
    let (client, server) = pair();
    (&*server).write_all(b"abc").unwrap();
    let text = Rc::new(RefCell::new(Vec::new()));
    let (reading, seen, stop) = (client.clone(), text.clone(), io_loop.clone());
    io_loop
        .add_handler(client, FdEvents::READ, move |_| {
            let mut byte = [0];
            (&*reading).read_exact(&mut byte).unwrap();
            seen.borrow_mut().push(byte[0]);
            if seen.borrow().len() == 3 {
                stop.stop();
            }
        })
        .unwrap();
    io_loop.start();
    assert_eq!(*text.borrow(), b"abc");
    io_loop.close();
}

#[test]
fn updated_handler_is_called_for_what_it_was_updated_to() {
    let io_loop = IoLoop::new();
    let (client, server) = pair();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let (events, update, own) = (seen.clone(), io_loop.clone(), client.clone());
    io_loop
        .add_handler(client.clone(), FdEvents::READ, move |ready| {
            events.borrow_mut().push(ready);
            update.update_handler(&own, FdEvents::NONE).unwrap();
        })
        .unwrap();
    turns(&io_loop, 2);
    io_loop.update_handler(&client, FdEvents::WRITE).unwrap();
    turns(&io_loop, 3);
    assert_eq!(*seen.borrow(), [FdEvents::WRITE]);
    (&*server).write_all(b"x").unwrap();
    turns(&io_loop, 3);
    assert_eq!(seen.borrow().len(), 1);
    io_loop.update_handler(&client, FdEvents::READ | FdEvents::WRITE).unwrap();
    turns(&io_loop, 3);
    assert_eq!(seen.borrow()[1], FdEvents::READ | FdEvents::WRITE);
    io_loop.close();
}

#[test]
fn handler_that_panics_is_called_again() {
    let io_loop = IoLoop::new();
    let (client, server) = pair();
    (&*server).write_all(b"x").unwrap();
    let calls = Rc::new(Cell::new(0));
    let (count, stop) = (calls.clone(), io_loop.clone());
    io_loop
        .add_handler(client, FdEvents::READ, move |_| {
            count.set(count.get() + 1);
            assert!(count.get() > 1, "on purpose");
            stop.stop();
        })
        .unwrap();
    io_loop.start();
    assert_eq!(calls.get(), 2);
    io_loop.close();
}

#[test]
fn handler_that_removes_itself_is_dropped_after_the_call() {
    let io_loop = IoLoop::new();
    let (client, server) = pair();
    (&*server).write_all(b"x").unwrap();
    let calls = Rc::new(Cell::new(0));
    let (count, own, remove) = (calls.clone(), client.clone(), io_loop.clone());
    io_loop
        .add_handler(client, FdEvents::READ, move |_| {
            remove.remove_handler(&own);
            count.set(count.get() + 1);
        })
        .unwrap();
    turns(&io_loop, 4);
    assert_eq!((calls.get(), Rc::strong_count(&calls)), (1, 1));
}

#[test]
fn busy_callbacks_do_not_keep_descriptors_waiting() {
    let io_loop = IoLoop::new();
    let (client, server) = pair();
    (&*server).write_all(b"x").unwrap();
    let future = Future::<()>::new();
    let promise = Cell::new(Some(future.promise()));
    io_loop
        .add_handler(client, FdEvents::READ, move |_| {
            if let Some(promise) = promise.take() {
                promise.set_result(());
            }
        })
        .unwrap();
    // There is always a callback ready.
    async fn spin() -> squall::Result<()> {
        loop {
            moment().await?;
        }
    }
    io_loop
        .run_sync(|| {
            IoLoop::current().spawn_callback(spin);
            future
        })
        .unwrap();
    io_loop.close();
}

#[test]
fn closed_peer_is_readable() {
    let io_loop = IoLoop::new();
    let (client, server) = pair();
    let (stop, own) = (io_loop.clone(), client.clone());
    io_loop
        .add_handler(client, FdEvents::READ, move |_| {
            assert_eq!((&*own).read(&mut [0]).unwrap(), 0);
            stop.stop();
        })
        .unwrap();
    drop(server);
    io_loop.start();
    io_loop.close();
}

/// Returns how many turns the loop makes while it sleeps for 30 ms of real time.
fn iterations_of_a_sleep(io_loop: &IoLoop) -> usize {
    #[derive(Default)]
    struct Turns(Cell<usize>);
    impl squall::trace::Observer for Turns {
        fn event(&self, event: &squall::trace::Event<'_>) {
            if let squall::trace::Event::Turn { .. } = event {
                self.0.set(self.0.get() + 1);
            }
        }
    }
    let turns = Rc::new(Turns::default());
    let observing = squall::trace::observe(turns.clone());
    io_loop.run_sync(|| sleep(Duration::from_millis(30))).unwrap();
    drop(observing);
    turns.0.get()
}

#[test]
fn paused_descriptor_is_idle_when_its_peer_hangs_up() {
    let io_loop = IoLoop::new();
    let (client, server) = pair();
    let calls = Rc::new(Cell::new(0));
    let count = calls.clone();
    io_loop.add_handler(client.clone(), FdEvents::NONE, move |_| count.set(count.get() + 1)).unwrap();
    drop(server);
    assert!(iterations_of_a_sleep(&io_loop) < 10);
    assert_eq!(calls.get(), 0);
    // Nothing else could wake the loop.
    let never = Future::<()>::new();
    let _promise = never.promise();
    let e = io_loop.run_sync(|| never).unwrap_err();
    assert!(matches!(e.downcast_ref(), Some(squall::Error::Deadlock { .. })));
    // Events from before are seen as soon as it is watched again.
    io_loop.update_handler(&client, FdEvents::READ).unwrap();
    turns(&io_loop, 2);
    assert!(calls.get() > 0);
    io_loop.close();
}

#[test]
fn descriptor_that_is_paused_and_watched_again_is_idle_in_between() {
    let io_loop = IoLoop::new();
    let (client, server) = pair();
    let (calls, reading) = (Rc::new(Cell::new(0)), client.clone());
    let (count, pause, own) = (calls.clone(), io_loop.clone(), client.clone());
    io_loop
        .add_handler(client.clone(), FdEvents::READ | FdEvents::WRITE, move |_| {
            count.set(count.get() + 1);
            pause.update_handler(&own, FdEvents::NONE).unwrap();
        })
        .unwrap();
    turns(&io_loop, 2);
    assert_eq!(calls.get(), 1);
    (&*server).write_all(b"left").unwrap();
    drop(server);
    for round in 2..5 {
        assert!(iterations_of_a_sleep(&io_loop) < 10);
        io_loop.update_handler(&client, FdEvents::NONE).unwrap();
        io_loop.update_handler(&client, FdEvents::READ).unwrap();
        turns(&io_loop, 3);
        assert_eq!(calls.get(), round);
    }
    let mut left = [0; 4];
    (&*reading).read_exact(&mut left).unwrap();
    io_loop.remove_handler(&client);
    io_loop.remove_handler(&client);
    // The number is free for another handler.
    io_loop.add_handler(client, FdEvents::NONE, |_| ()).unwrap();
    io_loop.close();
}

#[test]
fn paused_handler_of_a_file_that_cannot_be_watched_is_an_error() {
    let file = std::fs::File::open(file!()).unwrap();
    assert!(IoLoop::new().add_handler(file, FdEvents::NONE, |_| ()).is_err());
}

#[test]
fn virtual_clock_jumps_past_a_descriptor_that_is_not_ready() {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let (client, _server) = pair();
    io_loop.add_handler(client, FdEvents::READ, |_| panic!("nothing was sent")).unwrap();
    io_loop.run_sync(|| sleep(Duration::from_secs(3600))).unwrap();
}

#[test]
fn virtual_clock_lets_a_descriptor_that_is_ready_go_before_a_timer() {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let (client, server) = pair();
    let called_at = Rc::new(Cell::new(None));
    let at = called_at.clone();
    let reading = client.clone();
    let handler = move |_| {
        at.set(Some(IoLoop::current().time()));
        (&*reading).read_exact(&mut [0; 4]).unwrap();
    };
    io_loop.add_handler(client, FdEvents::READ, handler).unwrap();
    let sending = server.clone();
    io_loop.call_later(Duration::ZERO, move || (&*sending).write_all(b"next").unwrap());
    io_loop.run_sync(|| sleep(Duration::from_secs(3600))).unwrap();
    assert_eq!(called_at.get(), Some(Duration::ZERO));
}

#[test]
fn virtual_clock_waits_for_a_descriptor_whose_other_end_takes_real_time() {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let (client, server) = pair();
    let mut server = Rc::try_unwrap(server).unwrap();
    io_loop.add_handler(client.clone(), FdEvents::READ, |_| IoLoop::current().stop()).unwrap();
    io_loop.wait_for_fd(&client, true).unwrap();
    let answer = std::thread::spawn(move || server.write_all(b"late").unwrap());
    io_loop.call_later(Duration::from_secs(3600), || panic!("it did not wait"));
    io_loop.start();
    assert_eq!(io_loop.time(), Duration::ZERO);
    answer.join().unwrap();
    io_loop.remove_handler(&client);
    assert!(io_loop.wait_for_fd(&client, true).is_err());
}

#[test]
fn regular_file_cannot_be_watched() {
    let file = std::fs::File::open(file!()).unwrap();
    assert!(IoLoop::new().add_handler(file, FdEvents::READ, |_| ()).is_err());
}

#[test]
fn descriptor_that_is_watched_for_writing_is_idle_when_its_peer_sends_no_more() {
    let io_loop = IoLoop::new();
    let (client, server) = pair();
    while (&*client).write(&[0; 4096]).is_ok() {}
    io_loop.add_handler(client, FdEvents::WRITE, |_| panic!("there is no room")).unwrap();
    server.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(iterations_of_a_sleep(&io_loop) < 10);
    io_loop.close();
}

#[test]
fn handlers_that_pause_and_replace_each_other_and_themselves_at_a_hang_up_are_idle() {
    let io_loop = IoLoop::new();
    let (reader, writer) = std::io::pipe().unwrap();
    let (writer, (client, server)) = (Rc::new(writer), pair());
    let calls = Rc::new(RefCell::new(Vec::new()));
    let (io, paused, own, seen) = (io_loop.clone(), client.clone(), writer.clone(), calls.clone());
    let handler = move |_| {
        seen.borrow_mut().push("writer");
        io.update_handler(&paused, FdEvents::NONE).unwrap();
        io.remove_handler(&own);
        io.add_handler(own.clone(), FdEvents::NONE, |_| panic!("it is paused")).unwrap();
    };
    io_loop.add_handler(writer, FdEvents::WRITE, handler).unwrap();
    let seen = calls.clone();
    io_loop.add_handler(client.clone(), FdEvents::READ, move |_| seen.borrow_mut().push("client")).unwrap();
    turns(&io_loop, 2);
    drop((reader, server));
    assert!(iterations_of_a_sleep(&io_loop) < 10);
    assert_eq!(*calls.borrow(), ["writer"]);
    io_loop.update_handler(&client, FdEvents::READ).unwrap();
    turns(&io_loop, 2);
    assert_eq!(calls.borrow().last(), Some(&"client"));
    io_loop.close();
}
