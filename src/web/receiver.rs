//! [`Receiver`]: the body of a request, received as the handler asks for it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Incoming};
use squall_runner::{Exception, Future, Promise};

use super::connection::Connection;
use super::error::{ConnectionClosed, HttpError};

/// The body of a request. It is read only while a Future of it is pending, so an unwanted body stays with the client.
/// The task of the connection polls it.
pub(crate) struct Receiver {
    /// `None` once all of it was received, or can no longer be asked for.
    incoming: RefCell<Option<Incoming>>,
    wanted: RefCell<Option<Wanted>>,
    /// The whole body, once it was received as a whole.
    whole: RefCell<Option<Bytes>>,
    limit: Cell<u64>,
    received: Cell<u64>,
    /// The reason why no more is received, if the body did not end well.
    failed: Cell<Option<Failure>>,
}

/// The part of the body that a coroutine waits for.
enum Wanted {
    Chunk(Promise<Option<Bytes>>),
    Whole(Promise<Bytes>, BytesMut),
}

impl Wanted {
    fn raise(self, exception: Exception) {
        match self {
            Self::Chunk(promise) => promise.set_exception(exception),
            Self::Whole(promise, _) => promise.set_exception(exception),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Failure {
    Status(HttpError, &'static str),
    Closed,
    Finished,
}

const TOO_LARGE: &str = "the body exceeds the limit";

impl Failure {
    fn exception(self) -> Exception {
        match self {
            Self::Status(error, why) => error.with_note(why),
            Self::Closed => ConnectionClosed.into(),
            Self::Finished => {
                Exception::msg("the response is finished: read the body of a request before that")
            }
        }
    }
}

impl Receiver {
    pub(super) fn new(incoming: Incoming, limit: u64) -> Self {
        Self {
            incoming: RefCell::new(Some(incoming)),
            wanted: RefCell::default(),
            whole: RefCell::default(),
            limit: Cell::new(limit),
            received: Cell::default(),
            failed: Cell::default(),
        }
    }

    pub(super) fn set_limit(&self, limit: u64) {
        self.limit.set(limit);
    }

    /// Returns a Future of the next chunk, or `None` at the end.
    pub(super) fn chunk(&self, connection: &Connection) -> Future<Option<Bytes>> {
        if let Some(whole) = self.whole.take() {
            return Future::ready(Some(whole).filter(|whole| !whole.is_empty()));
        }
        self.want(connection, Wanted::Chunk, || None)
    }

    /// Returns a Future of the whole body, or of what is left of it.
    pub(super) fn whole(&self, connection: &Connection) -> Future<Bytes> {
        if let Some(whole) = &*self.whole.borrow() {
            return Future::ready(whole.clone());
        }
        self.want(connection, |promise| Wanted::Whole(promise, BytesMut::new()), Bytes::new)
    }

    fn want<T>(
        &self,
        connection: &Connection,
        wanted: impl FnOnce(Promise<T>) -> Wanted,
        nothing: impl FnOnce() -> T,
    ) -> Future<T> {
        self.check_length();
        if let Some(failure) = self.failed.get() {
            return Future::failed(failure.exception());
        }
        if self.incoming.borrow().is_none() {
            return Future::ready(nothing());
        }
        if self.is_wanted() {
            return Future::failed(Exception::msg("the body is already being read: wait for that first"));
        }
        let future = Future::new();
        *self.wanted.borrow_mut() = Some(wanted(future.promise()));
        connection.wake();
        future
    }

    /// Fails if the announced length exceeds the limit, before anything is read.
    fn check_length(&self) {
        let said = self.incoming.borrow().as_ref().map_or(0, |incoming| incoming.size_hint().lower());
        if self.received.get().saturating_add(said) > self.limit.get() {
            self.fail(Failure::Status(HttpError(413), TOO_LARGE));
        }
    }

    /// Returns whether a part of the body is waited for.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.borrow().is_some()
    }

    /// Returns how many bytes were received.
    pub(super) fn received(&self) -> u64 {
        self.received.get()
    }

    /// Returns whether the body ended badly, so that what follows on the connection is not a request.
    pub(super) fn is_broken(&self) -> bool {
        matches!(self.failed.get(), Some(Failure::Status(..)))
    }

    /// Returns whether the whole body was received.
    pub(super) fn is_over(&self) -> bool {
        self.incoming.borrow().is_none() && self.failed.get().is_none()
    }

    /// Returns whether a part of the body may not have been read.
    pub(super) fn is_unread(&self) -> bool {
        self.incoming.borrow().as_ref().is_some_and(|incoming| !incoming.is_end_stream())
    }

    /// Receives what has arrived and is waited for.
    pub(super) fn poll(&self, cx: &mut Context<'_>) {
        while self.is_wanted() {
            let polled = match &mut *self.incoming.borrow_mut() {
                Some(incoming) => Pin::new(incoming).poll_frame(cx),
                None => Poll::Ready(None),
            };
            match polled {
                Poll::Pending => return,
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers are ignored.
                    if let Ok(chunk) = frame.into_data() {
                        self.receive(chunk);
                    }
                }
                Poll::Ready(Some(Err(error))) => self.fail(failure(&error)),
                Poll::Ready(None) => self.end(),
            }
        }
    }

    fn receive(&self, chunk: Bytes) {
        self.received.set(self.received.get() + chunk.len() as u64);
        if self.received.get() > self.limit.get() {
            return self.fail(Failure::Status(HttpError(413), TOO_LARGE));
        }
        let wanted = self.wanted.take();
        match wanted {
            Some(Wanted::Chunk(promise)) => promise.set_result(Some(chunk)),
            Some(Wanted::Whole(promise, mut whole)) => {
                whole.extend_from_slice(&chunk);
                *self.wanted.borrow_mut() = Some(Wanted::Whole(promise, whole));
            }
            None => {}
        }
    }

    fn end(&self) {
        self.incoming.take();
        match self.wanted.take() {
            Some(Wanted::Chunk(promise)) => promise.set_result(None),
            Some(Wanted::Whole(promise, whole)) => {
                let whole = whole.freeze();
                *self.whole.borrow_mut() = Some(whole.clone());
                promise.set_result(whole);
            }
            None => {}
        }
    }

    fn fail(&self, failure: Failure) {
        if self.failed.get().is_none() {
            self.failed.set(Some(failure));
        }
        self.incoming.take();
        if let Some(wanted) = self.wanted.take() {
            wanted.raise(failure.exception());
        }
    }

    /// Called when the client has paused for too long.
    pub(super) fn time_out(&self) {
        self.fail(Failure::Status(HttpError(408), "the client has sent nothing of the body for too long"));
    }

    /// Called when the response is finished: the rest of the body will not be read.
    pub(super) fn close(&self, connection: &Connection) {
        if self.is_unread() || self.is_broken() {
            connection.linger();
        }
        if self.incoming.borrow().is_some() {
            self.fail(Failure::Finished);
        }
    }

    /// Called when the connection is gone.
    pub(super) fn lose(&self) {
        if self.incoming.borrow().is_some() {
            self.fail(Failure::Closed);
        }
    }
}

/// Converts hyper's error.
fn failure(error: &hyper::Error) -> Failure {
    if error.is_timeout() || error.is_canceled() || error.is_closed() {
        return Failure::Closed;
    }
    // The body is malformed or ended early; the client may have closed only its half of the connection.
    Failure::Status(HttpError(400), "the body is malformed or has ended too soon")
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("received", &self.received.get())
            .field("failed", &self.failed.get())
            .finish_non_exhaustive()
    }
}
