//! [`Body`]: the Python side of a coroutine that was called: its generator, and the Futures on both of its ends.

use std::cell::Cell;
use std::rc::Rc;

use pyo3::prelude::*;
use squall_runner::Place;

use crate::affine::{py, Context};
use crate::cancelled;
use crate::future::PyFuture;
use crate::lines::suspended_at;

/// A generator or coroutine, shared by what drives it and by the Future object of its result.
///
/// To the collector it is a part of that Future object. So a suspended coroutine is alive if its result is held, or if
/// what it waits for is: the Future that it waits for shows the collector this coroutine's result.
#[derive(Default)]
pub(crate) struct Body {
    /// The generator or coroutine; `None` while it runs, and after its end. Before its first step, the decorated function.
    pub(crate) inner: Cell<Option<Py<PyAny>>>,
    /// The context variables; `None` when `inner` is.
    pub(crate) context: Cell<Option<Context>>,
    /// The Future object that it waits for.
    pub(crate) awaited: Cell<Option<Py<PyFuture>>>,
    /// The Future object of its result, from its first wait to its end.
    pub(crate) result: Cell<Option<Py<PyFuture>>>,
    /// `true` if it ended by raising `CancelledError`.
    pub(crate) cancelled: Cell<bool>,
}

/// Calls `f` with what a cell holds, which it holds again afterwards.
pub(crate) fn peek<T, R>(cell: &Cell<Option<T>>, f: impl FnOnce(Option<&T>) -> R) -> R {
    let it = cell.take();
    let result = f(it.as_ref());
    cell.set(it);
    result
}

impl Body {
    pub(crate) fn new(context: Context) -> Rc<Self> {
        Rc::new(Self { context: Cell::new(Some(context)), ..Self::default() })
    }

    /// Calls `f` in the context of the coroutine.
    #[inline]
    pub(crate) fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        let Some(context) = self.context.take() else { return f() };
        let result = context.run(f);
        self.context.set(Some(context));
        result
    }

    /// Returns the line at which it is suspended.
    pub(crate) fn place(&self) -> Option<Place> {
        let inner = peek(&self.inner, |inner| inner.map(|inner| inner.clone_ref(py())))?;
        suspended_at(inner.bind(py()))
    }

    /// Returns the exception that the coroutine raises where it waits, when it is cancelled.
    pub(crate) fn cancellation(&self) -> Option<PyErr> {
        let result = peek(&self.result, |result| result.map(|result| result.clone_ref(py())));
        result.map(|result| cancelled::raised(result.bind(py())))
    }

    /// Returns the exception of the Future that it waits for, which was cancelled.
    pub(crate) fn awaited_cancellation(&self) -> Option<PyErr> {
        let awaited = peek(&self.awaited, |awaited| awaited.map(|awaited| awaited.clone_ref(py())));
        awaited.map(|awaited| cancelled::raised(awaited.bind(py())))
    }

    /// Keeps the message of the `CancelledError` by which the coroutine ends.
    pub(crate) fn keep_message(&self, raised: &PyErr) {
        let py = py();
        let result = peek(&self.result, |result| result.map(|result| result.clone_ref(py)));
        if let Some(Err(raised)) =
            result.map(|result| cancelled::take_over(result.bind(py), raised.value(py)))
        {
            raised.write_unraisable(py, None);
        }
    }

    /// Drops everything at the end of the coroutine. The callbacks of its result get a handle of the Future object
    /// before, which they will be called with.
    pub(crate) fn end(&self) {
        drop((self.inner.take(), self.context.take(), self.awaited.take()));
        if let Some(result) = self.result.take() {
            result.get().pin(&result);
        }
    }

    /// Drops everything without an end: the loop was closed, or nothing can resume it any more.
    pub(crate) fn abandon(&self) {
        drop((self.inner.take(), self.context.take(), self.awaited.take(), self.result.take()));
    }
}
