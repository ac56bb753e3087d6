//! Trace events: what Runners, Futures and the loop report to an [`Observer`] as it happens.
//!
//! An observer is installed for the current thread. Without one, each place that could report an event costs one
//! branch. Coroutines and Futures have small numbers, in order of first mention and never reused, so that a program
//! reports equal events on every machine.
//!
//! ```
//! use std::cell::RefCell;
//! use std::rc::Rc;
//! use squall_runner::trace::{self, Event, Observation, Observer};
//!
//! #[derive(Default)]
//! struct Lines(RefCell<Vec<String>>);
//! impl Observer for Lines {
//!     fn event(&self, event: &Event<'_>) {
//!         self.0.borrow_mut().push(format!("{event:?}"));
//!     }
//! }
//!
//! let lines = Rc::new(Lines::default());
//! let before = trace::exchange(Observation { observer: Some(lines.clone()), ..Observation::default() });
//! squall_runner::coroutine(|co| async move { co.yield_(()).await });
//! trace::exchange(before);
//! assert!(lines.0.borrow()[0].starts_with("Call"));
//! ```

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use log::Level;

use crate::callback::{Callback, Run};
use crate::coroutine::Coroutine;
use crate::exception::{Exception, Result};
use crate::foreign::{log, tell_of_panics, Guarded, Panic};
use crate::panics::install_hook;
use crate::place::Place;
use crate::state::Header;

pub use crate::kind::Kind;
pub use crate::numbers::{next_lock, next_number, CallId, FutureId, LockId, Names, Numbers, QueueId};
pub use crate::problem::Problem;
pub use crate::queued::{because, Queued, Why};
pub use crate::shown::{Show, Shown};
pub use crate::state::State;
pub use crate::telling::{body, line, returns_at, set_line, tell_arguments, Variable};

/// An event of a trace. `runner` is the call that it concerns.
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs)] // The text of each variant describes its fields.
pub enum Event<'a> {
    /// A coroutine was called; `future` is its result. A generator or plain body starts now, a native one in a later
    /// turn of the loop. `caller` is the call that is running, if there is one, and `place` the line of the call.
    /// `arguments` are those that were passed to [`tell_arguments`].
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

/// Receives the events of the current thread.
pub trait Observer {
    /// Called for each event, in order, in the middle of what happens. It must not resume coroutines or resolve
    /// Futures.
    fn event(&self, event: &Event<'_>);

    /// Returns whether to stop a coroutine. Asked when it is called, and, with `started`, each time that the loop has
    /// resumed it and it could go on at once. The observer then makes it go on by [`Run::run`].
    ///
    /// ```
    /// use std::cell::Cell;
    /// use std::rc::Rc;
    /// use squall_runner::ready::{Callback, Run};
    /// use squall_runner::trace::{self, Event, Observation, Observer};
    ///
    /// #[derive(Default)]
    /// struct Stops(Cell<Option<Callback>>);
    /// impl Observer for Stops {
    ///     fn event(&self, _event: &Event<'_>) {}
    ///     fn stops(&self, runner: Callback, _started: bool) -> bool {
    ///         self.0.set(Some(runner));
    ///         true
    ///     }
    /// }
    ///
    /// let observer = Rc::new(Stops::default());
    /// trace::exchange(Observation { observer: Some(observer.clone()), ..Observation::default() });
    /// let future = squall_runner::coroutine(|_co| async { Ok(5) });
    /// assert!(!future.done());
    /// observer.0.take().unwrap().run();              // without an observer, the call would have done this
    /// assert_eq!(future.result().unwrap(), 5);
    /// # trace::exchange(Observation::default());
    /// ```
    fn stops(&self, _runner: Callback, _started: bool) -> bool {
        false
    }
}

impl fmt::Debug for dyn Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

/// The observer of a thread, and the last numbers that were given out.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// The observer, if there is one.
    pub observer: Option<Rc<dyn Observer>>,
    /// The last numbers that were given out.
    pub numbers: Numbers,
}

thread_local! {
    /// The observed call whose body runs.
    static RUNNING: Cell<Option<CallId>> = const { Cell::new(None) };
    /// Is told when this thread begins to be observed, and when that ends.
    static TOLD: Cell<Option<fn(bool)>> = const { Cell::new(None) };
    static OBSERVED: Cell<Observed> = const { Cell::new(Observed::Unknown) };
    static OBSERVER: RefCell<Option<Guarded<Rc<dyn Observer>>>> = const { RefCell::new(None) };
}

/// Sets how this thread is observed, and returns how it was observed before.
pub fn exchange(with: Observation) -> Observation {
    install_hook();
    let observed = with.observer.is_some();
    OBSERVED.set(if observed { Observed::Yes } else { Observed::No });
    tell_of_panics(observed.then_some(panicked));
    TOLD.get().into_iter().for_each(|tell| tell(observed));
    // A thread that is ending is not observed.
    let before = OBSERVER.try_with(|observer| observer.replace(with.observer.map(Guarded::new)));
    let before = before.ok().flatten();
    Observation { observer: before.map(Guarded::into_inner), numbers: Numbers::exchange(with.numbers) }
}

/// Calls `told` whenever this thread begins to be observed, and when that ends.
pub(crate) fn tell_of_observers(told: fn(bool)) {
    TOLD.set(Some(told));
}

/// Returns the observed call whose body runs now, if one does.
#[inline]
pub fn running_call() -> Option<CallId> {
    RUNNING.get()
}

/// Calls `f` as the body of that call, or as what is called by no coroutine.
///
/// ```
/// use squall_runner::trace::{running_call, running_as};
///
/// assert_eq!(running_as(None, running_call), None);
/// ```
pub fn running_as<R>(call: Option<CallId>, f: impl FnOnce() -> R) -> R {
    /// Puts back what ran before, also when a panic passes.
    struct Before(Option<CallId>);
    impl Drop for Before {
        fn drop(&mut self) {
            RUNNING.set(self.0);
        }
    }
    let _before = Before(RUNNING.replace(call));
    f()
}

/// A native coroutine is polled: what runs from now on is its body, until the loop runs something else.
pub(crate) fn runs(call: CallId) {
    RUNNING.set(Some(call));
}

/// Reports a value that panicked while it was dropped.
fn panicked(panic: Panic) {
    let exception = Exception::of_panic(panic);
    emit(|| Event::Report { problem: Problem::Callback, exception: &exception, future: None });
}

/// Returns whether this thread is observed, and the running code is not [`internal`].
#[inline]
pub fn observed() -> bool {
    match OBSERVED.get() {
        Observed::No | Observed::Internal => false,
        Observed::Yes => true,
        Observed::Unknown => first_question(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Observed {
    /// Nothing was called on this thread yet.
    Unknown,
    No,
    Yes,
    /// There is an observer, but the running code is not reported to it.
    Internal,
}

/// Calls `f`, and reports nothing of what `f` does to the observer, except the end of Futures that were reported
/// before. The native coroutines that `f` starts are left out, too.
///
/// squall does its own work like this: a trace shows that a page has come, and not the steps of the client.
///
/// ```
/// use squall_runner::trace;
///
/// let work = || {
///     assert!(!trace::observed());                       // even if the thread is observed
///     trace::program(|| 5)                               // calls the user's code
/// };
/// assert_eq!(trace::internal(work), 5);
/// ```
pub fn internal<R>(f: impl FnOnce() -> R) -> R {
    let _back = Observed::Yes.becomes(Observed::Internal);
    f()
}

/// Returns whether this thread is observed, also during [`internal`] work.
#[inline]
pub fn has_observer() -> bool {
    matches!(OBSERVED.get(), Observed::Yes | Observed::Internal)
}

/// Returns whether this thread is observed and does [`internal`] work.
#[inline]
pub(crate) fn is_internal() -> bool {
    OBSERVED.get() == Observed::Internal
}

/// Calls `f`, which is code of the program, during [`internal`] work: what `f` does is reported to the observer.
pub fn program<R>(f: impl FnOnce() -> R) -> R {
    let _back = Observed::Internal.becomes(Observed::Yes);
    f()
}

impl Observed {
    /// Lets the thread be observed like `other`, if it is observed like this, until the guard is dropped.
    #[inline]
    fn becomes(self, other: Self) -> Option<Back> {
        (OBSERVED.get() == self).then(|| Back(OBSERVED.replace(other)))
    }
}

/// Lets the thread be observed as before, also after a panic.
struct Back(Observed);

impl Drop for Back {
    fn drop(&mut self) {
        OBSERVED.set(self.0);
    }
}

/// Prepares the thread for its first call of a coroutine. Every call asks whether it is observed, so this costs later
/// calls nothing.
#[cold]
fn first_question() -> bool {
    install_hook();
    OBSERVED.set(Observed::No);
    false
}

/// Reports an event to the observer, if there is one. Only then is the event created.
#[inline]
pub fn emit<'a>(event: impl FnOnce() -> Event<'a>) {
    if observed() {
        tell(event);
    }
}

/// Reports to the observer that a Future was created, and where its result comes from. A Future that is created during
/// [`internal`] work is marked instead.
#[inline]
pub(crate) fn made<'a>(
    future: &Header,
    origin: impl FnOnce() -> (Origin<'a>, Option<LockId>, Option<Place>),
) {
    match OBSERVED.get() {
        Observed::Internal => future.set_untold(),
        _ => emit(|| {
            let (origin, lock, place) = origin();
            Event::Made { future: future.id(), origin, lock, place }
        }),
    }
}

/// Reports to the observer that a Future is done.
#[inline]
pub(crate) fn resolved(future: &Header, state: State, value: Option<Shown<'_>>) {
    let told = match OBSERVED.get() {
        Observed::No | Observed::Unknown => false,
        Observed::Yes => !future.is_untold(),
        Observed::Internal => future.is_mentioned(),
    };
    if told {
        tell(|| Event::Resolve { future: future.id(), state, value });
    }
}

/// Reports a problem to the observer, also during [`internal`] work.
pub(crate) fn reported(problem: Problem, exception: &Exception, future: Option<FutureId>) {
    emit_always(|| Event::Report { problem, exception, future });
}

/// Reports something to the observer, if there is one, also during [`internal`] work: what goes on at the ready queue and at
/// the timers, where what is squall's own stands beside what is the program's.
#[inline]
pub fn emit_always<'a>(event: impl FnOnce() -> Event<'a>) {
    if has_observer() {
        tell(event);
    }
}

#[cold]
#[inline(never)]
fn tell<'a>(event: impl FnOnce() -> Event<'a>) {
    // The event is created inside the guard too, since the author of a yieldable type names its kind.
    ask(|observer| observer.event(&event()));
}

/// Returns whether the observer stops that Runner.
#[cold]
pub(crate) fn stops<R: Run + 'static>(runner: &Rc<R>, started: bool) -> bool {
    ask(|observer| observer.stops(runner.clone(), started))
}

fn ask<R: Default>(f: impl FnOnce(&dyn Observer) -> R) -> R {
    // A thread that is ending has no observer.
    let Ok(Some(observer)) = OBSERVER.try_with(|observer| observer.borrow().as_deref().cloned()) else {
        return R::default();
    };
    // The observer prints foreign values, which may panic in the middle of what happens.
    let panicked = |exception| {
        let line = format_args!("exception in an observer\n{exception:?}");
        log(Level::Error, "squall::trace", line);
        R::default()
    };
    Exception::trap(move || f(&*observer), panicked)
}
