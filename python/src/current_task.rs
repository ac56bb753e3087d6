//! The current task of asyncio: what `asyncio.current_task()` returns while a native coroutine runs.

use std::cell::RefCell;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyDictMethods};

use crate::future::PyFuture;
use crate::names::names;

thread_local! {
    /// The asyncio loop that runs on this thread.
    static ASYNCIO_LOOP: RefCell<Option<Py<PyAny>>> = const { RefCell::new(None) };
}

/// Sets the asyncio loop that runs on this thread, and returns the one before.
#[pyfunction]
pub(crate) fn _set_asyncio_loop(py: Python<'_>, asyncio_loop: Option<Py<PyAny>>) -> Py<PyAny> {
    ASYNCIO_LOOP.replace(asyncio_loop).unwrap_or_else(|| py.None())
}

/// Calls `f`, during which `task` is the current task of asyncio, unless another task is.
#[inline]
pub(crate) fn as_current_task<R>(
    py: Python<'_>,
    task: Option<&Bound<'_, PyFuture>>,
    f: impl FnOnce() -> R,
) -> R {
    let asyncio_loop = ASYNCIO_LOOP.with_borrow(|it| it.as_ref().map(|it| it.bind(py).clone()));
    let (Some(asyncio_loop), Some(task)) = (asyncio_loop, task) else { return f() };
    let names = names(py);
    match names.current_tasks.bind(py).cast::<PyDict>() {
        Ok(tasks) => {
            // Nearly always no task runs, of any loop.
            let is_free = tasks.is_empty() || matches!(tasks.contains(&asyncio_loop), Ok(false));
            let entered = is_free && tasks.set_item(&asyncio_loop, task).is_ok();
            let result = f();
            if entered {
                drop(tasks.del_item(&asyncio_loop));
            }
            result
        }
        Err(_) => {
            let entered = names.enter_task.bind(py).call1((&asyncio_loop, task)).is_ok();
            let result = f();
            if entered {
                drop(names.leave_task.bind(py).call1((&asyncio_loop, task)));
            }
            result
        }
    }
}
