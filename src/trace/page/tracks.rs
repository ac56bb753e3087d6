//! [`Tracks`]: the lanes of the timeline, and how each call is at each step.

use std::collections::BTreeMap;

use squall_runner::trace::CallId;

use crate::trace::names::Names;
use crate::trace::state::{State, Status};

/// Collects how each call is, step by step. Calls of one coroutine that are not alive at the same time share a lane.
#[derive(Debug, Default)]
pub(super) struct Tracks {
    alive: BTreeMap<CallId, (usize, &'static str)>,
    /// The first and the last step of each call that was seen.
    lives: BTreeMap<CallId, (usize, usize)>,
    segments: Vec<Segment>,
}

/// A call is in one status from the first of these steps to the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) call: CallId,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) status: &'static str,
}

impl Tracks {
    /// The state after a step.
    pub(super) fn step(&mut self, step: usize, after: &State) {
        for (id, call) in &after.calls {
            match track(call.status) {
                Some(status) => self.set(*id, step, status),
                None => self.end(*id, step),
            }
        }
        let gone: Vec<_> = self.alive.keys().filter(|id| !after.calls.contains_key(id)).copied().collect();
        gone.into_iter().for_each(|id| self.end(id, step));
    }

    /// A step is told of a call that has no status any more.
    pub(super) fn acts(&mut self, step: usize, call: CallId) {
        self.lives.entry(call).or_insert((step, step)).1 = step;
    }

    fn set(&mut self, call: CallId, step: usize, status: &'static str) {
        self.acts(step, call);
        match self.alive.insert(call, (step, status)) {
            Some((from, same)) if same == status => {
                self.alive.insert(call, (from, same));
            }
            Some((from, status)) => self.segments.push(Segment { call, from, to: step, status }),
            None => {}
        }
    }

    fn end(&mut self, call: CallId, step: usize) {
        if let Some((from, status)) = self.alive.remove(&call) {
            self.segments.push(Segment { call, from, to: step, status });
            self.acts(step, call);
        }
    }

    /// The segments by their beginnings, and the lanes: the names of their first calls. The lane of a call is counted from 1;
    /// that of the loop is 0.
    pub(super) fn finish(
        mut self,
        steps: usize,
        names: &Names,
    ) -> (Vec<Segment>, Vec<String>, BTreeMap<CallId, usize>) {
        for (call, (from, status)) in std::mem::take(&mut self.alive) {
            self.segments.push(Segment { call, from, to: steps, status });
            self.acts(steps, call);
        }
        self.segments.sort_by_key(|segment| (segment.from, segment.call));
        let mut lanes: Vec<Lane<'_>> = Vec::new();
        let mut calls: Vec<_> = self.lives.into_iter().collect();
        calls.sort_by_key(|(call, (from, _))| (*from, *call));
        let mut of = Vec::new();
        for (call, (from, to)) in calls {
            let coroutine = names.coroutine(call);
            let free = lanes.iter_mut().find(|lane| lane.coroutine == coroutine && lane.until < from);
            let key = match free {
                Some(lane) => {
                    lane.until = to;
                    lane.key
                }
                None => {
                    let key = lanes.len();
                    // Beside those of the same coroutine.
                    let beside = lanes.iter().rposition(|lane| lane.coroutine == coroutine);
                    let lane = Lane { key, coroutine, label: names.call(call), until: to };
                    lanes.insert(beside.map_or(key, |beside| beside + 1), lane);
                    key
                }
            };
            of.push((call, key));
        }
        let mut places = vec![0; lanes.len()];
        lanes.iter().enumerate().for_each(|(place, lane)| places[lane.key] = place + 1);
        let of = of.into_iter().map(|(call, key)| (call, places[key])).collect();
        (self.segments, lanes.into_iter().map(|lane| lane.label).collect(), of)
    }
}

struct Lane<'a> {
    /// In the order in which they were made.
    key: usize,
    coroutine: &'a str,
    label: String,
    /// The last step of its last call.
    until: usize,
}

/// How a call is drawn; nothing is drawn of one that is over, or that nothing has started.
fn track(status: Status) -> Option<&'static str> {
    Some(match status {
        Status::Running | Status::Calling => "running",
        Status::Waiting | Status::Called => "waiting",
        Status::Ready => "ready",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::trace::{steps, Timeline};
    use crate::{coroutine, moment, Future, IoLoop};

    use super::*;

    fn child() -> Future<()> {
        coroutine(|co| async move { co.yield_(moment()).await })
    }

    fn parent() -> Future<()> {
        coroutine(|co| async move {
            co.yield_(child()).await?;
            co.yield_(vec![child(), child()]).await?;
            Ok(())
        })
    }

    #[test]
    fn calls_that_follow_each_other_share_a_lane_and_those_beside_each_other_do_not() {
        let trace = crate::trace::record(|| IoLoop::new().run_sync(parent));
        let (timeline, names) = (Timeline::new(trace.entries()), Names::of(trace.entries()));
        let mut tracks = Tracks::default();
        let steps = steps(trace.entries());
        for (nth, step) in steps.iter().enumerate() {
            tracks.step(nth, &timeline.state(step.entries.end));
        }
        let (segments, lanes, of) = tracks.finish(steps.len(), &names);
        assert_eq!(lanes, ["parent", "child", "child#3"]);
        assert_eq!(of.values().copied().collect::<Vec<_>>(), [1, 2, 2, 3]);
        assert!(segments.windows(2).all(|pair| pair[0].from <= pair[1].from));
        let first = segments.iter().filter(|segment| of[&segment.call] == 2).map(|segment| segment.status);
        assert_eq!(first.take(3).collect::<Vec<_>>(), ["running", "ready", "running"]);
    }
}
