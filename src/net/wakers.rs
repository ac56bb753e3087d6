//! [`Wakers`]: the tasks that poll one direction of a socket.

use std::task::Waker;

use squall_runner::report::guard;
use squall_runner::trace::Problem;

/// The tasks to wake. Usually there is at most one, which costs no allocation.
#[derive(Debug, Default)]
pub(super) struct Wakers {
    first: Option<Waker>,
    /// Empty while there is no first one.
    more: Vec<Waker>,
}

impl Wakers {
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Adds a task, unless it is there already.
    pub(super) fn add(&mut self, waker: &Waker) {
        match &self.first {
            None => self.first = Some(waker.clone()),
            Some(first) if first.will_wake(waker) => {}
            Some(_) if self.more.iter().any(|other| other.will_wake(waker)) => {}
            Some(_) => self.more.push(waker.clone()),
        }
    }

    pub(super) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Wakes all of them: foreign code, whose panic is logged. Nothing may be borrowed here that it may ask for.
    pub(super) fn wake(self) {
        let Some(first) = self.first else { return };
        guard(Problem::Callback, || first.wake());
        for waker in self.more {
            guard(Problem::Callback, || waker.wake());
        }
    }
}
