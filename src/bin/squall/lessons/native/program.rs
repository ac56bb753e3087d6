//! `async fn` beside `yield`: each may wait for the other.
//! Tornado's guide: Native vs decorated coroutines.

use std::time::Duration;

use squall::{convert_yielded, sleep, IoLoop, Result};

async fn native(n: i32) -> Result<i32> {
    sleep(Duration::from_millis(100)).await?;
    Ok(n + 1)
}

#[squall::coroutine]
fn decorated() -> Result<i32> {
    let not_started = convert_yielded(native(1))?;
    println!("native was called, and has not started");
    let n = yield_!(not_started)?;
    Ok(n * 2)
}

pub(crate) fn main() -> Result<()> {
    println!("{}", IoLoop::current().run_sync(decorated)?);
    Ok(())
}
