//! `run_sync` takes a function, which the loop calls: hence the lambda.
//! Tornado's guide: How to call a coroutine.

use std::time::Duration;

use squall::{sleep, IoLoop, Result};

#[squall::coroutine]
fn divide(x: i32, y: i32) -> Result<i32> {
    println!("divide({x}, {y}) begins");
    yield_!(sleep(Duration::from_millis(100)))?;
    Ok(x / y)
}

pub(crate) fn main() -> Result<()> {
    let io_loop = IoLoop::current();
    // The lambda is called by the loop, in its first turn.
    println!("{}", io_loop.run_sync(|| divide(84, 2))?);

    // A call begins at once, whether or not a loop is running.
    let future = divide(9, 3);
    println!("the loop is not running");
    println!("{}", io_loop.run_sync(|| future)?);
    Ok(())
}
