//! A client and a server, both coroutines on sockets of the loop: a counterpart of Tornado's `GeneratorCapClientTest`.
#![cfg(any(target_os = "linux", target_os = "android"))]

use std::cell::Cell;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::rc::Rc;

use squall::ioloop::FdEvents;
use squall::{Exception, Future, IoLoop, Result};

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct CapError(String);

/// Returns a Future that is done when the descriptor can be read.
fn readable<T: AsFd + 'static>(fd: &Rc<T>) -> Future<()> {
    let future = Future::new();
    let promise = Cell::new(Some(future.promise()));
    let (io_loop, own) = (IoLoop::current(), fd.clone());
    let handler = move |_| {
        io_loop.remove_handler(&own);
        if let Some(promise) = promise.take() {
            promise.set_result(());
        }
    };
    match IoLoop::current().add_handler(fd.clone(), FdEvents::READ, handler) {
        Ok(()) => future,
        Err(error) => Future::failed(error),
    }
}

#[squall::coroutine]
fn read_line(stream: Rc<TcpStream>) -> Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while line.last() != Some(&b'\n') {
        match (&*stream).read(&mut byte) {
            Ok(0) => Err(Exception::msg("the stream ended within a line"))?,
            Ok(_) => line.push(byte[0]),
            Err(e) if e.kind() == ErrorKind::WouldBlock => yield_!(readable(&stream))?,
            Err(e) => Err(e)?,
        }
    }
    line.pop();
    Ok(String::from_utf8(line)?)
}

/// Answers each line with the line in capitals, or with an error if it already is in capitals.
#[squall::coroutine]
fn cap_server(listener: Rc<TcpListener>) -> Result<()> {
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => Rc::new(stream),
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                yield_!(readable(&listener))?;
                continue;
            }
            Err(e) => Err(e)?,
        };
        stream.set_nonblocking(true)?;
        let data = yield_!(read_line(stream.clone()))?;
        let capital = data.to_uppercase();
        let answer = if data == capital {
            "error\talready capitalized\n".to_owned()
        } else {
            format!("ok\t{capital}\n")
        };
        (&*stream).write_all(answer.as_bytes())?;
    }
}

#[squall::coroutine]
fn capitalize(server: SocketAddr, data: &'static str) -> Result<String> {
    let stream = TcpStream::connect(server)?;
    stream.set_nonblocking(true)?;
    let stream = Rc::new(stream);
    (&*stream).write_all(format!("{data}\n").as_bytes())?;
    let answer = yield_!(read_line(stream))?;
    match answer.split_once('\t') {
        Some(("ok", capital)) => Ok(capital.to_owned()),
        Some((_, message)) => Err(CapError(message.to_owned()))?,
        None => Err(Exception::msg("did not match")),
    }
}

/// Runs `test` on a loop that has a server.
fn with_server<R>(test: impl FnOnce(&IoLoop, SocketAddr) -> R) -> R {
    let io_loop = IoLoop::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    io_loop.spawn_callback(move || cap_server(Rc::new(listener)));
    let result = test(&io_loop, address);
    io_loop.close();
    result
}

/// Runs `capitalize` through `add_future`, and returns its result.
fn future_of(data: &'static str) -> Result<String> {
    with_server(|io_loop, server| {
        let (stop, result) = (io_loop.clone(), Rc::new(Cell::new(None)));
        let given = result.clone();
        let here = io_loop.make_current();
        io_loop.add_future(capitalize(server, data), move |future| {
            given.set(Some(future.into_result()));
            stop.stop();
        });
        drop(here);
        io_loop.start();
        result.take().unwrap()
    })
}

// Tornado: concurrent_test.GeneratorCapClientTest.test_future
#[test]
fn future_of_a_client_returns_the_answer() {
    assert_eq!(future_of("hello").unwrap(), "HELLO");
}

// Tornado: concurrent_test.GeneratorCapClientTest.test_future_error
#[test]
fn future_of_a_client_raises_the_error() {
    let e = future_of("HELLO").unwrap_err();
    assert!(e.is::<CapError>());
    assert_eq!(e.to_string(), "already capitalized");
}

// Tornado: concurrent_test.GeneratorCapClientTest.test_generator
#[test]
fn client_that_is_yielded_returns_the_answer() {
    #[squall::coroutine]
    fn f(server: SocketAddr) -> Result<()> {
        assert_eq!(yield_!(capitalize(server, "hello"))?, "HELLO");
        Ok(())
    }
    with_server(|io_loop, server| io_loop.run_sync(|| f(server))).unwrap();
}

// Tornado: concurrent_test.GeneratorCapClientTest.test_generator_error
#[test]
fn client_that_is_yielded_raises_the_error() {
    #[squall::coroutine]
    fn f(server: SocketAddr) -> Result<bool> {
        let error = yield_!(capitalize(server, "HELLO")).unwrap_err();
        Ok(error.is::<CapError>() && error.to_string() == "already capitalized")
    }
    assert!(with_server(|io_loop, server| io_loop.run_sync(|| f(server))).unwrap());
}
