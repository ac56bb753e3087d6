//! Yield a map: each result has the key of its Future.
//! Tornado's guide: Parallelism.

use std::collections::BTreeMap;

use squall::httpclient::AsyncHttpClient;
use squall::{IoLoop, Result};

use crate::site;

#[squall::coroutine]
fn parallel_fetch_dict(paths: Vec<&'static str>) -> Result<()> {
    let client = AsyncHttpClient::new();
    let fetch = |path| (path, client.fetch(format!("http://site{path}")));
    let futures = paths.into_iter().map(fetch);
    let responses = yield_!(futures.collect::<BTreeMap<_, _>>())?;
    for (path, response) in responses {
        println!("{path}: {}", response.text()?);
    }
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    let paths = vec!["/a", "/bcd", "/"];
    // Each page and how long it takes, in milliseconds.
    let pages = &[("/", 100), ("/a", 200), ("/bcd", 400)];
    let fetch = || parallel_fetch_dict(paths);
    site::visit(pages, || IoLoop::current().run_sync(fetch))
}
