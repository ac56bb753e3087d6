//! The CPython extension of squall: Python's generators and coroutines, driven by squall's Runner.
//!
//! | file | subject |
//! |---|---|
//! | `affine` | values that belong to one thread, and all `unsafe` code |
//! | `names` | classes and functions of the Python side |
//! | `value`, `raised`, `lines` | objects, exceptions and lines of Python as squall's |
//! | `body`, `generator`, `native`, `current_task` | coroutines: what they share, decorated ones, `async def` |
//! | `future`, `waiters`, `shaped`, `foreign` | the class `Future`; what waits for one; lists, limits and locks; asyncio's |
//! | `cancelled` | the messages of cancellations |
//! | `collect` | what the collector of cycles is shown |
//! | `convert` | `convert_yielded`, `multi`, `sleep`, `with_timeout` |
//! | `ioloop`, `early`, `callback`, `timeout`, `signals` | the class `Loop` |
//! | `locks`, `releasing`, `queues`, `iterating`, `periodic` | the rest of Tornado's modules |
//! | `recording`, `libraries`, `variables`, `logging` | traces, and what is logged |
//! | `tool_loop`, `tool_clock` | loops that a tool drives, and every order of a program |

mod affine;
mod body;
mod callback;
mod cancelled;
mod collect;
mod convert;
mod current_task;
mod early;
mod foreign;
mod future;
mod generator;
mod ioloop;
mod iterating;
mod libraries;
mod lines;
mod locks;
mod logging;
mod names;
mod native;
mod periodic;
mod queues;
mod raised;
mod recording;
mod releasing;
mod shaped;
mod signals;
mod timeout;
mod tool_clock;
mod tool_loop;
mod value;
mod variables;
mod waiters;

use pyo3::prelude::*;

#[pymodule]
fn _squall(module: &Bound<'_, PyModule>) -> PyResult<()> {
    squall::Place::hide_rust();
    module.add_function(wrap_pyfunction!(names::_init, module)?)?;
    module.add_function(wrap_pyfunction!(native::task, module)?)?;
    module.add_function(wrap_pyfunction!(current_task::_set_asyncio_loop, module)?)?;
    module.add_function(wrap_pyfunction!(foreign::foreign, module)?)?;
    module.add_function(wrap_pyfunction!(convert::convert, module)?)?;
    module.add_function(wrap_pyfunction!(convert::moment, module)?)?;
    module.add_function(wrap_pyfunction!(convert::multi, module)?)?;
    module.add_function(wrap_pyfunction!(convert::sleep, module)?)?;
    module.add_function(wrap_pyfunction!(convert::with_timeout, module)?)?;
    module.add_function(wrap_pyfunction!(signals::_wake_by_signals, module)?)?;
    future::add(module)?;
    module.add_class::<generator::CoroutineFunction>()?;
    module.add_class::<foreign::Arrival>()?;
    module.add_class::<ioloop::Loop>()?;
    module.add_function(wrap_pyfunction!(libraries::_set_libraries, module)?)?;
    module.add_class::<ioloop::Waker>()?;
    module.add_class::<timeout::Timeout>()?;
    module.add_class::<ioloop::Ticket>()?;
    locks::add(module)?;
    queues::add(module)?;
    iterating::add(module)?;
    periodic::add(module)?;
    recording::add(module)?;
    tool_loop::add(module)
}
