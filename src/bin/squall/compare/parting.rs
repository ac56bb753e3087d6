//! [`Parting`]: the step at which two traces part, and why.

use squall::trace::{Entry, Recorded, State, Step, Thing};

/// Where two traces of a program part, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parting {
    /// As many steps are the same.
    pub(super) common: usize,
    pub(super) why: Why,
    /// `true` if the simplified Runner has an exception that the loop logs. Otherwise an exception leaves the call.
    pub(super) in_the_loop: bool,
}

/// The reason why the simplified Runner does something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Why {
    /// A Future has failed, and is waited for.
    Failed,
    /// A Future is done before it is yielded.
    Done,
    /// A Future has failed before it is yielded.
    FailedBefore,
    /// A list, tuple or map was yielded.
    List,
    /// Something else that is not a Future, and can be converted to one.
    Converted,
    /// `None` was yielded.
    Nothing,
    /// Something was yielded that cannot be waited for.
    NotYieldable,
    /// The generator has returned.
    Returned,
    /// The generator has raised `Return`.
    RaisedReturn,
    /// The generator has raised.
    Raised,
    /// The first printed lines differ already: they come from runs that the trace does not show.
    Unseen,
    /// Another reason.
    Other,
}

/// The line of the simplified Runner at which they part, in Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Send,
    Result,
    AddDoneCallback,
}

impl Why {
    pub(super) fn at(self) -> At {
        match self {
            Self::Failed => At::Result,
            Self::Returned | Self::RaisedReturn | Self::Raised | Self::Unseen | Self::Other => At::Send,
            _ => At::AddDoneCallback,
        }
    }
}

impl Parting {
    /// Finds it, if they part.
    pub(super) fn find(simplified: (&[Entry], &[Step]), real: (&[Entry], &[Step])) -> Option<Self> {
        let [mut left, mut right] = [simplified.0, real.0].map(told);
        let mut last = None;
        let (left, right) = loop {
            match (left.next(), right.next()) {
                (None, None) => return None,
                (Some((_, a)), Some((_, b))) if is_same(a, b) => last = Some(b),
                (a, b) => break (a, b),
            }
        };
        // Those that are told by an entry before the first one that differs.
        let steps = |steps: &[Step], entry: Option<(usize, &Entry)>| match entry {
            Some((place, _)) => steps.partition_point(|step| step.head < place),
            None => steps.len(),
        };
        Some(Self {
            common: steps(simplified.1, left).min(steps(real.1, right)),
            why: Why::of(last.map(|entry| &entry.event), right.map(|(_, entry)| &entry.event)),
            in_the_loop: left.is_some_and(|(_, entry)| matches!(entry.event, Recorded::Report { .. })),
        })
    }
}

impl Why {
    /// Returns the reason, by the last entry that both have, and the next one of the real Runner.
    fn of(last: Option<&Recorded>, real: Option<&Recorded>) -> Self {
        match (last, real) {
            (_, Some(Recorded::Throw { .. })) => Self::Failed,
            (Some(Recorded::Yield { kind: Thing::Future(_), .. }), Some(Recorded::Already { state, .. })) => {
                match state {
                    State::Done => Self::Done,
                    _ => Self::FailedBefore,
                }
            }
            (Some(Recorded::Yield { kind, .. }), _) => match kind {
                Thing::List(_) | Thing::Dict(_) => Self::List,
                Thing::None => Self::Nothing,
                Thing::Bad => Self::NotYieldable,
                _ => Self::Converted,
            },
            (Some(Recorded::Return { raised: true, .. }), _) => Self::RaisedReturn,
            (Some(Recorded::Return { .. }), _) => Self::Returned,
            (Some(Recorded::Raise { .. }), _) => Self::Raised,
            (None, Some(Recorded::Note { .. })) => Self::Unseen,
            _ => Self::Other,
        }
    }
}

/// Returns the entries that tell what happens, and not only which handles are left, or how a lock stands after it: the
/// simplified Runner has no context for each coroutine, so locks do not know the names of their holders.
fn told(entries: &[Entry]) -> impl Iterator<Item = (usize, &Entry)> {
    let is_told = |entry: &Entry| {
        !matches!(
            entry.event,
            Recorded::Retrieved { .. }
                | Recorded::Dropped { .. }
                | Recorded::Retract { .. }
                | Recorded::Close { .. }
                | Recorded::Lock { .. }
                | Recorded::Queue { .. }
        )
    };
    entries.iter().enumerate().filter(move |(_, entry)| is_told(entry))
}

/// Returns whether both tell of one thing. The real Runner adds a line to the traceback of an exception that it traps.
fn is_same(a: &Entry, b: &Entry) -> bool {
    let events = match (&a.event, &b.event) {
        (
            Recorded::Raise { runner, exception, .. },
            Recorded::Raise { runner: other, exception: raised, .. },
        ) => runner == other && exception.to_string() == raised.to_string(),
        (
            Recorded::Return { runner, value, raised, .. },
            Recorded::Return { runner: other, value: returned, raised: by_raise, .. },
        ) => (runner, value, raised) == (other, returned, by_raise),
        (a, b) => a == b,
    };
    a.time == b.time && events
}
