//! [`Stepper`]: one coroutine, resumed by hand, without a loop.

use std::any::{type_name, TypeId};
use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use squall_runner::ready::ReadyQueue;
use squall_runner::trace::Shown;
use squall_runner::{
    Context, Coroutine, Exception, Future, Generator, GeneratorState, Place, Resume, Yielded,
};

use super::unstarted::{apart, unstarted, AnyReturn, Returned};
use super::VirtualClock;
use crate::ioloop::IoLoop;
use crate::trace::Printed;

/// A generator that a test resumes by hand. There is no Runner: the test sends the values that a Runner would send.
///
/// ```
/// use squall::testing::Stepper;
/// use squall::{Error, Future, Result};
///
/// #[squall::coroutine]
/// fn add_one(number: Future<i32>) -> Result<i32> {
///     match yield_!(number) {
///         Err(e) if e.is::<Error>() => Ok(0),
///         number => Ok(number? + 1),
///     }
/// }
///
/// let mut step = Stepper::new(|| add_one(Future::new()));        // nothing has run
/// assert!(step.next().yielded().is::<Future<i32>>());
/// assert_eq!(step.send(5).returned::<i32>(), 6);
///
/// let mut step = Stepper::new(|| add_one(Future::new()));
/// step.next();
/// assert_eq!(step.throw(Error::Timeout).returned::<i32>(), 0);
/// ```
///
/// Coroutines that the body calls are started as usual, on a loop of the Stepper's own, which is never run. A trace or
/// a test around the Stepper is told nothing of them, nor of the stepped one. Every method that fails panics at the
/// line of the test, with a list of what was done so far.
pub struct Stepper {
    coroutine: &'static Coroutine,
    /// The loop of what the body calls. It is never run, and its clock stands still.
    io_loop: IoLoop,
    context: Context,
    state: State,
    /// The line of the last yield; before the first yield, the line of the call.
    place: Place,
    /// The steps so far, one line each.
    done: Vec<String>,
}

enum State {
    /// Not started.
    Unstarted(Box<dyn Generator<Return = Returned>>),
    Suspended(Box<dyn Generator<Return = Returned>>, Rc<Yielded>),
    /// Returned. The value, until it is taken.
    Returned(Option<Returned>),
    Raised(Exception),
    /// The body is running.
    Running,
}

impl Stepper {
    /// Calls `f`, and creates a Stepper for the coroutine that `f` calls, without starting that.
    ///
    /// # Panics
    /// Panics if the Future that `f` returns is not that of a coroutine which `f` has called, or if the coroutine is
    /// native.
    #[track_caller]
    pub fn new<T: 'static>(f: impl FnOnce() -> Future<T>) -> Self {
        let io_loop = IoLoop::with_clock(VirtualClock::new());
        let current = io_loop.make_current();
        let (future, found) = apart(|| {
            let (future, called) = unstarted(f);
            let mut found = None;
            for call in called {
                if std::ptr::addr_eq(Rc::as_ptr(&call), Rc::as_ptr(future.core())) {
                    found = call.suspended();
                } else {
                    call.run();
                }
            }
            (future, found)
        });
        let core = Rc::as_ptr(future.core());
        let queued = ReadyQueue::current().queued();
        let native = queued.iter().find(|queued| std::ptr::addr_eq(Rc::as_ptr(queued), core));
        let native = native.and_then(|native| native.suspended());
        drop(current);
        if let Some(native) = native {
            panic!("Stepper::new was given `{}`, a native coroutine (async fn), which cannot be stepped by hand: step the coroutine that yields it, or take a TestLoop", native.coroutine.name());
        }
        let origin = || future.core().take_origin()?.downcast::<Box<dyn Generator<Return = T>>>().ok();
        let start = found.and_then(|call| Some((call, *origin()?)));
        let Some((call, generator)) = start else {
            panic!("Stepper::new was given a function whose Future is not that of a coroutine which it calls: write Stepper::new(|| my_coroutine(..))")
        };
        apart(|| drop(future));
        Self {
            coroutine: call.coroutine,
            io_loop,
            context: Context::current(),
            state: State::Unstarted(Box::new(AnyReturn { generator, coroutine: call.coroutine })),
            place: call.place,
            done: Vec::new(),
        }
    }

    /// Starts the coroutine, or sends `()` into it.
    ///
    /// # Panics
    /// Panics if it is done, or if it yielded something whose value is not `()`.
    #[track_caller]
    #[allow(clippy::should_implement_trait)] // Python's `next(generator)`.
    pub fn next(&mut self) -> &mut Self {
        if matches!(self.state, State::Unstarted(_)) {
            return self.resume("next".to_owned(), Resume::Next);
        }
        self.send_as("next", ())
    }

    /// Sends `value` into the coroutine, as the result of its yield.
    ///
    /// # Panics
    /// Panics if it is not suspended at a yield, or if the yield expects a value of another type.
    #[track_caller]
    pub fn send<V: 'static>(&mut self, value: V) -> &mut Self {
        let what = format!("send {}", Printed(Shown::new(&value, None)));
        self.send_as(&what, value)
    }

    /// Throws `error` into the coroutine, which is raised at its yield.
    ///
    /// # Panics
    /// Panics if it is not suspended at a yield.
    #[track_caller]
    pub fn throw(&mut self, error: impl Into<Exception>) -> &mut Self {
        let exception = error.into();
        let what = format!("throw {}", in_short(&exception));
        self.suspended(&what);
        self.resume(what, Resume::Throw(exception))
    }

    /// Returns what the coroutine has just yielded.
    ///
    /// # Panics
    /// Panics if it is not suspended at a yield.
    #[track_caller]
    pub fn yielded(&self) -> Rc<Yielded> {
        self.suspended("look at what was yielded").clone()
    }

    /// Takes the value that the coroutine returned.
    ///
    /// # Panics
    /// Panics if it did not return, if the value is not a `T`, or if the value was taken before.
    #[track_caller]
    pub fn returned<T: 'static>(&mut self) -> T {
        let State::Returned(slot) = &mut self.state else {
            self.refuse("take what was returned", &self.how_it_stands())
        };
        let Some(Returned { value, shown, type_name: returned }) = slot.take() else {
            self.refuse("take what was returned", "it was taken before")
        };
        match value.downcast() {
            Ok(value) => *value,
            Err(value) => {
                *slot = Some(Returned { value, shown, type_name: returned });
                let why = format!("it returned a {returned}, not a {}", type_name::<T>());
                self.refuse("take what was returned", &why)
            }
        }
    }

    /// Returns the exception that the coroutine raised.
    ///
    /// # Panics
    /// Panics if it did not raise one.
    #[track_caller]
    pub fn raised(&self) -> Exception {
        match &self.state {
            State::Raised(exception) => exception.clone(),
            _ => self.refuse("take what was raised", &self.how_it_stands()),
        }
    }

    /// Returns the line of the last yield; before the first yield, the line of the call.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Returns whether the coroutine has returned or raised.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Returned(_) | State::Raised(_))
    }

    /// Returns what was done so far, with the results.
    pub fn trace(&self) -> String {
        let steps = self.done.iter().map(|step| format!("\n  {step}"));
        std::iter::once(self.coroutine.name().to_owned()).chain(steps).collect()
    }

    #[track_caller]
    fn send_as<V: 'static>(&mut self, what: &str, value: V) -> &mut Self {
        let (_, takes, name) = self.suspended(what).types();
        if takes != TypeId::of::<V>() {
            let sent = type_name::<V>();
            self.refuse(what, &format!("the yield at {} takes `{name}`, not `{sent}`", self.place));
        }
        self.resume(what.to_owned(), Resume::Send(Future::ready(value).erase()))
    }

    #[track_caller]
    fn resume(&mut self, what: String, resume: Resume) -> &mut Self {
        let (mut generator, yielded) = match std::mem::replace(&mut self.state, State::Running) {
            State::Unstarted(generator) => (generator, None),
            State::Suspended(generator, yielded) => (generator, Some(yielded)),
            state => {
                self.state = state;
                self.refuse(&what, &self.how_it_stands())
            }
        };
        // Retrieved, as a Runner would have: the test has seen the exception.
        drop(yielded.as_ref().and_then(|yielded| yielded.future()?.exception()));
        drop(yielded);
        let _current = self.io_loop.make_current();
        let context = std::mem::take(&mut self.context);
        let step = || (generator.resume(resume), Context::current());
        let (state, context) = self.io_loop.as_running(|| apart(|| context.enter(step)));
        self.context = context;
        let (state, gave) = match state {
            GeneratorState::Yielded(yielded) => {
                let at = yielded.place().or_else(|| Exception::trap(|| generator.place(), |_panic| None));
                self.place = at.unwrap_or(self.place);
                let gave = format!("yield {} at {}", yielded.kind(), self.place);
                (State::Suspended(generator, Rc::new(yielded)), gave)
            }
            GeneratorState::Returned(value) => {
                let gave = format!("return {}", value.shown);
                (State::Returned(Some(value)), gave)
            }
            GeneratorState::Raised(exception) => {
                // An exception that is raised here, and not by the body, gets the line of the test.
                let exception = exception.placed_at(Location::caller());
                let gave = format!("raise {}", in_short(&exception));
                (State::Raised(exception), gave)
            }
        };
        self.done.push(format!("{what} -> {gave}"));
        self.state = state;
        self
    }

    #[track_caller]
    fn suspended(&self, what: &str) -> &Rc<Yielded> {
        match &self.state {
            State::Suspended(_, yielded) => yielded,
            _ => self.refuse(what, &self.how_it_stands()),
        }
    }

    fn how_it_stands(&self) -> String {
        match &self.state {
            State::Unstarted(_) => "nothing has run yet: call next() first".to_owned(),
            State::Suspended(_, yielded) => format!("it has yielded {yielded:?}"),
            State::Returned(_) => "it has returned".to_owned(),
            State::Raised(exception) => format!("it has raised {}", in_short(exception)),
            State::Running => "it is running".to_owned(),
        }
    }

    #[track_caller]
    fn refuse(&self, what: &str, why: &str) -> ! {
        panic!("cannot {what}: {why}\n{}", self.trace())
    }
}

impl fmt::Debug for Stepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stepper({}, {})", self.coroutine.name(), self.how_it_stands())
    }
}

/// Returns an exception on one line: `ZeroDivision: division by zero`.
fn in_short(exception: &Exception) -> String {
    match exception.to_string().as_str() {
        "" => exception.name().to_owned(),
        message => format!("{}: {message}", exception.name()),
    }
}
