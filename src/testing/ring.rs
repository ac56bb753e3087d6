//! [`Ring`]: the last entries of a trace, and a summary of those before them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet, VecDeque};

use squall_runner::trace::{CallId, FutureId};

use super::watch::{From, Seen};
use crate::trace::{Earlier, Entry, Recorded, Source, Standing};

/// How many entries are kept.
pub(super) const ENTRIES: usize = 100_000;

/// The last [`ENTRIES`] entries.
#[derive(Debug, Default)]
pub(super) struct Ring {
    entries: VecDeque<Entry>,
    /// How many entries came before them, and how many of those were turns.
    left_out: usize,
    turns: usize,
    /// How many calls of each coroutine came before them.
    calls: BTreeMap<Cow<'static, str>, usize>,
}

impl Ring {
    pub(super) fn push(&mut self, entry: Entry) {
        if self.entries.len() >= ENTRIES {
            let first = self.entries.pop_front();
            self.left_out += 1;
            match first.map(|first| first.event) {
                Some(Recorded::Turn { .. }) => self.turns += 1,
                Some(Recorded::Call { name, .. }) => *self.calls.entry(name).or_default() += 1,
                _ => {}
            }
        }
        self.entries.push_back(entry);
    }

    /// Returns how many entries came before those that are kept.
    pub(super) fn left_out(&self) -> usize {
        self.left_out
    }

    /// Returns the entries. If there were others before them, the first entry describes what the kept ones refer to.
    pub(super) fn entries(&self, seen: &Seen) -> Vec<Entry> {
        let first = self.entries.front().filter(|_| self.left_out > 0);
        let left_out = first.map(|first| Entry { time: first.time, event: self.earlier(seen) });
        left_out.into_iter().chain(self.entries.iter().cloned()).collect()
    }

    fn earlier(&self, seen: &Seen) -> Recorded {
        let mut named = Named::default();
        self.entries.iter().for_each(|entry| named.add(&entry.event));
        let mut made = Vec::new();
        let mut futures: Vec<FutureId> = named.futures.iter().copied().collect();
        while let Some(future) = futures.pop() {
            let source = match seen.from(future) {
                Some(From::Call(runner)) => {
                    named.calls.insert(*runner);
                    continue;
                }
                Some(From::Sleep(until)) => Source::Sleep { until: *until },
                Some(From::Multi(of)) => Source::Multi { of: of.clone(), len: of.len() },
                Some(From::Timeout(of, until)) => Source::Timeout { of: *of, until: *until },
                Some(From::Named(name)) => Source::Named(name.clone().into()),
                None => continue,
            };
            let of = match &source {
                Source::Multi { of, .. } => of.as_slice(),
                Source::Timeout { of, .. } => std::slice::from_ref(of),
                _ => &[],
            };
            futures.extend(of.iter().filter(|of| named.futures.insert(**of)));
            made.push((future, source));
        }
        made.sort_by_key(|(future, _)| *future);
        let calls = seen.calls().iter().filter(|call| {
            let named = named.act.contains(&call.name.id) || named.calls.contains(&call.name.id);
            named
                && self.calls.get(call.name.coroutine).is_some_and(|before| call.name.nth as usize <= *before)
        });
        let calls = calls.map(|call| Earlier {
            runner: call.name.id,
            future: call.future,
            name: call.name.coroutine.into(),
            nth: call.name.nth as usize,
            body: call.body,
            acts: named.act.contains(&call.name.id),
        });
        Recorded::LeftOut {
            events: self.left_out,
            turns: self.turns,
            calls: calls.collect(),
            counts: self.calls.clone(),
            made,
        }
    }
}

/// The calls and Futures that entries refer to.
#[derive(Default)]
struct Named {
    /// Calls that entries are about.
    act: HashSet<CallId>,
    /// Calls whose Futures entries refer to.
    calls: HashSet<CallId>,
    futures: HashSet<FutureId>,
}

impl Named {
    fn add(&mut self, event: &Recorded) {
        let (runner, future) = match event {
            Recorded::Start { runner }
            | Recorded::Send { runner, .. }
            | Recorded::Throw { runner, .. }
            | Recorded::Wake { runner }
            | Recorded::Return { runner, .. }
            | Recorded::Raise { runner, .. }
            | Recorded::Abandon { runner }
            | Recorded::Push { queued: Standing::Call(runner), .. }
            | Recorded::Pop { queued: Standing::Call(runner), .. } => (Some(*runner), None),
            Recorded::Yield { runner, future, .. } | Recorded::Wait { runner, future, .. } => {
                (Some(*runner), *future)
            }
            Recorded::Resolve { future, .. } => (None, Some(*future)),
            Recorded::Made { source: Source::Multi { of, .. }, .. } => {
                self.futures.extend(of);
                (None, None)
            }
            Recorded::Made { source: Source::Timeout { of, .. }, .. } => (None, Some(*of)),
            _ => (None, None),
        };
        self.act.extend(runner);
        self.futures.extend(future);
    }
}
