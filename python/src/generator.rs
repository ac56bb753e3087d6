//! Decorated coroutines: Python's generators, driven by squall's Runner.

use std::any::Any;
use std::rc::Rc;

use pyo3::exceptions::PyStopIteration;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyDictMethods, PyIterator, PyList, PyListMethods, PyTuple};
use pyo3::{PyTraverseError, PyVisit};
use squall::resolvable::State;
use squall::trace::Kind;
use squall::Error;
use squall_runner::trace::has_observer;
use squall_runner::{
    moment, AnyFuture, Coroutine, Generator, GeneratorState, Place, Resume, Return, Runner, Yieldable,
    Yielded,
};

use crate::affine::{py, send, Context, Sent};
use crate::body::{peek, Body};
use crate::convert::{converted, is_moment};
use crate::future::{value_of, PyFuture};
use crate::ioloop::ensure_current;
use crate::libraries::as_code_of;
use crate::lines::{coroutine_of, running_line};
use crate::names::names;
use crate::raised::{from_python, take_leaving, to_python};
use crate::value::Value;
use crate::variables::{tell_arguments, tell_variables};

/// A call runs its body on the stack of the caller, as deep as Python's own limit of recursion allows. Where fewer bytes
/// are left, it gets more.
const LEFT: usize = 256 << 10;
const MORE: usize = 4 << 20;

/// A function that `gen.coroutine` has decorated. Like a function, it is bound to the object through which it is taken.
#[pyclass(name = "CoroutineFunction", module = "squall.gen", frozen, dict, weakref)]
pub(crate) struct CoroutineFunction {
    function: Py<PyAny>,
    coroutine: &'static Coroutine,
}

#[pymethods]
impl CoroutineFunction {
    #[new]
    fn new(function: Bound<'_, PyAny>) -> PyResult<Self> {
        let py = function.py();
        let name = match function.getattr_opt(intern!(py, "__name__"))? {
            Some(name) => name,
            None => function.get_type().name()?.into_any(),
        };
        let code = function.getattr_opt(intern!(py, "__code__"))?;
        Ok(Self { coroutine: coroutine_of(&name, code.as_ref()), function: function.unbind() })
    }

    /// Calls the function, and returns the Future of its result.
    #[pyo3(signature = (*args, **kwargs))]
    fn __call__(
        &self,
        py: Python<'_>,
        args: Py<PyTuple>,
        kwargs: Option<Py<PyDict>>,
    ) -> PyResult<Py<PyFuture>> {
        ensure_current(py)?;
        let (body, coroutine) = (Body::new(Context::copy_current(py)?), self.coroutine);
        body.inner.set(Some(self.function.clone_ref(py)));
        let called = Called { body: body.clone(), coroutine, call: Some((args, kwargs)) };
        let future = stacker::maybe_grow(LEFT, MORE, || match running_line(py) {
            Some(place) => as_code_of(coroutine, || {
                called.tell_arguments(py);
                Runner::start_at(coroutine, called, place)
            }),
            None => Runner::start(coroutine, called),
        });
        if future.done() {
            if let Some(leaving) = take_leaving() {
                drop(future.exception());
                return Err(leaving);
            }
            // An observer knows the Future by its number.
            let has_value = future.state() == State::Done && !body.cancelled.get();
            if has_value && !has_observer() {
                return match future.into_result() {
                    Ok(value) => PyFuture::settled(py, value),
                    Err(exception) => Err(to_python(&exception)),
                };
            }
        }
        PyFuture::of_body(py, future, &body)
    }

    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        instance: &Bound<'py, PyAny>,
        _owner: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if instance.is_none() {
            return Ok(slf.clone().into_any());
        }
        names(slf.py()).method.bind(slf.py()).call1((slf, instance))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let name = slf.getattr_opt(intern!(slf.py(), "__qualname__"))?;
        let name = name.map_or_else(|| slf.get().coroutine.name().to_owned(), |name| name.to_string());
        Ok(format!("<function {name} at {:p}>", slf.as_ptr()))
    }

    /// Lets it be copied and pickled like a function: by its name.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.getattr(intern!(slf.py(), "__qualname__"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)
    }
}

/// A decorated function that is called, then the generator that it returned.
struct Called {
    body: Rc<Body>,
    coroutine: &'static Coroutine,
    /// The arguments; `None` once the function was called.
    call: Option<(Py<PyTuple>, Option<Py<PyDict>>)>,
}

impl Generator for Called {
    type Return = Value;

    fn resume(&mut self, resume: Resume) -> GeneratorState<Value> {
        let py = py();
        let sent = match resume {
            Resume::Next => match self.first(py) {
                Ok(sent) => sent,
                Err(value) => return self.returned(value),
            },
            Resume::Send(future) => {
                let value = value_of(future);
                self.resumed(|inner| match value {
                    Ok(value) => send(inner, value.bind(py)),
                    Err(exception) => throw(py, inner, to_python(&exception)),
                })
            }
            Resume::Throw(exception) => {
                let is_cancelled = exception.downcast_ref() == Some(&Error::Cancelled);
                let cancelled = is_cancelled.then(|| self.body.awaited_cancellation()).flatten();
                let raised = cancelled.unwrap_or_else(|| to_python(&exception));
                self.resumed(|inner| throw(py, inner, raised))
            }
        };
        match sent {
            Sent::Yielded(yielded) => GeneratorState::Yielded(self.yielded(py, yielded)),
            Sent::Returned(value) => self.returned(value),
            Sent::Raised(raised) => self.raised(py, raised),
        }
    }

    fn place(&self) -> Option<Place> {
        self.body.place()
    }

    fn held(&self, visit: &mut dyn FnMut(&dyn Any)) {
        visit(&self.body);
    }
}

impl Called {
    fn tell_arguments(&self, py: Python<'_>) {
        let function = peek(&self.body.inner, |inner| inner.map(|inner| inner.clone_ref(py)));
        if let (Some(function), Some((args, kwargs))) = (function, &self.call) {
            tell_arguments(function.bind(py), args.bind(py), kwargs.as_ref().map(|kwargs| kwargs.bind(py)));
        }
    }

    /// Calls the function, and resumes the generator that it returns.
    ///
    /// # Errors
    /// The value that the function returned, if it is not a generator.
    fn first(&mut self, py: Python<'_>) -> Result<Sent, Py<PyAny>> {
        let (Some(function), Some((args, kwargs))) = (self.body.inner.take(), self.call.take()) else {
            return Ok(Sent::Returned(py.None()));
        };
        let kwargs = kwargs.as_ref().map(|kwargs| kwargs.bind(py));
        match self.body.within(|| function.call(py, args, kwargs)) {
            Ok(result) if is_generator(result.bind(py)) => {
                self.body.inner.set(Some(result));
                Ok(self.resumed(|inner| send(inner, py.None().bind(py))))
            }
            Ok(value) => Err(value),
            Err(raised) => Ok(Sent::Raised(raised)),
        }
    }

    /// Resumes the generator in its context. It is out of its place meanwhile.
    #[inline]
    fn resumed(&self, resume: impl FnOnce(&Py<PyAny>) -> Sent) -> Sent {
        drop(self.body.awaited.take());
        let Some(inner) = self.body.inner.take() else { return Sent::Returned(py().None()) };
        let sent = as_code_of(self.coroutine, || {
            let sent = self.body.within(|| resume(&inner));
            if has_observer() && matches!(sent, Sent::Yielded(_)) {
                tell_variables(inner.bind(py()));
            }
            sent
        });
        if matches!(sent, Sent::Yielded(_)) {
            self.body.inner.set(Some(inner));
        }
        sent
    }

    fn yielded(&self, py: Python<'_>, yielded: Py<PyAny>) -> Yielded {
        let it = yielded.bind(py);
        if is_moment(it) {
            return Yielded::erased(turn(), None);
        }
        if let Ok(future) = it.cast::<PyFuture>() {
            if let Ok(core) = future.get().core() {
                if core.state() == State::Pending {
                    self.body.awaited.set(Some(future.clone().unbind()));
                }
                return Yielded::erased(core, None);
            }
        }
        let kind = kind_of(it);
        let body = self.body.clone();
        Yielded::deferred(kind, None, move || {
            let future = body.within(|| converted(yielded.bind(crate::affine::py()))).map_err(from_python)?;
            let core = future.get().core().map_err(from_python)?;
            if core.state() == State::Pending {
                body.awaited.set(Some(future));
            }
            Ok(core)
        })
    }

    fn returned(&self, value: Py<PyAny>) -> GeneratorState<Value> {
        self.body.end();
        GeneratorState::Returned(Value(value))
    }

    #[cold]
    fn raised(&self, py: Python<'_>, raised: PyErr) -> GeneratorState<Value> {
        let names = names(py);
        if raised.is_instance_of::<PyStopIteration>(py) || raised.is_instance(py, names.return_.bind(py)) {
            let value =
                raised.value(py).getattr(intern!(py, "value")).map_or_else(|_| py.None(), Bound::unbind);
            if raised.is_instance_of::<PyStopIteration>(py) {
                return self.returned(value);
            }
            self.body.end();
            return GeneratorState::Raised(Return(Value(value)).into());
        }
        if raised.is_instance(py, names.cancelled.bind(py)) {
            self.body.keep_message(&raised);
            return self.cancelled();
        }
        let exception = from_python(raised);
        self.body.end();
        GeneratorState::Raised(exception)
    }

    /// Ends as cancelled, like a task of asyncio.
    fn cancelled(&self) -> GeneratorState<Value> {
        self.body.cancelled.set(true);
        let result = self.body.result.take();
        if let Some(core) = result.as_ref().and_then(|result| result.get().core().ok()) {
            core.cancel();
        }
        self.body.result.set(result);
        self.returned(py().None())
    }
}

impl Drop for Called {
    fn drop(&mut self) {
        self.body.abandon();
    }
}

/// Throws an exception into a generator or a coroutine.
#[cold]
pub(crate) fn throw(py: Python<'_>, body: &Py<PyAny>, raised: PyErr) -> Sent {
    match body.call_method1(py, intern!(py, "throw"), (raised.into_value(py),)) {
        Ok(yielded) => Sent::Yielded(yielded),
        Err(raised) if raised.is_instance_of::<PyStopIteration>(py) => {
            let value = raised.value(py).getattr(intern!(py, "value"));
            Sent::Returned(value.map_or_else(|_| py.None(), Bound::unbind))
        }
        Err(raised) => Sent::Raised(raised),
    }
}

/// Returns whether the call of a decorated function returned a generator.
fn is_generator(result: &Bound<'_, PyAny>) -> bool {
    let names = names(result.py());
    if result.get_type().is(&names.generator) {
        return true;
    }
    // Each generator is an iterator, and asking the abstract class takes long.
    result.cast::<PyIterator>().is_ok()
        && result.is_instance(names.abstract_generator.bind(result.py())).unwrap_or(false)
}

/// Returns squall's moment: a Future that takes one turn.
pub(crate) fn turn() -> AnyFuture {
    match moment().into_future() {
        Ok(future) => future.erase(),
        Err(_) => unreachable!("a moment is a Future"),
    }
}

/// Returns what a trace calls a yielded thing that is not a Future yet.
fn kind_of(yielded: &Bound<'_, PyAny>) -> Kind {
    if let Ok(list) = yielded.cast::<PyList>() {
        Kind::List(list.len())
    } else if let Ok(dict) = yielded.cast::<PyDict>() {
        Kind::Dict(dict.len())
    } else if yielded.hasattr(intern!(yielded.py(), "__await__")).unwrap_or(false) {
        Kind::Awaitable
    } else {
        Kind::Other("object")
    }
}
