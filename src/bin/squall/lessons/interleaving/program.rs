//! Keep a Future instead of yielding it at once, and work meanwhile.
//! Tornado's guide: Interleaving.

use std::time::Duration;

use squall::{sleep, IoLoop, Result};

/// Stands for the network: a chunk takes 100 ms.
#[squall::coroutine]
fn fetch_next(n: usize) -> Result<Option<&'static str>> {
    yield_!(sleep(Duration::from_millis(100)))?;
    Ok(["Hello", "world"].get(n).copied())
}

#[squall::coroutine]
fn flush() -> Result<()> {
    yield_!(sleep(Duration::from_millis(60)))?;
    Ok(())
}

#[squall::coroutine]
fn get() -> Result<()> {
    let mut n = 0;
    let mut chunk_future = fetch_next(n);
    while let Some(chunk) = yield_!(chunk_future)? {
        println!("write {chunk}");
        n += 1;
        chunk_future = fetch_next(n); // starts it ...
        yield_!(flush())?; // ... and works on this one meanwhile
    }
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    IoLoop::current().run_sync(get)
}
