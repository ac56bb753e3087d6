//! [`Tracks`]: the lanes of the timeline, and how each call is at each step.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use squall_runner::trace::CallId;

use super::names::Names;
use super::state::{Call, PersistentMap, State, Status};
use super::Narrator;

/// Collects how each call is, step by step, for a timeline. Calls of one coroutine that are not alive at the same time share a
/// lane.
///
/// ```
/// use squall::trace::{steps, Narrator, Timeline, Tracks};
///
/// let trace = squall::trace::record(|| squall::coroutine(|_co| async { Ok(5) }));
/// let (timeline, steps) = (Timeline::new(trace.entries()), steps(trace.entries()));
/// let mut tracks = Tracks::default();
/// for (nth, step) in steps.iter().enumerate() {
///     tracks.step(nth, &timeline.state(step.entries.end));
/// }
/// let lanes = tracks.finish(steps.len(), &Narrator::new(trace.entries()));
/// assert_eq!(lanes.names.len(), 1);
/// ```
#[derive(Debug, Default)]
pub struct Tracks {
    /// The calls after the last step that was taken in.
    seen: PersistentMap<CallId, Call>,
    alive: BTreeMap<CallId, (usize, Track)>,
    /// The first and the last step of each call that was seen.
    lives: BTreeMap<CallId, (usize, usize)>,
    segments: Vec<Segment>,
}

/// A call is drawn in one way from one step to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The call.
    pub call: CallId,
    /// The first of these steps.
    pub from: usize,
    /// The step at which that ends.
    pub to: usize,
    /// How it is drawn.
    pub track: Track,
}

/// How a call that is not over is drawn in a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Track {
    /// It runs, or has called what runs.
    Running,
    /// It stands on a ready queue.
    Ready,
    /// It is suspended.
    Waiting,
}

impl Track {
    /// Returns its name, which is that of a [word](super::Lang::word) of the views.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ready => "ready",
            Self::Waiting => "waiting",
        }
    }
}

/// The lanes of a timeline, as [`Tracks::finish`] returns them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lanes {
    /// The segments, by their beginnings.
    pub segments: Vec<Segment>,
    /// The name of each lane but that of the loop: the name of its first call.
    pub names: Vec<String>,
    /// The lane of each call, from 1. The lane of the loop is 0.
    pub of: BTreeMap<CallId, usize>,
}

impl Tracks {
    /// Takes in the state after a step.
    pub fn step(&mut self, step: usize, after: &State) {
        for id in after.calls.changed_since(&self.seen) {
            match after.calls.get(&id).and_then(|call| track(call.status)) {
                Some(status) => self.set(id, step, status),
                None => self.end(id, step),
            }
        }
        self.seen.clone_from(&after.calls);
    }

    /// Takes in that a step is told of a call, which may be over.
    pub fn acts(&mut self, step: usize, call: CallId) {
        self.lives.entry(call).or_insert((step, step)).1 = step;
    }

    fn set(&mut self, call: CallId, step: usize, track: Track) {
        self.acts(step, call);
        match self.alive.insert(call, (step, track)) {
            Some((from, same)) if same == track => {
                self.alive.insert(call, (from, same));
            }
            Some((from, track)) => self.segments.push(Segment { call, from, to: step, track }),
            None => {}
        }
    }

    fn end(&mut self, call: CallId, step: usize) {
        if let Some((from, track)) = self.alive.remove(&call) {
            self.segments.push(Segment { call, from, to: step, track });
            self.acts(step, call);
        }
    }

    /// Returns the lanes of all that was taken in, which were so many steps.
    pub fn finish(self, steps: usize, narrator: &Narrator<'_>) -> Lanes {
        self.lanes(steps, &narrator.names)
    }

    fn lanes(mut self, steps: usize, names: &Names) -> Lanes {
        for (call, (from, track)) in std::mem::take(&mut self.alive) {
            self.segments.push(Segment { call, from, to: steps, track });
            self.acts(steps, call);
        }
        self.segments.sort_by_key(|segment| (segment.from, segment.call));
        // Lanes of one coroutine are beside each other.
        let mut coroutines: Vec<OfCoroutine> = Vec::new();
        let mut places = HashMap::<&str, usize>::new();
        let mut calls: Vec<_> = self.lives.into_iter().collect();
        calls.sort_by_key(|(call, (from, _))| (*from, *call));
        let mut of = Vec::new();
        for (call, (from, to)) in calls {
            let place = *places.entry(names.coroutine(call)).or_insert(coroutines.len());
            if place == coroutines.len() {
                coroutines.push(OfCoroutine::default());
            }
            of.push((call, place, coroutines[place].lane(from, to, || names.call(call))));
        }
        let mut first = 1;
        let mut firsts = Vec::new();
        for coroutine in &coroutines {
            firsts.push(first);
            first += coroutine.labels.len();
        }
        let of = of.into_iter().map(|(call, place, lane)| (call, firsts[place] + lane)).collect();
        let names = coroutines.into_iter().flat_map(|coroutine| coroutine.labels).collect();
        Lanes { segments: self.segments, names, of }
    }
}

/// The lanes of one coroutine.
#[derive(Default)]
struct OfCoroutine {
    /// The name of the first call in each lane.
    labels: Vec<String>,
    /// The lanes with a call that is not known to be over, by its last step.
    taken: BinaryHeap<Reverse<(usize, usize)>>,
    /// The other lanes.
    free: BTreeSet<usize>,
}

impl OfCoroutine {
    /// Returns the first lane that is free for a call that is there from one step to another. Calls come by their first
    /// steps.
    fn lane(&mut self, from: usize, to: usize, label: impl FnOnce() -> String) -> usize {
        while let Some(Reverse((_, lane))) = self.taken.peek().filter(|Reverse((until, _))| *until < from) {
            self.free.insert(*lane);
            self.taken.pop();
        }
        let lane = self.free.pop_first().unwrap_or_else(|| {
            self.labels.push(label());
            self.labels.len() - 1
        });
        self.taken.push(Reverse((to, lane)));
        lane
    }
}

/// Returns how a call is drawn; nothing is drawn of one that is over, or that nothing has started.
fn track(status: Status) -> Option<Track> {
    Some(match status {
        Status::Running | Status::Calling => Track::Running,
        Status::Waiting | Status::Called => Track::Waiting,
        Status::Ready => Track::Ready,
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
        let Lanes { segments, names, of } = tracks.lanes(steps.len(), &names);
        assert_eq!(names, ["parent", "child", "child#3"]);
        assert_eq!(of.values().copied().collect::<Vec<_>>(), [1, 2, 2, 3]);
        assert!(segments.windows(2).all(|pair| pair[0].from <= pair[1].from));
        let first = segments.iter().filter(|segment| of[&segment.call] == 2).map(|segment| segment.track);
        assert_eq!(first.take(3).collect::<Vec<_>>(), [Track::Running, Track::Ready, Track::Running]);
    }
}
