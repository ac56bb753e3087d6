//! The queues of squall, as the base class of those in `squall.queues`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pyo3::{PyTraverseError, PyVisit};
use squall::queues;

use crate::affine::py;
use crate::convert::{seconds, seconds_until};
use crate::future::PyFuture;
use crate::locks::Line;
use crate::names::names;
use crate::value::{checked, Value};

/// A queue of Python objects.
#[pyclass(module = "squall._squall", subclass, frozen, weakref, dict)]
pub(crate) struct Queue(Line<queues::Queue<Value>>);

/// Returns an instance of an exception class of the package.
fn raised(class: &Py<PyAny>) -> PyErr {
    let py = py();
    class.call0(py).map_or_else(|raised| raised, |made| PyErr::from_value(made.into_bound(py)))
}

#[pymethods]
impl Queue {
    #[new]
    #[pyo3(signature = (kind, maxsize, *_args, **_kwargs))]
    fn new(
        kind: &str,
        maxsize: usize,
        _args: &Bound<'_, PyTuple>,
        _kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let make: fn(usize) -> queues::Queue<Value> = match kind {
            "fifo" => queues::Queue::new,
            "lifo" => |maxsize| queues::Queue::clone(&queues::LifoQueue::new(maxsize)),
            "priority" => |maxsize| queues::Queue::clone(&queues::PriorityQueue::new(maxsize)),
            _ => return Err(PyValueError::new_err("fifo, lifo or priority")),
        };
        Ok(Self(Line::new(move || make(maxsize))))
    }

    fn qsize(&self) -> PyResult<usize> {
        Ok(self.0.get()?.qsize())
    }

    fn empty(&self) -> PyResult<bool> {
        Ok(self.0.get()?.empty())
    }

    fn full(&self) -> PyResult<bool> {
        Ok(self.0.get()?.full())
    }

    /// Returns a Future that is done when the item is in the queue.
    #[pyo3(signature = (item, timeout=None))]
    fn put(
        &self,
        py: Python<'_>,
        item: Py<PyAny>,
        timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyFuture>> {
        let (queue, item, limit) = (self.0.get_to_wait(py)?, Value(item), seconds_until(timeout)?);
        let put = checked(|| match limit {
            None => queue.put(item),
            Some(limit) => queue.put_within(item, seconds(limit)),
        })?;
        self.0.request(py, put, limit)
    }

    fn put_nowait(&self, py: Python<'_>, item: Py<PyAny>) -> PyResult<()> {
        let queue = self.0.get()?;
        checked(|| queue.put_nowait(Value(item)))?.map_err(|_| raised(&names(py).queue_full))
    }

    /// Returns a Future of the next item.
    #[pyo3(signature = (timeout=None))]
    fn get(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyFuture>> {
        let (queue, limit) = (self.0.get_to_wait(py)?, seconds_until(timeout)?);
        let get = checked(|| limit.map_or_else(|| queue.get(), |limit| queue.get_within(seconds(limit))))?;
        self.0.request(py, get, limit)
    }

    fn get_nowait(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let queue = self.0.get()?;
        checked(|| queue.get_nowait())?.map(|item| item.0).map_err(|_| raised(&names(py).queue_empty))
    }

    fn task_done(&self) -> PyResult<()> {
        let done = self.0.get()?.task_done();
        done.map_err(|_| PyValueError::new_err("task_done() called too many times"))
    }

    /// Returns a Future that is done when `task_done` was called for each item.
    #[pyo3(signature = (timeout=None))]
    fn join(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyFuture>> {
        let (queue, limit) = (self.0.get_to_wait(py)?, seconds_until(timeout)?);
        let join = limit.map_or_else(|| queue.join(), |limit| queue.join_within(seconds(limit)));
        self.0.request(py, join, limit)
    }

    /// Returns the counts as Tornado prints them.
    fn _counts(&self) -> PyResult<String> {
        Ok(format!("{:?}", self.0.get()?))
    }

    /// Returns the items, in arbitrary order.
    fn _items(&self, py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
        let mut items = Vec::new();
        self.0.get()?.each(&mut |item| items.push(item.0.clone_ref(py)));
        Ok(items)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(visit, |queue, visit| queue.each(&mut |item| visit.show(&item.0)))
    }

    fn __clear__(&self) {
        self.0.clear(|queue| while queue.get_nowait().is_ok() {});
    }
}

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Queue>()
}
