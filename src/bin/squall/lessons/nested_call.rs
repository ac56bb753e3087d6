//! A coroutine calls another by yielding the Future of the call.
//! Tornado's guide: How to call a coroutine.

use std::time::Duration;

use squall::{sleep, IoLoop, Result};

/// Stands for the network.
#[squall::coroutine]
fn fetch(url: &'static str) -> Result<String> {
    yield_!(sleep(Duration::from_millis(100)))?;
    Ok(format!("page of {url}"))
}

#[squall::coroutine]
fn coroutine_visit() -> Result<usize> {
    let response = yield_!(fetch("example.com"))?;
    println!("{response}");
    Ok(response.len())
}

#[squall::coroutine]
fn outer_coroutine() -> Result<()> {
    println!("start call coroutine_visit");
    yield_!(coroutine_visit())?;
    println!("end call coroutine_visit");
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    IoLoop::current().run_sync(outer_coroutine)
}
