//! `gen.Task` makes a Future of a function that takes a callback.
//! Tornado's guide: Interaction with callbacks.

use std::time::Duration;

use squall::{task, IoLoop, Result};

/// A function from before Futures: it returns nothing, and calls back.
fn old_style(x: i32, callback: impl FnOnce(i32) + 'static) {
    IoLoop::current().call_later(Duration::from_millis(100), move || {
        callback(x + 1);
        println!("the callback has returned");
    });
}

#[squall::coroutine]
fn answer() -> Result<()> {
    println!("before the call");
    let x = yield_!(task(|callback| old_style(41, callback)))?;
    println!("called back with {x}");
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    IoLoop::current().run_sync(answer)
}
