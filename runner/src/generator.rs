//! [`Generator`]: what a Runner drives, whoever made it.
//!
//! A generator is resumed with a value or an exception, and yields, returns or raises. squall's own coroutines
//! are generators of the `genawaiter` crate behind one adapter; a state machine written by hand will do as well:
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
//! # static COUNTDOWN: squall_runner::Coroutine = squall_runner::Coroutine::new("countdown", "", 0);
//! let future = Runner::start(&COUNTDOWN, Countdown(0));
//! assert!(!future.done());
//! ```

use crate::any_future::AnyFuture;
use crate::exception::{Exception, Result};
use crate::numbers::CallId;

pub use crate::coroutine::Coroutine;
pub use crate::yielded::Yielded;

/// Something that can be resumed until it returns or raises.
pub trait Generator {
    /// What it returns in the end.
    type Return: 'static;

    /// Runs it to its next yield, or to its end. After `Returned` or `Raised` it is dropped, never resumed.
    fn resume(&mut self, resume: Resume) -> GeneratorState<Self::Return>;

    /// Returns the number of the call, if it is observed; only the Runner's own wrapper has one.
    #[doc(hidden)]
    fn observed(&self) -> Option<CallId>
    where
        Self: Sized,
    {
        None
    }

    /// Returns the generator that is observed; itself, if it is not.
    #[doc(hidden)]
    fn into_unobserved(self) -> Box<dyn Generator<Return = Self::Return>>
    where
        Self: Sized + 'static,
    {
        Box::new(self)
    }
}

/// What goes into a generator.
#[derive(Debug)]
pub enum Resume {
    /// `next(generator)`: for the first time, when no yield waits for anything.
    Next,
    /// `generator.send(future.result())`, of a Future that is done: the yield takes the result out, so that it is
    /// moved and never boxed.
    Send(AnyFuture),
    /// `generator.throw(exception)`: raised at the yield.
    Throw(Exception),
}

/// What comes out of a generator.
#[derive(Debug)]
pub enum GeneratorState<T> {
    /// `yield`.
    Yielded(Yielded),
    /// `return value`.
    Returned(T),
    /// An exception left the body.
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
