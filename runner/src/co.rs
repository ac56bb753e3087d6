//! [`Co`]: the coroutine's end of the channel to its Runner; and the one place that knows `genawaiter`.
//!
//! `genawaiter` is silent about mistakes in a body, or panics without saying what to do: it loses the first of
//! two values that are yielded without an await in between, and everything that is yielded and never awaited;
//! it cannot drive a body that awaits something else, and a `Co` that is used elsewhere breaks it. Here each of
//! these ends the coroutine with an Exception that says what to write instead, with debug assertions and
//! without. So only the turn to run passes through `genawaiter`; what is yielded and sent lies in thread-local
//! cells, where it can be looked at before the turn passes.

use std::any::type_name;
use std::cell::{Cell, RefCell};
use std::future::Future as StdFuture;
use std::marker::PhantomData;
use std::mem::{forget, ManuallyDrop};
use std::panic::Location;
use std::pin::Pin;
use std::task::{ready, Context, Poll};
use std::thread::LocalKey;

use genawaiter::rc::{Co as Airlock, Gen};
use genawaiter::GeneratorState as Advanced;

use crate::error::Misuse;
use crate::foreign::discard;
use crate::generator::{Generator, GeneratorState, Resume, Yielded};
use crate::yieldable::Yieldable;
use crate::{Error, Exception, Result};

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
        self.take(self.give(yielded))
    }

    /// The first half of [`yield_`](Self::yield_). What it returns does not name the type of what was yielded: so the
    /// compiler complains once, where `yield_!` is given something that cannot be yielded.
    #[doc(hidden)]
    #[track_caller]
    #[inline]
    pub fn give<M: 'static, Y: Yieldable<M> + 'static>(&self, yielded: Y) -> Given<Y::Output> {
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
        if PASSING.get() == Passing::Yielded {
            PASSING.set(Passing::Awaited);
        }
        ready!(Pin::new(barrier).poll(cx));
        self.barrier = None;
        if PASSING.get() == Passing::Sent {
            PASSING.set(Passing::Nothing);
        }
        Poll::Ready(match take(&SENT) {
            Some(Resume::Send(future)) => future.into_result(),
            Some(Resume::Throw(exception)) => Err(exception),
            Some(Resume::Next) | None => Err(Error::WrongType { expected: type_name::<T>() }.into()),
        })
    }
}

// What passes between the body that is running and whoever resumes it. These have no destructors: nothing is left
// in them when no body runs, and bodies run to the end of a thread.
thread_local! {
    /// The number of the body that is running; 0 while none is.
    static RUNNING: Cell<u32> = const { Cell::new(0) };
    /// Which of the following is there; the others are empty.
    static PASSING: Cell<Passing> = const { Cell::new(Passing::Nothing) };
    static SENT: Slot<Resume> = const { ManuallyDrop::new(Cell::new(None)) };
    static YIELDED: Slot<Yielded> = const { ManuallyDrop::new(Cell::new(None)) };
    static MISUSE: Slot<Misuse> = const { ManuallyDrop::new(Cell::new(None)) };

    /// What was passing in the bodies in the middle of which others run.
    static OUTER: ManuallyDrop<RefCell<Vec<Outer>>> = const { ManuallyDrop::new(RefCell::new(Vec::new())) };
    static LAST_BODY: Cell<u32> = const { Cell::new(0) };
}

struct Outer(Passing, Option<Resume>, Option<Yielded>, Option<Misuse>);

type Slot<T> = ManuallyDrop<Cell<Option<T>>>;

#[inline]
fn take<T>(slot: &'static LocalKey<Slot<T>>) -> Option<T> {
    // The slot is always there; but only `try_with` is sure to be inlined.
    slot.try_with(|slot| slot.take()).unwrap_or_default()
}

/// Fills an empty slot.
#[inline]
fn put<T>(slot: &'static LocalKey<Slot<T>>, value: Option<T>) {
    // Nothing is there to be dropped; the compiler cannot know that.
    let _ = slot.try_with(|slot| forget(slot.replace(value)));
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Passing {
    Nothing,
    /// What is sent or thrown in, until the yield takes it.
    Sent,
    /// What was yielded since then, and is not awaited yet.
    Yielded,
    /// What was yielded and is awaited.
    Awaited,
    /// What is wrong with the body.
    Misused,
}

/// Takes what a Co yields, if it is the one of the body that is running and yields nothing else just now.
#[inline(always)]
fn accept(body: u32, yielded: Yielded) -> bool {
    let passing = PASSING.get();
    if RUNNING.get() != body || !matches!(passing, Passing::Nothing | Passing::Sent) {
        reject(body, yielded.location);
        return false;
    }
    if passing == Passing::Sent {
        drop(take(&SENT));
    }
    PASSING.set(Passing::Yielded);
    put(&YIELDED, Some(yielded));
    true
}

#[cold]
fn reject(body: u32, second: &'static Location<'static>) {
    if RUNNING.get() == 0 || PASSING.get() == Passing::Misused {
        return;
    }
    drop(take(&SENT));
    let misuse = match take(&YIELDED) {
        Some(Yielded { location: first, .. }) if RUNNING.get() == body => Misuse::Twice { first, second },
        _ => Misuse::Escaped,
    };
    PASSING.set(Passing::Misused);
    put(&MISUSE, Some(misuse));
}

/// What a yield gives that was not accepted, or is over: nothing where that ends the body.
#[cold]
fn refuse<T>() -> Poll<Result<T>> {
    match RUNNING.get() {
        0 => Poll::Ready(Err(Error::Misuse(Misuse::Escaped).into())),
        _ => Poll::Pending,
    }
}

/// What is wrong with a body that stopped although it may not, or that ended although it has yielded.
#[cold]
fn misuse() -> Exception {
    let yielded = take(&YIELDED);
    let not_awaited = yielded.map(|yielded| Misuse::NotAwaited(yielded.location));
    let misuse = take(&MISUSE).or(not_awaited).unwrap_or(Misuse::ForeignAwait);
    Error::Misuse(misuse).into()
}

/// While it lives, no body runs that ran before.
pub(crate) struct Entered {
    /// The body that ran before.
    outer: u32,
    /// Whether something was passing there, which lies in `OUTER`.
    passing: bool,
}

impl Entered {
    #[inline]
    pub(crate) fn new() -> Self {
        let passing = PASSING.get() != Passing::Nothing;
        if passing {
            put_by();
        }
        Self { outer: RUNNING.replace(0), passing }
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        RUNNING.set(self.outer);
        if self.passing || PASSING.get() != Passing::Nothing {
            restore(self.passing);
        }
    }
}

#[cold]
fn put_by() {
    let outer = Outer(PASSING.replace(Passing::Nothing), take(&SENT), take(&YIELDED), take(&MISUSE));
    OUTER.with(|outers| outers.borrow_mut().push(outer));
}

#[cold]
fn restore(passing: bool) {
    // What the body that ran has left is dropped, which may run code of others.
    PASSING.set(Passing::Nothing);
    drop((take(&SENT), take(&MISUSE)));
    discard(take(&YIELDED));
    let outer = if passing { OUTER.with(|outers| outers.borrow_mut().pop()) } else { None };
    if let Some(Outer(passing, sent, yielded, misuse)) = outer {
        PASSING.set(passing);
        put(&SENT, sent);
        put(&YIELDED, yielded);
        put(&MISUSE, misuse);
    }
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
        if !matches!(resume, Resume::Next) {
            PASSING.set(Passing::Sent);
            put(&SENT, Some(resume));
        }
        match self.0.resume_with(()) {
            Advanced::Yielded(()) => {
                PASSING.set(Passing::Nothing);
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
        match (PASSING.get(), &poll) {
            (Passing::Awaited, Poll::Pending) | (Passing::Nothing | Passing::Sent, Poll::Ready(_)) => poll,
            _ => Poll::Ready(Err(misuse())),
        }
    }
}
