//! Foreign `std::future::Future`s inside those of squall: [`Raising`], the body of a native coroutine, and [`Wrapped`].

use std::future::Future as StdFuture;
use std::pin::Pin;
use std::task::{ready, Context, Poll};

use crate::exception::{Exception, Result};
use crate::foreign::discard_in_place;

pin_project_lite::pin_project! {
    /// A foreign Future, which is dropped under a guard. Its poll may panic, and then its `Drop` may panic as well,
    /// while the stack unwinds: without the guard that would abort the process.
    pub(crate) struct Wrapped<F> {
        // `None` only while it is dropped.
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for Wrapped<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut future = this.project().future;
            discard_in_place(|| future.set(None));
        }
    }
}

impl<F: StdFuture> Wrapped<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future: Some(future) }
    }
}

impl<F: StdFuture> StdFuture for Wrapped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project().future.as_pin_mut() {
            Some(future) => future.poll(cx),
            None => unreachable!("it is polled before it is dropped"),
        }
    }
}

pin_project_lite::pin_project! {
    /// The body of a native coroutine: a foreign Future, whose error becomes an [`Exception`]. The Task polls it where
    /// it is and drops it afterwards, also after a panic. An `async` block around it would double its size, copy it once
    /// more, and drop it while a panic unwinds.
    pub(crate) struct Raising<F> {
        #[pin]
        future: F,
    }
}

impl<F> Raising<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future }
    }
}

impl<F, T, E> StdFuture for Raising<F>
where
    F: StdFuture<Output = Result<T, E>>,
    Exception: From<E>,
{
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        Poll::Ready(ready!(self.project().future.poll(cx)).map_err(Exception::from))
    }
}
