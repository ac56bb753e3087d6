//! `#[squall::test]` and `#[squall::main]`: where a test or a program begins.

use std::rc::Rc;
use std::time::Duration;

use squall::{sleep, Error, Future, IoLoop, Result};

#[squall::test]
fn an_hour_passes_at_once() -> Result<()> {
    yield_!(sleep(Duration::from_secs(3600)))?;
    assert_eq!(IoLoop::current().time(), Duration::from_secs(3600));
    Ok(())
}

#[squall::test]
fn each_test_has_a_loop_of_its_own() -> Result<()> {
    assert_eq!(IoLoop::current().time(), Duration::ZERO);
    yield_!(())
}

#[squall::test]
fn a_test_that_never_yields_runs() -> Result<()> {
    let five = "5".parse::<i32>()?;
    assert_eq!(five, 5);
    Ok(())
}

#[squall::test]
#[should_panic(
    expected = "in a_raised_exception_fails_the_test\nParseIntError: invalid digit found in string"
)]
fn a_raised_exception_fails_the_test() -> Result<()> {
    yield_!(sleep(Duration::from_secs(1)))?;
    "five".parse::<i32>()?;
    Ok(())
}

#[squall::test]
#[should_panic(expected = "panicked: on purpose")]
fn a_panic_fails_the_test() -> Result<()> {
    yield_!(())?;
    panic!("on purpose")
}

#[squall::test]
#[should_panic(expected = "waiting_for_ever waits at")]
fn waiting_for_ever_fails_the_test() -> Result<()> {
    #[squall::coroutine]
    fn waiting_for_ever(of: Future<()>, _promise: Rc<squall::Promise<()>>) -> Result<()> {
        yield_!(of)
    }
    let future = Future::new();
    let promise = Rc::new(future.promise());
    yield_!(waiting_for_ever(future, promise.clone()))?;
    drop(promise);
    Ok(())
}

#[squall::main]
fn entered() -> Result<i32> {
    yield_!(())?;
    Ok(5)
}

#[squall::main]
fn entered_and_left() -> Result<()> {
    yield_!(())?;
    Err(Error::Timeout)?
}

#[squall::main]
async fn entered_natively() -> Result<i32> {
    sleep(Duration::from_millis(1)).await?;
    entered_future().await
}

#[squall::coroutine]
fn entered_future() -> Result<i32> {
    yield_!(())?;
    Ok(6)
}

#[test]
fn main_runs_a_native_coroutine_too() {
    assert_eq!(entered_natively().unwrap(), 6);
}

#[test]
fn main_runs_on_the_loop_of_the_thread_and_returns_what_the_body_returns() {
    assert_eq!(entered().unwrap(), 5);
    let e = entered_and_left().unwrap_err();
    assert_eq!(e.downcast_ref(), Some(&Error::Timeout));
    assert_eq!(e.traceback()[0].name, "entered_and_left");
}
