//! The classes and functions that the Python side of the package passes to the extension.

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The classes and functions of the Python side.
        pub(crate) struct Names {
            $($(#[$doc])* pub(crate) $name: Py<PyAny>,)*
        }

        impl Names {
            fn of(given: &Bound<'_, PyDict>) -> PyResult<Self> {
                let get = |name: &'static str| -> PyResult<Py<PyAny>> {
                    let it = given.get_item(name)?;
                    it.map(Bound::unbind).ok_or_else(|| PyKeyError::new_err(name))
                };
                Ok(Self { $($name: get(stringify!($name))?,)* })
            }
        }
    };
}

names! {
    /// `gen.Return`.
    return_,
    /// `gen.BadYieldError`.
    bad_yield,
    /// `gen.TimeoutError`.
    timeout,
    /// `asyncio.CancelledError`.
    cancelled,
    /// `asyncio.InvalidStateError`.
    invalid_state,
    /// `testing.Deadlock`.
    deadlock,
    /// `queues.QueueEmpty`.
    queue_empty,
    /// `queues.QueueFull`.
    queue_full,
    /// `types.GeneratorType`.
    generator,
    /// `types.CoroutineType`.
    coroutine,
    /// `types.MethodType`.
    method,
    /// `collections.abc.Generator`.
    abstract_generator,
    /// Converts what is yielded into a Future of this package, by the registry of `convert_yielded`.
    convert,
    /// Converts a deadline into seconds from now.
    seconds_until,
    /// Logs an exception that nothing received: a text, the exception, and the callback that raised it or `None`.
    report,
    /// Logs a text of the loop: whether it is an error, and the text.
    log,
    /// Prints an object in at most some dozens of characters.
    show,
    /// Returns the asyncio facade of the current loop.
    asyncio_loop,
    make_loop_current,
    /// The dict of asyncio's current tasks by their loops; `None` where `enter_task` and `leave_task` do not use one.
    current_tasks,
    /// `asyncio.tasks._enter_task`.
    enter_task,
    /// `asyncio.tasks._leave_task`.
    leave_task,
}

static NAMES: PyOnceLock<Names> = PyOnceLock::new();

/// Returns the names, which the package sets when it is imported.
#[inline]
pub(crate) fn names(py: Python<'_>) -> &'static Names {
    NAMES.get(py).expect("the package squall has been imported")
}

/// Sets the names. Only the first call has an effect.
#[pyfunction]
pub(crate) fn _init(py: Python<'_>, given: &Bound<'_, PyDict>) -> PyResult<()> {
    let given = Names::of(given)?;
    let _ = NAMES.set(py, given);
    Ok(())
}
