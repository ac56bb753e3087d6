//! Do something every minute exactly: the clock ticks meanwhile.
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
fn minute_loop2() -> Result<()> {
    for _ in 0..2 {
        let nxt = sleep(Duration::from_secs(60)); // start the clock
        yield_!(do_something())?; // run while the clock is ticking
        yield_!(nxt)?; // wait for the timer to run out
    }
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    IoLoop::current().run_sync(minute_loop2)
}
