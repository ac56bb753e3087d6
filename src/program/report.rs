//! [`Report`]: what a program did.

use std::fmt;

use serde_json::{json, Value as Json};

use super::show::python;

/// A record of what a program did, from its first statement to its end. Times are virtual milliseconds.
///
/// ```
/// let program = squall::program::parse(r#"{"name": "hello", "about": "", "defs":
///     {"main": {"kind": "plain", "params": [], "body": [["log", "hello"]]}},
///     "top": [["run_sync", "main", [], null]]}"#)?;
/// let report = program.run()?;
/// assert_eq!(report.events[0].text, "hello");
/// assert_eq!(report.to_json()["outcomes"][0]["result"], serde_json::Value::Null);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Report {
    /// The outcome of each `run_sync` and `start`.
    pub outcomes: Vec<Outcome>,
    /// The lines that the program logged.
    pub events: Vec<Line>,
    /// Every step of each decorated coroutine.
    pub runner: Vec<Step>,
    /// Exceptions that were logged because nothing could receive them.
    pub logs: Vec<Log>,
    /// The exceptions that nothing retrieved, sorted.
    pub unretrieved: Vec<String>,
    /// The order of all records: `e` for one of [`events`](Self::events), `r` for [`runner`](Self::runner), `l` for
    /// [`logs`](Self::logs), and `|` where a turn of the loop began or a run ended in between.
    pub order: String,
    /// The time at the end, in milliseconds.
    pub end_ms: u64,
}

/// The end of a `run_sync` or a `start`.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The coroutine returned this result.
    Result(Json),
    /// The coroutine raised an exception.
    Exception {
        /// The type of the exception.
        name: String,
        /// The message of the exception; empty if it has none.
        message: String,
    },
    /// The loop was stopped, so that `start` returned.
    Stopped,
    /// Nothing could wake the loop any more.
    Hang,
}

/// A line that the program logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The time in milliseconds.
    pub ms: u64,
    /// The text.
    pub text: String,
}

/// A step of a decorated coroutine.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The name of the call: `f#2` is the second call of `f`.
    pub coroutine: String,
    /// The kind of step: `start`, `send`, `throw`, `yield`, `return`, `gen_return`, `raise` or `call`.
    pub what: &'static str,
    /// The value that was sent, thrown, yielded, returned or raised.
    pub value: Option<Json>,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The time in milliseconds.
    pub ms: u64,
    /// The name of Tornado's logger.
    pub logger: &'static str,
    /// Tornado's message, which is a format string.
    pub message: &'static str,
    /// The exception that was logged.
    pub exception: String,
}

impl Report {
    /// Returns the report in the form of the conformance suite's `expect`.
    pub fn to_json(&self) -> Json {
        json!({
            "outcomes": self.outcomes.iter().map(Outcome::to_json).collect::<Vec<_>>(),
            "events": self.events.iter().map(Line::to_json).collect::<Vec<_>>(),
            "runner": self.runner.iter().map(Step::to_json).collect::<Vec<_>>(),
            "logs": self.logs.iter().map(Log::to_json).collect::<Vec<_>>(),
            "unretrieved": self.unretrieved,
            "order": self.order,
            "end_ms": self.end_ms,
        })
    }
}

impl Outcome {
    fn to_json(&self) -> Json {
        match self {
            Self::Result(value) => json!({ "result": value }),
            Self::Exception { name, message } => json!({ "exception": [name, message] }),
            Self::Stopped => json!({ "stopped": true }),
            Self::Hang => json!({ "hang": true }),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Result(value) => write!(f, "result: {}", python(value)),
            Self::Exception { name, message } if message.is_empty() => write!(f, "raised {name}"),
            Self::Exception { name, message } => write!(f, "raised {name}: {message}"),
            Self::Stopped => f.write_str("stopped"),
            Self::Hang => f.write_str("hangs: nothing that is left can wake the loop"),
        }
    }
}

impl Line {
    fn to_json(&self) -> Json {
        json!([self.ms, self.text])
    }
}

impl Step {
    fn to_json(&self) -> Json {
        match &self.value {
            Some(value) => json!([self.coroutine, self.what, value]),
            None => json!([self.coroutine, self.what]),
        }
    }
}

impl Log {
    fn to_json(&self) -> Json {
        json!([self.ms, self.logger, "ERROR", self.message, self.exception])
    }
}
