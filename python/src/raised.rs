//! Exceptions between Python and squall: the object stays the same, with its own traceback.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use pyo3::exceptions::PyBaseException;
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PySystemExit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTraceback};
use squall::resolvable::State;
use squall::trace::Problem;
use squall::{Error, Exception, IoLoop};

use crate::affine::py;
use crate::lines::{interned, raised_at};
use crate::names::names;

/// A Python exception inside a squall one.
pub(crate) struct Raised {
    pub(crate) exception: Py<PyBaseException>,
    /// The traceback that it had when it left its coroutine. Raising it again begins with this one, so that it does not
    /// grow.
    pub(crate) traceback: Option<Py<PyTraceback>>,
}

impl fmt::Debug for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Raised")
    }
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.exception.bind(py()).str().map(|text| text.to_string());
        f.write_str(&text.unwrap_or_default())
    }
}

impl std::error::Error for Raised {}

thread_local! {
    /// `KeyboardInterrupt` or `SystemExit`, on its way out of the run.
    static LEAVING: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// Returns whether it ends the program rather than a coroutine.
pub(crate) fn is_leaving(py: Python<'_>, raised: &PyErr) -> bool {
    raised.is_instance_of::<PyKeyboardInterrupt>(py) || raised.is_instance_of::<PySystemExit>(py)
}

/// Lets the exception leave the run of the current loop.
pub(crate) fn leave(raised: PyErr) {
    LEAVING.set(Some(raised));
    IoLoop::current().stop();
}

/// Takes the exception that is to leave the run or the call.
pub(crate) fn take_leaving() -> Option<PyErr> {
    LEAVING.take()
}

/// Converts Python's exception into squall's.
#[cold]
pub(crate) fn from_python(raised: PyErr) -> Exception {
    let py = py();
    if is_leaving(py, &raised) {
        leave(raised.clone_ref(py));
    }
    if raised.is_instance(py, names(py).cancelled.bind(py)) {
        return Error::Cancelled.into();
    }
    let traceback = raised.traceback(py).map(Bound::unbind);
    let place = traceback.as_ref().and_then(|traceback| raised_at(traceback.bind(py)));
    let exception = raised.into_value(py);
    let name = exception.bind(py).get_type().name();
    let name = name.map_or("Exception", |name: Bound<'_, PyString>| interned(&name.to_string()));
    let raised = Exception::named(name, Raised { exception, traceback });
    match place {
        Some(place) => raised.at(place),
        None => raised,
    }
}

/// Converts squall's exception into Python's: the same object, if it was one.
#[cold]
pub(crate) fn to_python(exception: &Exception) -> PyErr {
    let py = py();
    if let Some(Raised { exception, traceback }) = exception.downcast_ref() {
        let exception = exception.bind(py);
        // Before the `PyErr` is made, which takes the traceback that the exception has then.
        if let Err(raised) = exception.setattr(intern!(py, "__traceback__"), traceback.as_ref()) {
            return raised;
        }
        return PyErr::from_value(exception.clone().into_any());
    }
    let names = names(py);
    let made = match exception.downcast_ref::<Error>() {
        Some(Error::Timeout) => names.timeout.call1(py, ("Timeout",)),
        Some(Error::RunSyncTimeout { .. }) => names.timeout.call1(py, (exception.to_string(),)),
        Some(Error::BadYield(_)) => names.bad_yield.call1(py, (exception.to_string(),)),
        Some(Error::Cancelled) => names.cancelled.call0(py),
        Some(Error::InvalidState(text)) => names.invalid_state.call1(py, (*text,)),
        Some(Error::Deadlock { .. }) => names.deadlock.call1(py, (exception.to_string(),)),
        Some(Error::LoopStopped) => {
            return PyRuntimeError::new_err("Event loop stopped before Future completed.")
        }
        _ => return PyRuntimeError::new_err(exception.to_string()),
    };
    made.map_or_else(|raised| raised, |made| PyErr::from_value(made.into_bound(py)))
}

/// Returns asyncio's error of an operation that the Future's state does not allow.
#[cold]
pub(crate) fn invalid_state(text: &'static str) -> PyErr {
    to_python(&Error::InvalidState(text).into())
}

/// Returns the error of a Future without a value.
pub(crate) fn without_value(state: State, exception: Option<Exception>, pending: &'static str) -> PyErr {
    match (state, exception) {
        (State::Pending, _) => invalid_state(pending),
        (_, Some(exception)) => to_python(&exception),
        (_, None) => invalid_state("the result was taken"),
    }
}

/// Reports an exception that nothing received, by the function of the Python side.
pub(crate) fn report(py: Python<'_>, text: &str, raised: PyErr, callback: Option<&Py<PyAny>>) {
    let callback = callback.map_or_else(|| py.None(), |callback| callback.clone_ref(py));
    if let Err(raised) = names(py).report.call1(py, (text, raised.into_value(py), callback)) {
        raised.write_unraisable(py, None);
    }
}

/// Reports an exception of a callback, as `IOLoop` does.
pub(crate) fn report_callback(py: Python<'_>, callback: &Py<PyAny>, raised: PyErr) {
    if raised.is_instance(py, names(py).cancelled.bind(py)) {
        return;
    }
    if is_leaving(py, &raised) {
        return leave(raised);
    }
    report(py, Problem::Callback.text(), raised, Some(callback));
}

/// Sends the problems of this thread to the Python side.
pub(crate) fn report_to_python() {
    squall_runner::report::report_to(Some(Rc::new(|problem, exception| {
        let py = py();
        let raised = to_python(exception);
        if !is_leaving(py, &raised) {
            report(py, problem.text(), raised, None);
        }
    })));
}
