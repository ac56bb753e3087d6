//! [`Co`]: the coroutine's end of the channel to its Runner.
//!
//! Rust has no stable `yield`, so a yield takes two steps: [`Co::yield_`] stores what is yielded, and the `.await`
//! after it passes control to the Runner. `passing.rs` describes the state between the two; `body.rs` makes a body a
//! generator.

use std::any::type_name;
use std::future::Future as StdFuture;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{ready, Context, Poll};

use genawaiter::rc::Co as Airlock;

use crate::error::Error;
use crate::exception::Result;
use crate::generator::Resume;
use crate::passing::{accept, await_yielded, refuse, take_sent};
use crate::running::BodyNumber;
use crate::yieldable::{same_type, Yieldable};
use crate::yielded::Yielded;

/// Yields on behalf of a coroutine's body.
///
/// A `Co` belongs to one body. It may be lent to functions that the body awaits. A yield from anywhere else raises
/// [`Misuse::Escaped`](crate::Misuse::Escaped).
///
/// ```
/// use squall_runner::{coroutine, Co, Future, Result};
///
/// async fn twice(co: &Co, number: Future<i32>) -> Result<i32> {
///     Ok(co.yield_(number).await? * 2)
/// }
/// let future = coroutine(|co| async move { twice(&co, Future::ready(5)).await });
/// assert_eq!(future.result().unwrap(), 10);
/// ```
pub struct Co {
    airlock: Airlock<(), ()>,
    /// The number of its body.
    body: BodyNumber,
}

impl Co {
    pub(crate) fn new(airlock: Airlock<(), ()>, body: BodyNumber) -> Self {
        Self { airlock, body }
    }

    /// Yields something and waits for its result. [`Yieldable`] lists what may be yielded.
    ///
    /// ```
    /// let future = squall_runner::coroutine(|co| async move {
    ///     let five = co.yield_(async { Ok::<_, std::fmt::Error>(5) }).await?;
    ///     co.yield_(squall_runner::moment()).await?;
    ///     Ok(five)
    /// });
    /// # drop(future);
    /// ```
    ///
    /// # Errors
    /// The exception of the yielded Future, raised here; [`Misuse`](crate::Misuse).
    #[track_caller]
    #[inline]
    pub fn yield_<M: 'static, Y: Yieldable<M> + 'static>(
        &self,
        yielded: Y,
    ) -> impl StdFuture<Output = Result<Y::Output>> + use<'_, M, Y> {
        self.take(self.give(yielded))
    }

    /// Performs the first half of [`yield_`](Self::yield_). Its result does not name the type of the yielded thing, not
    /// even by `Y::Output`, so that the compiler reports only one error where `yield_!` is used with something that
    /// cannot be yielded.
    #[doc(hidden)]
    #[track_caller]
    #[inline]
    pub fn give<M: 'static, T: 'static, Y: Yieldable<M, Output = T> + 'static>(
        &self,
        yielded: Y,
    ) -> Given<T> {
        Given(accept(self.body, Yielded::new(yielded)), PhantomData)
    }

    /// Performs the second half of [`yield_`](Self::yield_).
    #[doc(hidden)]
    #[inline]
    pub fn take<T: 'static>(&self, given: Given<T>) -> impl StdFuture<Output = Result<T>> + use<'_, T> {
        Yield { barrier: given.0.then(|| self.airlock.yield_(())), _output: PhantomData }
    }
}

impl std::fmt::Debug for Co {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Co").finish_non_exhaustive()
    }
}

/// The receipt of a yielded thing: whether it was accepted, and the type `T` that the yield returns.
#[doc(hidden)]
#[derive(Debug)]
#[must_use = "a yield does nothing before it is awaited"]
pub struct Given<T>(bool, PhantomData<fn() -> T>);

/// A yield that waits to be resumed. Its barrier is `Some` unless the yield was a mistake or has ended.
struct Yield<B, T> {
    barrier: Option<B>,
    _output: PhantomData<fn() -> T>,
}

impl<B: StdFuture<Output = ()> + Unpin, T: 'static> StdFuture for Yield<B, T> {
    type Output = Result<T>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let Some(barrier) = &mut self.barrier else { return refuse() };
        await_yielded();
        ready!(Pin::new(barrier).poll(cx));
        self.barrier = None;
        Poll::Ready(match take_sent() {
            Some(Resume::Send(future)) => match same_type::<(), T>(()) {
                // The result of the moment is always `()`, so there is no need to ask for it.
                Ok(unit) if future.is_moment() => Ok(unit),
                _ => future.into_result(),
            },
            Some(Resume::Throw(exception)) => Err(exception),
            Some(Resume::Next) | None => Err(Error::WrongType { expected: type_name::<T>() }.into()),
        })
    }
}
