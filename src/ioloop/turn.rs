//! One turn of a loop, and how the loop sleeps between two of them.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use log::Level;
use squall_runner::ready::{Callback, Suspended};
use squall_runner::report::guard;
use squall_runner::trace::{self, because, running_as, Event, Problem, Why};
use squall_runner::{log, Coroutine, Error, Result, Waiting};

use super::blocking::Watched;
use super::current::default_queue;
use super::wait::Wait;
use super::Inner;

impl Inner {
    /// Runs one turn: the callbacks that are ready now, and none that they add.
    pub(super) fn run_turn(&self, after_each: &mut impl FnMut()) {
        if trace::has_observer() {
            return self.run_observed_turn(after_each);
        }
        self.sources.budget.begin_turn();
        self.take_in(|callback, _| self.ready.push(callback));
        for _ in 0..self.ready.len() {
            let Some(callback) = self.ready.pop() else { break };
            match self.blocking_threshold.get() {
                None => call(callback),
                Some(threshold) => {
                    let watched = Watched::begin(self, &callback, threshold);
                    call(callback);
                    watched.end(self);
                }
            }
            after_each();
        }
    }

    /// Runs one turn like [`run_turn`](Self::run_turn), and reports it to the observer.
    #[cold]
    #[inline(never)]
    fn run_observed_turn(&self, after_each: &mut dyn FnMut()) {
        let queue = self.ready.id();
        trace::emit_always(|| Event::Turn { queue, now: self.clock.now() });
        self.sources.budget.begin_turn();
        self.take_in(|callback, timer| because(Why::Timer(timer), || self.ready.push(callback)));
        let callbacks = self.ready.len();
        trace::emit_always(|| Event::Batch { queue, callbacks });
        for _ in 0..callbacks {
            let Some(callback) = self.ready.remove(0) else { break };
            let watched =
                self.blocking_threshold.get().map(|longest| Watched::begin(self, &callback, longest));
            running_as(None, || call(callback));
            watched.into_iter().for_each(|watched| watched.end(self));
            after_each();
        }
    }

    /// Puts everything on the ready queue that came from outside or is due; timers by `push_due`, with their numbers.
    fn take_in(&self, push_due: impl FnMut(Callback, u64)) {
        if self.inbox.wakeup().take_news() {
            self.take_mail();
        }
        self.turn_time.set(None);
        let mut timers = self.timers.borrow_mut();
        if !timers.is_empty() {
            timers.take_due_with_age(self.turn_time(), push_due);
        }
    }

    /// Returns the time at which it was first asked for in this turn: the clock is read once in a turn.
    pub(super) fn turn_time(&self) -> Duration {
        match self.turn_time.get() {
            Some(time) => time,
            None => {
                let now = self.clock.now();
                self.turn_time.set(Some(now));
                now
            }
        }
    }

    /// Puts what other threads left on the ready queue. In most turns there is nothing.
    #[cold]
    fn take_mail(&self) {
        self.inbox.take(
            &self.ready,
            |callback| because(Why::Outside, || self.ready.push(callback)),
            |key| {
                let expected = self.expected.borrow_mut().take(key);
                because(Why::Job, || expected.into_iter().for_each(|callback| self.ready.push(callback)));
            },
        );
    }

    /// Returns memory that a burst has left unused. Called when the loop has nothing to do.
    pub(super) fn give_back_room(&self) {
        self.ready.give_back_room();
        self.inbox.give_back_room();
        self.expected.borrow_mut().give_back_room();
    }

    /// Sleeps until the next timer is due or the loop is woken.
    pub(super) fn sleep(&self) -> Result<()> {
        self.give_back_room();
        // From here on, a thread that leaves something for the loop also wakes it.
        if !self.inbox.wakeup().fall_asleep() {
            return self.look_at_fds();
        }
        let slept = self.wait();
        self.inbox.wakeup().awake();
        slept
    }

    fn wait(&self) -> Result<()> {
        let deadline = self.timers.borrow_mut().next_deadline();
        if let Some(until) = deadline.filter(|until| trace::has_observer() && *until > self.clock.now()) {
            self.tell_sleep(Some(until));
        }
        let expecting = !self.expected.borrow().is_empty();
        let timeout = match deadline {
            // Jobs and real sockets take no time on a clock that jumps.
            Some(_) if self.clock.jumps() && expecting => None,
            Some(_) if self.clock.jumps() && self.sources.are_waited_for() => return self.stand_still(),
            Some(deadline) if self.clock.jumps() && self.has_fds() => {
                if self.comes_before(deadline)? {
                    return Ok(());
                }
                Some(self.clock.until(deadline))
            }
            Some(deadline) => Some(self.clock.until(deadline)),
            None if expecting || self.has_fds() || self.inbox.has_handles() => None,
            None if self.sources.are_waited_for() || self.wakeable() => None,
            // The last handle was dropped, and its thread left something before.
            None if self.inbox.wakeup().was_woken() => return Ok(()),
            None => return Err(Error::Deadlock { waiting: self.in_vain() }.into()),
        };
        if timeout == Some(Duration::ZERO) {
            return self.look_at_fds();
        }
        if deadline.is_none() {
            self.tell_sleep(None);
        }
        self.poll(timeout)
    }

    /// Returns whether something comes from outside before a clock that jumps does: a descriptor that is ready now, or, if
    /// one is [waited for](super::IoLoop::wait_for_fd), anything within the real time up to the deadline.
    fn comes_before(&self, deadline: Duration) -> Result<bool> {
        let real = match self.awaits_fds() {
            true => deadline.saturating_sub(self.clock.now()),
            false => Duration::ZERO,
        };
        self.poll(Some(real))?;
        Ok(!self.ready.is_empty() || self.inbox.wakeup().was_woken())
    }

    fn tell_sleep(&self, until: Option<Duration>) {
        trace::emit_always(|| Event::Sleep { queue: self.ready.id(), until });
    }

    /// Waits for real sockets while a virtual clock stands still. If that takes long, it is logged once.
    fn stand_still(&self) -> Result<()> {
        const LONG: Duration = Duration::from_secs(1);

        if self.sources.stood_still.get() {
            return self.poll(None);
        }
        self.poll(Some(LONG))?;
        if let (Some(waits), true) = (self.sources.waits(), self.ready.is_empty()) {
            self.sources.stood_still.set(true);
            let line = format_args!(
                "the virtual clock stands still, since {waits}: a real socket takes real time; the in-memory network \
                 of `squall::testing` takes virtual time"
            );
            log(Level::Warn, "squall::ioloop", line);
        }
        Ok(())
    }

    /// Asks the poller which descriptors are ready, without waiting.
    #[inline]
    pub(super) fn look_at_fds(&self) -> Result<()> {
        if self.watches_any() {
            self.poll(Some(Duration::ZERO))?;
        }
        Ok(())
    }

    /// Looks at descriptors in a turn in which callbacks are ready, except in most turns of a [lull](super::lull::Lull). An
    /// observer, and programs on a virtual clock, see each descriptor in the first turn in which it is ready.
    #[inline]
    pub(super) fn look_while_busy(&self) -> Result<()> {
        let skips = || self.lull.skips_turn() && !self.clock.jumps() && !trace::has_observer();
        if self.watches_any() && !skips() {
            self.poll(Some(Duration::ZERO))?;
        }
        Ok(())
    }

    /// Returns whether a descriptor or a socket is watched.
    #[inline]
    fn watches_any(&self) -> bool {
        self.has_fds() || !self.sources.is_empty()
    }

    pub(super) fn poll(&self, timeout: Option<Duration>) -> Result<()> {
        let wait = &mut *self.wait.borrow_mut();
        self.wait_for_any(wait, timeout)?;
        if timeout == Some(Duration::ZERO) && wait.found_nothing() {
            self.lull.found_nothing();
        } else {
            self.lull.end();
        }
        if trace::has_observer() {
            because(Why::Io, || self.take_in_events(wait));
        } else {
            self.take_in_events(wait);
        }
        Ok(())
    }

    /// Queues what waited for the events of a wait.
    fn take_in_events(&self, wait: &mut Wait) {
        #[cfg(unix)]
        if self.has_fds() {
            self.fds.take_in(wait, &self.ready);
        }
        self.sources.take_in(wait);
    }

    /// Waits until something happens, inside of what [`IoLoop::around_sleep`](super::IoLoop::around_sleep) has set, if
    /// the loop sleeps. If that panics before it has waited, the loop waits without it.
    fn wait_for_any(&self, wait: &mut Wait, timeout: Option<Duration>) -> io::Result<()> {
        let around = self.around_sleep.borrow().clone().filter(|_| timeout != Some(Duration::ZERO));
        let Some(around) = around else { return self.inbox.wakeup().wait(wait, timeout) };
        let mut waited = None;
        let wakeup = self.inbox.wakeup().clone();
        guard(Problem::Callback, || around(&mut || waited = Some(wakeup.wait(wait, timeout))));
        waited.unwrap_or_else(|| wakeup.wait(wait, timeout))
    }

    #[cfg(unix)]
    pub(super) fn has_fds(&self) -> bool {
        self.fds.any_watched()
    }

    #[cfg(unix)]
    pub(super) fn awaits_fds(&self) -> bool {
        self.fds.any_awaited()
    }

    /// Returns whether a descriptor is watched for which a clock that jumps waits.
    #[cfg(not(unix))]
    pub(super) fn awaits_fds(&self) -> bool {
        false
    }

    /// Returns whether a descriptor is watched. Only Unix has descriptors that can be.
    #[cfg(not(unix))]
    pub(super) fn has_fds(&self) -> bool {
        false
    }

    /// Returns whether a suspended native coroutine gave its waker to something that this thread cannot see, such as
    /// another thread.
    pub(super) fn wakeable(&self) -> bool {
        self.ready.suspended().iter().any(|suspended| suspended.wakeable)
    }

    /// Returns the suspended coroutines, and what each of them waits for.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        self.ready.suspended().into_iter().map(waiting).collect()
    }

    /// Returns the coroutines of [`waiting`](Self::waiting) and those of the thread's default loop, on which coroutines
    /// wait that were called outside of any run. Nothing runs that loop while this one runs.
    pub(super) fn in_vain(&self) -> Vec<Waiting> {
        let mut all = self.waiting();
        if let Some(default) = default_queue().filter(|default| !Rc::ptr_eq(default, &self.ready)) {
            let of_default = default.suspended().into_iter().map(waiting);
            all.extend(of_default.map(|waiting| Waiting { on_default_loop: true, ..waiting }));
        }
        all
    }
}

fn waiting(suspended: Suspended) -> Waiting {
    let Suspended { coroutine, place, waits_for, on, .. } = suspended;
    Waiting {
        name: coroutine.name(),
        place,
        on: waits_for.as_ref().and_then(|awaited| awaited.coroutine()).map(Coroutine::name),
        what: waits_for.and_then(|future| future.describe()).or(on.map(str::to_owned)),
        on_default_loop: false,
    }
}

/// Runs a callback. A panic is logged.
fn call(callback: Callback) {
    guard(Problem::Callback, || callback.run());
}
