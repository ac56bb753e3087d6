//! [`Shaped`]: a Future of squall whose result gets the shape that Python expects.

use std::cell::Cell;
use std::rc::{Rc, Weak};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyListMethods, PyWeakrefMethods, PyWeakrefReference};
use squall::resolvable::{Held, Resolvable, Run, Shared, State, Withdraw};
use squall::{AnyFuture, Error, Exception, Future, Result};
use squall_runner::trace;

use crate::affine::py;
use crate::body::peek;
use crate::future::{value_of, PyFuture};
use crate::names::names;
use crate::raised::from_python;
use crate::releasing::Releasing;
use crate::value::Value;

/// A Future, and how its result is shaped.
pub(crate) enum Source {
    /// A Future: its value.
    Any(AnyFuture),
    /// A list of Futures that are all done: a list of their values, or a dict with these keys.
    List(Future<Vec<AnyFuture>>, Option<Py<PyList>>),
    /// A Future with a time limit: the value of the Future inside. The message of the exception, if that is a timeout.
    Limited {
        future: Future<AnyFuture>,
        message: Option<Py<PyAny>>,
        /// The object of the Future inside, which the collector must not free until then.
        _inside: Py<PyFuture>,
    },
    /// A lock that was granted: the context manager that releases it.
    Granted(AnyFuture, Py<PyWeakrefReference>),
}

impl Source {
    fn core(&self) -> AnyFuture {
        match self {
            Self::List(future, _) => future.erased(),
            Self::Limited { future, .. } => future.erased(),
            Self::Any(core) | Self::Granted(core, ..) => core.clone(),
        }
    }

    /// Returns whether it is cancelled when the Future inside is.
    fn follows(&self) -> bool {
        matches!(self, Self::Any(_) | Self::Granted(..))
    }

    /// Returns the result, once the Future is done.
    fn result(&self) -> Result<Value> {
        let py = py();
        match self {
            Self::Any(core) => value_of(core.clone()).map(Value),
            Self::List(future, keys) => {
                let values = future.another_handle().into_result()?.into_iter();
                let values = values.map(value_of).collect::<Result<Vec<_>>>()?;
                let made = match keys {
                    None => PyList::new(py, values).map(Bound::into_any),
                    Some(keys) => {
                        let dict = PyDict::new(py);
                        let set = |(key, value)| dict.set_item(key, value);
                        keys.bind(py).iter().zip(values).try_for_each(set).map(|()| dict.into_any())
                    }
                };
                made.map(|made| Value(made.unbind())).map_err(from_python)
            }
            Self::Limited { future, message, .. } => match future.another_handle().into_result() {
                Ok(inside) => value_of(inside).map(Value),
                Err(exception) => Err(Self::with_message(py, exception, message.as_ref())),
            },
            Self::Granted(core, lock) => {
                if let Some(exception) = core.exception() {
                    return Err(exception);
                }
                let lock = lock.bind(py).upgrade().map_or_else(|| py.None(), Bound::unbind);
                Py::new(py, Releasing(lock)).map(|made| Value(made.into_any())).map_err(from_python)
            }
        }
    }

    /// Replaces the message of a timeout.
    fn with_message(py: Python<'_>, exception: Exception, message: Option<&Py<PyAny>>) -> Exception {
        let message = message.filter(|_| exception.downcast_ref() == Some(&Error::Timeout));
        let Some(message) = message else { return exception };
        let text = if message.bind(py).is_callable() { message.call0(py) } else { Ok(message.clone_ref(py)) };
        let made = text.and_then(|text| names(py).timeout.call1(py, (text,)));
        from_python(made.map_or_else(|raised| raised, |made| PyErr::from_value(made.into_bound(py))))
    }
}

/// The Future of the shaped result. It is done at the same moment as the Future inside.
pub(crate) struct Shaped {
    shared: Shared<Value>,
    /// `None` once it is done.
    source: Cell<Option<Source>>,
    /// Lets the end of the loop forget the waiters, which may hold this.
    held: Cell<Option<Held>>,
}

impl Shaped {
    /// Returns the Future of the shaped result.
    pub(crate) fn future(source: Source) -> Future<Value> {
        let core = source.core();
        let is_done = core.done();
        let shaped = Rc::new_cyclic(|this: &Weak<Self>| Self {
            shared: Shared::new(),
            source: Cell::new(Some(source)),
            held: Cell::new((!is_done).then(|| Held::new(this.clone()))),
        });
        if trace::observed() {
            shaped.shared.set_id(core.id());
        }
        if is_done {
            shaped.settle();
        } else {
            core.call_when_done(shaped.clone());
        }
        Future::from_core(shaped)
    }

    fn settle(&self) {
        drop(self.held.take());
        let Some(source) = self.source.take() else { return };
        if self.shared.state() == State::Pending {
            let result = source.result();
            // A limit or a lock is cancelled with what is inside; a list fails.
            let is_list = matches!(source, Source::List(..));
            let cancelled = |exception: &Exception| exception.downcast_ref() == Some(&Error::Cancelled);
            let is_cancelled = !is_list && result.as_ref().is_err_and(cancelled);
            self.shared.set_silently((!is_cancelled).then_some(result));
        }
    }
}

impl Run for Shaped {
    /// Does all its work at once.
    fn is_due(&self) -> bool {
        self.settle();
        false
    }

    fn run(self: Rc<Self>) {}

    fn is_over(&self, _holders: usize) -> bool {
        false
    }
}

impl Withdraw for Shaped {
    fn withdraw(&self) {
        drop((self.held.take(), self.source.take()));
        self.shared.forget_waiters();
    }
}

impl Resolvable for Shaped {
    type Output = Value;

    fn shared(&self) -> &Shared<Value> {
        &self.shared
    }

    /// Cancels the Future inside. A list or a limit is cancelled at once, and reports what fails in it later; another
    /// Future ends as that inside does.
    fn cancel(&self) -> bool {
        let inside = peek(&self.source, |source| source.map(|source| (source.core(), source.follows())));
        match inside {
            Some((core, true)) => core.cancel(),
            Some((core, false)) => {
                let cancelled = self.shared.cancel();
                core.cancel();
                cancelled
            }
            None => self.shared.cancel(),
        }
    }

    fn describe(&self) -> Option<String> {
        peek(&self.source, |source| source.map(Source::core))?.describe()
    }
}
