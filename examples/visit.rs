//! A coroutine calls another one by yielding it, or, in a native coroutine, by awaiting it.
//!
//! Fetching is simulated: it takes a tenth of a second.

use std::time::Duration;

use squall::{sleep, IoLoop, Result};

#[squall::coroutine]
fn fetch(url: String) -> Result<String> {
    yield_!(sleep(Duration::from_millis(100)))?;
    Ok(format!("<html>{url}</html>"))
}

#[squall::coroutine]
fn coroutine_visit(url: String) -> Result<usize> {
    let body = yield_!(fetch(url))?;
    println!("{body}");
    Ok(body.len())
}

#[squall::coroutine]
fn outer_coroutine(url: String) -> Result<()> {
    println!("start call coroutine_visit");
    yield_!(coroutine_visit(url))?;
    println!("end call coroutine_visit");
    Ok(())
}

async fn fetch_coroutine(url: String) -> Result<usize> {
    Ok(fetch(url).await?.len())
}

fn main() -> Result<()> {
    let url = "http://example.com/".to_string();
    IoLoop::current().run_sync(|| outer_coroutine(url.clone()))?;
    println!("{} bytes", IoLoop::current().run_sync(|| fetch_coroutine(url))?);
    Ok(())
}
