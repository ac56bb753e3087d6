//! Nested coroutines go on one after the other: a turn for each hop.
//! Tornado's guide: How to call a coroutine.

use std::time::Duration;

use squall::{sleep, IoLoop, Result};

#[squall::coroutine]
fn inner() -> Result<i32> {
    yield_!(sleep(Duration::from_millis(100)))?;
    println!("inner returns");
    IoLoop::current().add_callback(|| println!("a callback runs"));
    Ok(1)
}

#[squall::coroutine]
fn middle() -> Result<i32> {
    let n = yield_!(inner())?;
    println!("middle goes on");
    Ok(n + 1)
}

#[squall::coroutine]
fn outer() -> Result<i32> {
    let n = yield_!(middle())?;
    println!("outer goes on");
    Ok(n + 1)
}

pub(crate) fn main() -> Result<()> {
    println!("{}", IoLoop::current().run_sync(outer)?);
    Ok(())
}
