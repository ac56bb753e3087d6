//! Locks: `Event`, `Condition`, `Semaphore`, `BoundedSemaphore` and `Lock` of squall, as base classes of `squall.locks`.

use std::sync::OnceLock;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyWeakrefReference};
use pyo3::{PyTraverseError, PyVisit};
use squall::{locks, Future};

use crate::affine::Affine;
use crate::collect;
use crate::convert::{seconds, seconds_until};
use crate::future::{PyFuture, ResolvedBy, Result_};
use crate::ioloop::ensure_current;
use crate::lines::running_line;
use crate::shaped::{Shaped, Source};
use crate::waiters::{Keep, Requests};

/// A lock, and the requests that are waiting for it. They belong to the thread that first uses the lock: a program may
/// create it on another one, before that runs the loop.
pub(crate) struct Line<L: 'static> {
    bound: OnceLock<Affine<(L, Requests)>>,
    make: Box<dyn Fn() -> L + Send + Sync>,
}

impl<L> Line<L> {
    pub(crate) fn new(make: impl Fn() -> L + Send + Sync + 'static) -> Self {
        Self { bound: OnceLock::new(), make: Box::new(make) }
    }

    fn bound(&self) -> PyResult<&(L, Requests)> {
        self.bound.get_or_init(|| Affine::new(((self.make)(), Requests::default()))).get()
    }

    /// Returns the lock and its requests, if it has been used and this is its thread.
    fn try_get(&self) -> Option<&(L, Requests)> {
        self.bound.get()?.try_get()
    }

    pub(crate) fn get(&self) -> PyResult<&L> {
        Ok(&self.bound()?.0)
    }

    /// Returns the lock, for a request that waits on the current loop.
    pub(crate) fn get_to_wait(&self, py: Python<'_>) -> PyResult<&L> {
        ensure_current(py)?;
        self.get()
    }

    /// Returns the Future object of a request. The lock holds it, or the timer of its time limit.
    pub(crate) fn request<T: Result_>(
        &self,
        py: Python<'_>,
        future: Future<T>,
        limit: Option<f64>,
    ) -> PyResult<Py<PyFuture>> {
        let future = PyFuture::of(py, future, ResolvedBy::Holders)?;
        self.hold(py, future, limit)
    }

    fn hold(&self, py: Python<'_>, future: Py<PyFuture>, limit: Option<f64>) -> PyResult<Py<PyFuture>> {
        if limit.is_some() {
            Keep::anchor(py, &future)?;
        }
        self.bound()?.1.hold(py, future)
    }

    pub(crate) fn traverse(
        &self,
        visit: PyVisit<'_>,
        more: impl FnOnce(&L, &mut collect::Visit<'_, '_>),
    ) -> Result<(), PyTraverseError> {
        let Some((lock, requests)) = self.try_get() else { return Ok(()) };
        collect::traverse(visit, |visit| {
            requests.traverse(visit);
            more(lock, visit);
        })
    }

    pub(crate) fn clear(&self, more: impl FnOnce(&L)) {
        if let Some((lock, requests)) = self.try_get() {
            requests.clear();
            more(lock);
        }
    }
}

macro_rules! lock {
    ($(#[$doc:meta])* $name:ident($lock:ty), new($($arg:ident: $type:ty),*) { $($methods:tt)* }) => {
        $(#[$doc])*
        #[pyclass(module = "squall._squall", subclass, frozen, weakref)]
        pub(crate) struct $name(Line<$lock>);

        #[pymethods]
        impl $name {
            #[new]
            #[pyo3(signature = ($($arg,)* *_args, **_kwargs))]
            fn new($($arg: $type,)* _args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
                Self(Line::new(move || <$lock>::new($($arg),*)))
            }

            fn __repr__(&self) -> PyResult<String> {
                Ok(format!("{:?}", self.0.get()?))
            }

            fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
                self.0.traverse(visit, |_, _| ())
            }

            fn __clear__(&self) {
                self.0.clear(|_| ());
            }

            $($methods)*
        }
    };
}

lock! {
    /// A flag that coroutines can wait for.
    Event(locks::Event), new() {
        fn is_set(&self) -> PyResult<bool> {
            Ok(self.0.get()?.is_set())
        }

        fn set(&self) -> PyResult<()> {
            self.0.get()?.set();
            Ok(())
        }

        fn clear(&self) -> PyResult<()> {
            self.0.get()?.clear();
            Ok(())
        }

        /// Returns a Future that is done when the flag is set.
        #[pyo3(signature = (timeout=None))]
        fn wait(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyFuture>> {
            let (event, limit) = (self.0.get_to_wait(py)?, seconds_until(timeout)?);
            let wait = limit.map_or_else(|| event.wait(), |limit| event.wait_within(seconds(limit)));
            self.0.request(py, wait, limit)
        }
    }
}

lock! {
    /// Lets coroutines wait until they are notified.
    Condition(locks::Condition), new() {
        #[pyo3(signature = (n=1))]
        fn notify(&self, n: usize) -> PyResult<()> {
            self.0.get()?.notify(n);
            Ok(())
        }

        fn notify_all(&self) -> PyResult<()> {
            self.0.get()?.notify_all();
            Ok(())
        }

        /// Returns a Future of whether there was a notification before the deadline.
        #[pyo3(signature = (timeout=None))]
        fn wait(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyFuture>> {
            let (condition, limit) = (self.0.get_to_wait(py)?, seconds_until(timeout)?);
            let wait = limit.map_or_else(|| condition.wait(), |limit| condition.wait_within(seconds(limit)));
            self.0.request(py, wait, limit)
        }
    }
}

macro_rules! permits {
    ($(#[$doc:meta])* $name:ident($lock:ty), new($($arg:ident: $type:ty),*), |$it:ident| $release:expr) => {
        lock! {
            $(#[$doc])*
            $name($lock), new($($arg: $type),*) {
                /// Returns a Future that is done when the caller is let in.
                #[pyo3(signature = (timeout=None))]
                fn acquire(slf: &Bound<'_, Self>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyFuture>> {
                    let (py, this) = (slf.py(), slf.get());
                    let (lock, limit) = (this.0.get_to_wait(py)?, seconds_until(timeout)?);
                    let permit = match (running_line(py), limit) {
                        (Some(place), limit) => lock.acquire_unguarded_at(place, limit.map(seconds)),
                        (None, None) => lock.acquire_unguarded(),
                        (None, Some(limit)) => lock.acquire_unguarded_within(seconds(limit)),
                    };
                    // Its value is cloned, never taken back.
                    drop(permit.clone());
                    let weak = PyWeakrefReference::new(slf.as_any())?.unbind();
                    let granted = Shaped::future(Source::Granted(permit.erase(), weak));
                    this.0.request(py, granted, limit)
                }

                /// Lets the next one in.
                fn release(&self) -> PyResult<()> {
                    let $it = self.0.get()?;
                    $release
                }
            }
        }
    };
}

permits! {
    /// Lets at most so many coroutines in at once.
    Semaphore(locks::Semaphore), new(value: usize), |lock| {
        lock.release();
        Ok(())
    }
}

permits! {
    /// A semaphore that may not be released more often than it was acquired.
    BoundedSemaphore(locks::BoundedSemaphore), new(value: usize), |lock| {
        lock.release().map_err(|_| PyValueError::new_err("Semaphore released too many times"))
    }
}

permits! {
    /// Lets one coroutine in at once.
    Lock(locks::Lock), new(), |lock| {
        lock.release().map_err(|_| PyRuntimeError::new_err("release unlocked lock"))
    }
}

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Event>()?;
    module.add_class::<Condition>()?;
    module.add_class::<Semaphore>()?;
    module.add_class::<BoundedSemaphore>()?;
    module.add_class::<Lock>()
}
