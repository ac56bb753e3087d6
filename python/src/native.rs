//! Native coroutines: Python's `async def`, driven by squall's tasks.

use std::any::Any;
use std::future::Future as StdFuture;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as PollContext, Poll};

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;
use squall::{AnyFuture, Coroutine, Exception, Future, Place, Result};
use squall_runner::native::{await_done, await_turn, start_foreign, yielded_at, Foreign};
use squall_runner::trace::has_observer;

use crate::affine::{py, send, Context, Sent};
use crate::body::{peek, Body};
use crate::convert::converted;
use crate::current_task::as_current_task;
use crate::future::PyFuture;
use crate::generator::throw;
use crate::ioloop::ensure_current;
use crate::libraries::as_code_of;
use crate::lines::{coroutine_of_call, program_of, running_line};
use crate::names::names;
use crate::raised::{from_python, to_python};
use crate::value::Value;
use crate::variables::{tell_arguments_of, tell_variables};

/// A Python coroutine as the body of a task.
struct Native {
    body: Rc<Body>,
    coroutine: &'static Coroutine,
    /// The Future that it awaits; one that is done before its first step, and after a bare `yield`.
    awaits: AnyFuture,
}

impl Native {
    /// Makes one step, as the task that asyncio sees as the current one.
    fn step(&self, py: Python<'_>, resume: impl FnOnce(&Py<PyAny>) -> Sent) -> Sent {
        drop(self.body.awaited.take().map(|awaited| awaited.into_bound(py)));
        let Some(inner) = self.body.inner.take() else { return Sent::Returned(py.None()) };
        let task = peek(&self.body.result, |result| result.map(|result| result.bind(py).clone()));
        let sent = as_current_task(py, task.as_ref(), || {
            as_code_of(self.coroutine, || {
                let sent = self.body.within(|| resume(&inner));
                if has_observer() && matches!(sent, Sent::Yielded(_)) {
                    tell_variables(inner.bind(py));
                }
                sent
            })
        });
        if matches!(sent, Sent::Yielded(_)) {
            self.body.inner.set(Some(inner));
        }
        sent
    }

    /// Raises the cancellation where the coroutine waits.
    #[cold]
    fn cancel(&self, py: Python<'_>, cancelled: &Exception) -> Sent {
        let raised = self.body.cancellation().unwrap_or_else(|| to_python(cancelled));
        self.step(py, |inner| throw(py, inner, raised))
    }

    /// Returns the Future object that an `await` has come down to.
    fn awaited(py: Python<'_>, yielded: &Bound<'_, PyAny>) -> PyResult<Py<PyFuture>> {
        if let Ok(future) = yielded.cast::<PyFuture>() {
            future.get().core()?;
            return Ok(future.clone().unbind());
        }
        if yielded.getattr_opt(intern!(py, "_asyncio_future_blocking"))?.is_none() {
            return Err(PyRuntimeError::new_err(format!("Task got bad yield: {}", yielded.repr()?)));
        }
        yielded.setattr(intern!(py, "_asyncio_future_blocking"), false)?;
        converted(yielded)
    }
}

impl StdFuture for Native {
    type Output = Result<Value>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut PollContext<'_>) -> Poll<Result<Value>> {
        let (this, py) = (&mut *self, py());
        let mut sent = match await_done(&this.awaits, None, cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(())) => this.step(py, |inner| send(inner, py.None().bind(py))),
            Poll::Ready(Err(cancelled)) => this.cancel(py, &cancelled),
        };
        loop {
            match sent {
                Sent::Yielded(yielded) if yielded.is_none(py) => {
                    drop(yielded.into_bound(py));
                    this.awaits = done();
                    await_turn(cx);
                    return Poll::Pending;
                }
                Sent::Yielded(yielded) => match this.body.within(|| Self::awaited(py, yielded.bind(py))) {
                    Ok(future) => {
                        this.awaits = match future.get().core() {
                            Ok(core) => core,
                            Err(raised) => return Poll::Ready(Err(from_python(raised))),
                        };
                        this.body.awaited.set(Some(future));
                        match await_done(&this.awaits, None, cx) {
                            Poll::Pending => return Poll::Pending,
                            Poll::Ready(Ok(())) => {
                                sent = this.step(py, |inner| send(inner, py.None().bind(py)));
                            }
                            Poll::Ready(Err(cancelled)) => sent = this.cancel(py, &cancelled),
                        }
                    }
                    Err(raised) => sent = this.step(py, |inner| throw(py, inner, raised)),
                },
                Sent::Returned(value) => {
                    this.body.end();
                    return Poll::Ready(Ok(Value(value)));
                }
                Sent::Raised(raised) => {
                    if raised.is_instance(py, names(py).cancelled.bind(py)) {
                        this.body.keep_message(&raised);
                    }
                    let exception = from_python(raised);
                    this.body.end();
                    return Poll::Ready(Err(exception));
                }
            }
        }
    }
}

impl Foreign for Native {
    type Value = Value;

    fn place(&self) -> Option<Place> {
        self.body.place()
    }

    fn held(&self, visit: &mut dyn FnMut(&dyn Any)) {
        visit(&self.body);
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        self.body.abandon();
    }
}

/// Returns a Future that is done, which is awaited where there is nothing to wait for.
fn done() -> AnyFuture {
    thread_local!(static DONE: AnyFuture = Future::ready(()).erase());
    DONE.try_with(AnyFuture::clone).unwrap_or_else(|_| Future::ready(()).erase())
}

/// Starts a Python coroutine in the next turn of the loop.
pub(crate) fn start(coroutine: &Bound<'_, PyAny>) -> PyResult<Py<PyFuture>> {
    let py = coroutine.py();
    ensure_current(py)?;
    let name = coroutine.getattr_opt(intern!(py, "__name__"))?;
    let name = name.unwrap_or_else(|| PyString::new(py, "coroutine").into_any());
    let code = coroutine.getattr_opt(intern!(py, "cr_code"))?;
    let called = has_observer().then(|| program_of(coroutine, code.as_ref()?)).flatten();
    let described = called.unwrap_or_else(|| coroutine_of_call(&name, code.as_ref()));
    let body = Body::new(Context::copy_current(py)?);
    body.inner.set(Some(coroutine.clone().unbind()));
    let native = Box::new(Native { body: body.clone(), coroutine: described, awaits: done() });
    let future = match running_line(py) {
        Some(place) => as_code_of(described, || {
            tell_arguments_of(coroutine);
            yielded_at(place, || start_foreign(described, native))
        }),
        None => start_foreign(described, native),
    };
    PyFuture::of_body(py, future, &body)
}

/// Starts a coroutine, or anything like one that has its methods, and returns the Future of its result.
#[pyfunction]
pub(crate) fn task(coroutine: &Bound<'_, PyAny>) -> PyResult<Py<PyFuture>> {
    start(coroutine)
}
