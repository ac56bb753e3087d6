//! [`ClientStream`]: the bytes of a connection in both directions.

use std::cell::{Cell, RefCell};
use std::io;
use std::task::{ready, Context, Poll};

use crate::http::transport::Transport;

/// How many bytes are read ahead while a handler runs: enough to see the end of the stream.
const AHEAD: usize = 64;

/// How many more bytes are read at once if there are some already.
const MORE: usize = 4096;

/// How many bytes are kept that come while a handler runs. After that, they wait in the socket.
const MOST_AHEAD: usize = 64 * 1024;

/// How many bytes are read before hyper's side is made: the head of most requests.
const FIRST: usize = 1024;

/// The stream from and to a client, with what was read ahead of hyper, and what the limits of time depend on.
pub(super) struct ClientStream {
    transport: RefCell<Transport>,
    /// Bytes that were read while hyper did not read, for hyper to read.
    ahead: RefCell<Vec<u8>>,
    /// `true` if the client sends no more.
    ended: Cell<bool>,
    /// `true` if bytes have arrived since the last request began.
    fresh: Cell<bool>,
    /// How many bytes were written.
    written: Cell<u64>,
    /// `true` if the last write had to wait.
    blocked: Cell<bool>,
}

impl ClientStream {
    pub(super) fn new(transport: Transport) -> Self {
        Self {
            transport: RefCell::new(transport),
            ahead: RefCell::default(),
            ended: Cell::default(),
            fresh: Cell::default(),
            written: Cell::default(),
            blocked: Cell::default(),
        }
    }

    /// Returns whether one write can take several slices.
    pub(super) fn is_vectored(&self) -> bool {
        self.transport.borrow().is_vectored()
    }

    /// Returns whether bytes have arrived since the last request began.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh.get()
    }

    /// Called when a request begins.
    pub(super) fn begin_request(&self) {
        self.fresh.set(false);
    }

    /// Returns whether the client sends no more.
    pub(super) fn is_ended(&self) -> bool {
        self.ended.get()
    }

    /// Returns whether the last write had to wait.
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked.get()
    }

    /// Returns how many bytes were written.
    pub(super) fn written(&self) -> u64 {
        self.written.get()
    }

    #[inline]
    pub(super) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.ended.get() || !self.ahead.borrow().is_empty() {
            return Poll::Ready(Ok(self.take_ahead(buffer)));
        }
        let read = self.transport.borrow_mut().poll_read(cx, buffer);
        match read {
            Poll::Ready(Ok(n)) if n > 0 => self.fresh.set(true),
            Poll::Ready(_) => self.ended.set(true),
            Poll::Pending => {}
        }
        read
    }

    /// Takes what was read ahead.
    #[cold]
    fn take_ahead(&self, buffer: &mut [u8]) -> usize {
        let ahead = &mut *self.ahead.borrow_mut();
        let n = ahead.len().min(buffer.len());
        buffer[..n].copy_from_slice(&ahead[..n]);
        if n == ahead.len() {
            *ahead = Vec::new();
        } else {
            ahead.drain(..n);
        }
        if n > 0 {
            self.fresh.set(true);
        }
        n
    }

    /// Reads ahead while there is no hyper's side to read. Returns whether there is something to read; if not, the
    /// client sends no more.
    pub(super) fn poll_ahead(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let here = self.poll_into_ahead::<FIRST>(cx);
        if let Poll::Ready(true) = here {
            self.fresh.set(true);
        }
        here
    }

    /// Reads ahead while a handler runs, as far as there is room. Returns `false` once the client sends no more.
    pub(super) fn poll_end(&self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.ahead.borrow().is_empty() && !ready!(self.poll_into_ahead::<AHEAD>(cx)) {
            return Poll::Ready(false);
        }
        // Behind the requests that a client sends in advance there is perhaps its end.
        while self.ahead.borrow().len() < MOST_AHEAD {
            if !ready!(self.poll_more_ahead::<MORE>(cx)) {
                return Poll::Ready(false);
            }
        }
        Poll::Ready(true)
    }

    /// Reads at most `N` bytes ahead, unless there are some already. Returns whether there are some; if not, the client
    /// sends no more.
    fn poll_into_ahead<const N: usize>(&self, cx: &mut Context<'_>) -> Poll<bool> {
        if !self.ahead.borrow().is_empty() {
            return Poll::Ready(true);
        }
        self.poll_more_ahead::<N>(cx)
    }

    /// Reads at most `N` more bytes ahead. Returns whether the client has sent some; if not, it sends no more.
    fn poll_more_ahead<const N: usize>(&self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.ended.get() {
            return Poll::Ready(false);
        }
        let mut bytes = [0; N];
        let read = self.transport.borrow_mut().poll_read(cx, &mut bytes);
        match read {
            Poll::Ready(Ok(n)) if n > 0 => {
                self.ahead.borrow_mut().extend_from_slice(&bytes[..n]);
                Poll::Ready(true)
            }
            Poll::Ready(_) => {
                self.ended.set(true);
                Poll::Ready(false)
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// Puts back bytes of the next request that were read already, so that they are read again.
    pub(super) fn read_again(&self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.fresh.set(true);
            self.ahead.borrow_mut().splice(..0, bytes.iter().copied());
        }
    }

    /// Reads bytes past hyper, which reads no more. Returns their number: zero at the end.
    pub(super) fn poll_unwanted(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.transport.borrow_mut().poll_read(cx, buffer)
    }

    #[inline]
    pub(super) fn poll_write_with(
        &self,
        f: impl FnOnce(&mut Transport) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let wrote = f(&mut self.transport.borrow_mut());
        self.blocked.set(wrote.is_pending());
        if let Poll::Ready(Ok(n)) = wrote {
            self.written.set(self.written.get() + n as u64);
        }
        wrote
    }

    #[inline]
    pub(super) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.transport.borrow_mut().poll_flush(cx);
        self.blocked.set(flushed.is_pending());
        flushed
    }

    /// Ends the stream for the client.
    pub(super) fn poll_close(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.borrow_mut().poll_close(cx)
    }

    /// Returns the socket, unless the stream is encrypted or closed.
    #[cfg(feature = "tls")]
    pub(super) fn socket(&self) -> Option<crate::net::IoStream> {
        match &*self.transport.borrow() {
            Transport::Socket(stream) => Some(stream.clone()),
            Transport::Other(_) | Transport::Closed => None,
        }
    }

    /// Goes on with another transport, and returns the one before.
    pub(super) fn replace(&self, transport: Transport) -> Transport {
        self.transport.replace(transport)
    }
}
