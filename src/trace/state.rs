//! [`State`]: how everything stands after an entry of a trace: calls, Futures, loops, locks and queues.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::Serialize;
use squall_runner::trace::{Body, CallId, FutureId, LockId};
use squall_runner::Place;

use super::fields::{nanoseconds, outcome, Holder, Line, LoopId, Raised, Reason, Source, Standing, TimerId};

/// How everything stands after some entries of a trace. [`apply`](Self::apply) makes one entry more of it; a
/// [`Timeline`](super::Timeline) has the state after each.
///
/// ```
/// use squall::trace::state::{State, Status};
/// use squall::Future;
///
/// let never = Future::<()>::new();
/// let trace = squall::trace::record(|| squall::coroutine(|co| async move { co.yield_(never).await }));
/// let mut state = State::default();
/// trace.entries().iter().take(4).for_each(|entry| state.apply(entry));
/// let call = state.calls.values().next().unwrap();
/// assert_eq!(call.status, Status::Waiting);
/// assert_eq!(state.futures[&call.waits_for.unwrap()].waiters.len(), 1);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct State {
    /// How many entries led to it.
    pub entries: usize,
    /// The time of the last of them.
    #[serde(with = "nanoseconds")]
    pub time: Duration,
    /// The calls that are not over, and those that ended since the last turn began.
    pub calls: BTreeMap<CallId, Call>,
    /// The calls that run: each was called by the one before it, and the last one runs now.
    pub stack: Vec<CallId>,
    /// The Futures that are known and not gone.
    pub futures: BTreeMap<FutureId, Future>,
    /// The loops that were mentioned.
    pub loops: BTreeMap<LoopId, Loop>,
    /// The loops that run, innermost last; each with how many calls were on the stack when it began.
    pub running: Vec<(LoopId, usize)>,
    /// The locks, semaphores, events and conditions that were mentioned.
    pub locks: BTreeMap<LockId, Lock>,
    /// The queues of items that were mentioned.
    pub queues: BTreeMap<LockId, Queue>,
    /// How many lines the program has printed.
    pub notes: usize,
    /// How many problems were reported.
    pub reports: usize,
}

/// A call of a coroutine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// The name of the coroutine.
    pub name: Cow<'static, str>,
    /// Its result.
    pub future: FutureId,
    /// How its body runs.
    pub body: Body,
    /// How far it is.
    pub status: Status,
    /// The call that called it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<CallId>,
    /// The line where it stands, as far as that was told: at first that of its definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What it waits for, or, while it is ready, what it has waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<FutureId>,
    /// What resumed its body last.
    pub resumed: Resumed,
    /// How often it has yielded. What comes before the first yield happens within the call, without a Runner.
    pub yields: usize,
}

/// What resumed the body of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Resumed {
    /// Its call: nothing has resumed it.
    Call,
    /// It was started.
    Start,
    /// A value was sent in.
    Send,
    /// An exception was thrown in.
    Throw,
    /// It is a native coroutine that was polled again.
    Wake,
}

/// How far a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// A native coroutine that was called; it is not on a ready queue yet.
    Called,
    /// Its body runs.
    Running,
    /// It has called another coroutine, whose body runs.
    Calling,
    /// It is suspended until a Future is done, or until it is woken.
    Waiting,
    /// It stands on a ready queue.
    Ready,
    /// It has returned.
    Returned,
    /// It has raised.
    Raised,
    /// It was cancelled, or dropped before its end.
    Cancelled,
}

impl Status {
    /// Returns whether the call is over.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Returned | Self::Raised | Self::Cancelled)
    }
}

/// A Future.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Future {
    /// How far it is.
    pub state: squall_runner::trace::State,
    /// The call whose result it is, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// Where its result comes from, if that was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The lock or queue that it was requested of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockId>,
    /// The line that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The calls that wait for it, in the order in which they began.
    pub waiters: Vec<CallId>,
    /// Its value or its exception, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// `true` once the result was sent or thrown into a coroutine, or the exception was asked for.
    pub retrieved: bool,
    /// The thread on which its job ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
}

/// A loop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Loop {
    /// The function by which it runs now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'static, str>>,
    /// What `run_sync` waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<FutureId>,
    /// How many turns have begun.
    pub turn: usize,
    /// How many of those that are ready are still to run in this turn.
    pub batch: usize,
    /// What is ready, in order.
    pub ready: VecDeque<Ready>,
    /// The timers that are set, in the order in which they are due.
    pub timers: Vec<Timer>,
    /// `true` while the loop sleeps.
    pub asleep: bool,
    /// What the last run came to.
    #[serde(skip_serializing_if = "Option::is_none", with = "outcome")]
    pub outcome: Option<Result<String, Raised>>,
}

impl Loop {
    /// Returns what runs in this turn, in order.
    pub fn this_turn(&self) -> impl Iterator<Item = &Ready> {
        self.ready.iter().take(self.batch)
    }

    /// Returns what runs in the next turn, in order.
    pub fn next_turn(&self) -> impl Iterator<Item = &Ready> {
        self.ready.iter().skip(self.batch)
    }
}

/// Something on a ready queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ready {
    /// What stands there.
    pub queued: Standing,
    /// Why it was put there.
    pub why: Reason,
    /// The call that ran when it was put there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<CallId>,
}

/// A timer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Timer {
    /// Its number.
    pub timer: TimerId,
    /// When it is due.
    #[serde(with = "nanoseconds")]
    pub until: Duration,
    /// What it puts on the ready queue.
    pub queued: Standing,
    /// The line that set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A lock, a semaphore, an event or a condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lock {
    /// Its name.
    pub name: String,
    /// What it is: `Lock`, `Semaphore`, `BoundedSemaphore`, `Event`, `Condition`.
    pub kind: Cow<'static, str>,
    /// How many may still take it, unless it is an event or a condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permits: Option<usize>,
    /// `true` while an event is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<bool>,
    /// Those that hold it.
    pub holders: Vec<Holder>,
    /// Those that wait for it.
    pub waiting: Line,
}

/// A queue of items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// What it is: `Queue`, `PriorityQueue`, `LifoQueue`.
    pub kind: Cow<'static, str>,
    /// How many items are in it.
    pub size: usize,
    /// How many items it may hold; 0 is no limit.
    pub maxsize: usize,
    /// For how many items nothing has called `task_done`.
    pub unfinished: usize,
    /// Those that wait for an item.
    pub getters: Line,
    /// Those that wait for room.
    pub putters: Line,
    /// Those that wait until all items are worked on.
    pub joiners: Line,
}

impl State {
    /// Returns the call whose body runs.
    pub fn actor(&self) -> Option<CallId> {
        self.stack.last().copied()
    }

    /// Returns the loop that runs, innermost; else the first one that was mentioned.
    pub fn io_loop(&self) -> Option<(LoopId, &Loop)> {
        let running = self.running.last().map(|(io_loop, _)| *io_loop);
        let io_loop = running.or_else(|| self.loops.keys().next().copied())?;
        Some((io_loop, self.loops.get(&io_loop)?))
    }

    /// Returns the Futures of jobs that are not back yet.
    pub fn jobs(&self) -> impl Iterator<Item = (FutureId, &Future)> {
        let is_job = |future: &Future| matches!(&future.source, Some(Source::Named(name)) if name == JOB);
        let pending = squall_runner::trace::State::Pending;
        let jobs = self.futures.iter().filter(move |(_, future)| future.state == pending && is_job(future));
        jobs.map(|(id, future)| (*id, future))
    }
}

/// What the Future of an executor job is called.
pub(crate) const JOB: &str = "executor job";
