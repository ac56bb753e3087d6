//! Where a program runs: on a loop of its own, with its output either printed or told to the trace.

use squall::testing::VirtualClock;
use squall::{trace, IoLoop};

use crate::output;

/// Calls `program` on a new loop, on a clock that jumps or on the real one. What is suspended when it returns is
/// dropped before this does.
pub(crate) fn perform<R>(real_time: bool, program: impl FnOnce() -> R) -> R {
    let io_loop = if real_time { IoLoop::new() } else { IoLoop::with_clock(VirtualClock::new()) };
    let current = io_loop.make_current();
    let result = program();
    drop((current, io_loop));
    result
}

/// What the program prints: a line in the trace, if somebody watches, else one on standard output.
pub(crate) fn print(text: &str) {
    if trace::observed() {
        trace::note(text);
    } else {
        output::line(text);
    }
}

/// Has what is logged written to standard error.
pub(crate) fn log_to_stderr() {
    // It fails if there is a logger already, and then this is that one.
    drop(log::set_logger(&Stderr));
    log::set_max_level(log::LevelFilter::Warn);
}

struct Stderr;

impl log::Log for Stderr {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            output::error_line(&format!("{} {}: {}", record.level(), record.target(), record.args()));
        }
    }

    fn flush(&self) {}
}
