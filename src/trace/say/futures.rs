//! The sentences of Futures: where they come from, how they are done, and what is logged of them.

use squall_runner::trace::{FutureId, LockId, Problem, State as Resolved};

use super::parts::{Part, Parts};
use super::telling::{code, number, raised, standing, value_of, Telling};
use crate::trace::state::JOB;
use crate::trace::{Line, Raised, Recorded, Source, Standing};

impl Telling<'_> {
    pub(super) fn made(&self, future: FutureId, source: &Source, lock: Option<LockId>) -> (Parts, Parts) {
        let who = ("who", self.who());
        let it = ("future", vec![Part::Future(future)]);
        match source {
            Source::Sleep { until } => {
                let filled = [who, ("code", code("sleep")), ("time", self.time(*until))];
                (self.say("made.sleep", &filled), self.say("made.sleep.why", &[]))
            }
            Source::Multi { len, .. } => {
                (self.say("made.multi", &[it, ("n", number(*len))]), self.say("made.multi.why", &[]))
            }
            Source::Timeout { of, until } => {
                let filled = [who, it, ("of", vec![Part::Future(*of)]), ("time", self.time(*until))];
                (self.say("made.timeout", &filled), self.say("made.timeout.why", &[]))
            }
            Source::Named(name) if name == JOB => {
                (self.say("made.job", &[who, it]), self.say("made.job.why", &[]))
            }
            Source::Named(_) => match lock {
                Some(lock) => (self.say("made.request", &[who, it]), self.requested(future, lock)),
                None => (self.say("made", &[who, it]), self.say("made.why", &[])),
            },
        }
    }

    /// Tells a request of a lock or queue, and whether it has to wait in line.
    fn requested(&self, future: FutureId, lock: LockId) -> Parts {
        let waits = |line: &Line| line.first.contains(&future);
        let in_line = match (self.after.locks.get(&lock), self.after.queues.get(&lock)) {
            (Some(lock), _) => waits(&lock.waiting),
            (None, Some(queue)) => [&queue.getters, &queue.putters, &queue.joiners].into_iter().any(waits),
            (None, None) => return Vec::new(),
        };
        match self.holders(lock) {
            Some((lock, list)) if in_line => self.say("made.held.why", &[("lock", lock), ("list", list)]),
            _ if in_line => self.say("made.line.why", &[]),
            _ => self.say("made.at_once.why", &[]),
        }
    }

    pub(super) fn resolved(&self, future: FutureId, state: Resolved) -> (Parts, Parts) {
        let it = ("future", vec![Part::Future(future)]);
        let value = self.after.futures.get(&future).and_then(|future| future.value.as_deref());
        let thread = self.entries.iter().find_map(|entry| match &entry.event {
            Recorded::Job { thread, .. } => Some(thread),
            _ => None,
        });
        let what = match (state, self.narrator.names.source(future)) {
            (Resolved::Cancelled, _) => self.say("resolve.cancelled", &[it]),
            (Resolved::Failed, Some(Source::Timeout { until, .. })) if *until <= self.head.time => {
                self.say("resolve.timeout", &[it])
            }
            (Resolved::Failed, _) => match value {
                Some(exception) => self.say("resolve.raised", &[it, ("exception", value_of(exception))]),
                None => self.say("resolve.failed", &[it]),
            },
            (_, Some(Source::Sleep { .. })) => self.say("resolve.sleep", &[it]),
            _ => match thread {
                Some(thread) => self.say("resolve.job", &[it, ("thread", code(thread))]),
                None => self.say("resolve", &[it]),
            },
        };
        let (mut woken, mut stops) = (Vec::new(), false);
        for entry in self.entries {
            if let Recorded::Push { io_loop, queued, .. } = &entry.event {
                let until = self.before.loops.get(io_loop).and_then(|it| it.until);
                stops |= until == Some(future) && matches!(queued, Standing::Callback(_));
                woken.push(standing(queued));
            }
        }
        let why = match woken.len() {
            0 => self.say("resolve.nobody.why", &[]),
            1 if stops => self.say("resolve.until.why", &[]),
            _ => self.say("resolve.wakes.why", &[("list", self.list(woken))]),
        };
        (what, why)
    }

    pub(super) fn report(&self, problem: Problem, exception: &Raised) -> (Parts, Parts) {
        let why = match problem {
            Problem::Multiple => "report.multiple.why",
            Problem::NeverAwaited => "report.never_awaited.why",
            Problem::NeverRetrieved => "report.never_retrieved.why",
            _ => "report.why",
        };
        let problem = Part::Text(super::problem(problem, self.lang).into());
        let filled = [("problem", vec![problem]), ("exception", raised(exception))];
        (self.say("report", &filled), self.say(why, &[]))
    }
}
