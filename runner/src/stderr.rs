//! The setting whether failures go to standard error in a program without a logger.

use std::sync::atomic::{AtomicBool, Ordering};

use log::{Level, LevelFilter};

use crate::panics::is_quiet;

/// `true` if failures go to standard error in a program without a logger.
static TO_STDERR: AtomicBool = AtomicBool::new(true);

/// Sets whether errors and warnings go to standard error in a program without a logger. `true` by default.
///
/// A program has no logger if `log::max_level()` is `Off`. If the environment variable `RUST_LOG` is set, nothing is
/// printed to standard error: the user has chosen what to log.
///
/// ```
/// squall_runner::report_to_stderr(false);
/// // The failure of a coroutine without a waiter is silent from now on.
/// # squall_runner::report_to_stderr(true);
/// ```
pub fn report_to_stderr(on: bool) {
    TO_STDERR.store(on, Ordering::Relaxed);
}

/// Returns whether a line of that level is printed in addition to being logged.
pub(crate) fn goes_to_stderr(level: Level) -> bool {
    level <= Level::Warn
        && log::max_level() == LevelFilter::Off
        && TO_STDERR.load(Ordering::Relaxed)
        && !is_quiet()
        && std::env::var_os("RUST_LOG").is_none()
}
