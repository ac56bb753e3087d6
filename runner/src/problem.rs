//! [`Problem`]: what goes wrong where nobody waits for a result.

/// What can go wrong where nobody waits for the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// A callback, or the coroutine that it called, raised; or a value panicked as it was dropped.
    Callback,
    /// A function given to `add_done_callback` panicked.
    DoneCallback,
    /// A second child of a list or map failed; only the first exception is raised.
    Multiple,
    /// What `with_timeout` had given up on failed afterwards.
    LateFailure,
    /// A coroutine raised although its Future had been cancelled.
    AfterCancel,
    /// A Future failed, and its last handle was dropped before anybody asked for the exception.
    NeverRetrieved,
    /// A native coroutine was called and dropped, and nobody had awaited it: its body has not run.
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
