//! The loop for tools that run it one callback at a time: the parts of an iteration, each by itself.

use std::borrow::Cow;
use std::panic::Location;
use std::rc::Rc;
use std::time::{Duration, Instant};

use squall_runner::ready::{Callback, ReadyQueue, Run, Withdraw};
use squall_runner::trace::{self, Event};
use squall_runner::Result;

use super::IoLoop;

/// So long in real time are jobs waited for.
const JOBS: Duration = Duration::from_secs(1);

impl IoLoop {
    /// The queue of what is ready.
    pub(crate) fn ready(&self) -> &Rc<ReadyQueue> {
        &self.inner.ready
    }

    /// Begins an iteration: puts on the ready queue what came from outside, and the timers that are due, and
    /// says how many callbacks this iteration is to run. It is none if there is nothing to do. In real time it takes
    /// at most `limit`.
    pub(crate) fn begin_turn(&self, limit: Option<Duration>) -> usize {
        let (inner, ready) = (&*self.inner, &self.inner.ready);
        let now = inner.clock.now();
        inner.sources.budget.begin_turn();
        // If it fails now, it fails again where the loop waits for it.
        drop(inner.look_at_fds());
        for callback in self.arrived(limit.map_or(JOBS, |limit| limit.min(JOBS))) {
            ready.push(callback);
        }
        inner.timers.borrow_mut().take_due_with_age(now, |callback, number| {
            // A delivery of a network has a name of its own.
            let named = callback.choice().is_some();
            ready.push(if named { callback } else { Rc::new(Chosen { callback, kind: "timer", number }) });
        });
        if !ready.is_empty() {
            trace::emit(|| Event::Turn { now });
        }
        ready.len()
    }

    /// What came from outside: callbacks in the order in which they came, and then the results of jobs in that in
    /// which they were submitted. A job takes none of the time of the loop: each that is under way is waited for,
    /// at most for so long in all, so that a test does not depend on which is faster.
    fn arrived(&self, limit: Duration) -> Vec<Callback> {
        let inner = &*self.inner;
        let (mut callbacks, mut jobs) = (Vec::new(), Vec::new());
        let start = Instant::now();
        loop {
            inner.inbox.wakeup().take_news();
            inner.inbox.take(
                &inner.ready,
                |callback| callbacks.push(callback),
                |key| jobs.extend(inner.expected.borrow_mut().take_with_age(key)),
            );
            let left = limit.saturating_sub(start.elapsed());
            if !self.expects() || left.is_zero() {
                break;
            }
            let asleep = inner.inbox.wakeup().fall_asleep();
            let polled = if asleep { inner.poll(Some(left)) } else { Ok(()) };
            inner.inbox.wakeup().awake();
            if polled.is_err() {
                break;
            }
        }
        jobs.sort_by_key(|(_, number)| *number);
        let job = |(callback, number)| Rc::new(Chosen { callback, kind: "job", number }) as Callback;
        callbacks.into_iter().chain(jobs.into_iter().map(job)).collect()
    }

    /// Whether there is something to do for an iteration at this time.
    pub(crate) fn has_work(&self) -> bool {
        let inner = &*self.inner;
        let due = self.next_deadline().is_some_and(|deadline| deadline <= inner.clock.now());
        due || !inner.ready.is_empty() || !inner.inbox.is_empty()
    }

    /// When the next timer is due.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.inner.timers.borrow_mut().next_deadline()
    }

    /// When each timer is due, and the line that set it. What is under way on a network of tests is none.
    pub(crate) fn timers_left(&self) -> Vec<(Duration, &'static Location<'static>)> {
        self.inner.timers.borrow().left()
    }

    /// Whether a job is under way.
    pub(crate) fn expects(&self) -> bool {
        !self.inner.expected.borrow().is_empty()
    }

    /// Whether something outside of this thread may still wake the loop.
    pub(crate) fn may_be_woken(&self) -> bool {
        !self.inner.inbox.is_empty() || !self.outside().is_empty()
    }

    /// What may still wake the loop from outside of this thread, in words.
    pub(crate) fn outside(&self) -> Vec<Cow<'static, str>> {
        let inner = &*self.inner;
        let outside = [
            (self.expects(), "a job is under way"),
            (inner.has_fds(), "a descriptor is watched"),
            (inner.inbox.has_handles(), "a LoopHandle is kept"),
            (inner.wakeable(), "a Waker is kept"),
        ];
        let outside = outside.into_iter().filter(|(is, _)| *is).map(|(_, what)| Cow::Borrowed(what));
        outside.chain(self.socket_waits().map(Cow::Owned)).collect()
    }

    /// What is waited for at a real socket, in words.
    pub(crate) fn socket_waits(&self) -> Option<String> {
        self.inner.sources.waits()
    }

    /// Sleeps until something outside wakes the loop, at most so long in real time.
    pub(crate) fn wait_outside(&self, timeout: Option<Duration>) -> Result<()> {
        let (inner, wakeup) = (&*self.inner, self.inner.inbox.wakeup());
        // What there was until now is seen below.
        wakeup.take_news();
        let asleep = wakeup.fall_asleep();
        let woken = !asleep || !inner.ready.is_empty() || !inner.inbox.is_empty();
        let waited = if woken { Ok(()) } else { inner.poll(timeout) };
        wakeup.awake();
        waited
    }
}

/// What might as well have come earlier or later than what waits beside it.
struct Chosen {
    callback: Callback,
    kind: &'static str,
    number: u64,
}

impl Run for Chosen {
    fn run(self: Rc<Self>) {
        self.callback.clone().run();
    }

    fn choice(&self) -> Option<(Cow<'static, str>, u64)> {
        Some((self.kind.into(), self.number))
    }
}

impl Withdraw for Chosen {
    fn withdraw(&self) {
        self.callback.withdraw();
    }
}
