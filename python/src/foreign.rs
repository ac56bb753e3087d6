//! Futures of asyncio, as Futures of this package.

use std::rc::Rc;

use pyo3::exceptions::PyBaseException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};
use squall::resolvable::{Callback, Resolvable, Shared, State};
use squall::Future;
use squall_runner::report::guard;
use squall_runner::trace::{observed, program, Problem};
use squall_runner::Holding;

use crate::affine::{py, Affine, Context};
use crate::body::{peek, Body};
use crate::cancelled::{pass_on, take_over};
use crate::future::PyFuture;
use crate::ioloop::ensure_current;
use crate::raised::from_python;
use crate::value::Value;

/// The Future of an asyncio Future. Cancelling it cancels that.
struct Foreign {
    shared: Shared<Value>,
    /// Holds the asyncio Future while it is pending.
    body: Rc<Body>,
}

impl Resolvable for Foreign {
    type Output = Value;

    fn shared(&self) -> &Shared<Value> {
        &self.shared
    }

    fn cancel(&self) -> bool {
        let py = py();
        let future = peek(&self.body.inner, |future| future.map(|future| future.clone_ref(py)));
        match future.map(|future| pass_on(future.bind(py))) {
            Some(Ok(cancelled)) => cancelled,
            Some(Err(raised)) => {
                raised.write_unraisable(py, None);
                false
            }
            None => self.shared.cancel(),
        }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        if observed() {
            self.shared.tell_dropped();
        }
    }
}

/// The callback of the asyncio Future: resumes what waits, in the turn in which asyncio calls it.
#[pyclass(module = "squall._squall", frozen)]
pub(crate) struct Arrival {
    future: Py<PyFuture>,
    core: Affine<Rc<Foreign>>,
}

#[pymethods]
impl Arrival {
    fn __call__(&self, py: Python<'_>, future: &Bound<'_, PyAny>) -> PyResult<()> {
        let core = self.core.get()?;
        let result = if future.call_method0(intern!(py, "cancelled"))?.is_truthy()? {
            take_over(self.future.bind(py), future)?;
            None
        } else {
            let exception = future.call_method0(intern!(py, "exception"))?;
            Some(match exception.cast_into::<PyBaseException>() {
                Ok(exception) => Err(from_python(PyErr::from_value(exception.into_any()))),
                Err(_) => Ok(Value(future.call_method0(intern!(py, "result"))?.unbind())),
            })
        };
        core.body.abandon();
        if core.shared.state() != State::Pending {
            return Ok(());
        }
        // asyncio has put this callback on the ready queue, as squall would put the waiters: so they go on now.
        let mut waiters = Vec::<Callback>::new();
        let erased = self.future.get().core()?;
        erased.held(&mut |it| {
            if let Holding::Waiter(waiter) = it {
                waiters.push(waiter.clone());
            }
        });
        erased.forget_waiters();
        match result {
            Some(result) => core.shared.set(result),
            None => core.shared.cancel(),
        };
        for waiter in waiters {
            if waiter.is_due() {
                // asyncio's code calls this, but what waits may be the program's.
                guard(Problem::Callback, || program(|| waiter.run()));
            }
        }
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.future)
    }
}

/// Returns the Future of an asyncio Future.
#[pyfunction]
pub(crate) fn foreign(future: &Bound<'_, PyAny>) -> PyResult<Py<PyFuture>> {
    let py = future.py();
    ensure_current(py)?;
    let body = Body::new(Context::copy_current(py)?);
    drop(body.context.take());
    body.inner.set(Some(future.clone().unbind()));
    let core = Rc::new(Foreign { shared: Shared::new(), body: body.clone() });
    core.shared.announce("asyncio");
    let it = PyFuture::of_foreign(py, Future::from_core(core.clone()), body)?;
    let arrival = Arrival { future: it.clone_ref(py), core: Affine::new(core) };
    if future.call_method0(intern!(py, "done"))?.is_truthy()? {
        arrival.__call__(py, future)?;
    } else {
        future.call_method1(intern!(py, "add_done_callback"), (arrival,))?;
    }
    Ok(it)
}
