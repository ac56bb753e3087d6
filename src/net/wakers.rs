//! [`Wakers`]: the tasks that poll one direction of a socket.

use std::task::Context;

use squall_runner::native::Waking;

/// The tasks to wake. Usually there is at most one, which costs no allocation.
#[derive(Debug, Default)]
pub(super) struct Wakers {
    first: Option<Waking>,
    /// Empty while there is no first one.
    more: Vec<Waking>,
}

impl Wakers {
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Adds the task that polls with `cx`, unless it is there already.
    pub(super) fn add(&mut self, cx: &Context<'_>) {
        let waking = Waking::of(cx, "a socket");
        match &self.first {
            None => self.first = Some(waking),
            Some(first) if first.is_same(&waking) => {}
            Some(_) if self.more.iter().any(|other| other.is_same(&waking)) => {}
            Some(_) => self.more.push(waking),
        }
    }

    pub(super) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Wakes all of them: foreign code. Nothing may be borrowed here that it may ask for.
    pub(super) fn wake(self) {
        self.first.into_iter().chain(self.more).for_each(Waking::wake);
    }
}
