//! [`State`]: the calls, Futures, loops, locks and queues of a program after an entry of its trace.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use squall_runner::trace::{Body, CallId, FutureId, LockId};
use squall_runner::Place;

use super::fields::{
    nanoseconds, outcome, Holder, Line, LoopId, Raised, Source, Standing, TimerId, Variables,
};
pub use super::persistent::{Key, PersistentMap};
pub use super::ready_line::{Ready, ReadyLine};

/// The state of a program after some entries of its trace. [`apply`](Self::apply) advances it by one entry; a
/// [`Timeline`](super::Timeline) has the state after each entry. A clone shares what does not change, so that it costs
/// little.
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
    /// The number of entries that led to this state.
    pub entries: usize,
    /// The time of the last of these entries.
    #[serde(with = "nanoseconds")]
    pub time: Duration,
    /// The calls that are not over, and those that ended since the last turn began.
    pub calls: PersistentMap<CallId, Call>,
    /// The running calls: each was called by the one before it, and the body of the last one runs now.
    pub stack: Vec<CallId>,
    /// The Futures that were mentioned and not dropped yet.
    pub futures: PersistentMap<FutureId, Future>,
    /// The running functions that are not coroutines, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<Function>,
    /// The global variables of the program, if it reports them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variables: Variables,
    /// The loops that were mentioned.
    pub loops: BTreeMap<LoopId, Loop>,
    /// The running loops, innermost last; each with the number of calls that were on the stack when it began to run.
    pub running: Vec<(LoopId, usize)>,
    /// The locks, semaphores, events and conditions that were mentioned.
    pub locks: PersistentMap<LockId, Lock>,
    /// The queues of items that were mentioned.
    pub queues: PersistentMap<LockId, Queue>,
    /// The number of lines that the program has printed.
    pub notes: usize,
    /// The number of problems that were reported.
    pub reports: usize,
    /// The calls that ended since the last turn began.
    #[serde(skip)]
    pub(super) ended: Vec<CallId>,
}

/// A function that runs and is not a coroutine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Function {
    /// Its name.
    pub name: Cow<'static, str>,
    /// How many calls were on the stack when it was called.
    pub above: usize,
    /// The line at which it stands, as far as the trace says: at first the line of its definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Its variables that have a value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variables: Variables,
}

/// A call of a coroutine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// The name of the coroutine.
    pub name: Cow<'static, str>,
    /// The Future of the call's result.
    pub future: FutureId,
    /// The way in which its body runs.
    pub body: Body,
    /// The status of the call.
    pub status: Status,
    /// The call that called it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<CallId>,
    /// The line at which the call stands, as far as the trace says: at first the line of its definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The Future that the call waits for, or, while it is ready, the one that it has waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<FutureId>,
    /// The way in which its body was resumed last.
    pub resumed: Resumed,
    /// The number of times that the body has yielded. Up to the first yield it runs within the call, without a Runner.
    pub yields: usize,
    /// Its variables that have a value, if they are reported: at first its arguments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variables: Variables,
}

/// The way in which the body of a call was resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Resumed {
    /// The call itself: nothing has resumed the body yet.
    Call,
    /// The body was started.
    Start,
    /// A value was sent in.
    Send,
    /// An exception was thrown in.
    Throw,
    /// The body of a native coroutine was polled again.
    Wake,
}

/// The status of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// A native coroutine was called, and is not on a ready queue yet.
    Called,
    /// The body runs.
    Running,
    /// The body has called another coroutine, whose body runs.
    Calling,
    /// The call is suspended until a Future is done, or until it is woken.
    Waiting,
    /// The call is on a ready queue.
    Ready,
    /// The body has returned.
    Returned,
    /// An exception has left the body.
    Raised,
    /// The call was cancelled, or dropped before its end.
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
    /// The state of the Future.
    pub state: squall_runner::trace::State,
    /// The call whose result it is; `None` for the Future of anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// The source of its result, if the trace says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The lock or queue to which the request was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockId>,
    /// The line that created the Future.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The calls that wait for the Future, in the order in which they began to wait.
    pub waiters: Vec<CallId>,
    /// The value or the exception, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// `true` once the result was sent or thrown into a coroutine, or the exception was retrieved.
    pub retrieved: bool,
    /// The job that ran for it on a thread, once its result has come back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<Job>,
}

/// The job of an executor that has run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Job {
    /// The name of its thread.
    pub thread: String,
    /// When it began, unless the clock can jump.
    #[serde(skip_serializing_if = "Option::is_none", with = "nanoseconds::optional")]
    pub started: Option<Duration>,
    /// When it ended, unless the clock can jump.
    #[serde(skip_serializing_if = "Option::is_none", with = "nanoseconds::optional")]
    pub ended: Option<Duration>,
}

/// A loop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Loop {
    /// The function that runs the loop now: `run_sync` or `start`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'static, str>>,
    /// The Future that `run_sync` waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<FutureId>,
    /// The number of turns that have begun.
    pub turn: usize,
    /// The number of entries at the front of the ready queue that still run in this turn.
    pub batch: usize,
    /// The ready queue, in order.
    pub ready: ReadyLine,
    /// The timers that are set, by their numbers; [`due`](Self::due) has them in order.
    pub timers: PersistentMap<TimerId, Timer>,
    /// `true` while the loop sleeps.
    pub asleep: bool,
    /// The outcome of the last run.
    #[serde(skip_serializing_if = "Option::is_none", with = "outcome")]
    pub outcome: Option<Result<String, Raised>>,
}

impl Loop {
    /// Returns the entries of the ready queue that run in this turn, in order.
    pub fn this_turn(&self) -> impl Iterator<Item = &Ready> {
        self.ready.iter().take(self.batch)
    }

    /// Returns the entries of the ready queue that run in the next turn, in order.
    pub fn next_turn(&self) -> impl Iterator<Item = &Ready> {
        self.ready.iter().skip(self.batch)
    }

    /// Returns the timers that are set, in the order in which they are due.
    pub fn due(&self) -> Vec<&Timer> {
        let mut due: Vec<_> = self.timers.values().collect();
        due.sort_by_key(|timer| (timer.until, timer.timer));
        due
    }
}

/// A timer that is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Timer {
    /// The number of the timer.
    pub timer: TimerId,
    /// The time at which the timer is due.
    #[serde(with = "nanoseconds")]
    pub until: Duration,
    /// The callback that the timer puts on the ready queue.
    pub queued: Standing,
    /// The line that set the timer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A lock, a semaphore, an event or a condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lock {
    /// The name of the lock.
    pub name: String,
    /// The type of the lock: `Lock`, `Semaphore`, `BoundedSemaphore`, `Event`, `Condition`.
    pub kind: Cow<'static, str>,
    /// The number of permits that are free; `None` for an event or a condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permits: Option<usize>,
    /// `true` while an event is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<bool>,
    /// The coroutines that hold the lock.
    pub holders: Vec<Holder>,
    /// The requests that wait for the lock.
    pub waiting: Line,
}

/// A queue of items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Queue {
    /// The name of the queue.
    pub name: String,
    /// The type of the queue: `Queue`, `PriorityQueue`, `LifoQueue`.
    pub kind: Cow<'static, str>,
    /// The number of items in the queue.
    pub size: usize,
    /// The largest number of items that the queue holds; 0 means that there is no limit.
    pub maxsize: usize,
    /// The number of items for which `task_done` was not called yet.
    pub unfinished: usize,
    /// The requests that wait for an item.
    pub getters: Line,
    /// The requests that wait for room.
    pub putters: Line,
    /// The requests that wait until `task_done` was called for every item.
    pub joiners: Line,
}

impl State {
    /// Returns the call whose body runs.
    pub fn actor(&self) -> Option<CallId> {
        self.stack.last().copied()
    }

    /// Returns the function that runs, unless the body of a coroutine runs.
    pub fn function(&self) -> Option<&Function> {
        self.functions.last().filter(|function| function.above == self.stack.len())
    }

    /// Returns the innermost running loop, or, if none runs, the loop that was mentioned first.
    pub fn io_loop(&self) -> Option<(LoopId, &Loop)> {
        let running = self.running.last().map(|(io_loop, _)| *io_loop);
        let io_loop = running.or_else(|| self.loops.keys().next().copied())?;
        Some((io_loop, self.loops.get(&io_loop)?))
    }

    /// Returns the Futures of executor jobs whose results have not come back yet.
    pub fn jobs(&self) -> impl Iterator<Item = (FutureId, &Future)> {
        let is_job = |future: &Future| matches!(&future.source, Some(Source::Named(name)) if name == JOB);
        let pending = squall_runner::trace::State::Pending;
        let jobs = self.futures.iter().filter(move |(_, future)| future.state == pending && is_job(future));
        jobs.map(|(id, future)| (*id, future))
    }
}

/// The name of the Future of an executor job.
pub(crate) const JOB: &str = "executor job";
