//! Where a program runs: on a loop of its own, with its output printed or recorded in the trace.

use std::rc::Rc;

use squall::testing::VirtualClock;
use squall::trace::{self, Event, Observer};
use squall::IoLoop;

use crate::output;

/// Calls `program` on a new loop, on the real clock or on one that jumps. Coroutines that are still suspended when
/// `program` returns are dropped before this returns. On the real clock Ctrl-C stops the loop if a trace is recorded,
/// so that the trace until then is shown.
pub(crate) fn perform<R>(real_time: bool, program: impl FnOnce() -> R) -> R {
    let io_loop = if real_time { IoLoop::new() } else { IoLoop::with_clock(VirtualClock::new()) };
    let current = io_loop.make_current();
    let stoppable = real_time && trace::observed();
    if stoppable {
        interrupt::stops(&io_loop);
    }
    let result = program();
    if stoppable {
        interrupt::stops_no_longer(&io_loop);
    }
    // The program is over: what goes with its loop is not part of it, except for problems that only show now.
    let observing =
        trace::observed().then(|| trace::observe_in_front(|observer| Rc::new(Problems(observer))));
    io_loop.close();
    drop((observing, current));
    result
}

/// Passes problems on, and nothing else.
struct Problems(Option<Rc<dyn Observer>>);

impl Observer for Problems {
    fn event(&self, event: &Event<'_>) {
        if let (Some(observer), Event::Report { .. }) = (&self.0, event) {
            observer.event(event);
        }
    }
}

/// Prints a text of the program: to the trace if one is recorded, else to standard output.
#[track_caller]
pub(crate) fn print(text: &str) {
    if trace::observed() {
        trace::note(text);
    } else {
        output::line(text);
    }
}

/// Writes log messages to standard error.
pub(crate) fn log_to_stderr() {
    // Fails only if there is a logger already, which is then this one.
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

#[cfg(target_os = "linux")]
mod interrupt {
    use squall::ioloop::signal::SIGINT;
    use squall::IoLoop;

    pub(super) fn stops(io_loop: &IoLoop) {
        let inner = io_loop.clone();
        // If the signal cannot be handled, Ctrl-C ends the process.
        drop(io_loop.add_signal_handler(SIGINT, move || inner.stop()));
    }

    pub(super) fn stops_no_longer(io_loop: &IoLoop) {
        io_loop.remove_signal_handler(SIGINT);
    }
}

/// Without signals, Ctrl-C ends the process.
#[cfg(not(target_os = "linux"))]
mod interrupt {
    pub(super) fn stops(_: &squall::IoLoop) {}
    pub(super) fn stops_no_longer(_: &squall::IoLoop) {}
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use squall::{sleep, Error};

    use super::*;

    #[test]
    fn ctrl_c_stops_a_traced_run_on_the_real_clock_and_nothing_of_the_trace_is_lost() {
        let trace = trace::record(|| {
            perform(true, || {
                print("so far");
                let me = std::process::id().to_string();
                assert!(Command::new("kill").args(["-INT", &me]).status().unwrap().success());
                IoLoop::current().run_sync(|| sleep(Duration::from_secs(3600)))
            })
        });
        assert!(trace.text().to_string().contains("so far"));
        assert_eq!(trace.result.unwrap_err().downcast_ref(), Some(&Error::LoopStopped));
    }
}
