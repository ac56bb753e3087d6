//! Yield a list: everything in it is waited for at the same time.
//! Tornado's guide: Parallelism.

use squall::httpclient::AsyncHttpClient;
use squall::{IoLoop, Result};

use crate::site;

#[squall::coroutine]
fn parallel_fetch() -> Result<()> {
    let client = AsyncHttpClient::new();
    // Both start in the call; the slower one decides the time.
    let urls = ["http://site/a", "http://site/b"];
    let [one, two] = yield_!(urls.map(|url| client.fetch(url)))?;
    println!("{}, {}", one.text()?, two.text()?);
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    // Each page and how long it takes, in milliseconds.
    let pages = &[("/a", 200), ("/b", 100)];
    site::visit(pages, || IoLoop::current().run_sync(parallel_fetch))
}
