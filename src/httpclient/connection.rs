//! [`Connection`]: a connection to a server. The fetch that uses it drives it, so an idle one needs no task.

use std::cell::Cell;
use std::future::{poll_fn, Future};
use std::io::{self, IoSlice};
use std::pin::{pin, Pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use hyper::body::{Body as _, Frame, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::client::conn::TrySendError;
use hyper::header::HeaderValue;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::{Request, Response};

use super::body::Outgoing;
use crate::http::io::read_into;
use crate::http::transport::Transport;
use crate::net::IoStream;

type Driver = hyper::client::conn::http1::Connection<Io, Outgoing>;

/// A connection to a server.
pub(super) struct Connection {
    sender: SendRequest<Outgoing>,
    /// `None` once the connection has ended. Its error also comes out of the request or the body.
    driver: Option<Driver>,
    /// The socket, unless there is TLS on it, which may hold bytes that the socket no longer has.
    socket: Option<IoStream>,
    pub(super) traffic: Rc<Traffic>,
    /// The destination's name in the pool.
    pub(super) destination: String,
    /// The value of the header `Host` for its requests.
    pub(super) host: HeaderValue,
    results: Results,
}

/// Polls what hyper's connection produces: responses and bodies.
///
/// Only driving the connection makes progress there, and the task that waits for it is the one that drives. So nothing
/// has to wake that task, which would run once more for nothing.
struct Results {
    called: Arc<Called>,
    /// Sets `called`.
    waker: Waker,
}

impl Default for Results {
    fn default() -> Self {
        let called = Arc::<Called>::default();
        Self { waker: called.clone().into(), called }
    }
}

/// Notes that the waker was called.
#[derive(Default)]
struct Called(AtomicBool);

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Results {
    /// Polls after the connection was driven.
    #[inline]
    fn poll<T>(&self, cx: &mut Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        self.called.0.store(false, Ordering::Relaxed);
        let polled = poll(&mut Context::from_waker(&self.waker));
        // Within a runtime of tokio, its channels may ask to be polled again, since the task's budget is used up.
        if polled.is_pending() && self.called.0.load(Ordering::Relaxed) {
            cx.waker().wake_by_ref();
        }
        polled
    }
}

/// The progress of the current request on a connection.
#[derive(Default)]
pub(super) struct Traffic {
    /// `true` if a byte of the response has arrived.
    pub(super) received: Cell<bool>,
    /// `true` if the server accepts no bytes at the moment.
    blocked: Cell<bool>,
    /// `true` if a write has failed.
    pub(super) broken: Cell<bool>,
    /// `true` if hyper has taken the whole request body.
    body_sent: Rc<Cell<bool>>,
}

impl Traffic {
    /// Returns whether the request is still being sent.
    pub(super) fn is_sending(&self) -> bool {
        !self.body_sent.get() || self.blocked.get()
    }

    /// Begins the next request. Returns the flag to set when its body was taken.
    pub(super) fn begin(&self) -> Rc<Cell<bool>> {
        self.received.set(false);
        self.body_sent.set(false);
        self.body_sent.clone()
    }
}

impl Connection {
    /// Begins HTTP on a stream. The head of a response may have `max_header_size` bytes.
    pub(super) async fn new(
        transport: Transport,
        max_header_size: usize,
        destination: String,
        host: HeaderValue,
    ) -> hyper::Result<Self> {
        let socket = match &transport {
            Transport::Socket(socket) => Some(socket.clone()),
            Transport::Other(_) | Transport::Closed => None,
        };
        let traffic = Rc::new(Traffic::default());
        let io = Io { transport, traffic: traffic.clone() };
        let (sender, driver) = Builder::new().max_header_size(max_header_size).handshake(io).await?;
        let (driver, results) = (Some(driver), Results::default());
        Ok(Self { sender, driver, socket, traffic, destination, host, results })
    }

    /// Sends a request and waits for the head of its response.
    pub(super) fn send(
        &mut self,
        request: Request<Outgoing>,
    ) -> impl Future<Output = Result<Response<Incoming>, Box<TrySendError<Request<Outgoing>>>>> + '_ {
        let response = self.sender.try_send_request(request);
        let (driver, results) = (&mut self.driver, &self.results);
        async move {
            let mut response = pin!(response);
            poll_fn(|cx| {
                drive(driver, cx);
                results.poll(cx, |cx| response.as_mut().poll(cx)).map_err(Box::new)
            })
            .await
        }
    }

    /// Polls for the next frame of the response's body.
    pub(super) fn poll_frame(
        &mut self,
        body: &mut Incoming,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let frame = self.results.poll(cx, |cx| Pin::new(&mut *body).poll_frame(cx));
        if frame.is_ready() {
            return frame;
        }
        drive(&mut self.driver, cx);
        self.results.poll(cx, |cx| Pin::new(body).poll_frame(cx))
    }

    /// Called when no fetch uses the connection any more. The last one has polled the socket, which would wake it and
    /// count as waited for.
    pub(super) fn rest(&self) {
        if let Some(socket) = &self.socket {
            socket.abandon_reads();
        }
    }

    /// Returns whether another request can be sent.
    pub(super) fn is_reusable(&mut self) -> bool {
        // Most connections have ended the last response when its body was read, and nothing has arrived since.
        let is_quiet = self.socket.as_ref().is_some_and(|socket| !socket.may_be_readable());
        if !(is_quiet && self.sender.is_ready()) {
            drive(&mut self.driver, &mut Context::from_waker(Waker::noop()));
        }
        self.driver.is_some() && self.sender.is_ready()
    }
}

fn drive(driver: &mut Option<Driver>, cx: &mut Context<'_>) {
    if driver.as_mut().is_some_and(|driver| Pin::new(driver).poll(cx).is_ready()) {
        *driver = None;
    }
}

/// A connection's stream, as hyper sees it.
struct Io {
    transport: Transport,
    traffic: Rc<Traffic>,
}

impl Io {
    fn note(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.traffic.blocked.set(written.is_pending());
        self.traffic.broken.set(matches!(written, Poll::Ready(Err(_))));
        written
    }
}

impl Read for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        read_into(cursor, |buffer| self.transport.poll_read(cx, buffer)).map_ok(|n| {
            if n > 0 {
                self.traffic.received.set(true);
            }
        })
    }
}

impl Write for Io {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = self.transport.poll_write(cx, bytes);
        self.note(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.poll_close(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.transport.poll_write_vectored(cx, slices);
        self.note(written)
    }
}
