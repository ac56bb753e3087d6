//! Clients that leave.

use std::rc::Rc;

use squall::net::TcpStream;
use squall::web::{Application, ConnectionClosed, Request, RequestHandler};
use squall::{Future, Promise, Result};

use crate::client::{response, serve, Notes};

/// A handler that waits for the test.
struct Waits {
    notes: Notes,
    gate: std::cell::RefCell<Option<Future<()>>>,
}

impl Waits {
    fn new() -> (Self, Notes, Promise<()>) {
        let (notes, gate) = (Notes::default(), Future::new());
        let promise = gate.promise();
        (Self { notes: notes.clone(), gate: Some(gate).into() }, notes, promise)
    }
}

impl RequestHandler for Waits {
    /// Waits for the gate, then answers.
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        self.notes.add("get");
        let gate = self.gate.borrow_mut().take().unwrap();
        yield_!(gate)?;
        req.write("late");
        Ok(())
    }

    /// Streams until the client is gone.
    #[squall::coroutine]
    fn post(self: Rc<Self>, req: Request) -> Result<()> {
        loop {
            req.write(vec![b'x'; 64 * 1024]);
            if let Err(exception) = yield_!(req.flush()) {
                self.notes.add(format!("flush: {}", exception.is::<ConnectionClosed>()));
                return Err(exception);
            }
        }
    }

    /// Waits until the client is gone.
    async fn put(self: Rc<Self>, req: Request) -> Result<()> {
        self.notes.add("put");
        req.closed().await?;
        self.notes.add("closed");
        Ok(())
    }

    /// Reads a body that is cut off.
    async fn patch(self: Rc<Self>, req: Request) -> Result<()> {
        self.notes.add("patch");
        let body = req.body().await;
        self.notes.add(format!("body: {}", body.is_err()));
        body.map(drop)
    }

    fn on_connection_close(&self, _: &Request) {
        self.notes.add("on_connection_close");
    }
}

#[test]
fn client_that_leaves_is_told_of_while_the_handler_waits() {
    let (waits, notes, _gate) = Waits::new();
    serve(&Application::new().route("/", waits), |address| async move {
        let stream = TcpStream::connect(address).await?;
        stream.write_all("PUT / HTTP/1.1\r\nHost: a\r\n\r\n").await?;
        until(&notes, 1).await?;
        drop(stream);
        assert_eq!(until(&notes, 3).await?, ["put", "on_connection_close", "closed"]);
        Ok(())
    });
}

#[test]
fn client_that_leaves_is_told_of_although_it_has_sent_requests_in_advance() {
    let (waits, notes, _gate) = Waits::new();
    serve(&Application::new().route("/", waits), |address| async move {
        let stream = TcpStream::connect(address).await?;
        let put = "PUT / HTTP/1.1\r\nHost: a\r\n\r\n";
        stream.write_all(put).await?;
        until(&notes, 1).await?;
        stream.write_all(put.repeat(20)).await?;
        drop(stream);
        assert_eq!(until(&notes, 3).await?[..3], ["put", "on_connection_close", "closed"]);
        Ok(())
    });
}

#[test]
fn handler_that_begins_after_the_client_has_left_is_told_of_that() {
    let (waits, notes, _gate) = Waits::new();
    serve(&Application::new().route("/", waits), |address| async move {
        let stream = TcpStream::connect(address).await?;
        stream.write_all("PUT / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2)).await?;
        stream.shutdown().await?;
        for _ in 0..2 {
            assert_eq!(response(&stream).await?.status, 200);
        }
        // A native handler begins in the next turn.
        assert_eq!(notes.take(), ["on_connection_close", "put", "closed"].repeat(2));
        Ok(())
    });
}

#[test]
fn client_that_closes_its_half_gets_its_response() {
    let (waits, notes, gate) = Waits::new();
    serve(&Application::new().route("/", waits), |address| async move {
        let stream = TcpStream::connect(address).await?;
        stream.write_all("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await?;
        stream.shutdown().await?;
        assert_eq!(until(&notes, 2).await?, ["get", "on_connection_close"]);
        gate.set_result(());
        assert_eq!(response(&stream).await?.text(), "late");
        assert!(stream.read(1).await?.is_empty());
        Ok(())
    });
}

#[test]
fn client_that_leaves_in_the_middle_of_a_stream_ends_it() {
    let (waits, notes, _gate) = Waits::new();
    serve(&Application::new().route("/", waits), |address| async move {
        let stream = TcpStream::connect(address).await?;
        stream.write_all("POST / HTTP/1.1\r\nHost: a\r\n\r\n").await?;
        stream.read_until("\r\n\r\n", 1000).await?;
        drop(stream);
        let notes = until(&notes, 2).await?;
        assert_eq!(notes, ["on_connection_close", "flush: true"]);
        Ok(())
    });
}

#[test]
fn client_that_leaves_in_the_middle_of_a_body_fails_its_reader() {
    let (waits, notes, _gate) = Waits::new();
    serve(&Application::new().route("/", waits), |address| async move {
        let stream = TcpStream::connect(address).await?;
        stream.write_all("PATCH / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc").await?;
        until(&notes, 1).await?;
        drop(stream);
        assert_eq!(until(&notes, 2).await?[..2], ["patch", "body: true"]);
        Ok(())
    });
}

/// Turns the loop until there are that many notes.
async fn until(notes: &Notes, count: usize) -> Result<Vec<String>> {
    while notes.len() < count {
        squall::moment().await?;
    }
    Ok(notes.all())
}
