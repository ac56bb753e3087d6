//! [`Wakers`]: the tasks that poll one direction of a socket.

use std::task::Context;

use squall_runner::native::Waking;

/// Tasks to wake. One task, the usual case, costs no allocation.
#[derive(Debug, Default)]
pub(super) struct Wakers {
    first: Option<Waking>,
    /// Empty while there is no first task.
    more: Vec<Waking>,
}

impl Wakers {
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Returns whether a task waits. One that has polled and ended does not.
    pub(super) fn is_waited_for(&self) -> bool {
        self.first.iter().chain(&self.more).any(|task| !task.is_over())
    }

    /// Adds the task that polls with `cx`, unless it is already in the list.
    pub(super) fn add(&mut self, cx: &Context<'_>) {
        let waking = Waking::of(cx, "a socket");
        match &self.first {
            None => self.first = Some(waking),
            Some(first) if first.is_same(&waking) => {}
            Some(first) if first.is_over() => self.first = Some(waking),
            Some(_) if self.more.iter().any(|other| other.is_same(&waking)) => {}
            Some(_) => self.more.push(waking),
        }
    }

    pub(super) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Wakes all tasks. A waker is foreign code, which may use anything, so nothing may be borrowed here.
    pub(super) fn wake(self) {
        self.first.into_iter().chain(self.more).for_each(Waking::wake);
    }
}
