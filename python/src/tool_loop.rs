//! [`ToolLoop`]: a test loop under a loop of Python, and every order in which a program may run on one.

use std::cell::{Cell, RefCell};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::{PyAssertionError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use squall::testing::{replay_program, Explore, SharedTestLoop, TestLoop};
use squall::{Error, Future, IoLoop, Result};
use squall_runner::panics::quietly;

use crate::affine::{py, Affine};
use crate::body::peek;
use crate::convert::{converted, seconds};
use crate::ioloop::as_value;
use crate::raised::from_python;
use crate::value::Value;

/// A test loop of squall. Runs of the Python loop that has adopted it are runs of this one.
#[pyclass(module = "squall._squall", frozen, from_py_object)]
#[derive(Clone)]
pub(crate) struct ToolLoop(Arc<Affine<RefCell<Option<SharedTestLoop>>>>);

impl ToolLoop {
    fn of(test_loop: SharedTestLoop) -> Self {
        Self(Arc::new(Affine::new(RefCell::new(Some(test_loop)))))
    }

    fn shared(&self) -> PyResult<SharedTestLoop> {
        let shared = self.0.get()?.borrow().clone();
        shared.ok_or_else(|| PyRuntimeError::new_err("the test loop is closed"))
    }

    pub(crate) fn io_loop(&self) -> PyResult<IoLoop> {
        let shared = self.shared()?;
        let io_loop = shared.try_borrow().map_err(|_| in_use())?.io_loop().clone();
        Ok(io_loop)
    }

    /// Calls `f` with the test loop. What it finds wrong with the test is raised as `AssertionError`.
    fn with<R>(&self, f: impl FnOnce(&mut TestLoop) -> R) -> PyResult<R> {
        let shared = self.shared()?;
        let mut test_loop = shared.try_borrow_mut().map_err(|_| in_use())?;
        let (result, text) = quietly(|| catch_unwind(AssertUnwindSafe(|| f(&mut test_loop))));
        result
            .map_err(|_| PyAssertionError::new_err(text.unwrap_or_else(|| "the test loop failed".to_owned())))
    }

    /// Runs the loop until `end` returns `true` at the end of a turn, or it is stopped.
    pub(crate) fn run(&self, end: impl Fn() -> bool) -> PyResult<Result<()>> {
        self.with(|test_loop| test_loop.run_turns(end))
    }

    /// Calls `call` on the loop, and runs the loop until the Future that it returns is done.
    pub(crate) fn run_sync(
        &self,
        call: impl FnOnce() -> Future<Value> + 'static,
        timeout: Option<Duration>,
    ) -> PyResult<Result<Value>> {
        let io_loop = self.io_loop()?;
        let called = Rc::new(RefCell::new(None::<Future<Value>>));
        let slot = called.clone();
        io_loop.add_callback(move || {
            let future = call();
            slot.replace(Some(future));
        });
        let late = Rc::new(Cell::new(false));
        let timer = timeout.map(|timeout| {
            let (slot, late) = (called.clone(), late.clone());
            io_loop.call_later(timeout, move || {
                late.set(true);
                if let Some(future) = &*slot.borrow() {
                    future.cancel();
                }
            })
        });
        let done = || called.borrow().as_ref().is_some_and(Future::done);
        let ran = self.run(done);
        timer.iter().for_each(|timer| io_loop.remove_timeout(timer));
        let future = called.take();
        ran.map(|ran| match (future, timeout) {
            (_, Some(timeout)) if late.get() => {
                let seconds = format!("{:?}", timeout.as_secs_f64());
                Err(Error::RunSyncTimeout { seconds }.into())
            }
            (Some(future), _) if future.done() => future.into_result(),
            _ => ran.and(Err(Error::LoopStopped.into())),
        })
    }
}

fn in_use() -> PyErr {
    PyRuntimeError::new_err("This event loop is already running")
}

#[pymethods]
impl ToolLoop {
    #[new]
    fn new() -> Self {
        Self::of(SharedTestLoop::new(TestLoop::new().into()))
    }

    /// Calls `function`, whose coroutines start in steps of their own, and returns what it returned.
    fn spawn(&self, function: Py<PyAny>) -> PyResult<Py<PyAny>> {
        let result = RefCell::new(None);
        let core = self.with(|test_loop| {
            test_loop.spawn(|| {
                let called = function.call0(py()).and_then(|it| converted(it.bind(py())));
                let core = called.as_ref().map(|future| future.get().core());
                let future = match core {
                    Ok(Ok(core)) => as_value(core),
                    Ok(Err(raised)) => Future::failed(from_python(raised)),
                    Err(raised) => Future::failed(from_python(raised.clone_ref(py()))),
                };
                result.replace(Some(called));
                future
            })
        })?;
        // What it raises is that of the Future below.
        drop(core);
        match result.take() {
            Some(called) => called.map(Py::into_any),
            None => Err(PyRuntimeError::new_err("it was not called")),
        }
    }

    /// Resumes one coroutine. Returns the step as text, with the name of the call, the file and the line.
    fn step(&self) -> PyResult<Option<(String, String, Option<String>, Option<u32>)>> {
        let step = self.with(TestLoop::try_step)?;
        Ok(step.map(|step| {
            let place = step.place();
            let file = place.map(|place| place.file().to_owned());
            (step.to_string(), step.runner().to_string(), file, place.map(|place| place.line()))
        }))
    }

    fn run_until_idle(&self) -> PyResult<()> {
        self.with(TestLoop::run_until_idle)
    }

    fn run_current(&self) -> PyResult<()> {
        self.with(TestLoop::run_current)
    }

    fn advance(&self, by: f64) -> PyResult<()> {
        self.with(|test_loop| test_loop.advance(seconds(by)))
    }

    fn autojump(&self, on: bool) -> PyResult<()> {
        self.with(|test_loop| test_loop.autojump(on))
    }

    fn schedule(&self, names: Vec<String>) -> PyResult<()> {
        self.with(|test_loop| test_loop.schedule(names))
    }

    fn assert_idle(&self) -> PyResult<()> {
        self.with(TestLoop::assert_idle)
    }

    /// Returns the time in seconds.
    fn now(&self) -> PyResult<f64> {
        self.with(|test_loop| test_loop.now().as_secs_f64())
    }

    /// Returns the waiting coroutines, one line each.
    fn waiting(&self) -> PyResult<Vec<String>> {
        self.with(|test_loop| test_loop.waiting().iter().map(ToString::to_string).collect())
    }

    /// Returns what happened so far, in columns.
    #[pyo3(signature = (width=100))]
    fn trace(&self, width: usize) -> PyResult<String> {
        self.with(|test_loop| test_loop.trace().text().width(width).to_string())
    }

    /// Closes the loop.
    fn close(&self) -> PyResult<()> {
        let shared = self.0.get()?.take();
        drop(shared);
        Ok(())
    }
}

/// Runs `program` on a test loop, and lets go of the loop. What it raises ends the tool: `interrupt` keeps it, and no order
/// is run any more.
fn run_program(
    program: &Py<PyAny>,
    test_loop: &SharedTestLoop,
    interrupt: &Cell<Option<PyErr>>,
) -> std::result::Result<(), String> {
    if peek(interrupt, |interrupt| interrupt.is_some()) {
        return Err("interrupted".to_owned());
    }
    let tool = ToolLoop::of(test_loop.clone());
    let ended = program.call1(py(), (tool.clone(),));
    if let Ok(slot) = tool.0.get() {
        drop(slot.take());
    }
    let problem = ended.and_then(|problem| problem.extract::<Option<String>>(py()));
    match problem {
        Ok(None) => Ok(()),
        Ok(Some(problem)) => Err(problem),
        Err(raised) => {
            interrupt.set(Some(raised));
            Err("interrupted".to_owned())
        }
    }
}

/// The result of an exploration.
#[pyclass(module = "squall._squall", frozen, get_all)]
pub(crate) struct Exploration {
    /// How many orders were tried.
    orders: usize,
    /// How many orders, in words.
    summary: String,
    /// A description of the failure; `None` if no order failed.
    problem: Option<String>,
    /// The order that failed; empty if a limit was reached.
    schedule: String,
    /// How many preemptions that order has.
    preemptions: usize,
    /// The last steps of that order, in columns.
    report: String,
}

/// Runs `program` in each order. It is called with the loop, and returns a text that says what is wrong, or `None`.
#[pyfunction]
#[pyo3(signature = (program, preemptions=None, orders=None, steps=None, seed=None, allow=""))]
fn explore(
    program: Py<PyAny>,
    preemptions: Option<usize>,
    orders: Option<usize>,
    steps: Option<usize>,
    seed: Option<u64>,
    allow: &str,
) -> PyResult<Exploration> {
    if !matches!(allow, "" | "unretrieved") {
        return Err(PyValueError::new_err(format!("{allow:?} cannot be allowed; \"unretrieved\" can")));
    }
    let mut explore = Explore::new().allow(allow);
    if let Some(preemptions) = preemptions {
        explore = explore.preemptions(preemptions);
    }
    if let Some(orders) = orders {
        explore = explore.orders(orders);
    }
    if let Some(steps) = steps {
        explore = explore.steps(steps);
    }
    if let Some(seed) = seed {
        explore = explore.random(seed);
    }
    let interrupt = Cell::new(None);
    let checked = explore.check_program(|test_loop| run_program(&program, test_loop, &interrupt));
    if let Some(raised) = interrupt.take() {
        return Err(raised);
    }
    Ok(match checked {
        Ok(explored) => Exploration {
            orders: explored.orders(),
            summary: explored.to_string(),
            problem: None,
            schedule: String::new(),
            preemptions: 0,
            report: String::new(),
        },
        Err(failure) => Exploration {
            orders: failure.tried(),
            summary: String::new(),
            problem: Some(failure.problem().to_owned()),
            schedule: failure.schedule().to_owned(),
            preemptions: failure.preemptions(),
            report: failure.report(),
        },
    })
}

/// Runs `program` in the order that `explore` has found to fail. Returns what is wrong, or `None`.
#[pyfunction]
fn replay(schedule: &str, program: Py<PyAny>) -> PyResult<Option<String>> {
    let interrupt = Cell::new(None);
    let run = || replay_program(schedule, |test_loop| run_program(&program, test_loop, &interrupt));
    let (replayed, text) = quietly(|| catch_unwind(AssertUnwindSafe(run)));
    if let Some(raised) = interrupt.take() {
        return Err(raised);
    }
    match replayed {
        Ok(ended) => Ok(ended.err()),
        Err(_) => Err(PyValueError::new_err(text.unwrap_or_else(|| "it cannot be replayed".to_owned()))),
    }
}

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<ToolLoop>()?;
    module.add_class::<Exploration>()?;
    module.add_function(wrap_pyfunction!(explore, module)?)?;
    module.add_function(wrap_pyfunction!(replay, module)?)
}
