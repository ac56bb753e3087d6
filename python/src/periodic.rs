//! `PeriodicCallback` of squall, as the base class of the one in `squall.ioloop`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pyo3::{PyTraverseError, PyVisit};
use squall::PeriodicCallback as Periodic;

use crate::affine::{py, Affine};
use crate::body::peek;
use crate::collect;
use crate::convert::{converted, seconds};
use crate::future::PyFuture;
use crate::ioloop::ensure_current;
use crate::names::names;
use crate::raised::{from_python, report_callback, to_python};
use crate::shaped::{Shaped, Source};

/// Calls a function at an interval.
#[pyclass(module = "squall._squall", subclass, frozen, weakref, dict)]
pub(crate) struct PeriodicCallback {
    inner: Affine<Inner>,
}

struct Inner {
    periodic: RefCell<Option<Periodic>>,
    callback: Rc<Cell<Option<Py<PyAny>>>>,
}

/// Calls the callback, and returns the Future of the coroutine that it returns, if it returns one.
fn call(callback: &Py<PyAny>) -> PyResult<Option<Py<PyFuture>>> {
    let py = py();
    let result = callback.call0(py)?;
    if result.is_none(py) {
        return Ok(None);
    }
    match converted(result.bind(py)) {
        Err(raised) if raised.is_instance(py, names(py).bad_yield.bind(py)) => Ok(None),
        future => future.map(Some),
    }
}

/// Waits for what the callback returned.
async fn finished(future: Option<Py<PyFuture>>) -> squall::Result<()> {
    let Some(future) = future else { return Ok(()) };
    let core = future.get().core().map_err(from_python)?;
    Shaped::future(Source::Any(core)).await.map(drop)
}

#[pymethods]
impl PeriodicCallback {
    #[new]
    #[pyo3(signature = (callback, period, jitter, *_args, **_kwargs))]
    fn new(
        callback: Py<PyAny>,
        period: f64,
        jitter: f64,
        _args: &Bound<'_, PyTuple>,
        _kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        if seconds(period).is_zero() {
            return Err(PyValueError::new_err("Periodic callback must have a positive callback_time"));
        }
        if !(0.0..2.0).contains(&jitter) {
            return Err(PyValueError::new_err("jitter must be from 0 to less than 2"));
        }
        let callback = Rc::new(Cell::new(Some(callback)));
        let called = callback.clone();
        let periodic = Periodic::new(
            move || {
                let callback = peek(&called, |callback| callback.map(|callback| callback.clone_ref(py())));
                async move {
                    let Some(callback) = callback else { return Ok::<(), squall::Exception>(()) };
                    let outcome = match call(&callback) {
                        Ok(future) => finished(future).await,
                        Err(raised) => Err(from_python(raised)),
                    };
                    if let Err(exception) = outcome {
                        report_callback(py(), &callback, to_python(&exception));
                    }
                    Ok(())
                }
            },
            seconds(period),
        );
        let periodic = if jitter > 0.0 { periodic.jitter(jitter) } else { periodic };
        let periodic = RefCell::new(Some(periodic));
        Ok(Self { inner: Affine::new(Inner { periodic, callback }) })
    }

    fn _start(&self, py: Python<'_>) -> PyResult<()> {
        ensure_current(py)?;
        self.inner.get()?.periodic.borrow().iter().for_each(Periodic::start);
        Ok(())
    }

    fn stop(&self) -> PyResult<()> {
        self.inner.get()?.periodic.borrow().iter().for_each(Periodic::stop);
        Ok(())
    }

    fn is_running(&self) -> PyResult<bool> {
        Ok(self.inner.get()?.periodic.borrow().as_ref().is_some_and(Periodic::is_running))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Some(inner) = self.inner.try_get() else { return Ok(()) };
        let runs = inner.periodic.borrow().as_ref().is_some_and(Periodic::is_running);
        if runs {
            // The timer of the loop calls it.
            return Ok(());
        }
        collect::traverse(visit, |visit| {
            peek(&inner.callback, |callback| callback.into_iter().for_each(|callback| visit.show(callback)));
        })
    }

    fn __clear__(&self) {
        if let Some(inner) = self.inner.try_get() {
            drop(inner.callback.take());
        }
    }
}

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PeriodicCallback>()
}
