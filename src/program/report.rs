//! [`Report`]: what a program did.

use std::fmt;

use serde_json::{json, Value as Json};

/// What a program did, from its first statement to its end. Times are virtual milliseconds.
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
    /// How each `run_sync` and `start` ended.
    pub outcomes: Vec<Outcome>,
    /// What the program logged.
    pub events: Vec<Line>,
    /// Every step of every decorated coroutine.
    pub runner: Vec<Step>,
    /// What was logged because nobody could be told by an exception.
    pub logs: Vec<Log>,
    /// The exceptions that nobody asked for, sorted.
    pub unretrieved: Vec<String>,
    /// The order of all records: `e` of [`events`](Self::events), `r` of [`runner`](Self::runner), `l` of
    /// [`logs`](Self::logs), with `|` where an iteration of the loop began or a run ended in between.
    pub order: String,
    /// The time at the end.
    pub end_ms: u64,
}

/// How a `run_sync` or a `start` ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// With this result.
    Result(Json),
    /// It raised.
    Exception {
        /// The exception's type.
        name: String,
        /// Its message; empty if it has none.
        message: String,
    },
    /// `start` returned, since the loop was stopped.
    Stopped,
    /// Nothing that was left could have woken the loop.
    Hang,
}

/// Something that the program logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub ms: u64,
    /// What.
    pub text: String,
}

/// A step of a decorated coroutine.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The call: `f#2` is the second one of `f`.
    pub coroutine: String,
    /// `start`, `send`, `throw`, `yield`, `return`, `gen_return`, `raise` or `call`.
    pub what: &'static str,
    /// What was sent, thrown, yielded, returned or raised.
    pub value: Option<Json>,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// When.
    pub ms: u64,
    /// The name of the logger in Tornado.
    pub logger: &'static str,
    /// The message in Tornado, which is a format string.
    pub message: &'static str,
    /// The exception.
    pub exception: String,
}

impl Report {
    /// The report in the form of the conformance suite's `expect`.
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
            Self::Result(value) => write!(f, "result: {value}"),
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
