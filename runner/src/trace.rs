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
pub use crate::numbers::{next_number, CallId, FutureId, Names, Numbers};
pub use crate::problem::Problem;
pub use crate::shown::{Show, Shown};
pub use crate::state::State;

/// An event of a trace. `runner` is the call that it concerns.
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs)] // The text of each variant tells of its fields.
pub enum Event<'a> {
    /// A coroutine was called and returned `future`. A generator or plain body starts now; a native one in a later turn
    /// of the loop.
    Call { runner: CallId, future: FutureId, coroutine: &'static Coroutine, body: Body },
    /// A generator was resumed for the first time, or a native coroutine was polled for the first time.
    Start { runner: CallId },
    /// The Runner sends a value into the generator.
    Send { runner: CallId, value: Shown<'a> },
    /// The Runner throws an exception into the generator.
    Throw { runner: CallId, exception: &'a Exception },
    /// A native coroutine is polled again.
    Wake { runner: CallId },
    /// The generator yielded something of this kind, at this line. `future` is the yielded Future, if it was one.
    Yield { runner: CallId, kind: Kind, future: Option<FutureId>, place: Place },
    /// The coroutine is suspended until `future` is done. If that is `None`, a generator is suspended until the next
    /// turn of the loop, and a native coroutine until it is woken. `place` is the line of a native coroutine's await,
    /// or of what started it, if that is a line of the program; a generator reported its line with the yield. `on`
    /// describes the Future if there is more to say than its kind: a lock with its holder.
    Wait { runner: CallId, future: Option<FutureId>, place: Option<Place>, on: Option<String> },
    /// The body returned a value. `raised` says that it did so by raising [`Return`](crate::Return).
    Return { runner: CallId, value: Shown<'a>, raised: bool },
    /// An exception left the body and is trapped in the Future.
    Raise { runner: CallId, exception: &'a Exception },
    /// A Future was resolved, with this state.
    Resolve { future: FutureId, state: State },
    /// A problem was logged that no exception can report.
    Report { problem: Problem, exception: &'a Exception },
    /// A Future was created that is not the result of a coroutine.
    Made { future: FutureId, origin: Origin<'a> },
    /// The program printed a text, as far as its output is reported.
    Note { text: &'a str },
    /// A loop begins to run, by this method: `run_sync` or `start`.
    Run { by: &'static str },
    /// A loop begins a turn, at this time since it was created.
    Turn { now: Duration },
    /// A loop has stopped running. `outcome` is the result of `run_sync`; `None` for `start`.
    Stop { outcome: Option<Result<Shown<'a>, &'a Exception>> },
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

/// The way in which the body of a coroutine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    static OBSERVED: Cell<Observed> = const { Cell::new(Observed::Unknown) };
    static OBSERVER: RefCell<Option<Guarded<Rc<dyn Observer>>>> = const { RefCell::new(None) };
}

/// Sets how this thread is observed, and returns how it was observed before.
pub fn exchange(with: Observation) -> Observation {
    install_hook();
    let observed = with.observer.is_some();
    OBSERVED.set(if observed { Observed::Yes } else { Observed::No });
    tell_of_panics(observed.then_some(panicked));
    // A thread that is ending is not observed.
    let before = OBSERVER.try_with(|observer| observer.replace(with.observer.map(Guarded::new)));
    let before = before.ok().flatten();
    Observation { observer: before.map(Guarded::into_inner), numbers: Numbers::exchange(with.numbers) }
}

/// Reports a value that panicked while it was dropped.
fn panicked(panic: Panic) {
    let exception = Exception::of_panic(panic);
    emit(|| Event::Report { problem: Problem::Callback, exception: &exception });
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
///     assert!(!trace::observed());                       // whoever observes the thread
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
pub(crate) fn made<'a>(future: &Header, origin: impl FnOnce() -> Origin<'a>) {
    match OBSERVED.get() {
        Observed::Internal => future.set_untold(),
        _ => emit(|| Event::Made { future: future.id(), origin: origin() }),
    }
}

/// Reports to the observer that a Future is done.
#[inline]
pub(crate) fn resolved(future: &Header, state: State) {
    let told = match OBSERVED.get() {
        Observed::No | Observed::Unknown => false,
        Observed::Yes => !future.is_untold(),
        Observed::Internal => future.is_mentioned(),
    };
    if told {
        tell(|| Event::Resolve { future: future.id(), state });
    }
}

/// Reports a problem to the observer, also during [`internal`] work.
pub(crate) fn reported(problem: Problem, exception: &Exception) {
    program(|| emit(|| Event::Report { problem, exception }));
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
