//! Facts about the running code that are known ahead of an event: the call whose body runs, the arguments of the next
//! call, the line of an interpreted program, and the line at which the running body returns.
//!
//! All of it is kept only while the thread is observed, so an unobserved program pays nothing for it.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use crate::numbers::CallId;
use crate::place::Place;

/// A variable or an argument, and its value as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The name in the program.
    pub name: Cow<'static, str>,
    /// The value, as the program's language prints it.
    pub value: String,
}

thread_local! {
    /// The observed call whose body runs.
    static RUNNING: Cell<Option<CallId>> = const { Cell::new(None) };
    static ARGUMENTS: RefCell<Option<Vec<Variable>>> = const { RefCell::new(None) };
    static LINE: Cell<Option<Place>> = const { Cell::new(None) };
    static RETURNS_AT: Cell<Option<Place>> = const { Cell::new(None) };
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

/// Notes that a native coroutine is polled: its body runs from now on, until the loop runs something else.
pub(crate) fn runs(call: CallId) {
    RUNNING.set(Some(call));
}

/// Tells the arguments of the coroutine that is called next on this thread.
///
/// ```
/// use std::cell::RefCell;
/// use std::rc::Rc;
/// use squall_runner::trace::{self, Event, Observation, Observer, Variable};
///
/// #[derive(Default)]
/// struct Calls(RefCell<Vec<String>>);
/// impl Observer for Calls {
///     fn event(&self, event: &Event<'_>) {
///         if let Event::Call { arguments: Some([Variable { name, value }]), .. } = event {
///             self.0.borrow_mut().push(format!("{name} = {value}"));
///         }
///     }
/// }
///
/// let calls = Rc::new(Calls::default());
/// trace::exchange(Observation { observer: Some(calls.clone()), ..Observation::default() });
/// trace::tell_arguments(vec![Variable { name: "n".into(), value: "5".into() }]);
/// squall_runner::coroutine(|_co| async { Ok(5) });
/// assert_eq!(*calls.0.borrow(), ["n = 5"]);
/// # trace::exchange(Observation::default());
/// ```
pub fn tell_arguments(arguments: Vec<Variable>) {
    // A thread that is ending tells nothing.
    let _ = ARGUMENTS.try_with(|told| told.replace(Some(arguments)));
}

/// Takes the arguments of the call that begins.
pub(crate) fn take_arguments() -> Option<Vec<Variable>> {
    ARGUMENTS.try_with(RefCell::take).ok().flatten()
}

/// Sets the line of an interpreted program that runs from now on, and returns the one before. An observer takes it as the
/// line of events whose own place is not a line of the program.
///
/// ```
/// use squall_runner::{trace, Place};
///
/// let line = Place::new("visit.py", 12, 5);
/// assert_eq!(trace::set_line(Some(line)), None);
/// assert_eq!(trace::line(), Some(line));
/// # trace::set_line(None);
/// ```
pub fn set_line(line: Option<Place>) -> Option<Place> {
    LINE.replace(line)
}

/// Returns the line of an interpreted program that runs.
pub fn line() -> Option<Place> {
    LINE.get()
}

/// Sets the line at which the running body returns.
///
/// ```
/// use squall_runner::{trace, Place};
///
/// let line = Place::new("visit.py", 14, 5);
/// let (value, returned_at) = trace::body(|| {
///     trace::returns_at(Some(line));
///     5
/// });
/// assert_eq!((value, returned_at), (5, Some(line)));
/// ```
pub fn returns_at(line: Option<Place>) {
    RETURNS_AT.set(line);
}

/// Runs a body, in which no line of an interpreted program runs at first. Returns the line at which the body said that it
/// returns. [`returns_at`] has an example.
pub fn body<R>(f: impl FnOnce() -> R) -> (R, Option<Place>) {
    let running = RunningBody::begins();
    let returned = f();
    (returned, running.returned_at())
}

/// Calls `f` while that line runs.
pub(crate) fn at_line<R>(line: Option<Place>, f: impl FnOnce() -> R) -> R {
    let _running = RunningBody::begins();
    set_line(line);
    f()
}

/// A body that runs. It holds what the code around it has told, and puts that back when it is dropped, also when a panic
/// passes.
pub(crate) struct RunningBody {
    line: Option<Place>,
    returns_at: Option<Place>,
}

impl RunningBody {
    pub(crate) fn begins() -> Self {
        Self { line: LINE.take(), returns_at: RETURNS_AT.take() }
    }

    /// Ends it. Returns the line at which it said that it returns.
    pub(crate) fn returned_at(self) -> Option<Place> {
        let line = RETURNS_AT.get();
        drop(self);
        line
    }
}

impl Drop for RunningBody {
    fn drop(&mut self) {
        LINE.set(self.line);
        RETURNS_AT.set(self.returns_at);
    }
}
