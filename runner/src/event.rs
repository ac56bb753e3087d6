//! [`Event`]: what Runners, Futures and the loop report as it happens, and the parts of such a report.

use std::time::Duration;

use crate::coroutine::Coroutine;
use crate::exception::{Exception, Result};
use crate::kind::Kind;
use crate::numbers::{CallId, FutureId, LockId, QueueId};
use crate::place::Place;
use crate::problem::Problem;
use crate::queued::{Queued, Why};
use crate::shown::Shown;
use crate::state::State;
use crate::telling::Variable;

/// An event of a trace. `runner` is the call that it concerns.
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs)] // The text of each variant describes its fields.
pub enum Event<'a> {
    /// A coroutine was called; `future` is its result. A generator or plain body starts now, a native one in a later
    /// turn of the loop. `caller` is the call that is running, if there is one, and `place` the line of the call.
    /// `arguments` are those that were passed to [`tell_arguments`](crate::trace::tell_arguments).
    Call {
        runner: CallId,
        future: FutureId,
        coroutine: &'static Coroutine,
        body: Body,
        caller: Option<CallId>,
        place: Place,
        arguments: Option<&'a [Variable]>,
    },
    /// A generator was resumed for the first time, or a native coroutine was polled for the first time.
    Start { runner: CallId },
    /// The Runner sends the result of `future` into the generator. Without a Future it is the `()` of a `moment`.
    Send { runner: CallId, value: Shown<'a>, future: Option<FutureId> },
    /// The Runner throws the exception of `future` into the generator.
    Throw { runner: CallId, exception: &'a Exception, future: Option<FutureId> },
    /// A native coroutine is polled again.
    Wake { runner: CallId },
    /// The generator yielded something of that kind, at that line. `future` is set if that is a Future; `of` lists the
    /// Futures in a list, tuple or map.
    Yield { runner: CallId, kind: Kind, future: Option<FutureId>, of: &'a [FutureId], place: Place },
    /// The Future that was yielded, or that the yielded thing was converted to, is done already: the Runner goes on at
    /// once.
    Already { runner: CallId, future: FutureId, state: State },
    /// A call is suspended until `future` is done. Without a Future, a generator is suspended until the next turn of
    /// the loop, a native coroutine until it is woken. `place` is the line of a native coroutine's await, or of what
    /// started it, if that is a line of the program; the line of a generator is in its [`Yield`](Self::Yield). `on`
    /// describes the Future if there is more to say than its kind: a lock and its holder.
    Wait { runner: CallId, future: Option<FutureId>, place: Option<Place>, on: Option<String> },
    /// The body returned a value. `raised` is `true` if it did so by raising [`Return`](crate::Return). `place` is the line,
    /// if the body reports it.
    Return { runner: CallId, value: Shown<'a>, raised: bool, place: Option<Place> },
    /// An exception left the body and is trapped in the Future. `place` is the line where it was raised or came in.
    Raise { runner: CallId, exception: &'a Exception, place: Place },
    /// A suspended coroutine was dropped: its loop has ended, or nothing could resume it any more.
    Abandon { runner: CallId },
    /// A Future is done: `state` says how, and `value` is its value if it has one.
    Resolve { future: FutureId, state: State, value: Option<Shown<'a>> },
    /// The exception of a Future was retrieved for the first time.
    Retrieved { future: FutureId },
    /// The last handle of a Future was dropped. Reported for the results of observed calls and for Futures that were
    /// [`Made`](Self::Made).
    Dropped { future: FutureId },
    /// Something went wrong that nothing can catch, so it is logged. `future` is the Future that failed with that
    /// exception, if the Future was mentioned before.
    Report { problem: Problem, exception: &'a Exception, future: Option<FutureId> },
    /// A Future was created that is not the result of a coroutine. `lock` is the lock or queue to which the request was
    /// made, and `place` the line that made it, if that is known.
    Made { future: FutureId, origin: Origin<'a>, lock: Option<LockId>, place: Option<Place> },
    /// The job of an executor has run on the thread of that name, and its result has come back. `ran` is when the job
    /// began and ended, as times since the loop was created; `None` on a clock that jumps, where a job takes no time.
    Job { future: FutureId, thread: &'a str, ran: Option<(Duration, Duration)> },
    /// A lock has changed; `is` describes it after the change.
    Lock { lock: LockId, name: &'a str, kind: &'static str, is: Lock<'a> },
    /// A queue of items has changed; `is` describes it after the change.
    Queue { lock: LockId, name: &'a str, kind: &'static str, is: Queue<'a> },
    /// A function that is not a coroutine was called at `place`, by what runs: a coroutine, a function, the loop or the
    /// main program. Only interpreted programs report this.
    Enter { name: &'a str, place: Option<Place>, defined: Option<Place>, arguments: &'a [Variable] },
    /// The function that was entered last returns or raises, at `place`.
    Leave { outcome: std::result::Result<Shown<'a>, &'a Exception>, place: Option<Place> },
    /// The variables of a scope have these values now. Only interpreted programs report this.
    Variables { scope: Scope, variables: &'a [Variable] },
    /// The program printed a line, and reported it.
    Note { text: &'a str, place: Place },
    /// A loop begins to run, by a call of the function `by`: `run_sync` or `start`.
    Run { queue: QueueId, by: &'static str, place: Place },
    /// `run_sync` has called its function, and runs the loop until this Future is done.
    Until { queue: QueueId, future: FutureId },
    /// Nothing is ready, so the loop sleeps until that time, or until something outside wakes it.
    Sleep { queue: QueueId, until: Option<Duration> },
    /// A loop begins a turn, `now` after the loop was created: it takes in what is due and what came from outside.
    Turn { queue: QueueId, now: Duration },
    /// The turn runs what is ready now: that many callbacks.
    Batch { queue: QueueId, callbacks: usize },
    /// Something goes to the end of a ready queue.
    Push { queue: QueueId, queued: Queued, why: Why },
    /// Something was taken from a ready queue, and runs now.
    Pop { queue: QueueId, queued: Queued },
    /// Something was taken from a ready queue, and does not run.
    Retract { queue: QueueId, queued: Queued },
    /// A timer was set, which is due `until` after the loop was created. `timer` is its number among those of its loop.
    Timer { queue: QueueId, timer: u64, until: Duration, queued: Queued, place: Place },
    /// A timer was removed before it was due.
    TimerRemoved { queue: QueueId, timer: u64 },
    /// A loop has stopped running. The outcome is what `run_sync` returns; `None` from `start`.
    Stop { queue: QueueId, outcome: Option<Result<Shown<'a>, &'a Exception>> },
    /// A loop was closed: it drops what is ready and what is suspended.
    Close { queue: QueueId },
}

/// The scope of variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// A call of a coroutine.
    Call(CallId),
    /// The function that was entered last.
    Function,
    /// The whole program: its global variables.
    Program,
}

/// The source of a Future's result, if it is not a coroutine.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
#[allow(missing_docs)] // As above.
pub enum Origin<'a> {
    /// `sleep`: it is done at this time of the loop.
    Sleep { until: Duration },
    /// `multi`, or a yielded list, tuple or map: it is done when all of these are.
    Multi(&'a [FutureId]),
    /// `with_timeout`: it is done when `of` is, and fails at the time `until` of the loop.
    Timeout { of: FutureId, until: Duration },
    /// Anything else that has a name, such as `Lock#2.acquire`.
    Named(&'a str),
}

/// The state of a lock, a semaphore, an event or a condition.
#[derive(Debug, Clone, Copy)]
pub struct Lock<'a> {
    /// How many more coroutines may take the lock; `None` for an event or a condition.
    pub permits: Option<usize>,
    /// `true` while an event is set; `None` for anything but an event.
    pub set: Option<bool>,
    /// The holders that are listed; there may be more.
    pub holders: &'a [Holder],
    /// The requests that wait for the lock.
    pub waiting: Line<'a>,
}

/// The state of a queue of items.
#[derive(Debug, Clone, Copy)]
pub struct Queue<'a> {
    /// The number of items in the queue.
    pub size: usize,
    /// The largest number of items that the queue holds; 0 means that there is no limit.
    pub maxsize: usize,
    /// The number of items for which `task_done` was not called yet.
    pub unfinished: usize,
    /// The requests that wait for an item.
    pub getters: Line<'a>,
    /// The requests that wait for room.
    pub putters: Line<'a>,
    /// The requests that wait until `task_done` was called for every item.
    pub joiners: Line<'a>,
}

/// A coroutine that holds a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The call, if it is observed.
    pub call: Option<CallId>,
    /// The name of the coroutine; `None` where the lock was taken outside of coroutines.
    pub name: Option<&'static str>,
    /// The line where it asked for the lock.
    pub since: Place,
}

/// The requests that wait at a lock or queue, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// The Futures of the oldest requests, up to a limit.
    pub first: &'a [FutureId],
    /// The number of all requests that wait.
    pub len: usize,
}

/// The way in which the body of a coroutine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Body {
    /// A body that yields: a generator, driven by a Runner.
    Generator,
    /// A body that never yields, called like any function.
    Plain,
    /// An `async fn`, polled by a `Task` like one of asyncio.
    Native,
}
