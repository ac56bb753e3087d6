//! [`Co`]: the coroutine's end of the channel to its Runner; and the one place that knows `genawaiter`.
//!
//! `genawaiter` is silent about mistakes in a body, or panics without saying what to do: it loses the first of
//! two values that are yielded without an await in between, and everything that is yielded and never awaited;
//! it cannot drive a body that awaits something else, and a `Co` that is used elsewhere breaks it. Here each of
//! these ends the coroutine with an Exception that says what to write instead, with debug assertions and
//! without. So only the turn to run passes through `genawaiter`; what is yielded and sent lies in `RUNNING`,
//! where it can be looked at before the turn passes.

use std::cell::Cell;
use std::future::Future as StdFuture;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{ready, Context, Poll};

use genawaiter::rc::{Co as Airlock, Gen};
use genawaiter::GeneratorState as Advanced;

use crate::error::Misuse;
use crate::generator::{Generator, GeneratorState, Resume, Yielded};
use crate::yieldable::Yieldable;
use crate::{Error, Result};

/// What a coroutine's body yields through.
///
/// It belongs to that body. It may be lent to functions that the body awaits; anywhere else, what it yields
/// raises [`Misuse::Escaped`].
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
    body: u32,
}

impl Co {
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
    /// What the yielded Future failed with, raised here; [`Misuse`].
    #[track_caller]
    #[inline]
    pub fn yield_<M: 'static, Y: Yieldable<M> + 'static>(
        &self,
        yielded: Y,
    ) -> impl StdFuture<Output = Result<Y::Output>> + use<'_, M, Y> {
        let yielded = Yielded::new(yielded);
        let accepted = RUNNING.with(|running| running.accept(self.body, yielded));
        Yield { barrier: accepted.then(|| self.airlock.yield_(())), _output: PhantomData }
    }
}

impl std::fmt::Debug for Co {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Co").finish_non_exhaustive()
    }
}

/// A yield that waits to be resumed. Its barrier is there unless the yield was a mistake or is over.
struct Yield<B, T> {
    barrier: Option<B>,
    _output: PhantomData<fn() -> T>,
}

impl<B: StdFuture<Output = ()> + Unpin, T: 'static> StdFuture for Yield<B, T> {
    type Output = Result<T>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        RUNNING.with(|running| {
            let Some(barrier) = &mut self.barrier else { return running.refuse() };
            running.awaited.set(true);
            ready!(Pin::new(barrier).poll(cx));
            self.barrier = None;
            Poll::Ready(match running.resume.take() {
                Some(Resume::Send(sent)) => sent.take(),
                Some(Resume::Throw(exception)) => Err(exception),
                None => Err(Error::Misuse(Misuse::Escaped).into()),
            })
        })
    }
}

thread_local! {
    /// Without a destructor: nothing is left in it when no body runs, and bodies run to the end of a thread.
    static RUNNING: ManuallyDrop<Running> = const { ManuallyDrop::new(Running::nobody()) };
    static LAST_BODY: Cell<u32> = const { Cell::new(0) };
}

/// What passes between the body that is running and whoever resumes it.
struct Running {
    /// The number of the body; 0 while none runs.
    body: Cell<u32>,
    /// What is sent or thrown in, until the yield takes it.
    resume: Cell<Option<Resume>>,
    /// What was yielded since then.
    yielded: Cell<Option<Yielded>>,
    /// Whether that is awaited.
    awaited: Cell<bool>,
    /// What was found wrong with the body since then.
    misuse: Cell<Option<Misuse>>,
}

impl Running {
    const fn nobody() -> Self {
        Self {
            body: Cell::new(0),
            resume: Cell::new(None),
            yielded: Cell::new(None),
            awaited: Cell::new(false),
            misuse: Cell::new(None),
        }
    }

    /// Takes what a Co yields, if it is the one of the body that is running and yields nothing else just now.
    #[inline]
    fn accept(&self, body: u32, yielded: Yielded) -> bool {
        if self.body.get() != body {
            self.misuse.set((self.body.get() != 0).then_some(Misuse::Escaped));
            return false;
        }
        let second = yielded.location;
        match self.yielded.replace(Some(yielded)) {
            None => self.awaited.set(false),
            Some(first) => {
                self.misuse.set(Some(Misuse::Twice { first: first.location, second }));
                self.yielded.set(Some(first));
                return false;
            }
        }
        true
    }

    /// What a yield gives that was not accepted, or is over: nothing where that ends the body.
    #[cold]
    fn refuse<T>(&self) -> Poll<Result<T>> {
        match self.body.get() {
            0 => Poll::Ready(Err(Error::Misuse(Misuse::Escaped).into())),
            _ => Poll::Pending,
        }
    }

    /// What is wrong with the body as it stops: something must be yielded and awaited, unless it is over.
    #[inline]
    fn misuse(&self, over: bool) -> Option<Misuse> {
        let yielded = self.yielded.take();
        let location = yielded.as_ref().map(|yielded| yielded.location);
        let misuse = self.misuse.take().or(match location {
            Some(location) if over || !self.awaited.get() => Some(Misuse::NotAwaited(location)),
            None if !over => Some(Misuse::ForeignAwait),
            _ => None,
        });
        self.yielded.set(yielded.filter(|_| misuse.is_none()));
        misuse
    }

    /// Moves everything to `other`, and leaves what is there when no body runs.
    fn move_to(&self, other: &Self) {
        other.body.set(self.body.take());
        other.resume.set(self.resume.take());
        other.yielded.set(self.yielded.take());
        other.awaited.set(self.awaited.take());
        other.misuse.set(self.misuse.take());
    }
}

/// Runs `f` as part of that body, or of none, and puts back what was there, also when `f` panics.
#[inline]
fn running<R>(body: u32, resume: Option<Resume>, f: impl FnOnce(&Running) -> R) -> R {
    /// There is something to be put back if one body was running when another was resumed.
    struct Outer<'a>(&'a Running, Option<Running>);
    impl Drop for Outer<'_> {
        #[inline]
        fn drop(&mut self) {
            let over = Running::nobody();
            self.0.move_to(&over);
            if let Some(outer) = &self.1 {
                outer.move_to(self.0);
            }
        }
    }
    RUNNING.with(|running| {
        let outer = Outer(running, (running.body.get() != 0).then(Running::nobody));
        if let Some(outer) = &outer.1 {
            running.move_to(outer);
        }
        running.body.set(body);
        running.resume.set(resume);
        f(running)
    })
}

/// Runs something that is no part of the body that may be running.
pub(crate) fn outside<R>(f: impl FnOnce() -> R) -> R {
    running(0, None, |_| f())
}

/// A generator of the `genawaiter` crate: an async block that yields through a [`Co`].
pub(crate) struct Body<F: StdFuture<Output = Result<T>>, T> {
    gen: Gen<(), (), Guard<F>>,
    number: u32,
}

impl<F: StdFuture<Output = Result<T>>, T: 'static> Body<F, T> {
    pub(crate) fn new(body: impl FnOnce(Co) -> F) -> Self {
        let number = LAST_BODY.get().checked_add(1).unwrap_or(1);
        LAST_BODY.set(number);
        Self { gen: Gen::new(|airlock| Guard { body: body(Co { airlock, body: number }) }), number }
    }
}

impl<F: StdFuture<Output = Result<T>>, T: 'static> Generator for Body<F, T> {
    type Return = T;

    #[inline]
    fn resume(&mut self, resume: Resume) -> GeneratorState<T> {
        running(self.number, Some(resume), |running| match self.gen.resume_with(()) {
            Advanced::Yielded(()) => match running.yielded.take() {
                Some(yielded) => GeneratorState::Yielded(yielded),
                None => unreachable!("the guard saw it"),
            },
            Advanced::Complete(Ok(value)) => GeneratorState::Returned(value),
            Advanced::Complete(Err(exception)) => GeneratorState::Raised(exception),
        })
    }
}

pin_project_lite::pin_project! {
    /// Looks at the body as it stops, and ends it if it made a mistake: `genawaiter` could not drive it on.
    struct Guard<F> {
        #[pin]
        body: F,
    }
}

impl<T, F: StdFuture<Output = Result<T>>> StdFuture for Guard<F> {
    type Output = Result<T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let poll = self.project().body.poll(cx);
        match RUNNING.with(|running| running.misuse(poll.is_ready())) {
            None => poll,
            Some(misuse) => Poll::Ready(Err(Error::Misuse(misuse).into())),
        }
    }
}
