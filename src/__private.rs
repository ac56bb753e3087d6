//! The code that the attribute macros expand to. Not for use by hand: it changes without notice.
//!
//! This module also makes the compiler's messages for code under `#[squall::coroutine]`: a mistake fails at a trait of
//! this module, whose message says what to write instead.

use std::any::{self, Any};
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;

use squall_runner::foreign;
use squall_runner::trace::{internal, Show, Shown, Variable};
use squall_runner::{runner, Co, Coroutine, Exception};

use crate::trace::{cut, Printed, TypeName};

pub use crate::__yield as yield_;
pub use squall_runner::trace::observed;

/// The return type of a coroutine.
#[diagnostic::on_unimplemented(
    message = "a coroutine returns a `squall::Result`, not `{Self}`",
    label = "write `squall::Result<..>` here",
    note = "a coroutine may always raise: `squall::Result<T>` is `Result<T, squall::Exception>`, and `?` makes an Exception of any error, `Exception::msg(..)` one of a text"
)]
pub trait Outcome: Sized {
    /// The type of the result of the coroutine's Future.
    type Value: 'static;

    /// Calls a coroutine that yields.
    #[track_caller]
    fn call<F: Future<Output = Self> + 'static>(
        coroutine: &'static Coroutine,
        body: impl FnOnce(Co) -> F + 'static,
    ) -> squall_runner::Future<Self::Value>;

    /// Calls a coroutine that never yields.
    #[track_caller]
    fn call_plain(
        coroutine: &'static Coroutine,
        body: impl FnOnce() -> Self + 'static,
    ) -> squall_runner::Future<Self::Value>;
}

// Keeps the compiler from naming this trait as well: the message above says what to write.
#[diagnostic::do_not_recommend]
impl<T: 'static> Outcome for Result<T, Exception> {
    type Value = T;

    #[inline]
    fn call<F: Future<Output = Self> + 'static>(
        coroutine: &'static Coroutine,
        body: impl FnOnce(Co) -> F + 'static,
    ) -> squall_runner::Future<T> {
        runner::call(coroutine, body)
    }

    #[inline]
    fn call_plain(
        coroutine: &'static Coroutine,
        body: impl FnOnce() -> Self + 'static,
    ) -> squall_runner::Future<T> {
        runner::call_plain(coroutine, body)
    }
}

/// Yields. All tokens in here come from this file, so that the compiler reports an error in them at the user's
/// `yield_!(..)`.
#[doc(hidden)]
#[macro_export]
macro_rules! __yield {
    ($co:ident $yielded:expr $(,)?) => {
        $crate::Co::take(&$co, $crate::Co::give(&$co, $yielded)).await
    };
    ($co:ident) => {
        ::core::compile_error!("nothing to yield: `yield_!(())?` lets the loop run once")
    };
    ($co:ident $($yielded:expr),+ $(,)?) => {
        ::core::compile_error!(
            "a coroutine yields one thing: a list, `yield_!([a, b])?`, or a tuple, `yield_!((a, b))?`, waits for several"
        )
    };
}

/// How a coroutine's result is printed: `Shows::<R>::SHOW`.
#[derive(Debug)]
pub struct Shows<R>(PhantomData<fn() -> R>);

impl<T: fmt::Debug + 'static> Shows<Result<T, Exception>> {
    /// Prints with `Debug`. Method resolution finds this one first.
    pub const SHOW: Option<Show> = Some(show::<T>);
}

/// Applies to every type, but is found only after the inherent constant.
pub trait ShowsNothing {
    /// Prints nothing, since there is no `Debug`.
    const SHOW: Option<Show> = None;
}

impl<R> ShowsNothing for Shows<R> {}

fn show<T: fmt::Debug + 'static>(value: &dyn Any, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    value.downcast_ref::<T>().map_or(Ok(()), |value| value.fmt(f))
}

/// An argument of a coroutine, which `text` prints: with `Debug`, if the type is known to have it where the coroutine is
/// defined. Method resolution finds this method before the one of [`ArgumentOfUnknownType`].
#[derive(Debug)]
pub struct Argument<'a, T: ?Sized>(pub &'a T);

impl<T: fmt::Debug + ?Sized> Argument<'_, T> {
    /// Prints the value.
    pub fn text(&self) -> String {
        // What the user's `Debug` does is no part of the program that is observed.
        internal(|| cut(Foreign(self.0)))
    }
}

/// Applies to every type, but is found only after the method of [`Argument`] itself.
pub trait ArgumentOfUnknownType {
    /// Prints the value as traces print values without a `Debug`: most by their type.
    fn text(&self) -> String;
}

impl<T: 'static> ArgumentOfUnknownType for Argument<'_, T> {
    fn text(&self) -> String {
        internal(|| cut(Printed(Shown::new(self.0, None))))
    }
}

/// Applies in place of [`ArgumentOfUnknownType`] where a signature does not say that its types are `'static`. They have to
/// be, and the compiler's message should be about the signature, once.
pub trait ArgumentOfGenericType {
    /// Prints the value's type.
    fn text(&self) -> String;
}

impl<T: ?Sized> ArgumentOfGenericType for Argument<'_, T> {
    fn text(&self) -> String {
        cut(TypeName(any::type_name::<T>()))
    }
}

/// A value that its user's `Debug` prints, which may panic.
struct Foreign<'a, T: ?Sized>(&'a T);

impl<T: fmt::Debug + ?Sized> fmt::Display for Foreign<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        foreign::show(f, |f| self.0.fmt(f))
    }
}

/// Tells the observer the arguments of the coroutine that is called next.
#[cold]
pub fn tell_arguments<const N: usize>(arguments: [(&'static str, String); N]) {
    let told = arguments.map(|(name, value)| Variable { name: name.into(), value });
    squall_runner::trace::tell_arguments(told.into());
}

/// Describes a coroutine and how to print its result.
pub const fn coroutine(
    name: &'static str,
    file: &'static str,
    line: u32,
    column: u32,
    show: Option<Show>,
) -> Coroutine {
    Coroutine::new(name, file, line).in_column(column).showing(show)
}

/// Runs a test on a fresh loop, for at most `limit` seconds of real time; without a limit, for as long as a `TestLoop`
/// may take by default.
///
/// # Panics
/// Panics if the test fails, with a message that shows what happened.
#[cfg(feature = "trace")]
#[track_caller]
pub fn test<M: 'static, Y: squall_runner::Yieldable<M> + 'static>(
    limit: Option<f64>,
    allow: &str,
    f: impl FnOnce() -> Y + Send + 'static,
) {
    crate::testing::test_run::run(limit.map(std::time::Duration::from_secs_f64), allow, f);
}
