//! The trace of a test loop. If entries were left out, it begins with what the others refer to.

use std::collections::HashSet;

use squall_runner::trace::{CallId, FutureId};

use super::watch::{From, Seen};
use crate::trace::{Earlier, Entry, Recorded, Source, Standing, Trace};

impl Seen {
    /// Returns the trace, as far as it is kept.
    pub(super) fn trace(&self) -> Trace {
        let kept = &self.entries;
        let first = kept.entries.front().filter(|_| kept.left_out > 0);
        let left_out = first.map(|first| Entry { time: first.time, event: self.earlier() });
        Trace::new(left_out.into_iter().chain(kept.entries.iter().cloned()).collect(), 0)
    }

    /// Returns the entry that stands for those that were left out.
    fn earlier(&self) -> Recorded {
        let kept = &self.entries;
        let mut named = Named::default();
        kept.entries.iter().for_each(|entry| named.add(&entry.event));
        let mut made = Vec::new();
        let mut futures: Vec<FutureId> = named.futures.iter().copied().collect();
        while let Some(future) = futures.pop() {
            let source = match self.from(future) {
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
        let calls = self.calls().iter().filter(|call| {
            let named = named.act.contains(&call.name.id) || named.calls.contains(&call.name.id);
            named
                && kept.calls.get(call.name.coroutine).is_some_and(|before| call.name.nth as usize <= *before)
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
            events: kept.left_out,
            turns: kept.turns,
            calls: calls.collect(),
            counts: kept.calls.clone(),
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
