//! `WaitIterator` of squall, as the base class of the one in `squall.gen`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pyo3::{PyTraverseError, PyVisit};
use squall::{Future, WaitIterator as Iterator_};

use crate::affine::Affine;
use crate::body::peek;
use crate::collect;
use crate::future::{PyFuture, ResolvedBy};
use crate::ioloop::ensure_current;
use crate::shaped::{Shaped, Source};
use crate::value::Value;
use crate::waiters::Keep;

/// The results of several Futures, as they finish.
#[pyclass(module = "squall._squall", subclass, frozen, weakref, dict)]
pub(crate) struct WaitIterator(Affine<Inner>);

struct Inner {
    iterator: RefCell<Iterator_<Value>>,
    /// The Futures in the list that may still be pending.
    futures: Vec<Py<PyFuture>>,
    /// The Future that the last `next` returned.
    next: Cell<Option<Py<PyFuture>>>,
}

#[pymethods]
impl WaitIterator {
    #[new]
    #[pyo3(signature = (futures, *_args, **_kwargs))]
    fn new(
        py: Python<'_>,
        futures: Vec<Py<PyFuture>>,
        _args: &Bound<'_, PyTuple>,
        _kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        ensure_current(py)?;
        let values = futures.iter().map(|future| {
            let value = Shaped::future(Source::Any(future.get().core()?));
            drop(value.clone());
            Ok(value)
        });
        let iterator = RefCell::new(Iterator_::new(values.collect::<PyResult<Vec<Future<Value>>>>()?));
        Ok(Self(Affine::new(Inner { iterator, futures, next: Cell::new(None) })))
    }

    fn _is_done(&self) -> PyResult<bool> {
        Ok(self.0.get()?.iterator.borrow().done())
    }

    fn _next(&self, py: Python<'_>) -> PyResult<Py<PyFuture>> {
        ensure_current(py)?;
        let inner = self.0.get()?;
        let next = inner.iterator.borrow_mut().next();
        let next = PyFuture::of(py, next, ResolvedBy::Holders)?;
        if !next.get().core()?.done() {
            // Each of them may be the one that resolves it.
            let awaited = Rc::new(Cell::new(1));
            for future in &inner.futures {
                let core = future.get().core()?;
                if !core.done() {
                    Keep::until(&core, next.clone_ref(py), &awaited);
                }
            }
            inner.next.set(Some(next.clone_ref(py)));
        }
        Ok(next)
    }

    fn _index(&self) -> PyResult<Option<usize>> {
        Ok(self.0.get()?.iterator.borrow().current_index())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Some(inner) = self.0.try_get() else { return Ok(()) };
        collect::traverse(visit, |visit| {
            inner.futures.iter().for_each(|future| visit.show(future));
            peek(&inner.next, |next| next.into_iter().for_each(|next| visit.show(next)));
        })
    }

    fn __clear__(&self) {
        if let Some(inner) = self.0.try_get() {
            drop(inner.next.take());
        }
    }
}

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<WaitIterator>()
}
