//! Traces of Python programs.

use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use squall::trace::{Event, Lang, Language, Recorder, SourceText, Trace};
use squall_runner::trace;

use crate::affine::{py, Affine};
use crate::lines::running_line;

/// The record of what happened while a function ran.
#[pyclass(name = "Trace", module = "squall._squall", frozen)]
pub(crate) struct PyTrace {
    trace: Affine<Trace<()>>,
    /// The value that the function returned, or the exception that it raised.
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

    /// Returns whether it ends where `until` or `turns` says.
    fn is_cut(&self) -> PyResult<bool> {
        Ok(self.trace.get()?.is_cut())
    }

    /// Returns the trace with the texts of the program, which are given as the names of files and their texts.
    fn with_sources(&self, py: Python<'_>, sources: Vec<(String, String)>) -> PyResult<Self> {
        let outcome = match &self.outcome {
            Ok(result) => Ok(result.clone_ref(py)),
            Err(raised) => Err(raised.clone_ref(py)),
        };
        let trace = sources.into_iter().fold(self.trace.get()?.clone(), |trace, (file, text)| {
            let name = file.rsplit('/').next().unwrap_or(&file).to_owned().into();
            let (file, text) = (file.into(), text.into());
            trace.with_source(SourceText { language: Language::Python, name, file, first_line: 1, text })
        });
        Ok(Self { trace: Affine::new(trace), outcome })
    }

    /// Returns the trace in columns.
    #[pyo3(signature = (width=100, colors=false))]
    fn text(&self, width: usize, colors: bool) -> PyResult<String> {
        Ok(self.trace.get()?.text().width(width).colors(colors).to_string())
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

    /// Returns a page for a browser, in English (`en`) or Chinese (`zh`).
    #[pyo3(signature = (name, about, lang="en"))]
    fn html(&self, name: &str, about: &str, lang: &str) -> PyResult<String> {
        let lang = match lang {
            "zh" => Lang::Zh,
            _ => Lang::En,
        };
        Ok(self.trace.get()?.page().title(name, [about; 2]).lang(lang).to_string())
    }
}

/// Adds a line to the trace that is being recorded.
#[pyfunction]
fn note(py: Python<'_>, text: &str) {
    if let Some(place) = running_line(py) {
        trace::emit(|| Event::Note { text, place });
    }
}

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyTrace>()?;
    module.add_function(wrap_pyfunction!(record, module)?)?;
    module.add_function(wrap_pyfunction!(note, module)?)
}
