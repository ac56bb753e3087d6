//! What happens, as it happens: the events that Runners, Futures and the loop tell an [`Observer`].
//!
//! An observer is installed for the current thread. With none, every place that could tell an event costs one
//! branch. Coroutines and Futures are named by small numbers, given out in the order in which they are first
//! mentioned and never reused, so that the same program gives the same events on every machine.
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

pub use crate::kind::Kind;
pub use crate::numbers::{next_number, CallId, FutureId, Names, Numbers};
pub use crate::problem::Problem;
pub use crate::shown::{Show, Shown};
pub use crate::state::State;

/// One thing that happened. `runner` is whose call it happened to.
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs)] // The text of each variant tells of its fields.
pub enum Event<'a> {
    /// A coroutine was called, which gives `future`. A generator or plain body starts now; a native one in a later
    /// turn of the loop.
    Call { runner: CallId, future: FutureId, coroutine: &'static Coroutine, body: Body },
    /// A generator was resumed for the first time, or a native coroutine was polled for the first time.
    Start { runner: CallId },
    /// The Runner sends a value in.
    Send { runner: CallId, value: Shown<'a> },
    /// The Runner throws an exception in.
    Throw { runner: CallId, exception: &'a Exception },
    /// A native coroutine is polled again.
    Wake { runner: CallId },
    /// The generator yielded something of that kind, at that line; `future` where it was a Future.
    Yield { runner: CallId, kind: Kind, future: Option<FutureId>, place: Place },
    /// It is suspended until `future` is done. `None`: a generator until the next turn of the loop, a native coroutine
    /// until it is woken. `place` is the line of the await of a native coroutine, or of what started it, if that is
    /// one of the program; a generator told the line of its yield. `on` describes the Future, where there is more to say
    /// than its kind: a lock with what holds it.
    Wait { runner: CallId, future: Option<FutureId>, place: Option<Place>, on: Option<String> },
    /// The body returned a value, or left by raising [`Return`](crate::Return): then it is `raised`.
    Return { runner: CallId, value: Shown<'a>, raised: bool },
    /// An exception left the body and is trapped in the Future.
    Raise { runner: CallId, exception: &'a Exception },
    /// A Future is done, and how.
    Resolve { future: FutureId, state: State },
    /// Something is wrong that nobody can be told by an exception; the same is logged.
    Report { problem: Problem, exception: &'a Exception },
    /// A Future was made that is not the result of a coroutine.
    Made { future: FutureId, origin: Origin<'a> },
    /// The program says something: what it prints, as far as it has told so.
    Note { text: &'a str },
    /// A loop begins to run, by a call of this function: `run_sync`, `start`.
    Run { by: &'static str },
    /// A loop begins an iteration, at this time since the loop was made.
    Turn { now: Duration },
    /// A loop has stopped running. The outcome is what `run_sync` gives; `None` from `start`.
    Stop { outcome: Option<Result<Shown<'a>, &'a Exception>> },
}

/// Where the result of a Future comes from, if not from a coroutine.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
#[allow(missing_docs)] // As above.
pub enum Origin<'a> {
    /// `sleep`: it is done at this time of the loop.
    Sleep { until: Duration },
    /// A list, tuple or map: it is done when all of these are.
    Multi(&'a [FutureId]),
    /// `with_timeout`: it is done when another is, and fails at this time of the loop.
    Timeout { of: FutureId, until: Duration },
    /// Anything else that has a name, such as `Lock#2.acquire`.
    Named(&'a str),
}

/// How the body of a coroutine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// It yields: a generator, driven by a Runner.
    Generator,
    /// It never yields: called like any function.
    Plain,
    /// `async fn`: polled by a `Task`, as asyncio does it.
    Native,
}

/// Whoever wants to know what happens on this thread.
pub trait Observer {
    /// Called for each event, in order, in the middle of what happens: it must not resume coroutines or
    /// resolve Futures.
    fn event(&self, event: &Event<'_>);

    /// Asked of each coroutine that is called, and, if it is `started`, each time that the loop has resumed it and
    /// it could go on at once: whether it is to stop there. Then the observer has it go on by [`Run::run`].
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
    /// observer.0.take().unwrap().run();              // the call alone would have done this
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

/// Who observes a thread, and the last numbers that were given out for that.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// Who.
    pub observer: Option<Rc<dyn Observer>>,
    /// The last numbers that were given out.
    pub numbers: Numbers,
}

thread_local! {
    static OBSERVED: Cell<Observed> = const { Cell::new(Observed::Unknown) };
    static OBSERVER: RefCell<Option<Guarded<Rc<dyn Observer>>>> = const { RefCell::new(None) };
}

/// Has this thread observed like that from now on, and returns how it was observed before.
pub fn exchange(with: Observation) -> Observation {
    install_hook();
    let observed = with.observer.is_some();
    OBSERVED.set(if observed { Observed::Yes } else { Observed::No });
    tell_of_panics(observed.then_some(panicked));
    // While a thread ends nobody observes it any more.
    let before = OBSERVER.try_with(|observer| observer.replace(with.observer.map(Guarded::new)));
    let before = before.ok().flatten();
    Observation { observer: before.map(Guarded::into_inner), numbers: Numbers::exchange(with.numbers) }
}

/// Tells the observer of a value that panicked as it was dropped.
fn panicked(panic: Panic) {
    let exception = Exception::of_panic(panic);
    emit(|| Event::Report { problem: Problem::Callback, exception: &exception });
}

/// Whether anybody observes this thread.
#[inline]
pub fn observed() -> bool {
    match OBSERVED.get() {
        Observed::No => false,
        Observed::Yes => true,
        Observed::Unknown => first_question(),
    }
}

#[derive(Clone, Copy)]
enum Observed {
    /// Nothing was called on this thread yet.
    Unknown,
    No,
    Yes,
}

/// Every call of a coroutine asks whether it is observed. So what has to be done before the first one is done here, at
/// no cost for the others.
#[cold]
fn first_question() -> bool {
    install_hook();
    OBSERVED.set(Observed::No);
    false
}

/// Tells the observer, if there is one. The event is made only then.
#[inline]
pub fn emit<'a>(event: impl FnOnce() -> Event<'a>) {
    if observed() {
        tell(event);
    }
}

#[cold]
#[inline(never)]
fn tell<'a>(event: impl FnOnce() -> Event<'a>) {
    // The event is made in there, too: the kind of a yieldable thing is told by its author.
    ask(|observer| observer.event(&event()));
}

/// Whether the observer has that Runner stop where it is.
#[cold]
pub(crate) fn stops<R: Run + 'static>(runner: &Rc<R>, started: bool) -> bool {
    ask(|observer| observer.stops(runner.clone(), started))
}

fn ask<R: Default>(f: impl FnOnce(&dyn Observer) -> R) -> R {
    // On a thread that is ending there is none any more.
    let Ok(Some(observer)) = OBSERVER.try_with(|observer| observer.borrow().as_deref().cloned()) else {
        return R::default();
    };
    // It prints values of others, which may panic in the middle of what happens.
    let panicked = |exception| {
        let line = format_args!("exception in an observer\n{exception:?}");
        log(Level::Error, "squall::trace", line);
        R::default()
    };
    Exception::trap(move || f(&*observer), panicked)
}
