//! Limits of time and number. Each is a few milliseconds, on the real clock.

use std::rc::Rc;
use std::time::Duration;

use squall::net::TcpStream;
use squall::web::{Application, HttpServerConfig, Request, RequestHandler};
use squall::Result;

use crate::client::{ask, response, serve_with, Notes};

const SHORT: Duration = Duration::from_millis(20);

struct Reads(Notes);

impl RequestHandler for Reads {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.write("ok");
        Ok(())
    }

    #[squall::coroutine]
    fn post(self: Rc<Self>, req: Request) -> Result<()> {
        let body = yield_!(req.body());
        self.0.add(body.as_ref().map_or_else(ToString::to_string, |_| "read".to_owned()));
        req.write(body?);
        Ok(())
    }

    #[squall::coroutine]
    fn put(self: Rc<Self>, req: Request) -> Result<()> {
        loop {
            req.write(vec![b'x'; 1 << 20]);
            if let Err(exception) = yield_!(req.flush()) {
                self.0.add(exception.to_string());
                return Err(exception);
            }
        }
    }
}

fn app() -> (Application, Notes) {
    let notes = Notes::default();
    (Application::new().route("/", Reads(notes.clone())), notes)
}

#[test]
fn head_that_comes_too_slowly_is_408() {
    let config = HttpServerConfig { header_timeout: SHORT, ..HttpServerConfig::default() };
    serve_with(&app().0, config, |server| async move {
        let stream = TcpStream::connect(server.local_addr()?).await?;
        stream.write_all("GET / HTTP/1.1\r\nHost").await?;
        assert_eq!(response(&stream).await?.status, 408);
        assert!(stream.read(1).await?.is_empty());
        let silent = TcpStream::connect(server.local_addr()?).await?;
        assert!(silent.read(1).await?.is_empty());
        Ok(())
    });
}

#[test]
fn drops_of_a_head_do_not_lengthen_its_time() {
    let config = HttpServerConfig { header_timeout: SHORT, ..HttpServerConfig::default() };
    serve_with(&app().0, config, |server| async move {
        let stream = TcpStream::connect(server.local_addr()?).await?;
        let drops = stream.clone();
        let dripping = squall::convert_yielded(async move {
            drops.write_all("GET / HTTP/1.1\r\n").await?;
            loop {
                squall::sleep(Duration::from_millis(2)).await?;
                if drops.write_all("X: y\r\n").await.is_err() {
                    return Result::<()>::Ok(());
                }
            }
        })?;
        let answer = response(&stream).await;
        assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status == 408));
        dripping.cancel();
        Ok(())
    });
}

#[test]
fn idle_connection_is_closed() {
    let config = HttpServerConfig { idle_timeout: SHORT, ..HttpServerConfig::default() };
    serve_with(&app().0, config, |server| async move {
        let stream = TcpStream::connect(server.local_addr()?).await?;
        stream.write_all("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await?;
        assert_eq!(response(&stream).await?.text(), "ok");
        assert!(stream.read(1).await?.is_empty());
        Ok(())
    });
}

#[test]
fn connection_that_is_used_again_is_not_idle() {
    const IDLE: Duration = Duration::from_millis(100);

    let config = HttpServerConfig { idle_timeout: IDLE, ..HttpServerConfig::default() };
    serve_with(&app().0, config, |server| async move {
        let io_loop = squall::IoLoop::current();
        let stream = TcpStream::connect(server.local_addr()?).await?;
        let end = io_loop.time() + IDLE * 2;
        while io_loop.time() < end {
            stream.write_all("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await?;
            assert_eq!(response(&stream).await?.text(), "ok");
        }
        assert!(stream.read(1).await?.is_empty());
        Ok(())
    });
}

#[test]
fn body_that_pauses_is_408_in_the_handler() {
    let (app, notes) = app();
    let config = HttpServerConfig { body_timeout: SHORT, ..HttpServerConfig::default() };
    serve_with(&app, config, |server| async move {
        let answer =
            ask(server.local_addr()?, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc").await?;
        assert_eq!((answer.status, answer.header("connection")), (408, Some("close")));
        assert_eq!(notes.take(), ["HTTP 408: Request Timeout"]);
        Ok(())
    });
}

#[test]
fn client_that_takes_nothing_is_cut_off() {
    let (app, notes) = app();
    let config = HttpServerConfig { write_timeout: SHORT, ..HttpServerConfig::default() };
    serve_with(&app, config, |server| async move {
        let stream = TcpStream::connect(server.local_addr()?).await?;
        stream.write_all("PUT / HTTP/1.1\r\nHost: a\r\n\r\n").await?;
        while notes.len() == 0 {
            squall::moment().await?;
        }
        assert_eq!(notes.take(), ["the client has closed the connection"]);
        Ok(())
    });
}

#[test]
fn connections_beyond_the_limit_wait_for_a_place() {
    let config = HttpServerConfig { max_connections: 2, ..HttpServerConfig::default() };
    serve_with(&app().0, config, |server| async move {
        let mut open = Vec::new();
        for _ in 0..4 {
            let stream = TcpStream::connect(server.local_addr()?).await?;
            stream.write_all("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await?;
            open.push(stream);
        }
        assert_eq!(response(&open[0]).await?.text(), "ok");
        assert_eq!(response(&open[1]).await?.text(), "ok");
        assert_eq!(server.connections(), 2);
        drop(open.remove(0));
        assert_eq!(response(&open[1]).await?.text(), "ok");
        Ok(())
    });
}

#[test]
fn heads_beyond_the_limits_are_431() {
    let config = HttpServerConfig { max_header_size: 10_000, max_headers: 5, ..HttpServerConfig::default() };
    serve_with(&app().0, config, |server| async move {
        let address = server.local_addr()?;
        let large = |size| format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(size));
        assert_eq!(ask(address, &large(9_900)).await?.status, 200);
        assert_eq!(ask(address, &large(10_000)).await?.status, 431);
        assert_eq!(ask(address, &large(1_000_000)).await?.status, 431);
        let many = |count| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(count));
        assert_eq!(ask(address, &many(4)).await?.status, 200);
        assert_eq!(ask(address, &many(5)).await?.status, 431);
        Ok(())
    });
}
