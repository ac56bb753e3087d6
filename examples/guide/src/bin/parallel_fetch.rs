//! Several fetches at the same time: two of them, a list, and a dict.
//!
//! ```python
//! from tornado import gen
//! from tornado.httpclient import AsyncHTTPClient
//!
//! http_client = AsyncHTTPClient()
//!
//! @gen.coroutine
//! def parallel_fetch(url1, url2):
//!     resp1, resp2 = yield [http_client.fetch(url1), http_client.fetch(url2)]
//!     print(resp1.body, resp2.body)
//!
//! @gen.coroutine
//! def parallel_fetch_many(urls):
//!     responses = yield [http_client.fetch(url) for url in urls]
//!     # responses is a list of HTTPResponses in the same order
//!
//! @gen.coroutine
//! def parallel_fetch_dict(urls):
//!     responses = yield {url: http_client.fetch(url) for url in urls}
//!     # responses is a dict {url: HTTPResponse}
//! ```
//!
//! `cargo run --package squall-guide --bin parallel_fetch` fetches pages of its own server, each of which takes 100 ms.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use squall::httpclient::{AsyncHttpClient, Response};
use squall::web::{Application, Request, RequestHandler};
use squall::{sleep, IoLoop, Result};

#[squall::coroutine]
fn parallel_fetch(url1: String, url2: String) -> Result<()> {
    let http_client = AsyncHttpClient::new();
    let [resp1, resp2] = yield_!([http_client.fetch(url1), http_client.fetch(url2)])?;
    println!("{}, {}", resp1.text()?, resp2.text()?);
    Ok(())
}

#[squall::coroutine]
fn parallel_fetch_many(urls: Vec<String>) -> Result<()> {
    let http_client = AsyncHttpClient::new();
    let fetches: Vec<_> = urls.into_iter().map(|url| http_client.fetch(url)).collect();
    let responses: Vec<Response> = yield_!(fetches)?; // in the same order
    println!("{}", responses.iter().map(Response::text).collect::<Result<Vec<_>>>()?.join(", "));
    Ok(())
}

#[squall::coroutine]
fn parallel_fetch_dict(urls: Vec<String>) -> Result<()> {
    let http_client = AsyncHttpClient::new();
    let fetches = urls.into_iter().map(|url| (url.clone(), http_client.fetch(url)));
    let responses: BTreeMap<String, Response> = yield_!(fetches.collect::<BTreeMap<_, _>>())?;
    for (url, response) in responses {
        let path = url.rsplit('/').next().unwrap_or_default();
        println!("/{path}: {}", response.text()?);
    }
    Ok(())
}

/// A page that takes 100 ms.
struct Page;

impl RequestHandler for Page {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        yield_!(sleep(Duration::from_millis(100)))?;
        req.write(format!("page {}", req.path_param("name").unwrap_or_default()));
        Ok(())
    }
}

fn app() -> Application {
    Application::new().route("/{name}", Page)
}

#[squall::coroutine]
fn program(site: String) -> Result<()> {
    let url = |name: &str| format!("http://{site}/{name}");
    yield_!(parallel_fetch(url("a"), url("b")))?;
    yield_!(parallel_fetch_many(["c", "d", "e"].map(url).into()))?;
    yield_!(parallel_fetch_dict(["f", "g", "h"].map(url).into()))
}

fn main() -> Result<()> {
    let site = app().listen("127.0.0.1:0")?.local_addr()?;
    IoLoop::current().run_sync(|| program(site.to_string()))
}

#[cfg(test)]
mod tests {
    use squall::testing;

    use super::*;

    #[squall::test]
    fn pages_of_a_list_come_at_the_same_time() -> Result<()> {
        let net = testing::net();
        net.host("site", || app().listen("site:80"))?;
        let start = IoLoop::current().time();
        yield_!(net.host("client", || program("site".to_owned())))?;
        // Eight pages of 100 ms each, fetched in three groups.
        assert_eq!(IoLoop::current().time().saturating_sub(start).as_millis(), 300);
        Ok(())
    }
}
