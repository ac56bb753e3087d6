//! [`Co`]: the coroutine's end of the channel to its Runner; and the one place that knows `genawaiter`.
//!
//! `genawaiter` is silent about mistakes in a body, or panics without saying what to do: it loses the first of
//! two values that are yielded without an await in between, and everything that is yielded and never awaited;
//! it cannot drive a body that awaits something else, and a `Co` that is used elsewhere breaks it. Here each of
//! these ends the coroutine with an Exception that says what to write instead, with debug assertions and
//! without. So only the turn to run passes through `genawaiter`; what is yielded and sent lies in thread-local
//! cells, where it can be looked at before the turn passes.

use std::cell::Cell;
use std::future::Future as StdFuture;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::LocalKey;

use genawaiter::rc::{Co as Airlock, Gen};
use genawaiter::GeneratorState as Advanced;

use crate::generator::{Generator, GeneratorState, Resume, Sent, Yielded};
use crate::yieldable::Yieldable;
use crate::{Error, Misuse, Result};

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
        let accepted = accept(self.body, Yielded::new(yielded));
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

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        match self.barrier.as_mut().map(|barrier| Pin::new(barrier).poll(cx)) {
            Some(Poll::Ready(())) => self.barrier = None,
            Some(Poll::Pending) => {
                if let Stage::Yielded(at) = STAGE.get() {
                    STAGE.set(Stage::Awaited(at));
                }
                return Poll::Pending;
            }
            None if RUNNING.get() == 0 => return Poll::Ready(Err(Error::Misuse(Misuse::Escaped).into())),
            // The guard ends the body.
            None => return Poll::Pending,
        }
        if let Stage::Sent = STAGE.get() {
            STAGE.set(Stage::Going);
        }
        Poll::Ready(match take(&SENT) {
            Some(Resume::Send(sent)) => sent.take(),
            Some(Resume::Throw(exception)) => Err(exception),
            None => Sent::Nothing.take(),
        })
    }
}

// What passes between the body that is running and whoever resumes it. These have no destructors: nothing is left
// in them when no body runs, and bodies run to the end of a thread.
thread_local! {
    /// The number of the body that is running; 0 while none is.
    static RUNNING: Cell<u32> = const { Cell::new(0) };
    static STAGE: Cell<Stage> = const { Cell::new(Stage::Going) };
    /// There at `Stage::Sent`.
    static SENT: Slot<Resume> = const { Cell::new(ManuallyDrop::new(None)) };
    /// There once something was yielded, until it is passed on.
    static YIELDED: Slot<Yielded> = const { Cell::new(ManuallyDrop::new(None)) };
    static LAST_BODY: Cell<u32> = const { Cell::new(0) };
}

type Slot<T> = Cell<ManuallyDrop<Option<T>>>;

#[inline]
fn take<T>(slot: &'static LocalKey<Slot<T>>) -> Option<T> {
    ManuallyDrop::into_inner(slot.take())
}

/// How far the body that is running has come.
#[derive(Clone, Copy)]
enum Stage {
    Going,
    /// Something is sent or thrown in, which the yield has not taken yet.
    Sent,
    /// It has yielded, at this line.
    Yielded(&'static Location<'static>),
    /// It awaits what it yielded there.
    Awaited(&'static Location<'static>),
    /// It yielded at both lines, without an await in between.
    Twice(&'static Location<'static>, &'static Location<'static>),
    /// It used the Co of another.
    Escaped,
}

/// Takes what a Co yields, if it is the one of the body that is running and yields nothing else just now.
#[inline(always)]
fn accept(body: u32, yielded: Yielded) -> bool {
    let accepted = RUNNING.get() == body && matches!(STAGE.get(), Stage::Going | Stage::Sent);
    if accepted {
        if let Stage::Sent = STAGE.get() {
            drop(take(&SENT));
        }
        STAGE.set(Stage::Yielded(yielded.location));
        YIELDED.set(ManuallyDrop::new(Some(yielded)));
    } else {
        reject(body, yielded.location);
    }
    accepted
}

#[cold]
fn reject(body: u32, second: &'static Location<'static>) {
    STAGE.set(match STAGE.get() {
        Stage::Going if RUNNING.get() == 0 => Stage::Going,
        Stage::Yielded(first) | Stage::Awaited(first) if RUNNING.get() == body => Stage::Twice(first, second),
        misused @ Stage::Twice(..) => misused,
        _ => Stage::Escaped,
    });
}

/// While it lives, no body runs that ran before.
struct Entered {
    /// The body that ran before.
    outer: u32,
    /// What was passing there, if others run in the middle of it.
    passing: Option<Box<Outer>>,
}

type Outer = (Stage, Option<Resume>, Option<Yielded>);

impl Entered {
    #[inline]
    fn new() -> Self {
        let passing = if let Stage::Going = STAGE.get() { None } else { Some(Box::new(put_by())) };
        Self { outer: RUNNING.replace(0), passing }
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        RUNNING.set(self.outer);
        if self.passing.is_some() || !matches!(STAGE.get(), Stage::Going) {
            restore(self.passing.take());
        }
    }
}

#[cold]
fn put_by() -> Outer {
    (STAGE.replace(Stage::Going), take(&SENT), take(&YIELDED))
}

#[cold]
fn restore(outer: Option<Box<Outer>>) {
    // What the body that ran has left is dropped last, since that may run code of others.
    let _left = (take(&SENT), take(&YIELDED));
    let (stage, sent, yielded) = outer.map_or((Stage::Going, None, None), |outer| *outer);
    STAGE.set(stage);
    SENT.set(ManuallyDrop::new(sent));
    YIELDED.set(ManuallyDrop::new(yielded));
}

/// Runs something that is no part of the body that may be running.
#[inline(always)]
pub(crate) fn outside<R>(f: impl FnOnce() -> R) -> R {
    let _entered = Entered::new();
    f()
}

/// A generator of the `genawaiter` crate: an async block that yields through a [`Co`].
pub(crate) struct Body<F: StdFuture<Output = Result<T>>, T>(Gen<(), (), Guard<F>>);

impl<F: StdFuture<Output = Result<T>>, T: 'static> Body<F, T> {
    #[inline]
    pub(crate) fn new(body: impl FnOnce(Co) -> F) -> Self {
        let number = LAST_BODY.get().checked_add(1).unwrap_or(1);
        LAST_BODY.set(number);
        Self(Gen::new(|airlock| Guard { body: body(Co { airlock, body: number }), number }))
    }
}

impl<F: StdFuture<Output = Result<T>>, T: 'static> Generator for Body<F, T> {
    type Return = T;

    #[inline(always)]
    fn resume(&mut self, resume: Resume) -> GeneratorState<T> {
        let _entered = Entered::new();
        if !matches!(resume, Resume::Send(Sent::Nothing)) {
            STAGE.set(Stage::Sent);
            SENT.set(ManuallyDrop::new(Some(resume)));
        }
        match self.0.resume_with(()) {
            Advanced::Yielded(()) => {
                STAGE.set(Stage::Going);
                GeneratorState::Yielded(take(&YIELDED).expect("the guard saw it"))
            }
            Advanced::Complete(Ok(value)) => GeneratorState::Returned(value),
            Advanced::Complete(Err(exception)) => GeneratorState::Raised(exception),
        }
    }
}

pin_project_lite::pin_project! {
    /// Looks at the body as it stops, and ends it if it made a mistake: `genawaiter` could not drive it on.
    /// The number stands here, not in the `Body`, so that a Runner is as small as can be.
    struct Guard<F> {
        #[pin]
        body: F,
        number: u32,
    }
}

impl<T, F: StdFuture<Output = Result<T>>> StdFuture for Guard<F> {
    type Output = Result<T>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        RUNNING.set(self.number);
        let poll = self.project().body.poll(cx);
        let misuse = match (STAGE.get(), &poll) {
            (Stage::Going | Stage::Sent, Poll::Ready(_)) | (Stage::Awaited(_), Poll::Pending) => return poll,
            (Stage::Going | Stage::Sent, Poll::Pending) => Misuse::ForeignAwait,
            (Stage::Yielded(at) | Stage::Awaited(at), _) => Misuse::NotAwaited(at),
            (Stage::Twice(first, second), _) => Misuse::Twice { first, second },
            (Stage::Escaped, _) => Misuse::Escaped,
        };
        Poll::Ready(Err(Error::Misuse(misuse).into()))
    }
}
