//! `convert_yielded`: what a coroutine may yield, as a Future object.

use std::cell::Cell;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyDictMethods, PyList};
use squall::{AnyFuture, Error, Exception, Future};

use crate::future::{PyFuture, ResolvedBy};
use crate::generator::turn;
use crate::ioloop::ensure_current;
use crate::names::names;
use crate::native;
use crate::raised::to_python;
use crate::shaped::{Shaped, Source};
use crate::waiters::Keep;

/// Converts something that was yielded into a Future object.
///
/// # Errors
/// `BadYieldError` if it cannot be waited for; what the registry of `convert_yielded` raises.
pub(crate) fn converted(yielded: &Bound<'_, PyAny>) -> PyResult<Py<PyFuture>> {
    let py = yielded.py();
    if is_moment(yielded) {
        return PyFuture::erased(py, turn());
    }
    if let Ok(future) = yielded.cast::<PyFuture>() {
        return Ok(future.clone().unbind());
    }
    if yielded.is_instance_of::<PyList>() || yielded.is_instance_of::<PyDict>() {
        return multi(yielded, None);
    }
    if yielded.get_type().is(&names(py).coroutine) {
        return native::start(yielded);
    }
    let converted = names(py).convert.bind(py).call1((yielded,))?;
    Ok(converted.cast_into::<PyFuture>()?.unbind())
}

/// Converts what is yielded into a Future of this package: for the fixed kinds, which no registry changes.
#[pyfunction]
pub(crate) fn convert(yielded: &Bound<'_, PyAny>) -> PyResult<Py<PyFuture>> {
    converted(yielded)
}

/// `gen.moment`, which each thread may yield.
static MOMENT: PyOnceLock<Py<PyFuture>> = PyOnceLock::new();

/// Returns the Future object of squall's `moment`.
#[pyfunction]
pub(crate) fn moment(py: Python<'_>) -> PyResult<Py<PyFuture>> {
    Ok(MOMENT.get_or_try_init(py, || PyFuture::erased(py, turn()))?.clone_ref(py))
}

/// Returns whether something that was yielded takes one turn: `None` or `gen.moment`.
#[inline]
pub(crate) fn is_moment(yielded: &Bound<'_, PyAny>) -> bool {
    yielded.is_none() || MOMENT.get(yielded.py()).is_some_and(|moment| yielded.is(moment))
}

/// Returns whether an exception is an instance of `quiet`, or a cancellation.
fn is_quiet(quiet: Option<&Py<PyAny>>, exception: &Exception) -> bool {
    if exception.downcast_ref() == Some(&Error::Cancelled) {
        return true;
    }
    let py = crate::affine::py();
    quiet.is_some_and(|quiet| to_python(exception).is_instance(py, quiet.bind(py)))
}

/// Returns a Future of the results of a list or dict.
#[pyfunction]
#[pyo3(signature = (children, quiet=None))]
pub(crate) fn multi(children: &Bound<'_, PyAny>, quiet: Option<Py<PyAny>>) -> PyResult<Py<PyFuture>> {
    let py = children.py();
    ensure_current(py)?;
    let (keys, children) = match children.cast::<PyDict>() {
        Ok(dict) => (Some(dict.keys().unbind()), dict.values().into_any()),
        Err(_) => (None, children.clone()),
    };
    let children: Vec<Py<PyFuture>> =
        children.try_iter()?.map(|child| converted(&child?)).collect::<PyResult<_>>()?;
    let cores: Vec<AnyFuture> = children.iter().map(|child| child.get().core()).collect::<PyResult<_>>()?;
    let listed = squall::multi_quiet(cores.clone(), move |exception| is_quiet(quiet.as_ref(), exception));
    let list = PyFuture::of(py, Shaped::future(Source::List(listed, keys)), ResolvedBy::Holders)?;
    if !list.get().core()?.done() {
        let mut seen = HashSet::new();
        let pending = cores.iter().filter(|core| !core.done() && seen.insert(core.address()));
        let pending: Vec<_> = pending.collect();
        let awaited = Rc::new(Cell::new(pending.len()));
        pending.iter().for_each(|core| Keep::until(core, list.clone_ref(py), &awaited));
        if pending.is_empty() {
            Keep::anchor(py, &list)?;
        }
    }
    Ok(list)
}

/// Converts a number of seconds, which may be negative, into a duration.
pub(crate) fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(if seconds > 0.0 {
        Duration::MAX
    } else {
        Duration::ZERO
    })
}

/// Converts the deadline of a request, if it has one, into seconds from now.
pub(crate) fn seconds_until(deadline: Option<&Bound<'_, PyAny>>) -> PyResult<Option<f64>> {
    let Some(deadline) = deadline else { return Ok(None) };
    let py = deadline.py();
    names(py).seconds_until.bind(py).call1((deadline,))?.extract().map(Some)
}

/// Returns a Future that is done after some seconds.
#[pyfunction]
pub(crate) fn sleep(py: Python<'_>, duration: f64) -> PyResult<Py<PyFuture>> {
    ensure_current(py)?;
    PyFuture::of(py, squall::sleep(seconds(duration)), ResolvedBy::Others)
}

/// Returns a Future with the result of another, which fails after some seconds.
#[pyfunction]
#[pyo3(signature = (timeout, future, quiet=None, message=None))]
pub(crate) fn with_timeout(
    py: Python<'_>,
    timeout: f64,
    future: &Bound<'_, PyFuture>,
    quiet: Option<Py<PyAny>>,
    message: Option<Py<PyAny>>,
) -> PyResult<Py<PyFuture>> {
    ensure_current(py)?;
    let quiet = move |exception: &Exception| is_quiet(quiet.as_ref(), exception);
    let inside = if is_moment(future) { turn() } else { future.get().core()? };
    let limited: Future<AnyFuture> = squall::with_timeout_erased_quiet(seconds(timeout), inside, quiet);
    let limited = PyFuture::of(
        py,
        Shaped::future(Source::Limited { future: limited, message, _inside: future.clone().unbind() }),
        ResolvedBy::Holders,
    )?;
    Keep::anchor(py, &limited)?;
    Ok(limited)
}
