//! Yielded, a coroutine raises its exception at the yield.
//! Tornado's guide: How to call a coroutine.

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

#[squall::coroutine]
fn good_call() -> Result<i32> {
    match yield_!(divide(1, 0)) {
        Err(e) if e.is::<ZeroDivision>() => {
            println!("caught: {e}");
            Ok(0)
        }
        other => other,
    }
}

pub(crate) fn main() -> Result<()> {
    let n = IoLoop::current().run_sync(good_call)?;
    println!("good_call returned {n}");
    Ok(())
}
