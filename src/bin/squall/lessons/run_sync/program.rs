//! `run_sync` runs one coroutine to its end, and returns its result.
//! Tornado's guide: How to call a coroutine.

use std::time::Duration;

use squall::{sleep, IoLoop, Result};

#[derive(Debug, thiserror::Error)]
#[error("division by zero")]
struct ZeroDivision;

#[squall::coroutine]
fn divide(x: i32, y: i32) -> Result<i32> {
    yield_!(sleep(Duration::from_millis(100)))?;
    if y == 0 {
        Err(ZeroDivision)?;
    }
    Ok(x / y)
}

pub(crate) fn main() -> Result<()> {
    let half = IoLoop::current().run_sync(|| divide(84, 2))?;
    println!("84 / 2 = {half}");

    // run_sync returns the coroutine's exception as an error.
    if let Err(e) = IoLoop::current().run_sync(|| divide(1, 0)) {
        println!("1 / 0: {e}");
    }
    Ok(())
}
