//! [`Co`]: the coroutine's end of the channel to its Runner; and the one place that knows `genawaiter`.
//!
//! `genawaiter` is silent about mistakes in a body, or panics without saying what to do: it loses the first of
//! two values that are yielded without an await in between, and everything that is yielded and never awaited;
//! it cannot drive a body that awaits something else. Here each of these ends the coroutine with an Exception
//! that says what to write instead, with debug assertions and without.

use std::cell::Cell;
use std::future::Future as StdFuture;
use std::marker::PhantomData;
use std::panic::{catch_unwind, AssertUnwindSafe, Location};
use std::pin::Pin;
use std::task::{Context, Poll};

use genawaiter::rc::{Co as Airlock, Gen};
use genawaiter::GeneratorState as Advanced;

use crate::error::Misuse;
use crate::generator::{Generator, GeneratorState, Resume, Yielded};
use crate::yieldable::Yieldable;
use crate::{Exception, Result};

thread_local! {
    /// Whether the body that is running has awaited a yield since it was resumed.
    static YIELDED: Cell<bool> = const { Cell::new(false) };
    /// What was found wrong with the body that is running.
    static MISUSE: Cell<Option<Misuse>> = const { Cell::new(None) };
}

/// What a coroutine's body yields through.
///
/// ```
/// let future = squall_runner::coroutine(|co| async move {
///     co.yield_(squall_runner::moment()).await?;
///     Ok(5)
/// });
/// # drop(future);
/// ```
pub struct Co {
    airlock: Airlock<Yielded, Resume>,
    /// Whether a yield was made that was not resumed yet.
    yielding: Cell<bool>,
}

impl Co {
    /// Yields something and waits for its result. What is waited for, and for how long, stands with
    /// [`Yieldable`].
    ///
    /// # Errors
    /// What the yielded Future failed with, raised here.
    #[track_caller]
    #[inline]
    pub fn yield_<M: 'static, Y: Yieldable<M> + 'static>(
        &self,
        yielded: Y,
    ) -> impl StdFuture<Output = Result<Y::Output>> + use<'_, M, Y> {
        let yielded = Yielded::new(yielded);
        if self.yielding.replace(true) {
            MISUSE.set(Some(Misuse::Twice(yielded.location)));
        }
        let location = yielded.location;
        Yield {
            barrier: self.airlock.yield_(yielded),
            co: self,
            polled: false,
            location,
            _output: PhantomData,
        }
    }
}

impl std::fmt::Debug for Co {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Co").finish_non_exhaustive()
    }
}

/// A yield that waits to be resumed.
struct Yield<'a, B, T> {
    barrier: B,
    co: &'a Co,
    polled: bool,
    location: &'static Location<'static>,
    _output: PhantomData<fn() -> T>,
}

impl<B: StdFuture<Output = Resume> + Unpin, T: 'static> StdFuture for Yield<'_, B, T> {
    type Output = Result<T>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        self.polled = true;
        match Pin::new(&mut self.barrier).poll(cx) {
            Poll::Pending => {
                YIELDED.set(true);
                Poll::Pending
            }
            Poll::Ready(resume) => {
                self.co.yielding.set(false);
                Poll::Ready(match resume {
                    Resume::Send(sent) => sent.take(),
                    Resume::Throw(exception) => Err(exception),
                })
            }
        }
    }
}

impl<B, T> Drop for Yield<'_, B, T> {
    fn drop(&mut self) {
        if !self.polled {
            MISUSE.set(Some(Misuse::NotAwaited(self.location)));
        }
    }
}

/// A generator of the `genawaiter` crate: an async block that yields through a [`Co`].
pub(crate) struct Body<F: StdFuture<Output = Result<T>>, T>(Gen<Yielded, Resume, Guard<F>>);

impl<F: StdFuture<Output = Result<T>>, T: 'static> Body<F, T> {
    pub(crate) fn new(body: impl FnOnce(Co) -> F) -> Self {
        Self(Gen::new(|airlock| Guard { body: body(Co { airlock, yielding: Cell::new(false) }) }))
    }
}

impl<F: StdFuture<Output = Result<T>>, T: 'static> Generator for Body<F, T> {
    type Return = T;

    #[inline]
    fn resume(&mut self, resume: Resume) -> GeneratorState<T> {
        let advanced = catch_unwind(AssertUnwindSafe(|| self.0.resume_with(resume)));
        if let Some(misuse) = MISUSE.take() {
            return GeneratorState::Raised(misuse_of(misuse));
        }
        match advanced {
            Ok(Advanced::Yielded(yielded)) => GeneratorState::Yielded(yielded),
            Ok(Advanced::Complete(Ok(value))) => GeneratorState::Returned(value),
            Ok(Advanced::Complete(Err(exception))) => GeneratorState::Raised(exception),
            Err(panic) => GeneratorState::Raised(Exception::from_panic(panic)),
        }
    }
}

#[cold]
fn misuse_of(misuse: Misuse) -> Exception {
    crate::Error::Misuse(misuse).into()
}

pin_project_lite::pin_project! {
    /// Ends a body that is not ready although it did not yield: `genawaiter` cannot drive it on.
    struct Guard<F> {
        #[pin]
        body: F,
    }
}

impl<T, F: StdFuture<Output = Result<T>>> StdFuture for Guard<F> {
    type Output = Result<T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        YIELDED.set(false);
        match self.project().body.poll(cx) {
            Poll::Pending if !YIELDED.get() => {
                MISUSE.set(Some(MISUSE.take().unwrap_or(Misuse::ForeignAwait)));
                Poll::Ready(Err(misuse_of(Misuse::ForeignAwait)))
            }
            poll => poll,
        }
    }
}
