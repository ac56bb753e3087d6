//! Called like a plain function, a coroutine raises nothing.
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

fn bad_call() {
    // This should raise ZeroDivision, but it does not: the call returns
    // a Future, which is dropped here.
    drop(divide(1, 0));
    println!("nothing was raised");
}

pub(crate) fn main() -> Result<()> {
    IoLoop::current().run_sync(bad_call)
}
