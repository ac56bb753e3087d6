//! The HTTP client and the web server together, on a network in memory and in virtual time.

mod client;
mod links;
mod orders;
mod timeouts;
mod traces;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use squall::httpclient::{self, AsyncHttpClient, HttpClientError, Response};
use squall::testing::Net;
use squall::web::{Application, Request, RequestHandler};
use squall::{sleep, Exception, Future, IoLoop, Result};

/// The requests that the handlers have seen, in order.
#[derive(Debug, Clone, Default)]
struct Notes(Rc<RefCell<Vec<String>>>);

impl Notes {
    fn add(&self, note: impl Into<String>) {
        self.0.borrow_mut().push(note.into());
    }

    fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

fn number(req: &Request, name: &str) -> u64 {
    req.query_argument(name).and_then(|value| value.parse().ok()).unwrap_or(0)
}

/// `/page?ms=N&bytes=N`: a page that takes a while. It notes from which port it was asked.
struct Page(Notes);

impl RequestHandler for Page {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        self.0.add(req.peer_addr().map_or(0, |peer| peer.port()).to_string());
        yield_!(sleep(milliseconds(number(&req, "ms"))))?;
        req.write(vec![b'x'; usize::try_from(number(&req, "bytes")).unwrap()]);
        Ok(())
    }

    /// Receives nothing for an hour.
    #[squall::coroutine]
    fn put(self: Rc<Self>, _req: Request) -> Result<()> {
        yield_!(sleep(Duration::from_secs(3600)))?;
        Ok(())
    }

    /// Returns how long the body is.
    async fn post(self: Rc<Self>, req: Request) -> Result<()> {
        let body = req.body().await.inspect_err(|e| self.0.add(e.to_string()))?;
        req.write(body.len().to_string());
        Ok(())
    }
}

/// `/stream?n=N`: that many chunks, a second and a flush after each.
struct Stream(Notes);

impl RequestHandler for Stream {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        for n in 0..number(&req, "n") {
            req.write(format!("{n} "));
            yield_!(req.flush()).inspect_err(|e| self.0.add(format!("flush {n}: {e}")))?;
            yield_!(sleep(Duration::from_secs(1)))?;
        }
        Ok(())
    }

    fn on_connection_close(&self, _: &Request) {
        self.0.add(format!("closed at {} ms", now()));
    }
}

/// `/to?url=URL`: a redirect.
struct To;

impl RequestHandler for To {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.redirect(&req.query_argument("url").unwrap_or_default())
    }
}

/// `/who`: the name that the request says.
struct Who;

impl RequestHandler for Who {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.write(req.header("authorization").unwrap_or("nobody").to_owned());
        Ok(())
    }
}

fn site(notes: &Notes) -> Application {
    Application::new()
        .route("/page", Page(notes.clone()))
        .route("/stream", Stream(notes.clone()))
        .route("/to", To)
        .route("/who", Who)
}

/// Fetches on the host `client`, by the client of the loop.
fn fetch(net: &Net, request: impl Into<httpclient::Request>) -> Future<Response> {
    net.host("client", || AsyncHttpClient::new().fetch(request))
}

/// The time of the loop, in milliseconds.
fn now() -> u128 {
    IoLoop::current().time().as_millis()
}

fn milliseconds(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// The client's error in an exception.
fn error(exception: &Exception) -> &HttpClientError {
    exception.downcast_ref().unwrap_or_else(|| panic!("not an error of the client: {exception:?}"))
}
