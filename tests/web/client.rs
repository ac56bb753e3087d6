//! A client that sends and reads bytes by hand.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;

use squall::net::TcpStream;
use squall::web::{Application, HttpServerConfig, Server};
use squall::{IoLoop, Result};

/// Serves an application on the loop of this thread while a client runs.
pub(crate) fn serve<F>(app: &Application, client: impl FnOnce(SocketAddr) -> F)
where
    F: std::future::Future<Output = Result<()>> + 'static,
{
    serve_with(app, HttpServerConfig::default(), |server| client(server.local_addr().unwrap()));
}

/// Serves an application with other limits.
pub(crate) fn serve_with<F>(app: &Application, config: HttpServerConfig, client: impl FnOnce(Server) -> F)
where
    F: std::future::Future<Output = Result<()>> + 'static,
{
    let server = app.listen_with("127.0.0.1:0", config).unwrap();
    IoLoop::current().run_sync(|| client(server)).unwrap();
}

/// A response, as the client has read it.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Returns the value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (of, value) = line.split_once(": ")?;
            of.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Reads the next response, whose body has a length or comes in chunks, or has neither and is that of a HEAD.
pub(crate) async fn response(stream: &TcpStream) -> Result<Response> {
    let head = stream.read_until("\r\n\r\n", 100_000).await?;
    let head = String::from_utf8(head.to_vec()).unwrap();
    let status = head[9..12].parse().unwrap();
    let mut response = Response { status, head, body: Vec::new() };
    if let Some(length) = response.header("content-length") {
        let length = length.parse().unwrap();
        response.body = stream.read_exact(length).await?.to_vec();
    } else if response.header("transfer-encoding") == Some("chunked") {
        loop {
            let size = stream.read_until("\r\n", 100).await?;
            let size = usize::from_str_radix(std::str::from_utf8(&size).unwrap().trim(), 16).unwrap();
            let chunk = stream.read_exact(size + 2).await?;
            response.body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                break;
            }
        }
    }
    Ok(response)
}

/// Sends one request on a connection of its own, and reads the response.
pub(crate) async fn ask(address: SocketAddr, request: &str) -> Result<Response> {
    let stream = TcpStream::connect(address).await?;
    stream.write_all(request.to_owned()).await?;
    response(&stream).await
}

/// Sends a GET.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Result<Response> {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await
}

/// Sends bytes and no more, and reads all that comes until the server closes.
pub(crate) async fn talk(address: SocketAddr, bytes: impl Into<bytes::Bytes>) -> Result<String> {
    let stream = TcpStream::connect(address).await?;
    stream.write_all(bytes).await?;
    let all = stream.read_to_end(1 << 24).await?;
    Ok(String::from_utf8_lossy(&all).into_owned())
}

/// Notes of what happened, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(Rc<RefCell<Vec<String>>>);

impl Notes {
    pub(crate) fn add(&self, note: impl Into<String>) {
        self.0.borrow_mut().push(note.into());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        self.0.take()
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }
}
