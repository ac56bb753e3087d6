//! [`Deadline`]: the single timer of a connection.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use crate::ioloop::{IoLoop, Timeout};

/// The phase of a connection, which its client must not prolong for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// A handler runs, for as long as it likes.
    Busy,
    /// The next request is awaited, after this many bytes of responses.
    Idle(u64),
    /// The next request is awaited, while nothing is held that is needed only when one is near.
    Rest,
    /// The rest of a request's head, the first request of a connection, or the TLS handshake is awaited.
    Head,
    /// The next part of a request's body is awaited, after this many bytes.
    Body(u64),
    /// The client has to accept more of a response, after this many bytes.
    Write(u64),
    /// The end of the client's bytes is awaited, though nothing reads them.
    Linger,
    /// The connection is a WebSocket, whose messages may come at any time.
    Upgraded,
    /// A WebSocket is closed by the server, and the client has not answered that yet.
    Closing,
}

/// The latest end of the current phase.
///
/// A deadline moves with every request, but the loop's timer does not: when the timer is due, the connection checks the
/// deadline and sets the timer again. So most requests set no timer.
pub(crate) struct Deadline {
    io_loop: IoLoop,
    phase: Cell<Phase>,
    at: Cell<Option<Duration>>,
    /// The timer that is set, due no later than the deadline.
    timer: RefCell<Option<Timeout>>,
    /// `true` if the timer was due since the last check.
    due: Rc<Cell<bool>>,
}

impl Deadline {
    pub(crate) fn new(io_loop: IoLoop) -> Self {
        Self {
            io_loop,
            phase: Cell::new(Phase::Busy),
            at: Cell::default(),
            timer: RefCell::default(),
            due: Rc::default(),
        }
    }

    /// Returns the loop's time.
    pub(crate) fn time(&self) -> Duration {
        self.io_loop.time()
    }

    /// Enters a phase that may last for `limit`, unless it is the current one. `waker` is called when it is time to
    /// check.
    pub(crate) fn enter(&self, phase: Phase, limit: Option<Duration>, waker: &Waker) {
        if self.phase.replace(phase) == phase {
            return;
        }
        self.at.set(limit.map(|limit| {
            let began = match phase {
                // Once for each request, for which the time of the turn is exact enough.
                Phase::Idle(_) => self.io_loop.turn_time(),
                _ => self.io_loop.time(),
            };
            began.saturating_add(limit)
        }));
        self.arm(waker);
    }

    /// Sets the timer, unless one is set that is due early enough.
    fn arm(&self, waker: &Waker) {
        let Some(at) = self.at.get() else { return };
        let set = self.timer.borrow().as_ref().map(Timeout::deadline);
        if set.is_some_and(|set| set <= at) {
            return;
        }
        self.disarm();
        let (due, waker) = (self.due.clone(), waker.clone());
        let timer = self.io_loop.call_at(at, move || {
            due.set(true);
            waker.wake();
        });
        *self.timer.borrow_mut() = Some(timer);
    }

    /// Returns whether the phase has lasted too long.
    pub(crate) fn is_over(&self, waker: &Waker) -> bool {
        if !self.due.take() {
            return false;
        }
        self.timer.take();
        let over = self.at.get().is_some_and(|at| at <= self.io_loop.time());
        if !over {
            self.arm(waker);
        }
        over
    }

    fn disarm(&self) {
        if let Some(timer) = self.timer.take() {
            self.io_loop.remove_timeout(&timer);
        }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.disarm();
    }
}
