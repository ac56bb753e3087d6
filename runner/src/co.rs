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
use std::panic::Location;
use std::pin::Pin;
use std::task::{ready, Context, Poll};

use genawaiter::rc::{Co as Airlock, Gen};
use genawaiter::GeneratorState as Advanced;

use crate::error::Misuse;
use crate::generator::{Generator, GeneratorState, Resume, Sent, Yielded};
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
            if running.passing.get() == Passing::Yielded {
                running.passing.set(Passing::Awaited);
            }
            ready!(Pin::new(barrier).poll(cx));
            self.barrier = None;
            Poll::Ready(match running.receive() {
                Resume::Send(sent) => sent.take(),
                Resume::Throw(exception) => Err(exception),
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
    /// Which of the following is there; the others are empty.
    passing: Cell<Passing>,
    sent: Cell<Option<Resume>>,
    yielded: Cell<Option<Yielded>>,
    misuse: Cell<Option<Misuse>>,
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

impl Running {
    const fn nobody() -> Self {
        Self {
            body: Cell::new(0),
            passing: Cell::new(Passing::Nothing),
            sent: Cell::new(None),
            yielded: Cell::new(None),
            misuse: Cell::new(None),
        }
    }

    /// Leaves what the body is resumed with.
    #[inline]
    fn send(&self, resume: Resume) {
        if matches!(resume, Resume::Send(Sent::Nothing)) {
            return;
        }
        self.passing.set(Passing::Sent);
        self.sent.set(Some(resume));
    }

    /// Takes what the body is resumed with.
    #[inline]
    fn receive(&self) -> Resume {
        if self.passing.get() == Passing::Sent {
            self.passing.set(Passing::Nothing);
        }
        self.sent.take().unwrap_or(Resume::Send(Sent::Nothing))
    }

    /// Takes what a Co yields, if it is the one of the body that is running and yields nothing else just now.
    #[inline]
    fn accept(&self, body: u32, yielded: Yielded) -> bool {
        let free = matches!(self.passing.get(), Passing::Nothing | Passing::Sent);
        if !free || self.body.get() != body {
            self.reject(body, yielded.location);
            return false;
        }
        drop(self.sent.take());
        self.passing.set(Passing::Yielded);
        self.yielded.set(Some(yielded));
        true
    }

    #[cold]
    fn reject(&self, body: u32, second: &'static Location<'static>) {
        let misuse = match self.yielded.take() {
            _ if self.body.get() == 0 => return,
            _ if self.body.get() != body => Misuse::Escaped,
            Some(Yielded { location: first, .. }) => Misuse::Twice { first, second },
            None => return,
        };
        drop(self.sent.take());
        self.passing.set(Passing::Misused);
        self.misuse.set(Some(misuse));
    }

    /// What a yield gives that was not accepted, or is over: nothing where that ends the body.
    #[cold]
    fn refuse<T>(&self) -> Poll<Result<T>> {
        match self.body.get() {
            0 => Poll::Ready(Err(Error::Misuse(Misuse::Escaped).into())),
            _ => Poll::Pending,
        }
    }

    /// What is wrong with a body that stopped although it may not, or that ended although it has yielded.
    #[cold]
    fn misuse(&self) -> Misuse {
        let yielded = self.yielded.take().map(|yielded| Misuse::NotAwaited(yielded.location));
        self.misuse.take().or(yielded).unwrap_or(Misuse::ForeignAwait)
    }

    /// Moves what is passing to `other`.
    #[cold]
    fn move_to(&self, other: &Self) {
        other.passing.set(self.passing.replace(Passing::Nothing));
        other.sent.set(self.sent.take());
        other.yielded.set(self.yielded.take());
        other.misuse.set(self.misuse.take());
    }
}

/// Runs `f` as part of that body, or of none, and puts back what was there, also when `f` panics.
#[inline]
fn running<R>(body: u32, f: impl FnOnce(&Running) -> R) -> R {
    /// The body that was running when another was resumed, and what was passing, if anything was.
    struct Outer<'a>(&'a Running, u32, Option<Running>);
    impl Drop for Outer<'_> {
        #[inline]
        fn drop(&mut self) {
            let Self(running, body, passing) = self;
            if running.passing.get() != Passing::Nothing {
                running.move_to(&Running::nobody());
            }
            running.body.set(*body);
            if let Some(passing) = passing {
                passing.move_to(running);
            }
        }
    }
    RUNNING.with(|running| {
        let mut outer = Outer(running, running.body.replace(body), None);
        if running.passing.get() != Passing::Nothing {
            running.move_to(outer.2.insert(Running::nobody()));
        }
        f(running)
    })
}

/// Runs something that is no part of the body that may be running.
#[inline]
pub(crate) fn outside<R>(f: impl FnOnce() -> R) -> R {
    running(0, |_| f())
}

/// A generator of the `genawaiter` crate: an async block that yields through a [`Co`].
pub(crate) struct Body<F: StdFuture<Output = Result<T>>, T> {
    gen: Gen<(), (), Guard<F>>,
    number: u32,
}

impl<F: StdFuture<Output = Result<T>>, T: 'static> Body<F, T> {
    #[inline]
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
        running(self.number, |running| {
            running.send(resume);
            match self.gen.resume_with(()) {
                Advanced::Yielded(()) => {
                    running.passing.set(Passing::Nothing);
                    GeneratorState::Yielded(running.yielded.take().expect("the guard saw it"))
                }
                Advanced::Complete(Ok(value)) => GeneratorState::Returned(value),
                Advanced::Complete(Err(exception)) => GeneratorState::Raised(exception),
            }
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
        RUNNING.with(|running| match (running.passing.get(), poll) {
            (Passing::Awaited, Poll::Pending) => Poll::Pending,
            (Passing::Nothing | Passing::Sent, Poll::Ready(result)) => Poll::Ready(result),
            _ => Poll::Ready(Err(Error::Misuse(running.misuse()).into())),
        })
    }
}
