//! Fire and forget: the loop runs a coroutine, and nothing waits.
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

#[squall::coroutine]
fn serve() -> Result<()> {
    IoLoop::current().spawn_callback(|| divide(1, 0));
    println!("not called yet");
    yield_!(sleep(Duration::from_millis(200)))?;
    println!("it failed meanwhile; the loop goes on");
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    IoLoop::current().run_sync(serve)
}
