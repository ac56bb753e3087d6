//! The run of a `#[squall::test]`: a fresh loop, in a thread of its own with a time limit.

use std::collections::HashMap;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::sync::mpsc::{channel, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use squall_runner::panics::quietly;
use squall_runner::{Future, Yieldable};

use super::limit::{not_over, LIMIT};
use super::report::Report;
use super::schedule::{unretrieved, Allow};
use super::step::Clock;
use super::waits::Waits;
use super::watch::look;
use super::TestLoop;

/// Runs a test, whose coroutine `f` returns. `#[squall::test]` expands to a call of this.
///
/// # Panics
/// Panics if the coroutine raises or does not end; if it leaves something behind that `allow` does not name; if it
/// takes more than `limit` of real time, which is [`LIMIT`] by default.
#[track_caller]
pub(crate) fn run<M: 'static, Y: Yieldable<M> + 'static>(
    limit: Option<Duration>,
    allow: &str,
    f: impl FnOnce() -> Y + Send + 'static,
) {
    let limit = limit.unwrap_or(LIMIT);
    let allow = match Allow::parse(allow) {
        Ok(allow) => allow,
        Err(problem) => panic!("#[squall::test(allow = ..)]: {problem}"),
    };
    let (sender, receiver) = channel();
    let test = thread::Builder::new().name(thread::current().name().unwrap_or("test").to_owned());
    let test = test.spawn(move || {
        let mut test_loop = TestLoop::new();
        // The thread that waits for this one watches the time, also while a coroutine runs.
        test_loop.limit = None;
        drop(sender.send(test_loop.seen.clone()));
        // The report contains the message of a panic, which is printed only once.
        let (result, panicked) = quietly(|| catch_unwind(AssertUnwindSafe(|| one(&mut test_loop, f, allow))));
        let result = result.unwrap_or_else(|_| Err(panicked.unwrap_or_default()));
        test_loop.reported = true;
        // Dropping the sender ends the test.
        drop(sender);
        result
    });
    let test = test.expect("the system has no thread left for the test");
    let Ok(seen) = receiver.recv() else { panic!("the test could not be started") };
    if matches!(receiver.recv_timeout(limit), Err(RecvTimeoutError::Timeout)) {
        let seen = look(&seen);
        let report = Report::new(&seen, &Waits::of(&seen, &HashMap::new()), &[]);
        panic!("{}\n{report}", not_over(limit, &seen));
    }
    match test.join() {
        Ok(Ok(())) => {}
        Ok(Err(problem)) => panic!("{problem}"),
        Err(panic) => resume_unwind(panic),
    }
}

/// Runs the test to its end.
///
/// # Errors
/// Returns the problem, with a report of what happened.
fn one<M, Y: Yieldable<M>>(
    test_loop: &mut TestLoop,
    f: impl FnOnce() -> Y,
    allow: Allow,
) -> Result<(), String> {
    let future = test_loop.spawn(f);
    let ran = if future.done() { Ok(()) } else { test_loop.run_while(|_| !future.done()) };
    let problem = match ran {
        Err(problem) => Some(problem),
        Ok(()) if future.done() => {
            test_loop.run_current();
            outcome(future).or_else(|| left_over(test_loop, allow))
        }
        Ok(()) => Some("the test waits, and nothing is left that could wake it".to_owned()),
    };
    match problem {
        None => Ok(()),
        Some(problem) => Err(format!("{problem}\n{}", test_loop.report())),
    }
}

/// Returns the exception that the test raised.
fn outcome<T>(future: Future<T>) -> Option<String> {
    future.into_result().err().map(|exception| format!("{exception:?}"))
}

/// Returns what the test has left behind, each with its line.
fn left_over(test_loop: &TestLoop, allow: Allow) -> Option<String> {
    let mut left = Vec::new();
    if !allow.unretrieved {
        left.extend(unretrieved(test_loop));
    }
    if !allow.waiting {
        left.extend(test_loop.waiting().left_over().map(ToString::to_string));
    }
    if !allow.timers {
        let timers = test_loop.io_loop.timers_left();
        left.extend(
            timers
                .iter()
                .map(|(due, location)| format!("a timer was set at {location}, due at {}", Clock(*due))),
        );
    }
    let more = left.len().saturating_sub(5);
    left.truncate(5);
    if more > 0 {
        left.push(format!("... and {more} more"));
    }
    let head =
        "the test has ended, and has left something over (#[squall::test(allow = \"..\")] allows it, by \
                the words `unretrieved`, `waiting` and `timers`):";
    (!left.is_empty()).then(|| format!("{head}\n  {}", left.join("\n  ")))
}
