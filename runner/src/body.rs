//! [`Body`]: an async block made a generator. The one place that knows how `genawaiter` makes generators.
//!
//! squall's generators are made by `genawaiter` because its owner chose to build the project on it: it runs on stable
//! Rust and needs no `unsafe` here. It costs two allocations for each coroutine that is suspended, and between 8 and 33
//! in 100 of the time of a resume (`benches/README.md` has the rows).
//!
//! It is silent about mistakes in a body, or panics without saying what to do: it loses the first of two values that are
//! yielded without an await in between, and everything that is yielded and never awaited; it cannot drive a body that
//! awaits something else, and a `Co` that is used elsewhere breaks it. Here each of these ends the coroutine with an
//! Exception that says what to write instead, with debug assertions and without.

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

/// A generator of the `genawaiter` crate: an async block that yields through a [`Co`].
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
    /// Looks at the body as it stops, and ends it if it made a mistake: `genawaiter` could not drive it on.
    /// The number stands here, not in the `Body`, so that a Runner is as small as can be.
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
