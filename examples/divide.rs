//! An exception is trapped in the Future of its coroutine, and raised where that Future is yielded.
//!
//! `bad_call` calls a coroutine and drops its Future: no code sees the exception, which is only logged. `good_call`
//! yields the Future, so the exception is raised at the yield.

use squall::{IoLoop, Result};

#[derive(Debug, thiserror::Error)]
#[error("division by zero")]
struct ZeroDivision;

#[squall::coroutine]
fn divide(x: i32, y: i32) -> Result<i32> {
    if y == 0 {
        Err(ZeroDivision)?;
    }
    Ok(x / y)
}

fn bad_call() {
    drop(divide(1, 0));
}

#[squall::coroutine]
fn good_call() -> Result<i32> {
    match yield_!(divide(1, 0)) {
        Err(e) if e.is::<ZeroDivision>() => Ok(0),
        other => other,
    }
}

#[squall::coroutine]
fn fails() -> Result<i32> {
    Ok(yield_!(divide(1, 0))? + 1)
}

fn main() -> Result<()> {
    env_logger::builder().filter_level(log::LevelFilter::Error).format_timestamp(None).init();
    bad_call();
    println!("good_call: {}", IoLoop::current().run_sync(good_call)?);

    if let Err(e) = IoLoop::current().run_sync(fails) {
        println!("fails: {e}\n\n{e:?}");
    }
    Ok(())
}
