//! Traces of Python programs.

use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use squall::trace::{Language, Recorder, SourceText, Trace};

use crate::affine::{py, Affine};

/// The record of what happened while a function ran.
#[pyclass(name = "Trace", module = "squall._squall", frozen)]
pub(crate) struct PyTrace {
    trace: Affine<Trace<()>>,
    /// What the function returned or raised.
    outcome: PyResult<Py<PyAny>>,
}

/// Calls `function`, and records what coroutines, Futures and the loop do on this thread until it returns.
#[pyfunction]
#[pyo3(signature = (function, limit=None, until=None, turns=None))]
fn record(
    function: Py<PyAny>,
    limit: Option<usize>,
    until: Option<f64>,
    turns: Option<usize>,
) -> PyResult<PyTrace> {
    let mut recorder = Recorder::new();
    if let Some(limit) = limit {
        recorder = recorder.limit(limit);
    }
    if let Some(until) = until {
        let until =
            Duration::try_from_secs_f64(until).map_err(|error| PyValueError::new_err(error.to_string()))?;
        recorder = recorder.until(until);
    }
    if let Some(turns) = turns {
        recorder = recorder.turns(turns);
    }
    let mut outcome = Ok(py().None());
    let trace = recorder.record(|| outcome = function.call0(py()));
    Ok(PyTrace { trace: Affine::new(trace), outcome })
}

#[pymethods]
impl PyTrace {
    /// Returns what the function returned, or raises what it raised.
    fn result(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match &self.outcome {
            Ok(result) => Ok(result.clone_ref(py)),
            Err(raised) => Err(raised.clone_ref(py)),
        }
    }

    /// Returns the trace in columns.
    #[pyo3(signature = (width=100))]
    fn text(&self, width: usize) -> PyResult<String> {
        Ok(self.trace.get()?.text().width(width).to_string())
    }

    /// Returns the events as JSON Lines.
    fn jsonl(&self) -> PyResult<String> {
        Ok(self.trace.get()?.to_jsonl())
    }

    /// Returns a sequence diagram for Mermaid.
    fn mermaid(&self) -> PyResult<String> {
        Ok(self.trace.get()?.to_mermaid())
    }

    /// Returns the trace for Chrome's and Perfetto's viewers.
    fn chrome(&self) -> PyResult<String> {
        Ok(self.trace.get()?.to_chrome())
    }

    /// Returns a page for a browser. `sources` has the names of files and their texts.
    #[pyo3(signature = (sources=Vec::new()))]
    fn html(&self, sources: Vec<(String, String)>) -> PyResult<String> {
        let trace = sources.into_iter().fold(self.trace.get()?.clone(), |trace, (file, text)| {
            let name = file.rsplit('/').next().unwrap_or(&file).to_owned().into();
            let (file, text) = (file.into(), text.into());
            trace.with_source(SourceText { language: Language::Python, name, file, first_line: 1, text })
        });
        Ok(trace.to_html())
    }
}

/// Adds a line to the trace that is being recorded.
#[pyfunction]
fn note(text: &str) {
    squall::trace::note(text);
}

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyTrace>()?;
    module.add_function(wrap_pyfunction!(record, module)?)?;
    module.add_function(wrap_pyfunction!(note, module)?)
}
