//! The messages of cancellations: `cancel(msg)` of asyncio, and the `CancelledError` that it becomes.
//!
//! squall's Futures are cancelled without a message. So it is an attribute of the Future object, which asyncio's Futures
//! have too.

use std::cell::RefCell;
use std::iter::successors;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::future::PyFuture;
use crate::names::names;

/// How many coroutines that wait for each other a message goes down at most: they may wait in a circle.
const DEPTH: usize = 1000;

thread_local! {
    /// The message of the cancellation that is under way.
    static MESSAGE: RefCell<Option<Py<PyAny>>> = const { RefCell::new(None) };
}

fn attribute(py: Python<'_>) -> &Bound<'_, PyString> {
    intern!(py, "_cancel_message")
}

/// Sets the message of a Future object.
pub(crate) fn set_message(future: &Bound<'_, PyFuture>, message: &Bound<'_, PyAny>) -> PyResult<()> {
    future.setattr(attribute(future.py()), message)
}

/// Calls `cancel`, which cancels `future` with `message`.
pub(crate) fn with_message(
    future: &Bound<'_, PyFuture>,
    message: Option<Py<PyAny>>,
    cancel: impl FnOnce() -> bool,
) -> PyResult<bool> {
    let Some(message) = message else { return Ok(cancel()) };
    // The cancellation goes down to what a coroutine waits for, and comes up from there.
    let awaited = |it: &Bound<'_, PyFuture>| Some(it.get().awaited()?.into_bound(future.py()));
    for reached in successors(Some(future.clone()), awaited).take(DEPTH) {
        set_message(&reached, message.bind(future.py()))?;
    }
    let before = MESSAGE.replace(Some(message));
    let cancelled = cancel();
    MESSAGE.set(before);
    Ok(cancelled)
}

/// Calls the method `cancel` of something that a cancellation reaches, with the message of that.
pub(crate) fn pass_on(future: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = future.py();
    let message = MESSAGE.with_borrow(|message| message.as_ref().map(|message| message.clone_ref(py)));
    let cancelled = match message {
        None => future.call_method0(intern!(py, "cancel"))?,
        Some(message) => {
            let named = PyDict::new(py);
            named.set_item(intern!(py, "msg"), message)?;
            future.call_method(intern!(py, "cancel"), (), Some(&named))?
        }
    };
    cancelled.is_truthy()
}

/// Takes over the message of a Future of asyncio, which was cancelled, or of a `CancelledError`.
pub(crate) fn take_over(future: &Bound<'_, PyFuture>, from: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = future.py();
    let message = match from.getattr_opt(attribute(py))? {
        Some(message) => Some(message),
        None => match from.getattr_opt(intern!(py, "args"))? {
            Some(args) => args.cast_into::<PyTuple>()?.get_item(0).ok(),
            None => None,
        },
    };
    message.filter(|message| !message.is_none()).map_or(Ok(()), |message| set_message(future, &message))
}

/// Returns the exception that a cancelled Future raises.
#[cold]
pub(crate) fn raised(future: &Bound<'_, PyFuture>) -> PyErr {
    let py = future.py();
    let class = names(py).cancelled.bind(py);
    let message = future.getattr_opt(attribute(py)).ok().flatten();
    let made = match message.filter(|message| !message.is_none()) {
        Some(message) => class.call1((message,)),
        None => class.call0(),
    };
    made.map_or_else(|raised| raised, PyErr::from_value)
}
