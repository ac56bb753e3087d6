//! Reports of problems that have no waiter: they are logged, and the observer is told.

use std::cell::RefCell;
use std::rc::Rc;

use log::Level;

use crate::exception::Exception;
use crate::foreign::log;
use crate::numbers::FutureId;
use crate::problem::Problem;
use crate::trace::report_problem;

/// A function that receives problems.
pub type Reporter = Rc<dyn Fn(Problem, &Exception)>;

thread_local! {
    static REPORTER: RefCell<Option<Reporter>> = const { RefCell::new(None) };
}

/// Sets the function that receives the problems of this thread instead of the log, and returns the one before. `None`,
/// the default, logs them. This is for squall embedded in another language, which reports failures without a waiter in
/// its own way. The panic of a value while it is dropped is logged in any case.
///
/// ```
/// use std::cell::RefCell;
/// use std::rc::Rc;
/// use squall_runner::report::{report, report_to};
/// use squall_runner::{trace::Problem, Exception};
///
/// let told = Rc::new(RefCell::new(Vec::new()));
/// let tells = told.clone();
/// let before = report_to(Some(Rc::new(move |problem, exception| {
///     tells.borrow_mut().push(format!("{}: {exception}", problem.text()));
/// })));
/// report(Problem::Callback, &Exception::msg("no"));
/// report_to(before);
/// assert_eq!(told.take(), ["exception in callback: no"]);
/// ```
pub fn report_to(reporter: Option<Reporter>) -> Option<Reporter> {
    // A thread that is ending has no reporter any more.
    REPORTER.try_with(|cell| cell.replace(reporter)).unwrap_or_default()
}

/// Logs a problem with its traceback, or passes it to the thread's [reporter](report_to). Also reports it to the
/// observer.
#[cold]
pub fn report(problem: Problem, exception: &Exception) {
    report_of(problem, exception, None);
}

/// Reports a problem of that Future, if it is one that was mentioned before.
#[cold]
pub(crate) fn report_of(problem: Problem, exception: &Exception, future: Option<FutureId>) {
    match REPORTER.try_with(|reporter| reporter.borrow().clone()).ok().flatten() {
        Some(reporter) => Exception::trap(|| reporter(problem, exception), |panic| log_it(problem, &panic)),
        None => log_it(problem, exception),
    }
    report_problem(problem, exception, future);
}

fn log_it(problem: Problem, exception: &Exception) {
    let level = if problem == Problem::NeverAwaited { Level::Warn } else { Level::Error };
    log(level, "squall::ioloop", format_args!("{}\n{exception:?}", problem.text()));
}

/// Calls foreign code that has no result. A panic in it is reported.
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
