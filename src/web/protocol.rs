//! [`Protocol`]: hyper's side of a connection, which exists only while a request is near.
//!
//! hyper holds buffers for reading and writing. A connection that waits for its next request needs neither, so it drops
//! hyper's side after a quarter of a second without a request, and makes a new one when bytes come. If many connections of the
//! server have one, it is dropped at once, so that requests on all connections together leave little memory behind. A new one
//! is also the only way to change how responses are written, which hyper decides once for each of its connections.

use std::rc::Rc;
use std::task::{ready, Context, Poll};
use std::time::Duration;

use hyper::server::conn::http1;

use super::connection::Connection;
use super::http_io::HttpIo;
use super::service::Service;
use super::serving::Serving;
use super::session::Session;

/// How long hyper's side is kept between requests.
pub(super) const KEPT: Duration = Duration::from_millis(250);

/// How many connections of a server keep hyper's side between requests. Each takes about 17 KB.
const MOST_KEPT: usize = 256;

/// hyper's side of a connection, which its server counts.
struct Http {
    hyper: Box<http1::Connection<HttpIo, Service>>,
    counted: Counted,
}

struct Counted(Rc<Serving>);

impl Counted {
    fn new(serving: Rc<Serving>) -> Self {
        serving.protocols.set(serving.protocols.get() + 1);
        Self(serving)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.protocols.set(self.0.protocols.get() - 1);
    }
}

/// hyper's side of a connection, while there is one.
#[derive(Default)]
pub(super) struct Protocol {
    http: Option<Http>,
    /// `true` if `http` copies head and body of a response into one buffer; `false` if it writes them as a vector of slices.
    copies: bool,
    stopping: bool,
}

impl Protocol {
    /// Serves requests. It is ready when the connection is to be closed or upgraded.
    pub(super) fn poll(&mut self, session: &Rc<Session>, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        let http = match &mut self.http {
            Some(http) => http,
            None if self.stopping => return Poll::Ready(Ok(())),
            None => {
                let connection = &session.connection;
                if !ready!(connection.stream.poll_ahead(cx)) {
                    return Poll::Ready(Ok(()));
                }
                self.copies = connection.prefers_copies();
                let io = HttpIo::new(session.clone(), !self.copies);
                let hyper = Box::new(session.serving.http.serve_connection(io, Service(session.clone())));
                self.http.insert(Http { hyper, counted: Counted::new(session.serving.clone()) })
            }
        };
        http.hyper.poll_without_shutdown(cx)
    }

    /// Returns whether hyper's side is dropped, since nothing of a request has come.
    pub(super) fn is_at_rest(&self) -> bool {
        self.http.is_none()
    }

    /// Returns whether so many connections of the server have hyper's side that this one drops its own between requests.
    pub(super) fn is_one_too_many(&self) -> bool {
        self.http.as_ref().is_some_and(|http| http.counted.0.protocols.get() > MOST_KEPT)
    }

    /// Answers what is under way, and then nothing more.
    pub(super) fn stop(&mut self) {
        self.stopping = true;
        if let Some(http) = &mut self.http {
            std::pin::Pin::new(&mut *http.hyper).graceful_shutdown();
        }
    }

    /// Drops hyper's side between two requests. What it has read of the next one is read again.
    pub(super) fn rest(&mut self, connection: &Connection) {
        if let Some(http) = self.http.take() {
            connection.stream.read_again(&http.hyper.into_parts().read_buf);
        }
    }

    /// Drops hyper's side between two requests if responses are to be written in another way from now on.
    pub(super) fn adapt(&mut self, connection: &Connection) {
        if self.copies != connection.prefers_copies() {
            self.rest(connection);
        }
    }

    /// Ends hyper's part, and returns what it has read that was not HTTP any more.
    pub(super) fn end(&mut self) -> bytes::Bytes {
        self.http.take().map(|http| http.hyper.into_parts().read_buf).unwrap_or_default()
    }
}
