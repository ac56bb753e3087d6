//! [`ExecutorError`]: the reasons why a pool does not accept a job.

use std::fmt;

/// The reason why a job was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutorError {
    /// The queue is full. Wait for [`ThreadPoolExecutor::room`](super::ThreadPoolExecutor::room).
    #[error("the queue of the ThreadPoolExecutor is full: wait for room()")]
    Full,
    /// The pool was shut down.
    #[error("the ThreadPoolExecutor was shut down")]
    ShutDown,
    /// The loop that would receive the result is closed.
    #[error("the IoLoop is closed: the result of a job could not come back to it")]
    LoopClosed,
    /// The system cannot start a thread, and the pool has none.
    #[error("the system cannot start a thread for the ThreadPoolExecutor")]
    NoThread,
}

/// A job that was not accepted, and the reason.
#[derive(thiserror::Error)]
#[error("{error}")]
pub struct Rejected<F> {
    /// The job.
    pub job: F,
    /// The reason.
    pub error: ExecutorError,
}

impl<F> fmt::Debug for Rejected<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected").field("error", &self.error).finish_non_exhaustive()
    }
}
