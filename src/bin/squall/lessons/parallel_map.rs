//! Yield a map: each result has the key of its Future.
//! Tornado's guide: Parallelism.

use std::collections::BTreeMap;

use squall::httpclient::AsyncHttpClient;
use squall::{IoLoop, Result};

use crate::site;

#[squall::coroutine]
fn parallel_fetch_dict(urls: Vec<&'static str>) -> Result<()> {
    let client = AsyncHttpClient::new();
    let futures = urls.into_iter().map(|url| (url, client.fetch(url)));
    let responses = yield_!(futures.collect::<BTreeMap<_, _>>())?;
    for (url, response) in responses {
        println!("{url}: {}", response.text()?);
    }
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    let urls = vec!["http://site/a", "http://site/bcd", "http://site/"];
    // Each page and how long it takes, in milliseconds.
    let pages = &[("/", 100), ("/a", 200), ("/bcd", 400)];
    let fetch = || parallel_fetch_dict(urls);
    site::visit(pages, || IoLoop::current().run_sync(fetch))
}
