//! [`Co`]: the coroutine's end of the channel to its Runner.
//!
//! A yield takes two steps, as Rust has no `yield` of its own: [`Co::yield_`] hands over what is yielded, and the
//! `.await` behind it passes the turn to the Runner. What lies between body and Runner meanwhile is described in
//! `passing.rs`; how a body is made a generator, in `body.rs`.

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

/// What a coroutine's body yields through.
///
/// It belongs to that body. It may be lent to functions that the body awaits; anywhere else, what it yields
/// raises [`Misuse::Escaped`](crate::Misuse::Escaped).
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
    /// The number of the body that it was made for.
    body: BodyNumber,
}

impl Co {
    pub(crate) fn new(airlock: Airlock<(), ()>, body: BodyNumber) -> Self {
        Self { airlock, body }
    }

    /// Yields something and waits for its result. What is waited for, and for how long, stands with
    /// [`Yieldable`].
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
    /// What the yielded Future failed with, raised here; [`Misuse`](crate::Misuse).
    #[track_caller]
    #[inline]
    pub fn yield_<M: 'static, Y: Yieldable<M> + 'static>(
        &self,
        yielded: Y,
    ) -> impl StdFuture<Output = Result<Y::Output>> + use<'_, M, Y> {
        self.take(self.give(yielded))
    }

    /// The first half of [`yield_`](Self::yield_). What it returns does not name the type of what was yielded, not even by
    /// `Y::Output`: so the compiler complains once, where `yield_!` is given something that cannot be yielded.
    #[doc(hidden)]
    #[track_caller]
    #[inline]
    pub fn give<M: 'static, T: 'static, Y: Yieldable<M, Output = T> + 'static>(
        &self,
        yielded: Y,
    ) -> Given<T> {
        Given(accept(self.body, Yielded::new(yielded)), PhantomData)
    }

    /// The second half of [`yield_`](Self::yield_).
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

/// What was yielded, if that was accepted; the yield takes a `T`.
#[doc(hidden)]
#[derive(Debug)]
#[must_use = "a yield does nothing before it is awaited"]
pub struct Given<T>(bool, PhantomData<fn() -> T>);

/// A yield that waits to be resumed. Its barrier is there unless the yield was a mistake or is over.
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
                // The result of the moment is `()`, and need not be asked for.
                Ok(unit) if future.is_moment() => Ok(unit),
                _ => future.into_result(),
            },
            Some(Resume::Throw(exception)) => Err(exception),
            Some(Resume::Next) | None => Err(Error::WrongType { expected: type_name::<T>() }.into()),
        })
    }
}
