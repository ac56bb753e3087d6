//! [`Observer`]: receives the events of a thread. Nothing is reported without one, and little of squall's
//! internal work.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use log::Level;

use crate::callback::{Callback, Run};
use crate::event::{Event, Origin};
use crate::exception::Exception;
use crate::foreign::{log, on_drop_panic, Guarded, Panic};
use crate::numbers::{FutureId, LockId, Numbers};
use crate::panics::install_hook;
use crate::place::Place;
use crate::problem::Problem;
use crate::shown::Shown;
use crate::state::{Header, State};

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
    /// Called when this thread begins to be observed, and when that ends.
    static ON_OBSERVED: Cell<Option<fn(bool)>> = const { Cell::new(None) };
    static OBSERVED: Cell<Observed> = const { Cell::new(Observed::Unknown) };
    static OBSERVER: RefCell<Option<Guarded<Rc<dyn Observer>>>> = const { RefCell::new(None) };
}

/// Sets how this thread is observed, and returns how it was observed before.
pub fn exchange(with: Observation) -> Observation {
    install_hook();
    let observed = with.observer.is_some();
    OBSERVED.set(if observed { Observed::Yes } else { Observed::No });
    on_drop_panic(observed.then_some(report_panic));
    ON_OBSERVED.get().into_iter().for_each(|call| call(observed));
    // A thread that is ending is not observed.
    let before = OBSERVER.try_with(|observer| observer.replace(with.observer.map(Guarded::new)));
    let before = before.ok().flatten();
    Observation { observer: before.map(Guarded::into_inner), numbers: Numbers::exchange(with.numbers) }
}

/// Sets the function that is called with `true` whenever this thread begins to be observed, and with `false` when that
/// ends.
pub(crate) fn on_observed(call: fn(bool)) {
    ON_OBSERVED.set(Some(call));
}

/// Reports a value that panicked while it was dropped.
fn report_panic(panic: Panic) {
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
pub(crate) fn report_made<'a>(
    future: &Header,
    origin: impl FnOnce() -> (Origin<'a>, Option<LockId>, Option<Place>),
) {
    match OBSERVED.get() {
        Observed::Internal => future.set_internal(),
        _ => emit(|| {
            let (origin, lock, place) = origin();
            Event::Made { future: future.id(), origin, lock, place }
        }),
    }
}

/// Reports to the observer that a Future is done.
#[inline]
pub(crate) fn report_resolved(future: &Header, state: State, value: Option<Shown<'_>>) {
    let told = match OBSERVED.get() {
        Observed::No | Observed::Unknown => false,
        Observed::Yes => !future.is_internal(),
        Observed::Internal => future.is_mentioned(),
    };
    if told {
        tell(|| Event::Resolve { future: future.id(), state, value });
    }
}

/// Reports a problem to the observer, also during [`internal`] work.
pub(crate) fn report_problem(problem: Problem, exception: &Exception, future: Option<FutureId>) {
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
