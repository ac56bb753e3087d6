//! The callbacks that could go next, and [`Script`]: names that decide which of them does.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::panic::Location;

use squall_runner::ready::{Callback, ReadyQueue, Suspended};

use super::step::CallName;
use super::test_loop::{Chooser, TestLoop};
use super::watch::{look, Seen};

/// A callback that could go next: its index in the queue, and its kind.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) index: usize,
    pub(super) kind: Kind,
}

/// The kind of a candidate. That of a coroutine is the same wherever it is in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Coroutine(CallName),
    /// A timer, a job or a delivery, by its name and number.
    Other(Cow<'static, str>, u64),
}

impl Candidate {
    /// Returns the name in schedules: `fetch#2`, `timer#3`.
    pub(super) fn label(&self) -> String {
        match &self.kind {
            Kind::Coroutine(call) => call.to_string(),
            Kind::Other(name, number) => format!("{name}#{number}"),
        }
    }

    fn is(&self, label: &str) -> bool {
        match self.kind {
            Kind::Coroutine(call) => call.is(label),
            Kind::Other(..) => self.label() == label,
        }
    }
}

/// An entry of the ready queue.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    Coroutine(Suspended),
    /// A callback that might have come at another time: its name, and its number among those of that name.
    Choice((Cow<'static, str>, u64)),
    /// A callback that comes after everything that was in the queue before it.
    Callback,
}

impl Entry {
    /// Returns the entries of the queue, in order.
    pub(super) fn all(ready: &ReadyQueue) -> Vec<Self> {
        let entry = |callback: Callback| match callback.suspended() {
            // Coroutines of squall itself keep their turn, like callbacks.
            Some(coroutine) if coroutine.call.is_none() => Self::Callback,
            Some(coroutine) => Self::Coroutine(coroutine),
            None => callback.choice().map_or(Self::Callback, Self::Choice),
        };
        ready.queued().into_iter().map(entry).collect()
    }
}

/// Returns the entries that could go next. There are none if a callback that comes before all of them has to go first.
pub(super) fn candidates(entries: &[Entry], seen: &Seen) -> Vec<Candidate> {
    if matches!(entries.first(), Some(Entry::Callback)) {
        return Vec::new();
    }
    let kind = |entry: &Entry| match entry {
        Entry::Coroutine(suspended) => seen.call(suspended.call?).map(|call| Kind::Coroutine(call.name)),
        Entry::Choice((name, number)) => Some(Kind::Other(name.clone(), *number)),
        Entry::Callback => None,
    };
    let candidate = |(index, entry)| Some(Candidate { index, kind: kind(entry)? });
    entries.iter().enumerate().filter_map(candidate).collect()
}

/// Returns the index of the callback to run on the way to the candidate: callbacks that came before it go first.
pub(super) fn way_to(candidate: &Candidate, entries: &[Entry]) -> usize {
    let before = &entries[..candidate.index];
    before.iter().position(|entry| matches!(entry, Entry::Callback)).unwrap_or(candidate.index)
}

impl TestLoop {
    /// Sets which coroutines go next. Each name stands for one turn, in which the coroutine runs until it waits:
    /// `fetch` is the oldest ready call of `fetch`, `fetch#2` the second call of it. After the last name the order is
    /// that of the queue again.
    ///
    /// The next [`step`](Self::step) or `run_` method panics if the named coroutine cannot run, with the names of those
    /// that can.
    #[track_caller]
    pub fn schedule<N: Into<String>>(&mut self, names: impl IntoIterator<Item = N>) {
        let names = names.into_iter().map(Into::into).collect();
        self.chooser = Some(Box::new(Script::new(names, Location::caller())));
    }
}

/// Names of coroutines, one after the other.
pub(super) struct Script {
    names: VecDeque<String>,
    /// How many names there were at first.
    len: usize,
    /// `true` if each name means exactly one call, and timers and jobs are named as well.
    exact: bool,
    /// The line of the test that set the names.
    location: &'static Location<'static>,
}

impl Script {
    /// Creates a script written by hand: a name means its oldest call that is ready, and timers come in their turn.
    pub(super) fn new(names: VecDeque<String>, location: &'static Location<'static>) -> Self {
        Self { len: names.len(), names, exact: false, location }
    }

    /// Creates a script from a printed schedule, in which everything is named.
    pub(super) fn exact(names: VecDeque<String>, location: &'static Location<'static>) -> Self {
        Self { exact: true, ..Self::new(names, location) }
    }

    fn find(&self, name: &str, candidates: &[Candidate]) -> Option<Candidate> {
        let found = candidates.iter().find(|candidate| candidate.is(name));
        let oldest = || {
            let named = candidates.iter().filter_map(|candidate| match candidate.kind {
                Kind::Coroutine(call) if call.coroutine == name => Some((call.nth, candidate)),
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
            let gone = seen.calls().iter().any(|call| call.name.coroutine == base);
            problem += if gone { ": it has finished" } else { ": no coroutine of that name was called" };
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
        // A timer or a job whose turn it is may make the named coroutine ready.
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
