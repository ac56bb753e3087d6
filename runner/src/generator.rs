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

use std::any::{type_name, TypeId};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use crate::any_future::AnyFuture;
use crate::trace::{CallId, Kind, Show};
use crate::yieldable::{Deferred, Yieldable};
use crate::{native, Exception, Result};

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

/// What a generator yielded, and where.
pub struct Yielded {
    pub(crate) what: What,
    pub(crate) location: &'static Location<'static>,
}

pub(crate) enum What {
    /// A Future: there is nothing to convert.
    Future(AnyFuture),
    /// Something that the Runner has to convert to a Future first.
    Other(Box<dyn Convert>),
}

/// What `convert_yielded` makes a Future of, without its type.
pub(crate) trait Convert {
    fn kind(&self) -> Kind;
    fn convert(self: Box<Self>) -> Result<AnyFuture>;
    /// Its type, that of the value that the yield takes, and what that is called.
    fn types(&self) -> (TypeId, TypeId, &'static str);
}

impl Yielded {
    /// Something yieldable, yielded at the caller's line.
    #[track_caller]
    #[inline]
    pub fn new<M: 'static, Y: Yieldable<M> + 'static>(yielded: Y) -> Self {
        let location = Location::caller();
        let what = match yielded.into_future() {
            Ok(future) => What::Future(future.erase()),
            Err(yielded) => What::Other(Box::new(Deferred(yielded, PhantomData))),
        };
        Self { what, location }
    }

    /// What kind of thing it is.
    pub fn kind(&self) -> Kind {
        match &self.what {
            What::Future(future) if future.is_moment() => Kind::Moment,
            What::Future(future) => Kind::Future(future.state()),
            What::Other(other) => other.kind(),
        }
    }

    /// Whether it is a `Y`, such as `Future<i32>` or `Vec<Future<()>>`.
    pub fn is<Y: 'static>(&self) -> bool {
        self.types().0 == TypeId::of::<Y>()
    }

    /// Its type; that of the value that the yield takes, which is that of the Future's result; and what the latter is
    /// called.
    pub fn types(&self) -> (TypeId, TypeId, &'static str) {
        match &self.what {
            What::Future(future) => future.types(),
            What::Other(other) => other.types(),
        }
    }

    /// The line of the yield.
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }

    /// The Future that was yielded, if it was one.
    pub fn future(&self) -> Option<&AnyFuture> {
        match &self.what {
            What::Future(future) => Some(future),
            What::Other(_) => None,
        }
    }

    /// `convert_yielded`: the Future to wait for.
    ///
    /// # Errors
    /// [`Error::BadYield`](crate::Error::BadYield).
    #[inline]
    pub fn convert(self) -> Result<AnyFuture> {
        match self.what {
            What::Future(future) => Ok(future),
            What::Other(other) => {
                let convert = || Exception::trap(|| other.convert(), Err);
                native::yielded_at(self.location, convert)
            }
        }
    }
}

impl fmt::Debug for Yielded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.kind(), self.location)
    }
}

/// A coroutine function: what all calls of it have in common.
#[derive(Debug)]
pub struct Coroutine {
    name: Name,
    /// The file it is defined in; empty where only the call is known.
    pub file: &'static str,
    /// The line it is defined at, from 1; 0 where only the call is known.
    pub line: u32,
    /// How what it returns is printed.
    pub show: Option<Show>,
}

#[derive(Debug)]
enum Name {
    Given(&'static str),
    /// The name of a closure's type, which holds the name of the function it stands in.
    Of(fn() -> &'static str),
}

impl Coroutine {
    /// A coroutine of that name, defined there.
    pub const fn new(name: &'static str, file: &'static str, line: u32) -> Self {
        Self { name: Name::Given(name), file, line, show: None }
    }

    /// The same, with a way to print what it returns, if there is one.
    #[must_use]
    pub const fn showing(self, show: Option<Show>) -> Self {
        Self { show, ..self }
    }

    /// The coroutine that a closure or an `async fn` is.
    pub(crate) const fn of<B: 'static>() -> &'static Self {
        const { &Self { name: Name::Of(type_name::<B>), file: "", line: 0, show: None } }
    }

    /// Its name: that of the function, or of the function in which the closure stands.
    pub fn name(&self) -> &'static str {
        match self.name {
            Name::Given(name) => name,
            Name::Of(name_of_type) => name_of_type()
                .split('<')
                .next()
                .unwrap_or_default()
                .rsplit("::")
                .find(|segment| !segment.starts_with('{'))
                .unwrap_or("coroutine"),
        }
    }
}
