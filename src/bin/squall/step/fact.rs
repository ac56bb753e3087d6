//! [`Fact`]: what is known of a step, however the stepper is set.

use std::time::Duration;

use squall::trace::state::State;
use squall::trace::{CallId, Entry, FutureId, Reason, Recorded, Standing, Step};
use squall::Place;

/// The facts about a step.
#[derive(Debug)]
pub(super) struct Fact {
    /// The call that acts; `None` is the loop or the main program.
    pub(super) actor: Option<CallId>,
    /// The line at which it happens, if its text is there: a source, and a number.
    pub(super) at: Option<(usize, usize)>,
    /// That line, or else that of the last step before it that has one.
    pub(super) line: Option<(usize, usize)>,
    pub(super) turn: usize,
    pub(super) time: Duration,
    pub(super) mark: Mark,
    pub(super) calls: Option<CallId>,
    pub(super) wakes: Vec<CallId>,
    /// The Futures that it makes, yields, waits for or settles.
    pub(super) futures: Vec<FutureId>,
}

/// The kind of a step, as the timeline draws it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Call,
    Resume,
    Throw,
    Yield,
    Already,
    Wait,
    Return,
    Raise,
    Done,
    Print,
    Turn,
    Other,
}

/// Returns the line at which a step happens: that of its actor.
pub(super) fn stands(
    step: &Step,
    entries: &[Entry],
    actor: Option<CallId>,
    before: &State,
    after: &State,
) -> Option<Place> {
    let stands = |actor: CallId| after.calls.get(&actor).or(before.calls.get(&actor))?.place;
    let head = &entries[step.head].event;
    match head {
        Recorded::Leave { place, .. } => place.or_else(|| before.function()?.place),
        _ => after
            .function()
            .and_then(|function| function.place)
            .or_else(|| actor.map_or_else(|| head.place(), stands)),
    }
}

impl Fact {
    pub(super) fn of(step: &Step, entries: &[Entry], actor: Option<CallId>, after: &State) -> Self {
        let head = &entries[step.head].event;
        let own = &entries[step.entries.clone()];
        let calls = match head {
            Recorded::Call { runner, .. } => Some(*runner),
            _ => None,
        };
        Self {
            actor,
            at: None,
            line: None,
            turn: after.io_loop().map_or(0, |(_, it)| it.turn),
            time: after.time,
            mark: Mark::of(head),
            calls,
            wakes: own.iter().filter_map(woken).collect(),
            futures: own.iter().filter_map(futures).collect(),
        }
    }
}

impl Mark {
    fn of(event: &Recorded) -> Self {
        match event {
            Recorded::Call { .. } => Self::Call,
            Recorded::Start { .. } | Recorded::Send { .. } | Recorded::Wake { .. } => Self::Resume,
            Recorded::Throw { .. } => Self::Throw,
            Recorded::Yield { .. } => Self::Yield,
            Recorded::Already { .. } => Self::Already,
            Recorded::Wait { .. } => Self::Wait,
            Recorded::Return { .. } => Self::Return,
            Recorded::Raise { .. } | Recorded::Report { .. } | Recorded::Abandon { .. } => Self::Raise,
            Recorded::Resolve { .. } => Self::Done,
            Recorded::Note { .. } => Self::Print,
            Recorded::Turn { .. } => Self::Turn,
            _ => Self::Other,
        }
    }
}

/// Returns the call that an entry wakes.
fn woken(entry: &Entry) -> Option<CallId> {
    match entry.event {
        Recorded::Push { queued: Standing::Call(call), why: Reason::Done(_) | Reason::Woken, .. } => {
            Some(call)
        }
        _ => None,
    }
}

/// Returns the Futures that an entry is about.
fn futures(entry: &Entry) -> Option<FutureId> {
    match &entry.event {
        Recorded::Call { future, .. }
        | Recorded::Made { future, .. }
        | Recorded::Resolve { future, .. }
        | Recorded::Already { future, .. } => Some(*future),
        Recorded::Yield { future, .. }
        | Recorded::Wait { future, .. }
        | Recorded::Send { future, .. }
        | Recorded::Throw { future, .. } => *future,
        _ => None,
    }
}
