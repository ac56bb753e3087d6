//! [`Entry`]: one event as a [`Trace`](crate::trace::Trace) keeps it: owned, and without addresses.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
#[cfg(doc)]
use squall_runner::trace::Event;
use squall_runner::trace::{Body, CallId, FutureId, LockId, Problem, State};
use squall_runner::Place;

use super::fields::{
    nanoseconds, outcome, Holder, Line, LoopId, Raised, Reason, Scope, Source, Standing, Thing, TimerId,
    Variables,
};

/// The version of the list of entries. It grows when an entry is added or changes its meaning. `docs/trace.md` in the
/// repository describes this version.
pub const VERSION: u32 = 3;

/// One event of a trace, with its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The time since the first entry, by the loop's clock.
    #[serde(with = "nanoseconds")]
    pub time: Duration,
    /// The event.
    #[serde(flatten)]
    pub event: Recorded,
}

/// An [`Event`] as text and numbers. Each variant is the event of the same name, and its fields are those of
/// that event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs)] // The text of each variant describes its fields.
pub enum Recorded {
    /// [`Event::Call`]: a coroutine was called by `caller`, at `place`. `defined` is the line of its definition;
    /// `arguments` are its parameters with their values, if they are reported.
    Call {
        runner: CallId,
        future: FutureId,
        name: Cow<'static, str>,
        body: Body,
        caller: Option<CallId>,
        place: Option<Place>,
        defined: Option<Place>,
        arguments: Option<Variables>,
    },
    /// [`Event::Start`].
    Start { runner: CallId },
    /// [`Event::Send`]: the value as text.
    Send { runner: CallId, value: String, future: Option<FutureId> },
    /// [`Event::Throw`].
    Throw { runner: CallId, exception: Raised, future: Option<FutureId> },
    /// [`Event::Wake`].
    Wake { runner: CallId },
    /// [`Event::Yield`]: `place` is the line of the yield.
    Yield { runner: CallId, kind: Thing, future: Option<FutureId>, of: Vec<FutureId>, place: Option<Place> },
    /// [`Event::Already`].
    Already { runner: CallId, future: FutureId, state: State },
    /// [`Event::Wait`]: `place` is the line of the await of a native coroutine.
    Wait { runner: CallId, future: Option<FutureId>, place: Option<Place>, on: Option<String> },
    /// [`Event::Return`]: `place` is the line where it returns, where that is known.
    Return { runner: CallId, value: String, raised: bool, place: Option<Place> },
    /// [`Event::Raise`]: `place` is the line where the exception was raised or came in.
    Raise { runner: CallId, exception: Raised, place: Option<Place> },
    /// [`Event::Abandon`].
    Abandon { runner: CallId },
    /// [`Event::Made`]: `place` is the line that made it.
    Made { future: FutureId, source: Source, lock: Option<LockId>, place: Option<Place> },
    /// [`Event::Resolve`]: the value as text, if there is one.
    Resolve { future: FutureId, state: State, value: Option<String> },
    /// [`Event::Retrieved`].
    Retrieved { future: FutureId },
    /// [`Event::Dropped`].
    Dropped { future: FutureId },
    /// [`Event::Job`]: when it began and ended, where the clock tells.
    Job {
        future: FutureId,
        thread: String,
        #[serde(with = "nanoseconds::optional")]
        started: Option<Duration>,
        #[serde(with = "nanoseconds::optional")]
        ended: Option<Duration>,
    },
    /// [`Event::Report`].
    Report { problem: Problem, exception: Raised, future: Option<FutureId> },
    /// [`Event::Enter`]: a function that is not a coroutine was called at `place`; it is defined at `defined`.
    Enter { name: Cow<'static, str>, place: Option<Place>, defined: Option<Place>, arguments: Variables },
    /// [`Event::Leave`]: it returned `value`, or raised `exception`, at `place`.
    Leave { value: Option<String>, exception: Option<Raised>, place: Option<Place> },
    /// [`Event::Variables`]: the variables of `scope` that have a value, as they are now.
    Variables { scope: Scope, variables: Variables },
    /// [`Event::Note`]: `place` is the line that printed it.
    Note { text: String, place: Option<Place> },
    /// [`Event::Run`]: `place` is the line that runs the loop.
    Run {
        #[serde(rename = "loop")]
        io_loop: LoopId,
        by: Cow<'static, str>,
        place: Option<Place>,
    },
    /// [`Event::Until`].
    Until {
        #[serde(rename = "loop")]
        io_loop: LoopId,
        future: FutureId,
    },
    /// [`Event::Sleep`].
    Sleep {
        #[serde(rename = "loop")]
        io_loop: LoopId,
        #[serde(with = "nanoseconds::optional")]
        until: Option<Duration>,
    },
    /// [`Event::Turn`].
    Turn {
        #[serde(rename = "loop")]
        io_loop: LoopId,
    },
    /// [`Event::Batch`].
    Batch {
        #[serde(rename = "loop")]
        io_loop: LoopId,
        callbacks: usize,
    },
    /// [`Event::Push`].
    Push {
        #[serde(rename = "loop")]
        io_loop: LoopId,
        queued: Standing,
        why: Reason,
    },
    /// [`Event::Pop`].
    Pop {
        #[serde(rename = "loop")]
        io_loop: LoopId,
        queued: Standing,
    },
    /// [`Event::Retract`].
    Retract {
        #[serde(rename = "loop")]
        io_loop: LoopId,
        queued: Standing,
    },
    /// [`Event::Timer`]: `place` is the line that set it.
    Timer {
        #[serde(rename = "loop")]
        io_loop: LoopId,
        timer: TimerId,
        #[serde(with = "nanoseconds")]
        until: Duration,
        queued: Standing,
        place: Option<Place>,
    },
    /// [`Event::TimerRemoved`].
    TimerRemoved {
        #[serde(rename = "loop")]
        io_loop: LoopId,
        timer: TimerId,
    },
    /// [`Event::Stop`]: what `run_sync` returned or raised; `None` from `start`.
    Stop {
        #[serde(rename = "loop")]
        io_loop: LoopId,
        #[serde(with = "outcome")]
        outcome: Option<Result<String, Raised>>,
    },
    /// [`Event::Close`].
    Close {
        #[serde(rename = "loop")]
        io_loop: LoopId,
    },
    /// [`Event::Lock`].
    Lock {
        lock: LockId,
        name: String,
        kind: Cow<'static, str>,
        permits: Option<usize>,
        set: Option<bool>,
        holders: Vec<Holder>,
        waiting: Line,
    },
    /// [`Event::Queue`].
    Queue {
        lock: LockId,
        name: String,
        kind: Cow<'static, str>,
        size: usize,
        maxsize: usize,
        unfinished: usize,
        getters: Line,
        putters: Line,
        joiners: Line,
    },
    /// Earlier events were not kept: `events` of them, of which `turns` were turns of the loop.
    LeftOut {
        events: usize,
        turns: usize,
        /// The earlier calls that later entries mention.
        calls: Vec<Earlier>,
        /// The number of earlier calls of each coroutine, by its name.
        counts: BTreeMap<Cow<'static, str>, usize>,
        /// The earlier Futures that later entries mention, except the results of calls.
        made: Vec<(FutureId, Source)>,
    },
}

impl Recorded {
    /// Returns the line of the program at which it happened, as far as that was told.
    ///
    /// ```
    /// use squall::trace::Recorded;
    /// use squall::Place;
    ///
    /// let line = Place::new("src/main.rs", 3, 5);
    /// assert_eq!(Recorded::Note { text: "here".into(), place: Some(line) }.place(), Some(line));
    /// ```
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::Call { place, .. }
            | Self::Yield { place, .. }
            | Self::Wait { place, .. }
            | Self::Return { place, .. }
            | Self::Raise { place, .. }
            | Self::Enter { place, .. }
            | Self::Leave { place, .. }
            | Self::Made { place, .. }
            | Self::Note { place, .. }
            | Self::Run { place, .. }
            | Self::Timer { place, .. } => *place,
            _ => None,
        }
    }
}

/// A call that came before the entries that were kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// The number of the call.
    pub runner: CallId,
    /// The Future that the call returned.
    pub future: FutureId,
    /// The name of the coroutine.
    pub name: Cow<'static, str>,
    /// The number of the call among those of its coroutine, from 1.
    pub nth: usize,
    /// The way in which its body runs.
    pub body: Body,
    /// `true` if later entries are about this call, and not only about its Future.
    pub acts: bool,
}
