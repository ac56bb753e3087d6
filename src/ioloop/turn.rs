//! One iteration of a loop, and how it sleeps between two of them.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::Duration;

use squall_runner::ready::callback;
use squall_runner::trace::{self, Event, Problem};
use squall_runner::{Error, Exception, Result, Waiting};

use super::blocking::Watched;
use super::handle::Mail;
use super::Inner;

impl Inner {
    /// One iteration: the callbacks that are ready now, and no more.
    pub(super) fn iterate(&self, after_each: &mut impl FnMut()) {
        let now = self.clock.now();
        trace::emit(|| Event::Turn { now });
        self.take_in(now);
        for _ in 0..self.ready.len() {
            let Some(callback) = self.ready.pop() else { break };
            let watched = Watched::begin(self, &callback);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| callback.run())) {
                trace::report(Problem::Callback, &Exception::from_panic(panic));
            }
            if let Some(watched) = watched {
                watched.end(self);
            }
            after_each();
        }
    }

    /// Puts everything on the ready queue that came from outside or is due.
    fn take_in(&self, now: Duration) {
        self.ready.deliver();
        // No more than there are now: other threads may add to it faster than this takes from it.
        for _ in 0..self.inbox.len() {
            let callback = match self.inbox.pop() {
                Some(Mail::Callback(f)) => callback(f),
                Some(Mail::Arrived(key)) => match self.expected.borrow_mut().take(key) {
                    Some(expected) => expected,
                    None => continue,
                },
                None => break,
            };
            self.ready.push(callback);
        }
        self.timers.borrow_mut().take_due(now, |callback| self.ready.push(callback));
    }

    /// Sleeps until the next timer is due or somebody wakes the loop.
    pub(super) fn sleep(&self) -> Result<()> {
        // First of all: what is left for the loop from now on wakes it. What was left before is found below.
        self.inbox.wakeup().fall_asleep();
        self.ready.deliver();
        let slept = if self.ready.is_empty() && self.inbox.len() == 0 { self.wait() } else { Ok(()) };
        self.inbox.wakeup().awake();
        slept
    }

    fn wait(&self) -> Result<()> {
        let deadline = self.timers.borrow_mut().next_deadline();
        let expecting = !self.expected.borrow().is_empty();
        let outside = expecting || self.has_fds() || self.inbox.has_handles() || self.ready.wakeable();
        let timeout = match deadline {
            // A job takes none of the time that jumps.
            Some(_) if expecting && self.clock.jumps() => None,
            Some(deadline) => Some(self.clock.until(deadline)),
            None if outside => None,
            // Whoever was the last outside has left something before they went.
            None if self.inbox.wakeup().was_woken() => return Ok(()),
            None => return Err(Error::Deadlock { waiting: self.waiting() }.into()),
        };
        if timeout == Some(Duration::ZERO) {
            return self.look_at_fds();
        }
        self.poll(timeout)
    }

    /// Sees which descriptors are ready, without waiting for any.
    pub(super) fn look_at_fds(&self) -> Result<()> {
        if self.has_fds() {
            self.poll(Some(Duration::ZERO))?;
        }
        Ok(())
    }

    pub(super) fn poll(&self, timeout: Option<Duration>) -> Result<()> {
        let events = &mut *self.events.borrow_mut();
        self.inbox.wakeup().wait(events, timeout)?;
        #[cfg(unix)]
        self.fds.take_in(events, &self.ready);
        Ok(())
    }

    #[cfg(unix)]
    pub(super) fn has_fds(&self) -> bool {
        !self.fds.is_empty()
    }

    /// Only Unix has descriptors that can be watched.
    #[cfg(not(unix))]
    pub(super) fn has_fds(&self) -> bool {
        false
    }

    /// Who is suspended, and for what.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        let waiting = self.ready.suspended();
        let waiting = waiting.into_iter().map(|who| Waiting {
            name: who.coroutine.name(),
            location: who.location,
            on: who.waits_for.map(squall_runner::Coroutine::name),
        });
        waiting.collect()
    }
}
