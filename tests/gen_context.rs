//! Context variables across coroutines, native coroutines and jobs: a counterpart of Tornado's `ContextVarsTest`.

use squall::testing::VirtualClock;
use squall::{moment, multi, ContextVar, Exception, IoLoop, Result};

static VAR: ContextVar<i32> = ContextVar::new();

fn virtual_loop() -> IoLoop {
    IoLoop::with_clock(VirtualClock::new())
}

async fn native_root(x: i32) -> Result<()> {
    let _token = VAR.set(x);
    inner(x).await
}

#[squall::coroutine]
fn gen_root(x: i32) -> Result<()> {
    let _token = VAR.set(x);
    yield_!(())?;
    yield_!(inner(x))
}

async fn inner(x: i32) -> Result<()> {
    assert_eq!(VAR.get(), Some(x));
    gen_inner(x).await?;
    assert_eq!(VAR.get(), Some(x));
    // Unlike Tornado's, a job gets the context of its caller.
    let in_job = IoLoop::current().run_in_executor(|| VAR.get()).await?;
    assert_eq!(in_job, Some(x));
    assert_eq!(VAR.get(), Some(x));
    Ok(())
}

#[squall::coroutine]
fn gen_inner(x: i32) -> Result<()> {
    assert_eq!(VAR.get(), Some(x));
    yield_!(())?;
    assert_eq!(VAR.get(), Some(x));
    Ok(())
}

// Tornado: gen_test.ContextVarsTest.test_propagate
#[test]
fn variable_follows_the_calls_of_each_coroutine() {
    virtual_loop().run_sync(|| multi((native_root(1), native_root(2), gen_root(3), gen_root(4)))).unwrap();
    assert_eq!(VAR.get(), None);
}

// Tornado: gen_test.ContextVarsTest.test_reset
#[test]
fn variable_is_reset_after_a_yield() {
    #[squall::coroutine]
    fn f() -> Result<()> {
        let token = VAR.set(1);
        yield_!(())?;
        assert_eq!(VAR.get(), Some(1));
        VAR.reset(token);
        assert_eq!(VAR.get(), None);
        Ok(())
    }
    virtual_loop().run_sync(f).unwrap();
}

// Tornado: gen_test.ContextVarsTest.test_propagate_to_first_yield_with_native_async_function
#[test]
fn variable_reaches_a_native_coroutine_that_is_yielded_first() {
    #[squall::coroutine]
    fn f() -> Result<()> {
        let _token = VAR.set(10);
        yield_!(async {
            assert_eq!(VAR.get(), Some(10));
            Ok::<_, Exception>(())
        })
    }
    virtual_loop().run_sync(f).unwrap();
}

#[test]
fn callback_and_timer_see_the_variable_of_the_coroutine_that_added_them() {
    let io_loop = virtual_loop();
    let token = VAR.set(5);
    io_loop.add_callback(|| assert_eq!(VAR.get(), Some(5)));
    io_loop.call_later(std::time::Duration::from_secs(1), || assert_eq!(VAR.get(), Some(5)));
    VAR.reset(token);
    let stop = io_loop.clone();
    io_loop.call_later(std::time::Duration::from_secs(2), move || {
        assert_eq!(VAR.get(), None);
        stop.stop();
    });
    io_loop.start();
    io_loop.run_sync(moment).unwrap();
}
