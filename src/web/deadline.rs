//! [`Deadline`]: the one timer of a connection.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use crate::ioloop::{IoLoop, Timeout};

/// What a connection waits for, which its client must not delay for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The handler works: it may take as long as it likes.
    Busy,
    /// The next request, after this many bytes of responses.
    Idle(u64),
    /// The rest of a request's head, the first request of a connection, or a TLS handshake.
    Head,
    /// The next part of a request's body, after this many bytes.
    Body(u64),
    /// Room for a response, after this many bytes.
    Write(u64),
    /// The end of what the client sends though nobody reads it.
    Linger,
    /// The messages of a WebSocket, which come when they like.
    Upgraded,
}

/// When the present phase is over at the latest.
///
/// A deadline moves with every request, and the timer of the loop does not: when that is due, the connection looks at
/// the deadline, and the timer is set again. So most requests set no timer.
pub(crate) struct Deadline {
    io_loop: IoLoop,
    phase: Cell<Phase>,
    at: Cell<Option<Duration>>,
    /// The timer that is set. It is due at or before the deadline.
    timer: RefCell<Option<Timeout>>,
    /// Whether the timer was due since the last look.
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

    pub(crate) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Enters a phase that may last that long, unless it is the present one. The task of `waker` is woken when it is
    /// time to look.
    pub(crate) fn enter(&self, phase: Phase, limit: Option<Duration>, waker: &Waker) {
        if self.phase.replace(phase) == phase {
            return;
        }
        self.at.set(limit.map(|limit| {
            let began = match phase {
                // Once for each request: there the time of the turn is exact enough.
                Phase::Idle(_) => self.io_loop.turn_time(),
                _ => self.io_loop.time(),
            };
            began.saturating_add(limit)
        }));
        self.arm(waker);
    }

    /// Sets the timer, unless one is set that is due in time.
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
