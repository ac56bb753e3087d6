//! [`Chooser`]: who goes next, if that is not the order of the queue.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::panic::Location;

use squall_runner::ready::{Callback, ReadyQueue, Suspended};

use super::step::Who;
use super::watch::{look, Seen};
use super::TestLoop;

/// Decides who goes next.
pub(super) trait Chooser {
    /// The place in the queue of who goes next. The queue is not empty.
    ///
    /// # Errors
    /// Why nobody can.
    fn choose(&mut self, test_loop: &TestLoop) -> Result<usize, String>;

    /// Whether there is more to decide.
    fn goes_on(&self) -> bool {
        true
    }

    /// What is wrong if the loop is idle now.
    fn left_over(&self, _test_loop: &TestLoop) -> Option<String> {
        None
    }
}

/// Something that could go next: its place in the queue, and what it is.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) index: usize,
    pub(super) kind: Kind,
}

/// What a candidate is: the same for one coroutine, wherever it stands in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Coroutine(Who),
    /// A timer, a job or a delivery: its name and its number.
    Other(Cow<'static, str>, u64),
}

impl Candidate {
    /// `fetch#2`, `timer#3`.
    pub(super) fn label(&self) -> String {
        match &self.kind {
            Kind::Coroutine(who) => who.to_string(),
            Kind::Other(name, number) => format!("{name}#{number}"),
        }
    }

    fn is(&self, label: &str) -> bool {
        match self.kind {
            Kind::Coroutine(who) => who.is(label),
            Kind::Other(..) => self.label() == label,
        }
    }
}

/// What waits in the queue.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    Coroutine(Suspended),
    /// Something else that might have come at another time: what it is called, and its number among those.
    Choice((Cow<'static, str>, u64)),
    /// A callback that comes after what was there before it.
    Callback,
}

impl Entry {
    /// What waits in the queue, in order.
    pub(super) fn all(ready: &ReadyQueue) -> Vec<Self> {
        let entry = |callback: Callback| match callback.suspended() {
            Some(coroutine) => Self::Coroutine(coroutine),
            None => callback.choice().map_or(Self::Callback, Self::Choice),
        };
        ready.queued().into_iter().map(entry).collect()
    }
}

/// Those of the queue that could go next. A callback that comes before all of them has to go first: then there
/// are none.
pub(super) fn candidates(entries: &[Entry], seen: &Seen) -> Vec<Candidate> {
    if matches!(entries.first(), Some(Entry::Callback)) {
        return Vec::new();
    }
    let kind = |entry: &Entry| match entry {
        Entry::Coroutine(who) => seen.call(who.call?).map(|call| Kind::Coroutine(call.who)),
        Entry::Choice((name, number)) => Some(Kind::Other(name.clone(), *number)),
        Entry::Callback => None,
    };
    let candidate = |(index, entry)| Some(Candidate { index, kind: kind(entry)? });
    entries.iter().enumerate().filter_map(candidate).collect()
}

/// Where to go on to reach the candidate: callbacks that came before it go before it.
pub(super) fn way_to(candidate: &Candidate, entries: &[Entry]) -> usize {
    let before = &entries[..candidate.index];
    before.iter().position(|entry| matches!(entry, Entry::Callback)).unwrap_or(candidate.index)
}

/// Names, one after the other.
pub(super) struct Script {
    names: VecDeque<String>,
    /// How many there were.
    len: usize,
    /// Whether each name means exactly one call, and timers and jobs are named, too.
    exact: bool,
    /// The line of the test that gave it.
    location: &'static Location<'static>,
}

impl Script {
    /// A script by hand: a name means the oldest call of it that is ready; timers come when it is their turn.
    pub(super) fn new(names: VecDeque<String>, location: &'static Location<'static>) -> Self {
        Self { len: names.len(), names, exact: false, location }
    }

    /// A script that was printed: everything is named.
    pub(super) fn exact(names: VecDeque<String>, location: &'static Location<'static>) -> Self {
        Self { exact: true, ..Self::new(names, location) }
    }

    fn find(&self, name: &str, candidates: &[Candidate]) -> Option<Candidate> {
        let found = candidates.iter().find(|candidate| candidate.is(name));
        let oldest = || {
            let named = candidates.iter().filter_map(|candidate| match candidate.kind {
                Kind::Coroutine(who) if who.name == name => Some((who.nth, candidate)),
                _ => None,
            });
            named.min_by_key(|(nth, _)| *nth).map(|(_, candidate)| candidate)
        };
        found.or_else(|| if self.exact { None } else { oldest() }).cloned()
    }

    fn problem(&self, name: &str, candidates: &[Candidate], test_loop: &TestLoop) -> String {
        let place = self.len - self.names.len() + 1;
        let mut problem =
            format!("the schedule of {}: `{name}`, number {place} of it, cannot run now", self.location);
        let base = name.split('#').next().unwrap_or(name);
        let waits = test_loop.waiting();
        let mut known = waits.iter().filter(|wait| wait.runner().name() == base).peekable();
        if known.peek().is_none() {
            let seen = look(&test_loop.seen);
            let gone = seen.calls().iter().any(|call| call.who.name == base);
            problem += if gone { ": it has finished" } else { ": nobody of that name was called" };
        }
        let known = known.map(|wait| format!("\n  {wait}"));
        let mut ready: Vec<_> = candidates.iter().map(Candidate::label).collect();
        ready.dedup();
        let ready = match ready.as_slice() {
            [] => "\nnobody is ready".to_owned(),
            ready => format!("\nready: {}", ready.join(", ")),
        };
        problem.extend(known.chain([ready]));
        problem
    }
}

impl Chooser for Script {
    fn choose(&mut self, test_loop: &TestLoop) -> Result<usize, String> {
        let entries = Entry::all(test_loop.io_loop.ready());
        let candidates = candidates(&entries, &look(&test_loop.seen));
        if candidates.is_empty() {
            return Ok(0);
        }
        let Some(name) = self.names.front().cloned() else { return Ok(0) };
        if let Some(found) = self.find(&name, &candidates) {
            let index = way_to(&found, &entries);
            if index == found.index {
                self.names.pop_front();
            }
            return Ok(index);
        }
        // A timer or a job whose turn it is may be what makes the named one ready.
        let other = candidates.iter().find(|candidate| matches!(candidate.kind, Kind::Other(..)));
        match other {
            Some(other) if !self.exact => Ok(way_to(other, &entries)),
            _ => Err(self.problem(&name, &candidates, test_loop)),
        }
    }

    fn goes_on(&self) -> bool {
        !self.names.is_empty()
    }

    fn left_over(&self, test_loop: &TestLoop) -> Option<String> {
        let name = self.names.front()?;
        Some(self.problem(name, &[], test_loop))
    }
}
