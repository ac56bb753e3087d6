//! [`Step`]: one resume of one coroutine, as a test sees it.

use std::fmt;
use std::time::Duration;

use squall_runner::trace::{CallId, Kind};
use squall_runner::{Exception, Place};

/// The name of one call of a coroutine: `fetch`, or `fetch#2` for the second call of `fetch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallName {
    pub(super) id: CallId,
    pub(super) coroutine: &'static str,
    /// The number of the call among those of that coroutine, from 1.
    pub(super) nth: u32,
}

impl CallName {
    /// Returns the name of the coroutine: `fetch`.
    pub fn name(&self) -> &'static str {
        self.coroutine
    }

    /// Returns the number of the call among those of its coroutine, from 1.
    pub fn nth(&self) -> u32 {
        self.nth
    }

    /// Returns the number of the call in the trace.
    pub fn id(&self) -> CallId {
        self.id
    }

    /// Returns whether `label` means this call: `fetch` is the first call of `fetch`, `fetch#2` the second.
    pub(super) fn is(&self, label: &str) -> bool {
        match label.rsplit_once('#') {
            Some((name, nth)) => name == self.coroutine && nth.parse() == Ok(self.nth),
            None => label == self.coroutine && self.nth == 1,
        }
    }
}

impl fmt::Display for CallName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.nth {
            1 => f.write_str(self.coroutine),
            nth => write!(f, "{}#{nth}", self.coroutine),
        }
    }
}

/// The input of a step.
#[derive(Debug, Clone)]
pub(super) enum Input {
    /// The coroutine was resumed for the first time.
    Start,
    Send(String),
    Throw(Exception),
    /// A native coroutine was polled again.
    Wake,
}

/// The output of a step.
#[derive(Debug, Clone)]
pub(super) enum Output {
    Yield(Kind),
    /// A native coroutine awaits something.
    Await,
    Return(String),
    Raise(Exception),
    /// Unknown: the coroutine was dropped or cancelled.
    Nothing,
}

/// One resume of one coroutine: its input, its output, and when. `Display` prints it as one line.
#[derive(Debug, Clone)]
pub struct Step {
    pub(super) runner: CallName,
    pub(super) input: Input,
    pub(super) output: Output,
    /// The line of the yield at which the step ended.
    pub(super) place: Option<Place>,
    pub(super) hops: u64,
    pub(super) turn: u64,
    pub(super) now: Duration,
}

impl Step {
    /// Returns the call that was resumed.
    pub fn runner(&self) -> CallName {
        self.runner
    }

    /// Returns whether it was the first resume of the call.
    pub fn started(&self) -> bool {
        matches!(self.input, Input::Start)
    }

    /// Returns the value that was sent into the coroutine, as a trace shows it.
    pub fn sent(&self) -> Option<&str> {
        match &self.input {
            Input::Send(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the exception that was thrown into the coroutine.
    pub fn thrown(&self) -> Option<&Exception> {
        match &self.input {
            Input::Throw(exception) => Some(exception),
            _ => None,
        }
    }

    /// Returns the kind of what the coroutine yielded.
    pub fn yielded(&self) -> Option<Kind> {
        match self.output {
            Output::Yield(kind) => Some(kind),
            _ => None,
        }
    }

    /// Returns the value that the coroutine returned, as a trace shows it.
    pub fn returned(&self) -> Option<&str> {
        match &self.output {
            Output::Return(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the exception that the coroutine raised.
    pub fn raised(&self) -> Option<&Exception> {
        match &self.output {
            Output::Raise(exception) => Some(exception),
            _ => None,
        }
    }

    /// Returns the line of the yield at which the step ended.
    pub fn place(&self) -> Option<Place> {
        self.place
    }

    /// Returns how many turns of the loop the coroutine had waited: 0 if it went on at once.
    pub fn hops(&self) -> u64 {
        self.hops
    }

    /// Returns the number of the turn of the loop, from 1.
    pub fn turn(&self) -> u64 {
        self.turn
    }

    /// Returns the loop's time.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Returns the step as a line without line numbers, which stays the same when the program is moved within its file.
    pub fn without_line(&self) -> String {
        format!("{}: {} -> {}", self.runner, self.input, self.output)
    }

    /// Returns whether both steps did the same at the same time.
    pub(super) fn same(&self, other: &Self) -> bool {
        let when = |step: &Self| (step.hops, step.turn, step.now);
        when(self) == when(other) && self.to_string() == other.to_string()
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.without_line())?;
        match self.place.filter(|_| matches!(self.output, Output::Yield(_))) {
            Some(place) => write!(f, " at {place}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("start"),
            Self::Send(value) => write!(f, "send {value}"),
            Self::Throw(exception) => write!(f, "throw {}", InShort(exception)),
            Self::Wake => f.write_str("go on"),
        }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yield(kind) => write!(f, "yield {kind}"),
            Self::Await => f.write_str("await"),
            Self::Return(value) => write!(f, "return {value}"),
            Self::Raise(exception) => write!(f, "raise {}", InShort(exception)),
            Self::Nothing => f.write_str("gone"),
        }
    }
}

/// Prints an exception on one line: `ZeroDivision: division by zero`.
pub(super) struct InShort<'a>(pub(super) &'a Exception);

impl fmt::Display for InShort<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.to_string().as_str() {
            "" => f.write_str(self.0.name()),
            message => write!(f, "{}: {message}", self.0.name()),
        }
    }
}

/// Prints the loop's time: `0s`, `1.5s`, `20ms`.
pub(super) struct Clock(pub(super) Duration);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Duration::ZERO => f.write_str("0s"),
            time => write!(f, "{time:?}"),
        }
    }
}
