//! [`Body`]: an async block as a generator. Only this file knows how `genawaiter` makes generators.
//!
//! squall's generators are made by `genawaiter` because the project's owner chose to build on it: it runs on stable
//! Rust and needs no `unsafe` here. It costs two allocations for each coroutine that is suspended, and 8 to 33 percent
//! of the time of a resume (`benches/README.md` has the measurements).
//!
//! `genawaiter` ignores mistakes in a body, or panics without saying what to do. It loses the first of two values that
//! are yielded without an await in between, and everything that is yielded and never awaited. It cannot drive a body
//! that awaits anything else, and a `Co` that is used outside of its body breaks it. This module detects each of these
//! mistakes, in debug and release builds, and ends the coroutine with an Exception that says what to write instead.

use std::future::Future as StdFuture;
use std::pin::Pin;
use std::task::{Context, Poll};

use genawaiter::rc::Gen;
use genawaiter::GeneratorState as Advanced;

use crate::co::Co;
use crate::exception::Result;
use crate::generator::{Generator, GeneratorState, Resume};
use crate::passing::{may_stop, misuse, send, take_yielded, Interrupted};
use crate::running::{next_body, run_body, BodyNumber};

/// A generator of the `genawaiter` crate, made from an async block that yields through a [`Co`].
pub(crate) struct Body<F: StdFuture<Output = Result<T>>, T>(Gen<(), (), Guard<F>>);

impl<F: StdFuture<Output = Result<T>>, T: 'static> Body<F, T> {
    #[inline]
    pub(crate) fn new(body: impl FnOnce(Co) -> F) -> Self {
        let number = next_body();
        Self(Gen::new(|airlock| Guard { body: body(Co::new(airlock, number)), number }))
    }
}

impl<F: StdFuture<Output = Result<T>>, T: 'static> Generator for Body<F, T> {
    type Return = T;

    #[inline(always)]
    fn resume(&mut self, resume: Resume) -> GeneratorState<T> {
        let _interrupted = Interrupted::new();
        if !matches!(resume, Resume::Next) {
            send(resume);
        }
        match self.0.resume_with(()) {
            Advanced::Yielded(()) => GeneratorState::Yielded(take_yielded()),
            Advanced::Complete(Ok(value)) => GeneratorState::Returned(value),
            Advanced::Complete(Err(exception)) => GeneratorState::Raised(exception),
        }
    }
}

pin_project_lite::pin_project! {
    /// Checks the body each time it stops, and ends it if it made a mistake, after which `genawaiter` could not drive
    /// it. It holds the number of the body, so that a Runner is as small as possible.
    struct Guard<F> {
        #[pin]
        body: F,
        number: BodyNumber,
    }
}

impl<T, F: StdFuture<Output = Result<T>>> StdFuture for Guard<F> {
    type Output = Result<T>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        run_body(self.number);
        let poll = self.project().body.poll(cx);
        if may_stop(poll.is_ready()) {
            poll
        } else {
            Poll::Ready(Err(misuse()))
        }
    }
}
