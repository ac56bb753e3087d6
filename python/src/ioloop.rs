//! [`Loop`]: the base class of `squall.ioloop.IOLoop`.

use std::cell::{Cell, RefCell};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use squall::ioloop::{CurrentLoop, WeakHandle};
use squall::{AnyFuture, Error, Exception, Future, IoLoop, LoopHandle};

use crate::affine::{descriptor, detached, free_arrived, set_home_loop, Affine, Context};
use crate::callback::Call;
use crate::convert::{converted, seconds};
use crate::early::{of_python_events, watch, Early};
use crate::future::result_of;
use crate::names::names;
use crate::raised::{from_python, report_to_python, take_leaving, to_python};
use crate::shaped::{Shaped, Source};
use crate::timeout::Timeout;
use crate::tool_clock::ToolClock;
use crate::tool_loop::ToolLoop;
use crate::value::Value;

/// An event loop. It belongs to the thread that first uses it; other threads may only call `add_callback`.
#[pyclass(name = "Loop", module = "squall._squall", subclass, frozen, weakref, dict)]
pub(crate) struct Loop {
    bound: OnceLock<Bound_>,
    /// What was asked for before a thread used the loop; `None` since then.
    early: Mutex<Option<Vec<Early>>>,
    /// `true` if its clock jumps from timer to timer.
    is_virtual: AtomicBool,
    running: AtomicBool,
    closed: AtomicBool,
}

/// The loop of squall, on the thread that uses it.
struct Bound_ {
    /// The Python object alone owns it, so that a timer can tell whether that is still there.
    io_loop: Affine<Rc<IoLoop>>,
    remote: WeakHandle,
    /// Keeps the loop waiting for other threads. A loop on a virtual clock reports a deadlock instead.
    _waiting: Option<LoopHandle>,
    /// Runs the loop in its place.
    tool: Option<ToolLoop>,
}

/// A callback on a virtual clock that takes longer than this, by the real one, is reported.
const LONG: Duration = Duration::from_millis(100);

/// How long a loop that is closed from another thread waits for its own thread to end.
const LEAVING: Duration = Duration::from_millis(200);

thread_local! {
    static CURRENT: RefCell<Option<CurrentLoop>> = const { RefCell::new(None) };
    /// How many loops run on this thread, plus 1 if one was made current.
    static LOOPS: Cell<usize> = const { Cell::new(0) };
}

/// Makes sure that what begins to wait now waits on a loop of Python, which is created if there is none.
#[inline]
pub(crate) fn ensure_current(py: Python<'_>) -> PyResult<()> {
    if LOOPS.get() == 0 {
        names(py).make_loop_current.call0(py)?;
    }
    Ok(())
}

impl Loop {
    /// Returns the loop of squall, which is created for the thread that first asks.
    fn io_loop(&self) -> PyResult<&IoLoop> {
        self.bound().io_loop.get().map(|io_loop| &**io_loop)
    }

    fn bound(&self) -> &Bound_ {
        self.bound.get_or_init(|| {
            let is_virtual = self.is_virtual.load(Ordering::Relaxed);
            let io_loop = if is_virtual { IoLoop::with_clock(ToolClock::new()) } else { IoLoop::new() };
            if is_virtual {
                io_loop.set_blocking_log_threshold(Some(LONG));
            }
            Self::bind(&io_loop, !is_virtual, &self.early, None)
        })
    }

    fn bind(
        io_loop: &IoLoop,
        waits: bool,
        early: &Mutex<Option<Vec<Early>>>,
        tool: Option<ToolLoop>,
    ) -> Bound_ {
        report_to_python();
        squall::trace::show_as::<Value>(crate::value::show);
        squall::trace::show_as::<()>(|_, f| f.write_str("None"));
        crate::logging::log_to_python();
        io_loop.around_sleep(|sleep| {
            free_arrived();
            detached(sleep);
        });
        let handle = io_loop.handle();
        let early = early.lock().unwrap_or_else(PoisonError::into_inner).take();
        early.into_iter().flatten().for_each(|early| early.happen(io_loop));
        let remote = handle.downgrade();
        Bound_ {
            io_loop: Affine::new(Rc::new(io_loop.clone())),
            remote,
            _waiting: waits.then_some(handle),
            tool,
        }
    }

    /// Keeps `early` until a thread uses the loop. Returns it if one does already.
    fn keep(&self, early: Early) -> Option<Early> {
        if self.bound.get().is_some() {
            return Some(early);
        }
        match &mut *self.early.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Some(early),
            Some(kept) => {
                kept.push(early);
                None
            }
        }
    }

    /// Adds a callback, from any thread.
    fn add(&self, call: Call) {
        if self.closed.load(Ordering::Acquire) {
            return;
        }
        let call = match self.bound.get() {
            Some(_) => call,
            None => match self.keep(Early::Call(call)) {
                Some(Early::Call(call)) => call,
                _ => return,
            },
        };
        let bound = self.bound();
        match bound.io_loop.try_get() {
            Some(io_loop) => io_loop.add_callback(move || call.run()),
            None => bound.remote.add_callback(move || call.run()),
        }
    }

    /// Marks the loop as running, calls `f`, and raises what left the run.
    fn run<R>(&self, f: impl FnOnce(&IoLoop) -> PyResult<R>) -> PyResult<R> {
        struct Running<'a>(&'a AtomicBool, Option<WeakHandle>);
        impl Drop for Running<'_> {
            fn drop(&mut self) {
                LOOPS.set(LOOPS.get() - 1);
                self.0.store(false, Ordering::Release);
                set_home_loop(self.1.take());
                free_arrived();
            }
        }
        let io_loop = self.io_loop()?;
        if self.running.swap(true, Ordering::AcqRel) {
            return Err(PyRuntimeError::new_err("This event loop is already running"));
        }
        LOOPS.set(LOOPS.get() + 1);
        let _running = Running(&self.running, set_home_loop(Some(self.bound().remote.clone())));
        drop(take_leaving());
        let result = f(io_loop);
        take_leaving().map_or(result, Err)
    }
}

#[pymethods]
impl Loop {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self {
            bound: OnceLock::new(),
            early: Mutex::new(Some(Vec::new())),
            is_virtual: AtomicBool::new(false),
            running: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    /// Lets the clock jump from timer to timer. Has an effect before the first use.
    fn _use_virtual_time(&self) {
        self.is_virtual.store(true, Ordering::Relaxed);
    }

    /// Makes this the loop of a tool.
    fn _adopt(&self, tool: &Bound<'_, ToolLoop>) -> PyResult<()> {
        let tool = tool.get().clone();
        let adopted = Self::bind(&tool.io_loop()?, false, &self.early, Some(tool));
        self.bound.set(adopted).map_err(|_| PyRuntimeError::new_err("the IOLoop is in use already"))
    }

    /// Binds the loop to this thread.
    fn _bind(&self) -> PyResult<()> {
        self.io_loop().map(drop)
    }

    /// Calls `func` on the loop, and runs the loop until what it returns is done.
    #[pyo3(signature = (func, timeout=None))]
    fn _run_sync(&self, func: Py<PyAny>, timeout: Option<f64>) -> PyResult<Py<PyAny>> {
        self.run(|io_loop| {
            // Held until the run ends, like everything that something waits for.
            let mut awaited = None;
            let call = move || -> Future<Value> {
                let py = crate::affine::py();
                let called = func.call0(py).and_then(|result| {
                    if result.is_none(py) {
                        return Ok(Future::ready(Value(result)));
                    }
                    let future = awaited.insert(converted(result.bind(py))?);
                    future.get().core().map(as_value)
                });
                called.unwrap_or_else(|raised| Future::failed(from_python(raised)))
            };
            let result = match (&self.bound().tool, timeout) {
                (Some(tool), timeout) => tool.run_sync(call, timeout.map(seconds))?,
                (None, Some(timeout)) => io_loop.run_sync_with_timeout(seconds(timeout), call),
                (None, None) => io_loop.run_sync(call),
            };
            result.map(|value| value.0).map_err(|exception| to_python(&exception))
        })
    }

    fn _start(&self) -> PyResult<()> {
        self.run(|io_loop| {
            let ran = match &self.bound().tool {
                Some(tool) => tool.run(|| false)?,
                None => io_loop.run_until_stopped(),
            };
            match ran {
                Err(exception) if is_idle(&exception) => Ok(()),
                ran => ran.map_err(|exception| to_python(&exception)),
            }
        })
    }

    fn stop(&self) -> PyResult<()> {
        self.io_loop()?.stop();
        Ok(())
    }

    fn _is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    fn _is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn _close(&self, py: Python<'_>) -> PyResult<()> {
        if self.running.load(Ordering::Acquire) {
            return Err(PyRuntimeError::new_err("Cannot close a running event loop"));
        }
        if let Some(bound) = self.bound.get() {
            match bound.io_loop.get() {
                Ok(io_loop) => io_loop.close(),
                Err(raised) => py.detach(|| bound.io_loop.leaves(LEAVING)).then_some(()).ok_or(raised)?,
            }
        }
        self.closed.store(true, Ordering::Release);
        drop(self.early.lock().unwrap_or_else(PoisonError::into_inner).take());
        Ok(())
    }

    /// Returns the seconds since the loop was created.
    fn _now(&self) -> PyResult<f64> {
        // A loop that no thread has used yet does not belong to the one that asks.
        match self.bound.get() {
            None => Ok(0.0),
            Some(bound) => Ok(bound.io_loop.get()?.time().as_secs_f64()),
        }
    }

    /// Makes it the loop on which squall's Futures wait outside of any run.
    fn _make_current(&self) -> PyResult<()> {
        let guard = self.io_loop()?.make_current();
        let before = CURRENT.replace(Some(guard));
        LOOPS.set(LOOPS.get() + usize::from(before.is_none()));
        Ok(())
    }

    /// Lets no loop be current outside of a run. During one, the loop that runs stays the current one.
    #[staticmethod]
    fn _clear_current() {
        if LOOPS.get() > usize::from(CURRENT.with_borrow(Option::is_some)) {
            return;
        }
        let before = CURRENT.take();
        LOOPS.set(LOOPS.get() - usize::from(before.is_some()));
    }

    /// Calls `callback` in the next turn of the loop. May be called from any thread.
    #[pyo3(signature = (callback, *args, **kwargs))]
    fn add_callback(
        &self,
        py: Python<'_>,
        callback: Py<PyAny>,
        args: Py<PyTuple>,
        kwargs: Option<Py<PyDict>>,
    ) -> PyResult<()> {
        let context = Some(Context::copy_current(py)?);
        self.add(Call { function: callback, args, kwargs, context });
        Ok(())
    }

    /// Calls a handle of asyncio, which enters a context of its own and reports its exceptions itself.
    fn _call_soon(&self, py: Python<'_>, run: Py<PyAny>) -> PyResult<()> {
        if self.closed.load(Ordering::Acquire) {
            return Err(PyRuntimeError::new_err("Event loop is closed"));
        }
        self.add(Call { function: run, args: PyTuple::empty(py).unbind(), kwargs: None, context: None });
        Ok(())
    }

    #[pyo3(signature = (delay, callback, *args, **kwargs))]
    fn _call_later(
        &self,
        py: Python<'_>,
        delay: f64,
        callback: Py<PyAny>,
        args: Py<PyTuple>,
        kwargs: Option<Py<PyDict>>,
    ) -> PyResult<Timeout> {
        let context = Some(Context::copy_current(py)?);
        let call = Call { function: callback, args, kwargs, context };
        let io_loop = self.bound().io_loop.get()?;
        Ok(Timeout::new(io_loop, io_loop.call_later(seconds(delay), move || call.run())))
    }

    /// Cancels a timer: one of this loop, or anything else that has `cancel`, such as a timer of asyncio.
    fn remove_timeout(&self, timeout: &Bound<'_, PyAny>) -> PyResult<()> {
        self.io_loop()?;
        match timeout.cast::<Timeout>() {
            Ok(timeout) => timeout.get().cancel(),
            Err(_) => timeout.call_method0(intern!(timeout.py(), "cancel")).map(drop),
        }
    }

    /// Calls `callback` once the returned ticket has arrived, from any thread. The loop waits for it.
    fn _expect(&self, py: Python<'_>, callback: Py<PyAny>) -> PyResult<Ticket> {
        let call = Call {
            function: callback,
            args: PyTuple::empty(py).unbind(),
            kwargs: None,
            context: Some(Context::copy_current(py)?),
        };
        let ticket = self.io_loop()?.expect_callback(move || call.run());
        Ok(Ticket(Mutex::new(Some(ticket))))
    }

    fn _add_handler(&self, fd: i32, handler: Py<PyAny>, events: u32) -> PyResult<()> {
        let fd = descriptor(fd)?;
        if self.bound.get().is_none() {
            // A number that is not open is an error now, and not when the loop runs.
            drop(fd.as_fd().try_clone_to_owned()?);
        }
        let Some(Early::Watch(fd, handler, events)) = self.keep(Early::Watch(fd, handler, events)) else {
            return Ok(());
        };
        Ok(watch(self.io_loop()?, fd, handler, events)?)
    }

    fn _update_handler(&self, fd: i32, events: u32) -> PyResult<()> {
        let fd = descriptor(fd)?;
        match self.keep(Early::Update(fd, events)) {
            None => Ok(()),
            Some(_) => Ok(self.io_loop()?.update_handler(&fd, of_python_events(events))?),
        }
    }

    /// Lets a virtual clock wait for a descriptor, whose other end takes real time.
    fn _wait_for_fd(&self, fd: i32, waits: bool) -> PyResult<()> {
        Ok(self.io_loop()?.wait_for_fd(&descriptor(fd)?, waits)?)
    }

    fn _is_virtual(&self) -> bool {
        let is_of_tool = self.bound.get().is_some_and(|bound| bound.tool.is_some());
        is_of_tool || self.is_virtual.load(Ordering::Relaxed)
    }

    fn _remove_handler(&self, fd: i32) -> PyResult<()> {
        let fd = descriptor(fd)?;
        if self.keep(Early::Unwatch(fd)).is_some() {
            self.io_loop()?.remove_handler(&fd);
        }
        Ok(())
    }

    /// Returns, as text, which coroutine waits for what.
    fn dump(&self) -> PyResult<String> {
        Ok(self.io_loop()?.dump().to_string())
    }

    /// Returns what wakes the loop for a signal, if it belongs to this thread.
    fn _waker(&self) -> PyResult<Waker> {
        self.io_loop()?;
        Ok(Waker(self.bound().remote.clone()))
    }
}

/// Returns whether a run has ended because nothing can happen any more, and no coroutine waits.
fn is_idle(exception: &Exception) -> bool {
    matches!(exception.downcast_ref(), Some(Error::Deadlock { waiting }) if waiting.is_empty())
}

/// Wakes a loop when a signal has come. Its thread then runs the handlers of Python.
#[pyclass(module = "squall._squall", frozen)]
pub(crate) struct Waker(pub(crate) WeakHandle);

/// The result of another thread, which is still to arrive.
#[pyclass(module = "squall._squall", frozen)]
pub(crate) struct Ticket(Mutex<Option<squall::ioloop::Ticket>>);

#[pymethods]
impl Ticket {
    /// Lets the loop call the callback. May be called from any thread.
    #[pyo3(signature = (*_args))]
    fn arrive(&self, _args: &Bound<'_, PyTuple>) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// Returns any Future as one of a Python value.
pub(crate) fn as_value(core: AnyFuture) -> Future<Value> {
    if core.done() {
        let result = result_of(core).map(Value).map_err(from_python);
        return result.map_or_else(Future::failed, Future::ready);
    }
    Shaped::future(Source::Any(core))
}
