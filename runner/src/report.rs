//! What goes wrong where nobody waits for a result is reported: logged, and told to the observer.

use log::Level;

use crate::exception::Exception;
use crate::foreign::log;
use crate::problem::Problem;
use crate::trace::{emit, Event};

/// Logs a problem, with its traceback, and tells the observer.
#[cold]
pub fn report(problem: Problem, exception: &Exception) {
    let level = if problem == Problem::NeverAwaited { Level::Warn } else { Level::Error };
    log(level, "squall::ioloop", format_args!("{}\n{exception:?}", problem.text()));
    emit(|| Event::Report { problem, exception });
}

/// Calls foreign code that has no result. A panic is reported.
///
/// ```
/// use squall_runner::{report::guard, trace::Problem};
///
/// guard(Problem::Callback, || panic!("logged"));
/// ```
#[inline]
pub fn guard(problem: Problem, f: impl FnOnce()) {
    Exception::trap(f, |panic| report(problem, &panic));
}
