//! What goes wrong where nobody waits for a result: it is logged, and told to the observer.
//!
//! Everything that squall logs passes through [`log()`]. A program that has no logger still sees it: errors and
//! warnings go to standard error then, unless [`report_to_stderr`] turns that off.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use log::{Level, LevelFilter};

use crate::panics::is_quiet;
use crate::trace::{emit, Event};
use crate::Exception;

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

/// Logs a problem, with its traceback, and tells the observer.
#[cold]
pub fn report(problem: Problem, exception: &Exception) {
    let level = if problem == Problem::NeverAwaited { Level::Warn } else { Level::Error };
    log(level, "squall::ioloop", format_args!("{}\n{exception:?}", problem.text()));
    emit(|| Event::Report { problem, exception });
}

/// Whether what no logger takes goes to standard error.
static TO_STDERR: AtomicBool = AtomicBool::new(true);

/// Sets whether errors and warnings go to standard error while the program has no logger, as they do at first.
///
/// A program has no logger if `log::max_level()` is `Off`. If the environment variable `RUST_LOG` is set, that is
/// taken for a choice, and nothing is printed.
///
/// ```
/// squall_runner::report_to_stderr(false);
/// // A coroutine that fails, and that nobody waits for, is silent from now on.
/// # squall_runner::report_to_stderr(true);
/// ```
pub fn report_to_stderr(on: bool) {
    TO_STDERR.store(on, Ordering::Relaxed);
}

/// Logs a line for the user of the program; where there is no logger, prints it to standard error.
///
/// The logger is foreign code, and so is what the line shows: a panic of either is dropped.
#[cold]
pub fn log(level: Level, target: &str, line: fmt::Arguments<'_>) {
    Exception::trap(
        || {
            log::log!(target: target, level, "{line}");
            if goes_to_stderr(level) {
                eprintln!("[{level} {target}] {line}");
            }
        },
        drop,
    );
}

fn goes_to_stderr(level: Level) -> bool {
    level <= Level::Warn
        && log::max_level() == LevelFilter::Off
        && TO_STDERR.load(Ordering::Relaxed)
        && !is_quiet()
        && std::env::var_os("RUST_LOG").is_none()
}
