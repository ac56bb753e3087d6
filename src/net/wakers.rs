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
    #[inline]
    pub(super) fn is_waited_for(&self) -> bool {
        let waits = |task: &Waking| !task.is_over();
        self.first.as_ref().is_some_and(waits) || self.more.iter().any(waits)
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

    #[inline]
    pub(super) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Wakes all tasks. A waker is foreign code, which may use anything, so nothing may be borrowed here.
    #[inline]
    pub(super) fn wake(self) {
        let Some(first) = self.first else { return };
        first.wake();
        if !self.more.is_empty() {
            wake_each(self.more);
        }
    }
}

#[cold]
fn wake_each(tasks: Vec<Waking>) {
    tasks.into_iter().for_each(Waking::wake);
}
