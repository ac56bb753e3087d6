//! The library's own errors.
//!
//! Every failure that squall itself raises is an [`Error`]. What leaves a coroutine is an
//! [`Exception`](crate::Exception), into which `?` converts any error.
//!
//! ```
//! use squall_runner::{Error, Exception};
//!
//! let e = Exception::from(Error::Timeout);
//! assert_eq!(e.downcast_ref::<Error>(), Some(&Error::Timeout));
//! ```

use std::collections::HashMap;
use std::fmt;

use crate::place::Place;

/// An error that squall itself raises.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // The text of each variant tells of its fields.
pub enum Error {
    /// Something was yielded that cannot be waited for (Tornado's `BadYieldError`). Raised at that yield.
    #[error("yielded unknown object {0}")]
    BadYield(String),
    /// The time limit passed before there was a result (`with_timeout`, the limits of locks and queues).
    #[error("Timeout")]
    Timeout,
    /// `run_sync` reached its time limit. `seconds` is printed like in Tornado: `0.02`, `1.0`.
    #[error("Operation timed out after {seconds} seconds")]
    RunSyncTimeout { seconds: String },
    /// `stop` was called while `run_sync` was waiting.
    #[error("Event loop stopped before Future completed.")]
    LoopStopped,
    /// Coroutines wait, but nothing is ready, no timer is set, and nothing outside can wake the loop. `waiting` are the
    /// suspended coroutines, oldest first.
    #[error("nothing that is left can wake the loop{}", listed(.waiting))]
    Deadlock { waiting: Vec<Waiting> },
    /// The Future was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// Every `Promise` of the Future was dropped without resolving it.
    #[error("the Promise was dropped before it was resolved; call set_result or set_exception on it")]
    BrokenPromise,
    /// The Future is in a state that does not allow the operation.
    #[error("invalid state: {0}")]
    InvalidState(&'static str),
    /// The value was already moved out. Clone the Future before, to take its result more than once.
    #[error("the result was already taken; clone the Future to take its result more than once")]
    ResultTaken,
    /// The value that was sent does not have the type that the yield expects.
    #[error("a value of another type was sent: this yield takes a {expected}")]
    WrongType { expected: &'static str },
    /// The value of the `Return` that was raised does not have the type that the coroutine returns.
    #[error("Return was raised with a value of another type: this coroutine returns {expected}")]
    WrongReturn { expected: &'static str },
    /// The body of a coroutine contains a mistake, so that it cannot be driven.
    #[error("{0}")]
    Misuse(#[from] Misuse),
    /// A body, a callback or a job panicked, with this message.
    #[error("panicked: {0}")]
    Panic(String),
}

impl Error {
    /// Returns Python's name of the error, or its own name if Python has none.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::BadYield(_) => "BadYieldError",
            Self::Timeout | Self::RunSyncTimeout { .. } => "TimeoutError",
            Self::Cancelled => "CancelledError",
            Self::InvalidState(_) => "InvalidStateError",
            Self::LoopStopped => "RuntimeError",
            Self::Deadlock { .. } => "Deadlock",
            Self::BrokenPromise => "BrokenPromise",
            Self::ResultTaken => "ResultTaken",
            Self::WrongType { .. } | Self::WrongReturn { .. } => "TypeError",
            Self::Misuse(_) => "Misuse",
            Self::Panic(_) => "Panic",
        }
    }
}

/// A mistake in the body of a yield-style coroutine. Each message says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // As above.
pub enum Misuse {
    /// `.await` on something other than a yield.
    #[error("a yield-style coroutine awaited something that was not ready: write yield_!(x)? or co.yield_(x).await? instead of x.await")]
    ForeignAwait,
    /// `co.yield_(x)` without `.await`.
    #[error("the yield at {0} was not awaited: write co.yield_(x).await?")]
    NotAwaited(Place),
    /// A second `co.yield_(x)` while the first one was not awaited yet.
    #[error("the yield at {second} was made while that at {first} was not over: write co.yield_(x).await? for each one before the next, or yield a list")]
    Twice { first: Place, second: Place },
    /// A `Co` used outside of its own body.
    #[error("the Co of another coroutine was used: yield only in the body that was given the Co")]
    Escaped,
}

/// A suspended coroutine in an [`Error::Deadlock`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Waiting {
    /// The coroutine's name.
    pub name: &'static str,
    /// The line where it is suspended.
    pub place: Place,
    /// The name of the coroutine that it waits for, if it waits for one.
    pub on: Option<&'static str>,
    /// A description of what it waits for, if there is one: a lock by name, with its holder.
    pub what: Option<String>,
    /// `true` if it waits on the thread's default loop, which was not running: the coroutine was called outside of any
    /// run.
    pub on_default_loop: bool,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} waits at {}", self.name, self.place)?;
        match (&self.what, self.on) {
            (Some(what), _) => write!(f, " for {what}")?,
            (None, Some(on)) => write!(f, " for {on}")?,
            (None, None) => {}
        }
        if self.on_default_loop {
            f.write_str(
                ", on the thread's default loop, which is not running: it was called outside of any run",
            )?;
        }
        Ok(())
    }
}

/// Prints one line for each coroutine, and one line for equal ones.
fn listed(waiting: &[Waiting]) -> String {
    let (mut lines, mut places) = (Vec::new(), HashMap::new());
    for each in waiting {
        let place = *places.entry(each).or_insert(lines.len());
        if place == lines.len() {
            lines.push((each, 0));
        }
        lines[place].1 += 1;
    }
    let line = |(each, calls)| match calls {
        1 => format!("\n  {each}"),
        calls => format!("\n  {each} ({calls} of them)"),
    };
    lines.into_iter().map(line).collect()
}
