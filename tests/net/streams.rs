//! Reading and writing.

use std::future::poll_fn;
use std::io::{ErrorKind, IoSlice};
use std::pin::Pin;
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};
use squall::net::{TcpStream, UnixStream};
use squall::{sleep, with_timeout, IoLoop, Result};

use crate::{filled, kind, on_both, pair, run, turns};

#[test]
fn bytes_arrive_in_order_and_the_end_is_empty() {
    on_both(|| async {
        let (client, server) = pair().await?;
        client.write_all("hello ").await?;
        client.write_all(b"world".to_vec()).await?;
        client.shutdown().await?;
        let mut all = Vec::new();
        loop {
            let bytes = server.read(4).await?;
            assert!(bytes.len() <= 4);
            if bytes.is_empty() {
                break;
            }
            all.extend_from_slice(&bytes);
        }
        assert_eq!(all, b"hello world");
        server.write_all("still open").await?;
        drop(server);
        assert_eq!(client.read_to_end(100).await?, "still open");
        Ok(())
    });
}

#[test]
fn read_that_waits_is_resumed_when_bytes_come() {
    on_both(|| async {
        let (client, server) = pair().await?;
        let read = server.read(100);
        assert!(!read.done());
        client.write_all("x").await?;
        assert_eq!(read.await?, "x");
        Ok(())
    });
}

#[test]
fn lines_come_one_by_one_and_the_last_needs_no_end() {
    on_both(|| async {
        let (client, server) = pair().await?;
        client.write_all("one\r\ntwo\n\nlast").await?;
        drop(client);
        let lines = server.lines();
        let mut all = Vec::new();
        while let Some(line) = lines.next_line().await? {
            all.push(line);
        }
        assert_eq!(all, ["one", "two", "", "last"]);
        Ok(())
    });
}

#[test]
fn big_transfer_passes_both_ways_at_once() {
    const SIZE: usize = 20_000_000;
    on_both(|| async {
        let (one, other) = pair().await?;
        let (a, b) = (one.write_all(vec![1; SIZE]), other.write_all(vec![2; SIZE]));
        let (at_one, at_other) = (one.read_exact(SIZE), other.read_exact(SIZE));
        let (at_one, at_other) = (at_one.await?, at_other.await?);
        assert!(at_one.iter().all(|byte| *byte == 2) && at_other.iter().all(|byte| *byte == 1));
        a.await?;
        b.await
    });
}

#[test]
fn read_into_appends_to_the_room_of_the_buffer() {
    on_both(|| async {
        let (client, server) = pair().await?;
        client.write_all("hello world").await?;
        let mut buffer = Vec::with_capacity(16);
        buffer.extend_from_slice(b"0123456789");
        let (buffer, len) = server.read_into(buffer).await?;
        assert_eq!((&buffer[..], len), (&b"0123456789hello "[..], 6));
        assert_eq!(server.read_into(Vec::new()).await?, (b"world".to_vec(), 5));
        drop(client);
        assert_eq!(server.read_into(Vec::new()).await?, (Vec::new(), 0));
        Ok(())
    });
}

#[test]
fn delimiter_that_comes_in_pieces_is_found() {
    on_both(|| async {
        let (client, server) = pair().await?;
        let read = server.read_until("\r\n\r\n", 100);
        for piece in ["GET / HTTP/1.1\r", "\n\r", "\nbody"] {
            client.write_all(piece).await?;
            turns(3).await;
        }
        assert_eq!(read.await?, "GET / HTTP/1.1\r\n\r\n");
        assert_eq!(server.read(100).await?, "body");
        Ok(())
    });
}

#[test]
fn what_does_not_fit_or_ends_early_is_left_to_be_read() {
    on_both(|| async {
        let (client, server) = pair().await?;
        client.write_all("0123456789").await?;
        let none = server.read_until("\n", 10).await.unwrap_err();
        assert_eq!(kind(&none), ErrorKind::InvalidData);
        let late = server.read_until("9", 9).await.unwrap_err();
        assert_eq!(kind(&late), ErrorKind::InvalidData);
        assert_eq!(kind(&server.read_to_end(5).await.unwrap_err()), ErrorKind::InvalidData);
        client.shutdown().await?;
        assert_eq!(kind(&server.read_exact(11).await.unwrap_err()), ErrorKind::UnexpectedEof);
        assert_eq!(kind(&server.read_until("x", 100).await.unwrap_err()), ErrorKind::UnexpectedEof);
        assert_eq!(server.read_until("4", 5).await?, "01234");
        assert_eq!(server.read_to_end(5).await?, "56789");
        assert_eq!(server.read(5).await?, "");
        Ok(())
    });
}

#[test]
fn line_that_is_not_text_or_too_long_is_left_to_be_read() {
    on_both(|| async {
        let (client, server) = pair().await?;
        client.write_all(&b"\xff\n0123456789\n"[..]).await?;
        let lines = server.lines().limit(10);
        assert_eq!(kind(&lines.next_line().await.unwrap_err()), ErrorKind::InvalidData);
        assert_eq!(server.read(2).await?, &b"\xff\n"[..]);
        assert_eq!(kind(&lines.next_line().await.unwrap_err()), ErrorKind::InvalidData);
        assert_eq!(server.lines().limit(11).next_line().await?.as_deref(), Some("0123456789"));
        Ok(())
    });
}

#[test]
fn reads_in_line_are_served_in_order() {
    on_both(|| async {
        let (client, server) = pair().await?;
        let (first, second, third) = (server.read_exact(3), server.read(2), server.lines().next_line());
        client.write_all("abcdefg\n").await?;
        assert_eq!(first.await?, "abc");
        assert_eq!(second.await?, "de");
        assert_eq!(third.await?.as_deref(), Some("fg"));
        Ok(())
    });
}

#[test]
fn read_whose_handle_is_dropped_loses_no_byte() {
    on_both(|| async {
        let (client, server) = pair().await?;
        drop(server.read(100)); // while it waits
        let partly = server.read_exact(10);
        let next = server.read(100);
        client.write_all("abc").await?;
        turns(3).await;
        assert!(!partly.done() && !next.done());
        drop(partly); // with some of its bytes there
        assert_eq!(next.await?, "abc");
        client.write_all("def\nghi").await?;
        let (line, rest) = (server.lines().next_line(), server.read(100));
        turns(5).await;
        assert!(line.done() && rest.done());
        drop((line, rest)); // with their results there
        assert_eq!(server.read_exact(7).await?, "def\nghi");
        Ok(())
    });
}

#[test]
fn read_that_is_cancelled_leaves_its_bytes_to_the_next() {
    on_both(|| async {
        let (client, server) = pair().await?;
        let (cancelled, next) = (server.read_exact(10), server.read(10));
        client.write_all("abc").await?;
        turns(3).await;
        assert!(cancelled.cancel());
        assert_eq!(next.await?, "abc");
        Ok(())
    });
}

#[test]
fn read_that_runs_out_of_time_loses_no_byte() {
    on_both(|| async {
        let (client, server) = pair().await?;
        for _ in 0..3 {
            let late = with_timeout(Duration::from_millis(1), server.read_exact(3)).await;
            assert!(late.is_err());
            client.write_all("a").await?;
        }
        assert_eq!(server.read_exact(3).await?, "aaa");
        Ok(())
    });
}

#[test]
fn dropped_read_with_a_done_callback_calls_it() {
    on_both(|| async {
        let (client, server) = pair().await?;
        let (promise, called) = {
            let called = squall::Future::new();
            (called.promise(), called)
        };
        server.read(10).add_done_callback(move |read| promise.set(read.result()));
        client.write_all("abc").await?;
        assert_eq!(called.await?, "abc");
        Ok(())
    });
}

#[test]
fn write_whose_handle_is_dropped_is_not_torn() {
    on_both(|| async {
        let (client, server) = pair().await?;
        let before = filled(&client).await;
        drop(client.write_all(vec![b'a'; 1_000_000]));
        let last = client.write_all("end");
        assert!(!last.done());
        let all = server.read_until("end", 100_000_000).await?;
        assert_eq!(all.len(), before + 1_000_003);
        assert!(all[before..all.len() - 3].iter().all(|byte| *byte == b'a'));
        last.await
    });
}

#[test]
fn shutdown_comes_after_what_was_handed_in() {
    on_both(|| async {
        let (client, server) = pair().await?;
        let before = filled(&client).await;
        let (written, shut) = (client.write_all("last"), client.shutdown());
        assert!(!written.done() && !shut.done());
        let refused = client.write_all("late").await.unwrap_err();
        assert_eq!(kind(&refused), ErrorKind::BrokenPipe);
        let all = server.read_to_end(100_000_000).await?;
        assert_eq!((all.len(), &all[before..]), (before + 4, &b"last"[..]));
        written.await?;
        shut.await
    });
}

#[test]
fn write_takes_what_there_is_room_for() {
    on_both(|| async {
        let (client, server) = pair().await?;
        let some = client.write(vec![0; 100_000_000]).await?;
        assert!(0 < some && some < 100_000_000);
        filled(&client).await;
        let (one, other) = (client.write("x"), client.write("y"));
        turns(3).await;
        assert!(!one.done() && !other.done());
        let drained = async move {
            while server.read(1_000_000).await?.last() == Some(&0) {}
            Result::<()>::Ok(())
        };
        let drained = squall::convert_yielded(drained)?;
        assert_eq!((one.await?, other.await?), (1, 1));
        drop(client);
        drained.await
    });
}

#[test]
fn half_closed_stream_goes_on_in_the_other_direction() {
    on_both(|| async {
        let (client, server) = pair().await?;
        let (reader, writer) = server.into_split();
        drop(writer);
        assert_eq!(client.read(10).await?, "");
        client.write_all("hello").await?;
        assert_eq!(reader.read(10).await?, "hello");
        drop(client);
        assert_eq!(reader.read(10).await?, "");
        Ok(())
    });
}

#[test]
fn reset_connection_fails_its_reads_and_writes() {
    on_both(|| async {
        let (client, server) = pair().await?;
        let read = server.read(10);
        client.set_linger(Some(Duration::ZERO))?;
        drop(client);
        assert_eq!(kind(&read.await.unwrap_err()), ErrorKind::ConnectionReset);
        let written = server.write_all("x").await.unwrap_err();
        assert!(matches!(kind(&written), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset));
        Ok(())
    });
}

#[test]
fn reset_fails_what_waits_to_be_written() {
    on_both(|| async {
        let (client, server) = pair().await?;
        let written = server.write_all(vec![0; filled(&server).await + 1]);
        let more = server.write_all("more");
        client.set_linger(Some(Duration::ZERO))?;
        drop(client);
        for failed in [written, more] {
            let failed = failed.await.unwrap_err();
            assert!(matches!(kind(&failed), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{failed}");
        }
        Ok(())
    });
}

#[test]
fn dropped_stream_fails_those_that_wait_for_it() {
    on_both(|| async {
        let (client, server) = pair().await?;
        let (read, write) = (server.read(10), server.write_all(vec![0; filled(&server).await]));
        drop(server);
        for failed in [read.await.map(drop), write.await] {
            assert_eq!(kind(&failed.unwrap_err()), ErrorKind::NotConnected);
        }
        drop(client);
        Ok(())
    });
}

#[test]
fn done_at_once_does_not_turn_the_loop() {
    on_both(|| async {
        let (client, server) = pair().await?;
        client.write_all("abc").await?;
        turns(2).await;
        let read = server.read(10);
        assert!(read.done());
        drop(read);
        assert!(server.write_all("x").done() && server.shutdown().done());
        Ok(())
    });
}

#[test]
fn futures_io_reads_what_was_given_back_and_then_the_socket() {
    on_both(|| async {
        let (client, server) = pair().await?;
        client.write_all("abc").await?;
        let read = server.read(10);
        turns(3).await;
        assert!(read.done());
        drop(read);
        let (mut reader, mut buffer) = (&server, [0; 10]);
        let mut poll_read =
            async |buffer: &mut [u8]| poll_fn(|cx| Pin::new(&mut reader).poll_read(cx, buffer)).await;
        assert_eq!((poll_read(&mut buffer[..2]).await?, &buffer[..2]), (2, &b"ab"[..]));
        assert_eq!((poll_read(&mut buffer).await?, &buffer[..1]), (1, &b"c"[..]));
        let mut writer = &client;
        let pieces = [IoSlice::new(b"de"), IoSlice::new(b"f")];
        let written = poll_fn(|cx| Pin::new(&mut writer).poll_write_vectored(cx, &pieces)).await?;
        poll_fn(|cx| Pin::new(&mut writer).poll_flush(cx)).await?;
        poll_fn(|cx| Pin::new(&mut writer).poll_close(cx)).await?;
        assert_eq!((written, poll_read(&mut buffer).await?, &buffer[..3]), (3, 3, &b"def"[..]));
        assert_eq!(poll_read(&mut buffer).await?, 0);
        Ok(())
    });
}

#[test]
fn two_tasks_that_poll_the_same_stream_are_both_woken() {
    on_both(|| async {
        let (client, server) = pair().await?;
        let poll = |stream: TcpStream| async move {
            let mut byte = [0];
            poll_fn(|cx| stream.poll_read(cx, &mut byte)).await?;
            Result::<u8>::Ok(byte[0])
        };
        let both = squall::multi([poll(server.clone()), poll(server)]);
        sleep(Duration::from_millis(1)).await?;
        client.write_all("ab").await?;
        let mut both = both.await?;
        both.sort_unstable();
        assert_eq!(both, *b"ab");
        Ok(())
    });
}

/// The traits of `futures` that are in scope do not hide the methods of the streams.
#[test]
fn methods_come_before_those_of_traits_in_scope() {
    trait AsyncReadExt: AsyncRead {
        fn read(&mut self, _buffer: &mut [u8]) {}
    }
    impl<R: AsyncRead + ?Sized> AsyncReadExt for R {}
    on_both(|| async {
        let (client, server) = pair().await?;
        client.write_all("x").await?;
        assert_eq!(server.read(1).await?, "x");
        AsyncReadExt::read(&mut &server, &mut []);
        Ok(())
    });
}

#[test]
fn std_streams_are_taken_over() {
    run(async {
        let (one, other) = std::os::unix::net::UnixStream::pair()?;
        let (one, other) = (UnixStream::from_std(one)?, UnixStream::from_std(other)?);
        one.write_all("x").await?;
        assert_eq!(other.read(1).await?, "x");
        Ok(())
    });
}

#[test]
fn stream_of_another_loop_that_is_closed_says_so() {
    let other = IoLoop::new();
    let (client, server) = other.run_sync(pair).unwrap();
    // It still works on another loop while its own is open: what is ready is done at once.
    run(async move {
        client.write_all("x").await?;
        other.close();
        for failed in
            [client.write_all("x").await, client.read(1).await.map(drop), server.read(1).await.map(drop)]
        {
            let failed = failed.unwrap_err().to_string();
            assert!(failed.contains("the IoLoop on which this socket was made is closed"), "{failed}");
        }
        Ok(())
    });
    let closed = IoLoop::new();
    closed.close();
}
