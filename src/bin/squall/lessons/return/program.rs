//! `raise gen.Return(value)` ends a coroutine from anywhere in it.
//! Tornado's guide: Decorated coroutines.

use squall::httpclient::AsyncHttpClient;
use squall::{IoLoop, Result, Return};

use crate::site;

/// A plain function: it cannot return from the coroutine that calls it,
/// but it can raise.
fn return_if_known(path: &str) -> Result<()> {
    if path == "/known" {
        Err(Return(String::from("a page that is known")))?;
    }
    Ok(())
}

#[squall::coroutine]
fn fetch_coroutine(path: &'static str) -> Result<String> {
    return_if_known(path)?;
    println!("{path} must be fetched");
    let url = format!("http://site{path}");
    let response = yield_!(AsyncHttpClient::new().fetch(url))?;
    Err(Return(response.text()?))?
}

#[squall::coroutine]
fn read() -> Result<()> {
    println!("{}", yield_!(fetch_coroutine("/known"))?);
    println!("{}", yield_!(fetch_coroutine("/new"))?);
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    // The one page of the site, which takes 100 ms.
    let pages = &[("/new", 100)];
    site::visit(pages, || IoLoop::current().run_sync(read))
}
