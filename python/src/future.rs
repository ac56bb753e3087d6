//! [`PyFuture`]: the class `squall.concurrent.Future`.

use std::cell::Cell;
use std::rc::Rc;

use pyo3::exceptions::PyBaseException;
use pyo3::exceptions::{PyRuntimeError, PyStopIteration, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};
use squall::resolvable::{Shared, State};
use squall::{AnyFuture, Future, Result};

use crate::affine::{py, stop_iteration, Affine, Context};
use crate::body::{peek, Body};
use crate::cancelled;
use crate::collect;
use crate::names::names;
use crate::raised::{from_python, invalid_state, to_python, without_value};
use crate::value::Value;
use crate::waiters::Done;

/// A result that is not there yet. Coroutines `yield` or `await` it.
#[pyclass(name = "Future", module = "squall.concurrent", frozen, weakref, dict, subclass)]
pub(crate) struct PyFuture(Affine<Inner>);

pub(crate) struct Inner {
    core: Cell<Core>,
    /// The state by which Python resolves it; `None` if something else does.
    own: Option<Rc<Shared<Value>>>,
    /// The coroutine whose result it is, if there is one.
    body: Option<Rc<Body>>,
    /// The kind of thing that resolves it otherwise.
    resolved_by: ResolvedBy,
    /// asyncio's sign that something awaits it.
    blocking: Cell<bool>,
}

/// The Future of squall behind an object.
enum Core {
    Future(AnyFuture),
    /// The value of a call that has ended at once: its Future is made when it is asked for. `None` once the collector has
    /// cleared the object.
    Value(Option<Value>),
}

impl Default for Core {
    fn default() -> Self {
        Self::Value(None)
    }
}

/// The kind of thing that resolves a Future, as far as the collector has to know.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResolvedBy {
    /// Only what holds the Future object: so its waiters live and die with it.
    Holders,
    /// Also something that the collector does not know, such as a timer.
    Others,
}

/// A type of result that Futures of this package have.
pub(crate) trait Result_: Clone + 'static {}
impl Result_ for Value {}
impl Result_ for bool {}
impl Result_ for () {}

/// Returns the value of a Future that is done.
pub(crate) fn value_of(core: AnyFuture) -> Result<Py<PyAny>> {
    if core.is::<Future<Value>>() {
        core.into_result::<Value>().map(|value| value.0)
    } else if core.is::<Future<bool>>() {
        Ok(PyBool::new(py(), core.into_result::<bool>()?).to_owned().into_any().unbind())
    } else if core.is::<Future<()>>() && !core.is_moment() {
        core.into_result::<()>().map(|()| py().None())
    } else {
        core.exception().map_or_else(|| Ok(py().None()), Err)
    }
}

/// Returns the result of a Future.
///
/// # Errors
/// Its exception; `InvalidStateError` if it is pending.
pub(crate) fn result_of(core: AnyFuture) -> PyResult<Py<PyAny>> {
    match core.state() {
        State::Done => value_of(core).map_err(|exception| to_python(&exception)),
        state => Err(without_value(state, core.exception(), "Result is not set.")),
    }
}

impl PyFuture {
    fn make(core: AnyFuture, own: Option<Rc<Shared<Value>>>, body: Option<Rc<Body>>, by: ResolvedBy) -> Self {
        Self::with(Core::Future(core), own, body, by)
    }

    fn with(core: Core, own: Option<Rc<Shared<Value>>>, body: Option<Rc<Body>>, by: ResolvedBy) -> Self {
        let (core, blocking) = (Cell::new(core), Cell::new(false));
        Self(Affine::new(Inner { core, own, body, resolved_by: by, blocking }))
    }

    /// Creates the object of a Future that is done with that value.
    pub(crate) fn settled(py: Python<'_>, value: Value) -> PyResult<Py<Self>> {
        Py::new(py, Self::with(Core::Value(Some(value)), None, None, ResolvedBy::Holders))
    }

    /// Creates the object of a Future of squall. Its value is cloned, never moved out.
    pub(crate) fn of<T: Result_>(py: Python<'_>, future: Future<T>, by: ResolvedBy) -> PyResult<Py<Self>> {
        drop(future.clone());
        Py::new(py, Self::make(future.erase(), None, None, by))
    }

    /// Creates the object of a Future whose type is erased, and which is done.
    pub(crate) fn erased(py: Python<'_>, core: AnyFuture) -> PyResult<Py<Self>> {
        Py::new(py, Self::make(core, None, None, ResolvedBy::Others))
    }

    /// Creates the object of a Future that something else than squall resolves, which `body` holds.
    pub(crate) fn of_foreign(py: Python<'_>, future: Future<Value>, body: Rc<Body>) -> PyResult<Py<Self>> {
        drop(future.clone());
        Py::new(py, Self::make(future.erase(), None, Some(body), ResolvedBy::Holders))
    }

    /// Creates the object of a coroutine's result. While the coroutine is pending, it holds that object.
    pub(crate) fn of_body(py: Python<'_>, future: Future<Value>, body: &Rc<Body>) -> PyResult<Py<Self>> {
        if body.cancelled.get() && future.done() {
            let cancelled = Self::pending();
            cancelled.0.get()?.core().cancel();
            return Py::new(py, cancelled);
        }
        drop(future.clone());
        if future.done() {
            return Py::new(py, Self::make(future.erase(), None, None, ResolvedBy::Holders));
        }
        let it = Py::new(py, Self::make(future.erase(), None, Some(body.clone()), ResolvedBy::Holders))?;
        body.result.set(Some(it.clone_ref(py)));
        Ok(it)
    }

    /// Creates a pending Future that Python resolves.
    pub(crate) fn pending() -> Self {
        let own = Rc::new(Shared::<Value>::new());
        let future = Future::from_core(own.clone());
        drop(future.clone());
        Self::make(future.erase(), Some(own), None, ResolvedBy::Holders)
    }

    /// Returns the Future of squall.
    #[inline]
    pub(crate) fn core(&self) -> PyResult<AnyFuture> {
        Ok(self.0.get()?.core())
    }

    /// Returns the Future object that the coroutine waits for whose result this is.
    pub(crate) fn awaited(&self) -> Option<Py<Self>> {
        let body = self.0.try_get()?.body.as_ref()?;
        peek(&body.awaited, |awaited| awaited.map(|awaited| awaited.clone_ref(py())))
    }

    /// Resolves or fails it, if Python may.
    pub(crate) fn set(&self, result: Result<Value>) -> PyResult<()> {
        let inner = self.0.get()?;
        match &inner.own {
            Some(own) if own.set(result) => Ok(()),
            _ => Err(invalid_state("invalid state")),
        }
    }

    /// Hands this object to the callbacks that wait, so that they are called with it and not with another one.
    pub(crate) fn pin(&self, this: &Py<Self>) {
        let Some(inner) = self.0.try_get() else { return };
        collect::each_waiter(&inner.core(), &mut |waiter| {
            if let Some(done) = waiter.downcast_ref::<Done>() {
                done.pin(this);
            }
        });
    }
}

impl Inner {
    #[inline]
    pub(crate) fn core(&self) -> AnyFuture {
        match self.core.take() {
            Core::Future(core) => {
                self.core.set(Core::Future(core.clone()));
                core
            }
            Core::Value(Some(value)) => {
                let future = Future::ready(value);
                // Its value is cloned, never moved out.
                drop(future.clone());
                let core = future.erase();
                self.core.set(Core::Future(core.clone()));
                core
            }
            Core::Value(None) => Future::ready(()).erase(),
        }
    }

    /// Calls `f` with what is behind the object.
    #[inline]
    fn peek<R>(&self, f: impl FnOnce(&Core) -> R) -> R {
        let core = self.core.take();
        let result = f(&core);
        self.core.set(core);
        result
    }

    /// Returns the value of a call that has ended at once, unless something has asked for its Future.
    #[inline]
    fn value(&self) -> Option<Py<PyAny>> {
        self.peek(|core| match core {
            Core::Value(Some(value)) => Some(value.clone().0),
            _ => None,
        })
    }

    #[inline]
    fn is_done(&self) -> bool {
        self.peek(|core| match core {
            Core::Future(core) => core.done(),
            Core::Value(_) => true,
        })
    }

    /// Returns how many handles of the Future this object has.
    fn own_handles(&self) -> usize {
        1 + usize::from(self.own.is_some())
    }

    /// Shows the collector what the object holds.
    fn traverse(&self, visit: &mut collect::Visit<'_, '_>) {
        if let Some(body) = &self.body {
            collect::body(body, visit);
        }
        self.peek(|core| match core {
            // The value may be in the hands of something else too, which the collector does not know.
            Core::Future(core) if core.done() && core.handles() == self.own_handles() => {
                collect::result(core, visit);
            }
            Core::Future(core) if !core.done() && self.resolved_by == ResolvedBy::Holders => {
                collect::waiters(core, visit);
            }
            Core::Value(Some(value)) => visit.show(&value.0),
            _ => {}
        });
    }

    /// Drops what the object holds, since the collector has found that nothing can reach it.
    fn clear(&self) {
        if let Some(body) = &self.body {
            body.abandon();
        }
        if self.is_done() {
            drop(self.core.take());
        } else if self.resolved_by == ResolvedBy::Holders {
            self.core().forget_waiters();
        }
    }
}

impl Drop for Inner {
    /// If only Python could have resolved it, nothing can any more.
    fn drop(&mut self) {
        if self.own.is_some() && !self.is_done() {
            self.core().forget_waiters();
        }
    }
}

#[pymethods]
impl PyFuture {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self::pending()
    }

    #[getter(_asyncio_future_blocking)]
    fn blocking(&self) -> PyResult<bool> {
        Ok(self.0.get()?.blocking.get())
    }

    #[setter(_asyncio_future_blocking)]
    fn set_blocking(&self, blocking: bool) -> PyResult<()> {
        self.0.get()?.blocking.set(blocking);
        Ok(())
    }

    /// Returns the asyncio loop of the thread.
    fn get_loop(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.0.get()?;
        names(py).asyncio_loop.call0(py)
    }

    fn done(&self) -> PyResult<bool> {
        Ok(self.0.get()?.is_done())
    }

    fn cancelled(&self) -> PyResult<bool> {
        Ok(self.0.get()?.core().state() == State::Cancelled)
    }

    /// Cancels it if it is pending, and returns whether it was.
    #[pyo3(signature = (msg=None))]
    fn cancel(slf: &Bound<'_, Self>, msg: Option<Py<PyAny>>) -> PyResult<bool> {
        let core = slf.get().core()?;
        if core.done() {
            return Ok(false);
        }
        cancelled::with_message(slf, msg, || core.cancel())
    }

    fn result(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let inner = slf.get().0.get()?;
        if let Some(value) = inner.value() {
            return Ok(value);
        }
        let core = inner.core();
        if core.state() == State::Cancelled {
            return Err(cancelled::raised(slf));
        }
        result_of(core)
    }

    fn exception(slf: &Bound<'_, Self>) -> PyResult<Option<Py<PyBaseException>>> {
        let core = slf.get().core()?;
        match (core.state(), core.exception()) {
            (State::Cancelled, _) => Err(cancelled::raised(slf)),
            (State::Done, _) => Ok(None),
            (State::Failed, Some(exception)) => Ok(Some(to_python(&exception).into_value(py()))),
            (state, exception) => Err(without_value(state, exception, "Exception is not set.")),
        }
    }

    fn set_result(&self, result: Py<PyAny>) -> PyResult<()> {
        self.set(Ok(Value(result)))
    }

    fn set_exception(&self, exception: Bound<'_, PyAny>) -> PyResult<()> {
        self.0.get()?;
        let exception = if exception.is_instance_of::<PyType>() { exception.call0()? } else { exception };
        if exception.is_instance_of::<PyStopIteration>() {
            return Err(PyTypeError::new_err(
                "StopIteration interacts badly with generators and cannot be raised into a Future",
            ));
        }
        if !exception.is_instance_of::<PyBaseException>() {
            return Err(PyTypeError::new_err("invalid exception object"));
        }
        self.set(Err(from_python(PyErr::from_value(exception))))
    }

    /// Calls `fn` with the Future in the next turn of the loop after it is done.
    #[pyo3(signature = (r#fn, *, context=None))]
    fn add_done_callback(
        slf: &Bound<'_, Self>,
        r#fn: Py<PyAny>,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let inner = slf.get().0.get()?;
        let context = context.filter(|context| !context.is_none());
        let context = context.map_or_else(|| Context::copy_current(py), Context::of)?;
        let is_own = inner.own.is_some() || inner.body.is_some();
        Done::add(slf, &inner.core(), !is_own, r#fn, context)
    }

    /// Removes a callback, and returns how many times it had been added.
    fn remove_done_callback(&self, r#fn: &Bound<'_, PyAny>) -> PyResult<usize> {
        let (core, mut removed) = (self.core()?, Vec::new());
        let mut all = Vec::new();
        collect::each_waiter(&core, &mut |waiter| {
            if let Some(done) = waiter.downcast_ref::<Done>() {
                all.extend(done.handle());
            }
        });
        for done in all {
            if done.calls(r#fn)? {
                removed.extend(done.take());
            }
        }
        Ok(removed.len())
    }

    fn __await__(slf: Bound<'_, Self>) -> PyResult<Awaiting> {
        slf.get().0.get()?;
        Ok(Awaiting { future: slf.unbind(), yielded: Affine::new(Cell::new(false)) })
    }

    fn __iter__(slf: Bound<'_, Self>) -> PyResult<Awaiting> {
        Self::__await__(slf)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let name = slf.get_type().name()?;
        let Some(inner) = slf.get().0.try_get() else { return Ok(format!("<{name} of another thread>")) };
        let core = inner.core();
        let of = core.coroutine().map_or_else(String::new, |coroutine| format!(" of {}", coroutine.name()));
        let how = match core.state() {
            State::Pending => "pending".to_owned(),
            State::Done => {
                let mut shown = "finished".to_owned();
                core.look(&mut |value| shown = format!("finished result={}", squall::trace::Printed(value)));
                shown
            }
            State::Failed => {
                let mut shown = "finished".to_owned();
                collect::peek_exception(&core, &mut |raised| {
                    let repr = raised.bind(slf.py()).repr().map(|repr| repr.to_string());
                    shown = format!("finished exception={}", repr.unwrap_or_default());
                });
                shown
            }
            State::Cancelled => "cancelled".to_owned(),
        };
        Ok(format!("<{name}{of} {how}>"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        let Some(inner) = self.0.try_get() else { return Ok(()) };
        collect::traverse(visit, |visit| inner.traverse(visit))
    }

    fn __clear__(&self) {
        if let Some(inner) = self.0.try_get() {
            inner.clear();
        }
    }

    // What asyncio asks of the task that runs now, if this is the result of a native coroutine.

    /// The message of a cancellation, before there is one.
    #[classattr]
    fn _cancel_message() -> Option<Py<PyAny>> {
        None
    }

    /// Returns the exception that the Future raises, once it is cancelled.
    fn _make_cancelled_error(slf: &Bound<'_, Self>) -> Py<PyAny> {
        cancelled::raised(slf).into_value(slf.py()).into_any()
    }

    /// Returns how many cancellations are under way.
    fn cancelling(&self) -> usize {
        0
    }

    /// Takes back a cancellation.
    fn uncancel(&self) -> usize {
        0
    }

    /// Returns the name that was set, else that of the coroutine function whose result this is.
    fn get_name(slf: &Bound<'_, Self>) -> PyResult<String> {
        let core = slf.get().core()?;
        match slf.getattr_opt(intern!(slf.py(), "_name"))? {
            Some(name) => name.extract(),
            None => Ok(core.coroutine().map_or_else(String::new, |coroutine| coroutine.name().to_owned())),
        }
    }

    /// Sets the name.
    fn set_name(slf: &Bound<'_, Self>, name: &Bound<'_, PyAny>) -> PyResult<()> {
        slf.setattr(intern!(slf.py(), "_name"), name.str()?)
    }

    /// Returns the generator or coroutine whose result this is, while it is suspended.
    fn get_coro(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let body = self.0.get()?.body.as_ref();
        Ok(body.and_then(|body| peek(&body.inner, |inner| inner.map(|inner| inner.clone_ref(py)))))
    }

    /// Makes `Future[int]` an annotation.
    #[classmethod]
    fn __class_getitem__(cls: &Bound<'_, PyType>, _item: &Bound<'_, PyAny>) -> Py<PyType> {
        cls.clone().unbind()
    }
}

/// The iterator of an `await` or a `yield from`.
#[pyclass(module = "squall.concurrent", frozen)]
pub(crate) struct Awaiting {
    future: Py<PyFuture>,
    yielded: Affine<Cell<bool>>,
}

#[pymethods]
impl Awaiting {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// Returns the Future, which is to be waited for, or ends the `await` with its result.
    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let inner = self.future.get().0.get()?;
        if inner.is_done() {
            end_with(PyFuture::result(self.future.bind(py))?.bind(py))?;
            return Ok(None);
        }
        if self.yielded.get()?.replace(true) {
            return Err(PyRuntimeError::new_err("await wasn't used with future"));
        }
        inner.blocking.set(true);
        Ok(Some(self.future.clone_ref(py).into_any()))
    }

    fn send(&self, py: Python<'_>, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.__next__(py)?.ok_or_else(|| PyErr::take(py).unwrap_or_else(|| PyStopIteration::new_err(())))
    }

    #[pyo3(signature = (r#type, value=None, traceback=None))]
    fn throw(
        &self,
        r#type: &Bound<'_, PyAny>,
        value: Option<&Bound<'_, PyAny>>,
        traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let _ = traceback;
        let raised = match value.filter(|value| !value.is_none()) {
            Some(value) if value.is_instance_of::<PyBaseException>() => value.clone(),
            Some(value) => r#type.call1((value,))?,
            None if r#type.is_instance_of::<PyType>() => r#type.call0()?,
            None => r#type.clone(),
        };
        Err(PyErr::from_value(raised))
    }

    fn close(&self) {}

    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        visit.call(&self.future)
    }
}

/// Ends an `await` with a value: sets its `StopIteration`, if it is not `None`, the value of a plain end.
fn end_with(value: &Bound<'_, PyAny>) -> PyResult<()> {
    if value.is_none() {
        return Ok(());
    }
    // Python takes these for the arguments of the exception, or for the exception.
    if value.is_instance_of::<PyTuple>() || value.is_instance_of::<PyBaseException>() {
        stop_iteration(PyTuple::new(value.py(), [value])?.as_any());
    } else {
        stop_iteration(value);
    }
    Ok(())
}

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyFuture>()?;
    module.add_class::<Awaiting>()
}
