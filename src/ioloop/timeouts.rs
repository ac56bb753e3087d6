//! Setting and removing the timers of a loop.

use std::panic::Location;
use std::time::Duration;

use squall_runner::ready::{callback, Callback};
use squall_runner::trace::{self, Event};

use super::timers::{Removed, Timeout};
use super::{IoLoop, WeakLoop};
use crate::background::is_background;

impl IoLoop {
    /// Calls `f` once `delay` has passed.
    ///
    /// ```
    /// use std::time::Duration;
    /// use squall::IoLoop;
    ///
    /// let io_loop = IoLoop::current();
    /// let inner = io_loop.clone();
    /// let timeout = io_loop.call_later(Duration::from_secs(60), || println!("never printed"));
    /// io_loop.call_later(Duration::from_millis(1), move || inner.stop());
    /// io_loop.remove_timeout(&timeout);
    /// io_loop.start();
    /// ```
    #[track_caller]
    pub fn call_later(&self, delay: Duration, f: impl FnOnce() + 'static) -> Timeout {
        self.add_timer(self.time().saturating_add(delay), callback(f))
    }

    /// Calls `f` at the time `when`, measured like [`time`](Self::time). If `when` has passed, `f` is called in the
    /// next turn.
    #[track_caller]
    pub fn call_at(&self, when: Duration, f: impl FnOnce() + 'static) -> Timeout {
        self.add_timer(when.max(self.time()), callback(f))
    }

    /// Calls `f` once `delay` has passed. Tornado's older name for [`call_later`](Self::call_later).
    #[track_caller]
    pub fn add_timeout(&self, delay: Duration, f: impl FnOnce() + 'static) -> Timeout {
        self.call_later(delay, f)
    }

    /// Removes a timer, so that its callback is not called. Does nothing if the timer has run or was removed before.
    pub fn remove_timeout(&self, timeout: &Timeout) {
        let removed = self.inner.timers.borrow_mut().remove(timeout);
        self.tell_removed(removed);
        // Also stops a callback that is on the ready queue already. Dropping what the timer holds may run a `Drop` that
        // sets or removes timers.
        timeout.withdraw();
    }

    /// Sets a timer that puts `callback` on the ready queue at `when`.
    #[inline]
    #[track_caller]
    pub(crate) fn add_timer(&self, when: Duration, callback: Callback) -> Timeout {
        self.add_timer_of(Location::caller(), when, callback)
    }

    /// Sets a timer that puts `callback` on the ready queue at `when`, and records `caller` as the line that set it.
    pub(crate) fn add_timer_of(
        &self,
        caller: &'static Location<'static>,
        when: Duration,
        callback: Callback,
    ) -> Timeout {
        let is_observed = trace::has_observer();
        let counts = !is_observed || !is_background();
        let mut timers = self.inner.timers.borrow_mut();
        let timeout = timers.add(when, callback, counts.then_some(caller));
        let is_full = timers.is_full();
        drop(timers);
        if is_observed {
            self.tell_timer(&timeout, caller);
        }
        if is_full {
            // Dropping what is removed is foreign code, which may set timers.
            let in_vain = self.inner.timers.borrow_mut().make_room();
            drop(in_vain);
        }
        if self.is_closed() {
            self.remove_timeout(&timeout);
        }
        timeout
    }

    /// Reports to the observer that a timer was set.
    #[cold]
    fn tell_timer(&self, timeout: &Timeout, caller: &'static Location<'static>) {
        trace::emit_always(|| Event::Timer {
            queue: self.inner.ready.id(),
            timer: timeout.number(),
            until: timeout.deadline(),
            queued: timeout.queued_as(),
            place: caller.into(),
        });
    }

    /// Sets a timer that puts `callback` on the ready queue at `when`. The loop must not be closed.
    #[track_caller]
    pub(crate) fn add_own_timer(&self, when: Duration, callback: Callback) -> OwnTimer {
        let timeout = self.add_timer(when, callback);
        let place = u32::try_from(timeout.place()).expect("fewer than four thousand million timers");
        OwnTimer { io_loop: self.downgrade(), place }
    }

    /// Tells the observer of a timer that was taken back, and drops what it would have called.
    pub(super) fn tell_removed(&self, removed: Option<Removed>) {
        if let Some(removed) = removed {
            trace::emit_always(|| Event::TimerRemoved {
                queue: self.inner.ready.id(),
                timer: removed.number,
            });
        }
    }
}

/// The timer of a Future that is itself the timer's callback. Unlike a [`Timeout`], it does not hold that Future.
pub(crate) struct OwnTimer {
    io_loop: WeakLoop,
    place: u32,
}

impl OwnTimer {
    /// Removes the timer that would call `callback`, unless it is on the ready queue already.
    pub(crate) fn remove<T>(self, callback: &T) {
        if let Some(io_loop) = self.io_loop.upgrade() {
            let removed = io_loop.inner.timers.borrow_mut().remove_own(self.place as usize, callback);
            io_loop.tell_removed(removed);
        }
    }
}
