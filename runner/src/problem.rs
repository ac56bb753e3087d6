//! [`Problem`]: failures that have no waiter to report them to.

/// A failure that has no waiter to report it to, so that it is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Problem {
    /// A callback, or the coroutine that it called, raised an exception; or a value panicked while it was dropped.
    Callback,
    /// A callback of `add_done_callback` panicked.
    DoneCallback,
    /// A further child of a list or map failed. Only the exception of the first one is raised.
    Multiple,
    /// Something failed after `with_timeout` had given up waiting for it.
    LateFailure,
    /// A coroutine raised an exception after its Future had been cancelled.
    AfterCancel,
    /// A Future failed, and its last handle was dropped before anything retrieved the exception.
    NeverRetrieved,
    /// A native coroutine was called and dropped without being awaited, so that its body has not run.
    NeverAwaited,
}

impl Problem {
    /// Returns the text of the log line.
    pub fn text(self) -> &'static str {
        match self {
            Self::Callback => "exception in callback",
            Self::DoneCallback => "exception in done callback",
            Self::Multiple => "multiple exceptions in yield list",
            Self::LateFailure => "exception in Future after timeout",
            Self::AfterCancel => "exception after Future was cancelled",
            Self::NeverRetrieved => "exception was never retrieved",
            Self::NeverAwaited => "native coroutine has not run",
        }
    }
}
