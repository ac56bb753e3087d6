//! Yield a list: everything in it is waited for at the same time.
//! Tornado's guide: Parallelism.

use std::time::Duration;

use squall::{sleep, IoLoop, Result};

/// Stands for the network.
#[squall::coroutine]
fn fetch(url: &'static str, ms: u64) -> Result<String> {
    yield_!(sleep(Duration::from_millis(ms)))?;
    Ok(format!("page {url}"))
}

#[squall::coroutine]
fn parallel_fetch() -> Result<()> {
    // Both start in the call; the slower one decides the time.
    let [one, two] = yield_!([fetch("a", 200), fetch("b", 100)])?;
    println!("{one}, {two}");
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    IoLoop::current().run_sync(parallel_fetch)
}
