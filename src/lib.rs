//! Tornado's coroutine machinery in Rust: generators `yield` [`Future`] handles to a [`Runner`](gen::Runner),
//! which waits for each and sends the result back in, on a real event loop.

pub mod gen;
pub mod ioloop;
pub mod testing;
pub mod trace;

pub use gen::*;
pub use ioloop::{IoLoop, LoopHandle, PeriodicCallback};
pub use squall_runner::{
    AnyFuture, Context, ContextVar, Error, Exception, Frame, Future, Misuse, Promise, Resolvable, Result,
    Shared, Waiting,
};

#[cfg(feature = "macros")]
pub use squall_macros::coroutine;

/// What the attribute macros expand to. Not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use squall_runner::runner::{call, call_plain};

    use std::any::Any;
    use std::fmt;
    use std::future::Future;
    use std::marker::PhantomData;

    use crate::Exception;

    /// What a coroutine may return. The attribute asks for it by name, to give this message.
    #[diagnostic::on_unimplemented(
        message = "a coroutine returns a `squall::Result`, not `{Self}`",
        label = "write `squall::Result<..>` here",
        note = "a coroutine may always raise: `squall::Result<T>` is `Result<T, squall::Exception>`, and `?` makes an Exception of any error"
    )]
    pub trait Outcome {
        /// What the coroutine's Future gives.
        type Value;
    }

    impl<T> Outcome for Result<T, Exception> {
        type Value = T;
    }

    /// An async block whose output is known before its body is looked at, so that `?` knows what it makes.
    #[inline]
    pub fn body<R: Outcome, F: Future<Output = R>>(body: F) -> F {
        body
    }

    /// Prints a `T` with its `Debug` if it has one, else by the name of its type.
    #[derive(Debug)]
    pub struct Shows<T>(PhantomData<fn() -> T>);

    impl<T> Shows<T> {
        /// The only one.
        pub const NEW: Self = Self(PhantomData);
    }

    impl<T: fmt::Debug + 'static> Shows<T> {
        /// Found first.
        pub fn show(&self, value: &dyn Any, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match value.downcast_ref::<T>() {
                Some(value) => value.fmt(f),
                None => Self::name(f),
            }
        }
    }

    impl<T> Shows<T> {
        fn name(f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "<{}>", std::any::type_name::<T>())
        }
    }

    /// What is found for a type without `Debug`.
    pub trait ShowName {
        /// Prints the name of the type.
        ///
        /// # Errors
        /// As the formatter's.
        fn show(&self, value: &dyn Any, f: &mut fmt::Formatter<'_>) -> fmt::Result;
    }

    impl<T> ShowName for Shows<T> {
        fn show(&self, _value: &dyn Any, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            Self::name(f)
        }
    }
}
