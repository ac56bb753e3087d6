//! [`Step`]: entries of a trace that a reader takes in at once. Views go from step to step, not from entry to entry.

use std::collections::HashMap;
use std::ops::Range;

use squall_runner::trace::{FutureId, LockId};

use super::{Entry, Recorded, Standing};

/// One event of a trace together with its causes and consequences: a Future that is done and the coroutines that it
/// wakes, or a turn and the entries of its ready queue.
///
/// ```
/// use squall::trace::{steps, Recorded};
/// use squall::IoLoop;
///
/// let trace = squall::trace::record(|| IoLoop::current().run_sync(|| ()));
/// let entries = trace.entries();
/// let steps = steps(entries);
/// assert!(matches!(entries[steps[1].head].event, Recorded::Turn { .. }));
/// assert!(steps.len() < entries.len());
/// assert_eq!(steps.iter().map(|step| step.entries.len()).sum::<usize>(), entries.len());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The positions of the step's entries in the trace.
    pub entries: Range<usize>,
    /// The position of the entry that is the event of the step.
    pub head: usize,
}

/// Groups the entries of a trace into steps. Each entry is in exactly one.
///
/// [`Step`] has an example.
pub fn steps(entries: &[Entry]) -> Vec<Step> {
    let next = next_heads(entries);
    let mut steps: Vec<Step> = Vec::new();
    let mut locks = HashMap::new();
    // Whether the last step has its batch.
    let mut has_batch = false;
    let mut first = 0;
    for (place, entry) in entries.iter().enumerate() {
        if let Recorded::Made { future, lock: Some(lock), .. } = entry.event {
            locks.insert(future, lock);
        }
        let event = &entry.event;
        let leads = next[place].is_some_and(|head| leads(event, &entries[head].event));
        // Between what leads to something and that, there may be what is dropped.
        if leads || (first < place && is_minor(event)) {
            continue;
        }
        match steps.last_mut() {
            Some(step) if first == place && follows(event, step, has_batch, entries, &locks) => {
                step.entries.end = place + 1;
                has_batch |= matches!(event, Recorded::Batch { .. });
            }
            _ => {
                steps.push(Step { entries: first..place + 1, head: place });
                has_batch = matches!(event, Recorded::Batch { .. });
            }
        }
        first = place + 1;
    }
    steps
}

/// Returns for each entry the position of the next entry that cannot lead to another one.
fn next_heads(entries: &[Entry]) -> Vec<Option<usize>> {
    let mut next = vec![None; entries.len()];
    let mut head = None;
    for (place, entry) in entries.iter().enumerate().rev() {
        next[place] = head;
        if !may_lead(&entry.event) {
            head = Some(place);
        }
    }
    next
}

/// Returns whether an entry may belong to the step of one that comes after it.
fn may_lead(event: &Recorded) -> bool {
    use Recorded::{Job, Lock, Pop, Queue, Sleep, Timer, Variables};
    let leads = matches!(
        event,
        Pop { .. } | Timer { .. } | Lock { .. } | Queue { .. } | Sleep { .. } | Job { .. } | Variables { .. }
    );
    leads || is_minor(event)
}

/// Returns whether an entry is not a step of its own, unless the trace begins with it.
fn is_minor(event: &Recorded) -> bool {
    use Recorded::{Close, Dropped, Retract, Retrieved, TimerRemoved, Until};
    matches!(
        event,
        Retrieved { .. }
            | Dropped { .. }
            | TimerRemoved { .. }
            | Retract { .. }
            | Until { .. }
            | Close { .. }
    )
}

/// Returns whether an entry leads to another one. Between the two there are only entries that lead to something, too.
fn leads(event: &Recorded, to: &Recorded) -> bool {
    match (event, to) {
        // What was assigned shows with what happens next.
        (Recorded::Variables { .. }, _)
        | (Recorded::Sleep { .. }, Recorded::Turn { .. })
        | (Recorded::Dropped { .. }, Recorded::Report { .. })
        | (Recorded::Pop { queued: Standing::Future(_), .. }, Recorded::Resolve { .. }) => true,
        (
            Recorded::Pop { queued: Standing::Call(call), .. },
            Recorded::Start { runner }
            | Recorded::Send { runner, .. }
            | Recorded::Throw { runner, .. }
            | Recorded::Wake { runner },
        ) => call == runner,
        (Recorded::Timer { queued: Standing::Future(timed), .. }, Recorded::Made { future, .. }) => {
            timed == future
        }
        (Recorded::Job { future: job, .. }, Recorded::Resolve { future, .. }) => job == future,
        (Recorded::Lock { lock, .. } | Recorded::Queue { lock, .. }, Recorded::Made { lock: of, .. }) => {
            of.as_ref() == Some(lock)
        }
        _ => false,
    }
}

/// Returns whether an entry is only a consequence of the step before it.
fn follows(
    event: &Recorded,
    step: &Step,
    has_batch: bool,
    entries: &[Entry],
    locks: &HashMap<FutureId, LockId>,
) -> bool {
    let head = &entries[step.head].event;
    match event {
        event if is_minor(event) => true,
        Recorded::Batch { .. } => true,
        Recorded::Push { .. } => {
            use Recorded::{Call, Resolve, Run, Turn, Wait};
            !has_batch
                && matches!(head, Call { .. } | Resolve { .. } | Run { .. } | Turn { .. } | Wait { .. })
        }
        Recorded::Timer { queued: Standing::Future(timed), .. } => {
            matches!(head, Recorded::Made { future, .. } if future == timed)
        }
        Recorded::Lock { lock, .. } | Recorded::Queue { lock, .. } => match head {
            Recorded::Made { lock: of, .. } => of.as_ref() == Some(lock),
            Recorded::Resolve { future, .. } => locks.get(future) == Some(lock),
            // One change may be told in two entries.
            Recorded::Lock { lock: before, .. } | Recorded::Queue { lock: before, .. } => before == lock,
            _ => false,
        },
        _ => false,
    }
}
