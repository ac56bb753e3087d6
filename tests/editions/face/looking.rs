//! Looking at coroutines, and testing them.

use squall::testing::Stepper;
use squall::{Future, IoLoop, Result};

#[squall::coroutine]
fn good_call() -> Result<i32> {
    match yield_!(Future::ready(1)) {
        Err(_) => Ok(0),
        other => other,
    }
}

#[squall::test]
#[allow(dead_code)]
fn a_test_is_a_coroutine() -> Result<()> {
    yield_!(good_call())?;
    Ok(())
}

pub fn all() {
    let trace = squall::trace::record(|| IoLoop::current().run_sync(good_call));
    assert_eq!(trace.result.as_ref().unwrap(), &1);
    assert!(trace.to_text().contains("good_call"));

    let mut step = Stepper::new(good_call);
    let yielded = step.next().yielded();
    assert!(yielded.is::<Future<i32>>());
    assert_eq!(yielded.place().unwrap().line(), 8);
    assert_eq!(step.throw(squall::Error::Timeout).returned::<i32>(), 0);
}
