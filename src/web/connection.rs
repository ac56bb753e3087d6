//! [`Connection`]: a connection to a client, as everything above it sees it: its stream, its limits, its task.

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use super::deadline::Deadline;
use super::peer::Peer;
use super::stream::ClientStream;
use crate::http::transport::Transport;
use crate::ioloop::IoLoop;

/// After how many small responses in a row the next ones are expected to be small, too.
const MANY_SMALL: u8 = 8;

/// The part of a connection that does not depend on what is served on it.
pub(crate) struct Connection {
    pub(super) stream: ClientStream,
    pub(super) deadline: Deadline,
    peer: Peer,
    /// Wakes the task. Set when the task is first polled.
    waker: OnceCell<Waker>,
    /// `true` if hyper is calling the service, after which it looks for the response itself.
    calling: Cell<bool>,
    /// How many responses in a row were small, at most 255.
    small: Cell<u8>,
    /// `true` if the client may be sending bytes that nothing will read.
    lingers: Cell<bool>,
}

impl Connection {
    pub(super) fn new(io_loop: IoLoop, transport: Transport, peer: Peer) -> Rc<Self> {
        Rc::new(Self {
            stream: ClientStream::new(transport),
            deadline: Deadline::new(io_loop),
            peer,
            waker: OnceCell::new(),
            calling: Cell::default(),
            small: Cell::default(),
            lingers: Cell::default(),
        })
    }

    pub(super) fn peer(&self) -> Peer {
        self.peer
    }

    /// Returns the loop's time.
    pub(super) fn time(&self) -> Duration {
        self.deadline.time()
    }

    /// Notes how large a response is.
    pub(super) fn note_response(&self, is_small: bool) {
        self.small.set(if is_small { self.small.get().saturating_add(1) } else { 0 });
    }

    /// Returns whether responses are best written from one buffer into which their bodies are copied: while all of
    /// them are small, or where a stream takes one slice only.
    pub(super) fn prefers_copies(&self) -> bool {
        self.small.get() >= MANY_SMALL || !self.stream.is_vectored()
    }

    /// Returns the waker of the task, which polls with `cx`.
    pub(super) fn waker_of(&self, cx: &Context<'_>) -> &Waker {
        self.waker.get_or_init(|| cx.waker().clone())
    }

    /// Returns a waker of the task.
    pub(super) fn waker(&self) -> Waker {
        self.waker.get().cloned().unwrap_or_else(|| Waker::noop().clone())
    }

    /// Calls `f`, after which hyper looks for a response without being woken.
    pub(super) fn calling<R>(&self, f: impl FnOnce() -> R) -> R {
        self.calling.set(true);
        let result = f();
        self.calling.set(false);
        result
    }

    /// Wakes the task, since there is something to send or to receive.
    pub(super) fn wake(&self) {
        if !self.calling.get() {
            self.wake_task();
        }
    }

    /// Wakes the task, which then finds out what to do.
    pub(super) fn wake_task(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }

    /// Closes the connection slowly. The client may be sending bytes that nothing will read, and closing a socket with
    /// unread bytes resets it, so that the client loses the response.
    pub(super) fn linger(&self) {
        self.lingers.set(true);
    }

    /// Returns whether the connection is to be closed slowly.
    pub(super) fn lingers(&self) -> bool {
        self.lingers.get()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("peer", &self.peer).finish_non_exhaustive()
    }
}
