//! Do something every minute, plus the time that it takes.
//! Tornado's guide: Running in the background.

use std::time::Duration;

use squall::{sleep, IoLoop, Result};

#[squall::coroutine]
fn do_something() -> Result<()> {
    println!("round begins at {} s", IoLoop::current().time().as_secs());
    yield_!(sleep(Duration::from_secs(5)))?;
    Ok(())
}

/// Two rounds of `while True`.
#[squall::coroutine]
fn minute_loop() -> Result<()> {
    for _ in 0..2 {
        yield_!(do_something())?;
        yield_!(sleep(Duration::from_secs(60)))?;
    }
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    IoLoop::current().run_sync(minute_loop)
}
