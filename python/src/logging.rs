//! Passes squall's log to Python's `logging`.

use std::sync::Once;

use log::{Level, LevelFilter, Log, Metadata, Record};
use pyo3::prelude::*;

use crate::names::names;

/// The logger of this process: it passes each record to Python.
struct ToPython;

impl Log for ToPython {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("squall")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let is_error = record.level() == Level::Error;
        let text = record.args().to_string();
        Python::attach(|py| {
            if let Err(raised) = names(py).log.call1(py, (is_error, text)) {
                raised.write_unraisable(py, None);
            }
        });
    }

    fn flush(&self) {}
}

/// Passes what squall logs from now on to Python's `logging`: warnings and errors.
pub(crate) fn log_to_python() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        if log::set_logger(&ToPython).is_ok() {
            log::set_max_level(LevelFilter::Warn);
        }
    });
}
