//! [`Call`]: a Python function that the loop calls.

use std::cell::Cell;
use std::rc::Rc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use squall::resolvable::{Run, Withdraw};
use squall::AnyFuture;

use crate::affine::{py, Context};
use crate::convert::converted;
use crate::libraries::as_called;
use crate::names::names;
use crate::raised::{report_callback, to_python};

/// A function with its arguments and its context.
pub(crate) struct Call {
    pub(crate) function: Py<PyAny>,
    pub(crate) args: Py<PyTuple>,
    pub(crate) kwargs: Option<Py<PyDict>>,
    /// `None` for a function that enters a context of its own.
    pub(crate) context: Option<Context>,
}

impl Call {
    /// Calls the function, and runs the coroutine that it returns. An exception is reported.
    ///
    /// Source: `IOLoop._run_callback`.
    pub(crate) fn run(self) {
        let py = py();
        let Self { function, args, kwargs, context } = self;
        let kwargs = kwargs.as_ref().map(|kwargs| kwargs.bind(py));
        let call = || {
            let result = as_called(function.bind(py), || function.call(py, &args, kwargs))?;
            if result.is_none(py) {
                return Ok(None);
            }
            match converted(result.bind(py)) {
                Ok(future) => future.get().core().map(Some),
                Err(raised) if raised.is_instance(py, names(py).bad_yield.bind(py)) => Ok(None),
                Err(raised) => Err(raised),
            }
        };
        let called = match &context {
            Some(context) => context.run(call),
            None => call(),
        };
        match called {
            Ok(None) => {}
            Ok(Some(core)) => {
                let reporting = Reporting { core: Cell::new(Some(core.clone())), function };
                core.call_when_done(Rc::new(reporting));
            }
            Err(raised) => report_callback(py, &function, raised),
        }
    }
}

/// Reports the exception of a coroutine that nothing waits for.
struct Reporting {
    core: Cell<Option<AnyFuture>>,
    function: Py<PyAny>,
}

impl Run for Reporting {
    fn run(self: Rc<Self>) {
        let exception = self.core.take().and_then(|core| core.exception());
        if let Some(exception) = exception {
            report_callback(py(), &self.function, to_python(&exception));
        }
    }

    fn is_report(&self) -> bool {
        true
    }
}

impl Withdraw for Reporting {
    fn withdraw(&self) {
        drop(self.core.take());
    }
}
