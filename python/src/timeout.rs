//! [`Timeout`]: the handle of a timer, which `IOLoop.call_later` returns.

use std::cell::Cell;
use std::rc::{Rc, Weak};

use pyo3::prelude::*;
use squall::{ioloop, IoLoop};

use crate::affine::Affine;

/// The handle of a timer, with the methods of asyncio's `TimerHandle`, which Tornado returns.
#[pyclass(module = "squall._squall", frozen, weakref)]
pub(crate) struct Timeout(Affine<Timer>);

/// A timer that was set.
struct Timer {
    io_loop: Weak<IoLoop>,
    handle: ioloop::Timeout,
    cancelled: Cell<bool>,
}

impl Timeout {
    /// Creates the handle of a timer of that loop.
    pub(crate) fn new(io_loop: &Rc<IoLoop>, timer: ioloop::Timeout) -> Self {
        Self(Affine::new(Timer {
            io_loop: Rc::downgrade(io_loop),
            handle: timer,
            cancelled: Cell::new(false),
        }))
    }
}

#[pymethods]
impl Timeout {
    /// Removes the timer, so that its callback is not called. Does nothing if it was called before.
    pub(crate) fn cancel(&self) -> PyResult<()> {
        let timer = self.0.get()?;
        timer.cancelled.set(true);
        if let Some(io_loop) = timer.io_loop.upgrade() {
            io_loop.remove_timeout(&timer.handle);
        }
        Ok(())
    }

    fn cancelled(&self) -> PyResult<bool> {
        Ok(self.0.get()?.cancelled.get())
    }

    /// Returns when the timer is due, by the clock of asyncio's side of the loop, in seconds.
    fn when(&self) -> PyResult<f64> {
        Ok(self.0.get()?.handle.deadline().as_secs_f64())
    }

    fn __repr__(&self) -> String {
        match self.0.try_get() {
            None => "<TimerHandle of another thread>".to_owned(),
            Some(timer) => {
                let cancelled = if timer.cancelled.get() { " cancelled" } else { "" };
                format!("<TimerHandle{cancelled} when={}>", timer.handle.deadline().as_secs_f64())
            }
        }
    }
}
