//! [`Generator`]: the trait that a Runner drives.
//!
//! A generator is resumed with a value or an exception, and yields, returns or raises. squall's own coroutines are
//! generators of the `genawaiter` crate behind one adapter. A hand-written state machine works as well:
//!
//! ```
//! use squall_runner::{moment, Generator, GeneratorState, Resume, Runner, Yielded};
//!
//! /// Lets the loop turn three times, then returns 3.
//! struct Countdown(u32);
//! impl Generator for Countdown {
//!     type Return = u32;
//!     fn resume(&mut self, _resume: Resume) -> GeneratorState<u32> {
//!         if self.0 == 3 {
//!             return GeneratorState::Returned(self.0);
//!         }
//!         self.0 += 1;
//!         GeneratorState::Yielded(Yielded::new(moment()))
//!     }
//! }
//! # static COUNTDOWN: squall_runner::Coroutine = squall_runner::Coroutine::named("countdown");
//! let future = Runner::start(&COUNTDOWN, Countdown(0));
//! assert!(!future.done());
//! ```
//!
//! A generator of another language needs no more than this:
//!
//! | purpose | means |
//! |---|---|
//! | is called | [`Runner::start`](crate::Runner::start), with a [`Coroutine`] that names it |
//! | yields a Future whose type is erased | [`Yielded::erased`] |
//! | yields something that is not a Future yet | [`Yielded::deferred`] |
//! | reports its own line | [`Generator::place`], or a place with each yield |
//! | raises an exception at one of its own lines | [`Exception::at`] |
//! | is called at a line of its own | [`Runner::start_at`](crate::Runner::start_at) |
//! | has native coroutines | [`native::start_foreign`](crate::native::start_foreign), whose bodies await by [`native::await_done`](crate::native::await_done) |
//! | has a cycle collector | [`Generator::held`], [`AnyFuture::held`], [`Run::held`](crate::ready::Run::held) |
//! | reports failures without a waiter in its own way | [`report::report_to`](crate::report::report_to) |

use std::any::Any;

use crate::any_future::AnyFuture;
use crate::exception::{Exception, Result};
use crate::numbers::CallId;
use crate::place::Place;

pub use crate::coroutine::Coroutine;
pub use crate::yielded::Yielded;

/// A generator, which can be resumed until it returns or raises.
pub trait Generator {
    /// The type of the value that it returns in the end.
    type Return: 'static;

    /// Resumes the generator until its next yield, or its end. After `Returned` or `Raised` it is dropped and not
    /// resumed again.
    fn resume(&mut self, resume: Resume) -> GeneratorState<Self::Return>;

    /// Returns the line at which the generator is suspended, if it has lines of its own: an interpreter, or a generator
    /// of another language. Called when a tool, a deadlock or a traceback shows that line, and not at each yield. A
    /// [place](Yielded::erased) that was passed with the yield takes precedence.
    ///
    /// ```
    /// use squall_runner::ready::ReadyQueue;
    /// use squall_runner::{Coroutine, Future, Generator, GeneratorState, Place, Resume, Runner, Yielded};
    ///
    /// /// Waits in line 12 of a program.
    /// struct Visit(Future<()>);
    /// impl Generator for Visit {
    ///     type Return = ();
    ///     fn resume(&mut self, _resume: Resume) -> GeneratorState<()> {
    ///         GeneratorState::Yielded(Yielded::erased(self.0.clone().erase(), None))
    ///     }
    ///     fn place(&self) -> Option<Place> {
    ///         Some(Place::new("visit.py", 12, 5))
    ///     }
    /// }
    ///
    /// static VISIT: Coroutine = Coroutine::new("visit", "visit.py", 10);
    /// let visit = Runner::start(&VISIT, Visit(Future::new()));
    /// assert_eq!(ReadyQueue::current().suspended()[0].place.to_string(), "visit.py:12:5");
    /// # drop(visit);
    /// ```
    fn place(&self) -> Option<Place> {
        None
    }

    /// Shows what the suspended generator holds to `visit`, for the cycle collector of another language.
    fn held(&self, visit: &mut dyn FnMut(&dyn Any)) {
        let _ = visit;
    }

    /// Returns whether calls of it are observed; only those of the Runner's own wrapper are.
    #[doc(hidden)]
    #[inline(always)]
    fn is_observed() -> bool
    where
        Self: Sized,
    {
        false
    }

    /// Returns the number of the call, if it is observed. Only the Runner's own wrapper has one.
    #[doc(hidden)]
    fn observed(&self) -> Option<CallId>
    where
        Self: Sized,
    {
        None
    }

    /// Returns the generator inside an observed one; otherwise itself.
    #[doc(hidden)]
    fn into_unobserved(self) -> Box<dyn Generator<Return = Self::Return>>
    where
        Self: Sized + 'static,
    {
        Box::new(self)
    }
}

/// The input of a generator.
#[derive(Debug)]
pub enum Resume {
    /// The first resume, when there is no yield yet: `next(generator)`.
    Next,
    /// The result of a Future that is done: `generator.send(future.result())`. The yield takes the result out, so that
    /// it is moved and never boxed.
    Send(AnyFuture),
    /// An exception, which is raised at the yield: `generator.throw(exception)`.
    Throw(Exception),
}

/// The output of a generator.
#[derive(Debug)]
pub enum GeneratorState<T> {
    /// The generator has yielded: `yield`.
    Yielded(Yielded),
    /// The generator has returned: `return value`.
    Returned(T),
    /// The generator has raised an exception.
    Raised(Exception),
}

impl<T> From<Result<T>> for GeneratorState<T> {
    fn from(result: Result<T>) -> Self {
        match result {
            Ok(value) => Self::Returned(value),
            Err(exception) => Self::Raised(exception),
        }
    }
}
