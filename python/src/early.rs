//! [`Early`]: what is asked of a loop before a thread uses it; and how a descriptor is watched.

use pyo3::prelude::*;
use squall::ioloop::FdEvents;
use squall::IoLoop;

use crate::affine::{py, Descriptor};
use crate::callback::Call;
use crate::libraries::as_called;
use crate::raised::report_callback;

/// What is asked of a loop before a thread uses it: any thread may, as long as one at a time does.
pub(crate) enum Early {
    Call(Call),
    Watch(Descriptor, Py<PyAny>, u32),
    Update(Descriptor, u32),
    Unwatch(Descriptor),
}

impl Early {
    /// Does it on the thread that uses the loop. A descriptor that was closed since is not watched.
    pub(crate) fn happen(self, io_loop: &IoLoop) {
        match self {
            Self::Call(call) => io_loop.add_callback(move || call.run()),
            Self::Watch(fd, handler, events) => drop(watch(io_loop, fd, handler, events)),
            Self::Update(fd, events) => drop(io_loop.update_handler(&fd, of_python_events(events))),
            Self::Unwatch(fd) => io_loop.remove_handler(&fd),
        }
    }
}

/// Calls `handler` with the events of a descriptor.
pub(crate) fn watch(
    io_loop: &IoLoop,
    fd: Descriptor,
    handler: Py<PyAny>,
    events: u32,
) -> std::io::Result<()> {
    io_loop.add_handler(fd, of_python_events(events), move |events: FdEvents| {
        let py = py();
        let called = || handler.call1(py, (to_python_events(events),));
        if let Err(raised) = as_called(handler.bind(py), called) {
            report_callback(py, &handler, raised);
        }
    })
}

/// Tornado's `IOLoop.READ`, `IOLoop.WRITE`.
const READ: u32 = 1;
const WRITE: u32 = 4;

pub(crate) fn of_python_events(events: u32) -> FdEvents {
    FdEvents { read: events & READ != 0, write: events & WRITE != 0 }
}

fn to_python_events(events: FdEvents) -> u32 {
    u32::from(events.read) * READ + u32::from(events.write) * WRITE
}
