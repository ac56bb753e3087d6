//! `spawn_callback` where no loop runs: nothing, until one does.
//! Tornado's guide: How to call a coroutine.

use std::time::Duration;

use squall::{IoLoop, Result};

#[squall::coroutine]
fn greet() -> Result<()> {
    println!("greet runs");
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    let io_loop = IoLoop::current();
    io_loop.spawn_callback(greet);
    println!("spawned");
    // A program that ends here never runs greet, and nothing says so.

    let stop = io_loop.clone();
    io_loop.call_later(Duration::from_millis(100), move || stop.stop());
    println!("the loop starts");
    io_loop.start();
    println!("the loop has stopped");
    Ok(())
}
