//! Calls of coroutines that never yield.

use super::observed::{unstarted_wanted, Observed};
use super::{finished, Runner};
use crate::call::Call;
use crate::co::Body;
use crate::exception::trap;
use crate::generator::Coroutine;
use crate::trace::{self, FutureId};
use crate::{Context, Future, Result};

/// Calls a coroutine that never yields: a plain function whose exception is trapped. What
/// `#[squall::coroutine]` makes of a function without a yield.
///
/// ```
/// use squall_runner::{runner::call_plain, Coroutine};
///
/// static PARSE: Coroutine = Coroutine::new("parse", file!(), line!());
/// let failed = call_plain(&PARSE, || Ok("x".parse::<i32>()?));
/// assert!(failed.exception().unwrap().is::<std::num::ParseIntError>());
/// ```
#[track_caller]
pub fn call_plain<T: 'static>(
    coroutine: &'static Coroutine,
    body: impl FnOnce() -> Result<T> + 'static,
) -> Future<T> {
    if trace::observed() {
        return call_plain_observed(coroutine, Box::new(body));
    }
    let (call, future) = Call::new(coroutine, None);
    run_plain(&call, future, body)
}

#[cold]
#[track_caller]
fn call_plain_observed<T: 'static>(
    coroutine: &'static Coroutine,
    body: Box<dyn FnOnce() -> Result<T>>,
) -> Future<T> {
    if unstarted_wanted() {
        return Runner::start_observed(coroutine, || Observed(Box::new(Body::new(|_co| async { body() }))));
    }
    let (call, future) = Call::new(coroutine, Some(trace::Body::Plain));
    run_plain(&call, future, body)
}

/// `future` is 0 if nobody observes the call.
#[inline]
fn run_plain<T: 'static>(call: &Call, future: FutureId, body: impl FnOnce() -> Result<T>) -> Future<T> {
    let result = match Context::current().enter(|| trap(body)) {
        Ok(value) => {
            if future != FutureId(0) {
                call.returned(&value, false);
            }
            Ok(value)
        }
        Err(exception) => call.raised(exception, None),
    };
    finished(result, future)
}
