//! Yield a map: each result has the key of its Future.
//! Tornado's guide: Parallelism.

use std::collections::BTreeMap;
use std::time::Duration;

use squall::{sleep, IoLoop, Result};

/// Stands for the network.
#[squall::coroutine]
fn fetch(url: &'static str) -> Result<usize> {
    yield_!(sleep(Duration::from_millis(100 * url.len() as u64)))?;
    Ok(url.len())
}

#[squall::coroutine]
fn parallel_fetch_dict(urls: Vec<&'static str>) -> Result<()> {
    let futures = urls.into_iter().map(|url| (url, fetch(url)));
    let responses = yield_!(futures.collect::<BTreeMap<_, _>>())?;
    println!("{responses:?}");
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    let urls = vec!["/a", "/bcd", "/"];
    IoLoop::current().run_sync(|| parallel_fetch_dict(urls))
}
