//! A coroutine calls another by yielding the Future of the call.
//! Tornado's guide: How to call a coroutine.

use squall::httpclient::AsyncHttpClient;
use squall::{IoLoop, Result};

use crate::site;

#[squall::coroutine]
fn coroutine_visit() -> Result<usize> {
    let client = AsyncHttpClient::new();
    let response = yield_!(client.fetch("http://site/"))?;
    println!("{}", response.text()?);
    Ok(response.body().len())
}

#[squall::coroutine]
fn outer_coroutine() -> Result<()> {
    println!("start call coroutine_visit");
    yield_!(coroutine_visit())?;
    println!("end call coroutine_visit");
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    // The one page of the site, which takes 100 ms.
    let pages = &[("/", 100)];
    site::visit(pages, || IoLoop::current().run_sync(outer_coroutine))
}
