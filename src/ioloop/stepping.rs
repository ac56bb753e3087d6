//! The parts of a turn of the loop, for tools that run a loop one callback at a time.

use std::borrow::Cow;
use std::panic::Location;
use std::rc::Rc;
use std::time::{Duration, Instant};

use squall_runner::ready::{Callback, ReadyQueue, Run, Withdraw};
use squall_runner::trace::{self, because, Event, Queued, Why};
use squall_runner::{Error, Exception, Result};

use super::IoLoop;

/// How long jobs are waited for, in real time.
const JOBS: Duration = Duration::from_secs(1);

impl IoLoop {
    /// Returns the ready queue.
    pub(crate) fn ready(&self) -> &Rc<ReadyQueue> {
        &self.inner.ready
    }

    /// Begins a turn: puts callbacks of other threads and timers that are due on the ready queue, and returns how many
    /// callbacks this turn is to run, or 0 if there is nothing to do. Takes at most `limit` of real time.
    pub(crate) fn begin_turn(&self, limit: Option<Duration>) -> usize {
        let (inner, ready) = (&*self.inner, &self.inner.ready);
        let now = inner.clock.now();
        inner.turn_time.set(Some(now));
        inner.sources.budget.begin_turn();
        // An error here occurs again where the loop waits for descriptors, and is reported there.
        drop(inner.look_at_fds());
        let mut taken = self.arrived(limit.map_or(JOBS, |limit| limit.min(JOBS)));
        inner.timers.borrow_mut().take_due_with_age(now, |callback, number| {
            // A delivery on a test network has a name of its own.
            let named = callback.choice().is_some();
            let due = if named { callback } else { Rc::new(Chosen { callback, kind: "timer", number }) };
            taken.push((due, Why::Timer(number)));
        });
        let (queue, nothing) = (ready.id(), ready.is_empty() && taken.is_empty());
        if !nothing {
            trace::emit(|| Event::Turn { queue, now });
        }
        taken.into_iter().for_each(|(callback, why)| because(why, || ready.push(callback)));
        let callbacks = ready.len();
        if !nothing {
            trace::emit(|| Event::Batch { queue, callbacks });
        }
        callbacks
    }

    /// Returns callbacks of other threads in the order in which they came, then the results of jobs in the order in
    /// which the jobs were submitted. Jobs take no time on the loop's clock: each job that is under way is waited for,
    /// within `limit` of real time for all, so that a test does not depend on which job is faster.
    fn arrived(&self, limit: Duration) -> Vec<(Callback, Why)> {
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
        let job = |(callback, number)| {
            let chosen: Callback = Rc::new(Chosen { callback, kind: "job", number });
            (chosen, Why::Job)
        };
        let callbacks = callbacks.into_iter().map(|callback| (callback, Why::Outside));
        callbacks.chain(jobs.into_iter().map(job)).collect()
    }

    /// Returns whether a turn would have something to do now.
    pub(crate) fn has_work(&self) -> bool {
        let inner = &*self.inner;
        let due = self.next_deadline().is_some_and(|deadline| deadline <= inner.clock.now());
        due || !inner.ready.is_empty() || !inner.inbox.is_empty()
    }

    /// Returns when the next timer is due.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.inner.timers.borrow_mut().next_deadline()
    }

    /// Returns when each timer is due, and the line that set it. Deliveries of a test network are not timers here.
    pub(crate) fn timers_left(&self) -> Vec<(Duration, &'static Location<'static>)> {
        self.inner.timers.borrow().left()
    }

    /// Returns whether a job is under way.
    pub(crate) fn expects(&self) -> bool {
        !self.inner.expected.borrow().is_empty()
    }

    /// Returns whether another thread may still wake the loop.
    pub(crate) fn may_be_woken(&self) -> bool {
        !self.inner.inbox.is_empty() || !self.outside().is_empty()
    }

    /// Returns descriptions of what may still wake the loop from other threads.
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

    /// Returns a description of what is waited for at a real socket.
    pub(crate) fn socket_waits(&self) -> Option<String> {
        self.inner.sources.waits()
    }

    /// Returns whether a descriptor is watched for which [a clock that jumps waits](Self::wait_for_fd).
    pub(crate) fn awaits_fds(&self) -> bool {
        self.inner.awaits_fds()
    }

    /// Returns whether [`stop`](Self::stop) was called for the current run or the next.
    pub(crate) fn is_stopping(&self) -> bool {
        self.inner.stop.get()
    }

    /// Uses up a call of [`stop`](Self::stop).
    pub(crate) fn take_stop(&self) -> bool {
        self.inner.stop.take()
    }

    /// Returns the error of a run in which nothing can wake the loop any more.
    pub(crate) fn deadlock(&self) -> Exception {
        Error::Deadlock { waiting: self.inner.in_vain() }.into()
    }

    /// Sleeps until another thread wakes the loop, for at most `timeout` of real time.
    pub(crate) fn wait_outside(&self, timeout: Option<Duration>) -> Result<()> {
        let (inner, wakeup) = (&*self.inner, self.inner.inbox.wakeup());
        // What has happened until now is found below.
        wakeup.take_news();
        let asleep = wakeup.fall_asleep();
        let woken = !asleep || !inner.ready.is_empty() || !inner.inbox.is_empty();
        let waited = if woken { Ok(()) } else { inner.poll(timeout) };
        wakeup.awake();
        waited
    }
}

/// A callback whose order among those beside it was not determined.
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

    fn queued_as(&self) -> Queued {
        self.callback.queued_as()
    }
}

impl Withdraw for Chosen {
    fn withdraw(&self) {
        self.callback.withdraw();
    }
}
