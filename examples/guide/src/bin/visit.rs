//! A coroutine that fetches a page, another one that calls it by yielding it, and a native one that awaits the fetch.
//!
//! ```python
//! from tornado import gen, ioloop
//! from tornado.httpclient import AsyncHTTPClient
//!
//! @gen.coroutine
//! def coroutine_visit(url):
//!     response = yield AsyncHTTPClient().fetch(url)
//!     print(response.body.decode())
//!     return len(response.body)
//!
//! @gen.coroutine
//! def outer_coroutine(url):
//!     print("start call coroutine_visit")
//!     yield coroutine_visit(url)
//!     print("end call coroutine_visit")
//!
//! async def fetch_coroutine(url):
//!     response = await AsyncHTTPClient().fetch(url)
//!     return len(response.body)
//!
//! loop = ioloop.IOLoop.current()
//! loop.run_sync(lambda: outer_coroutine(url))
//! print(loop.run_sync(lambda: fetch_coroutine(url)), "bytes")
//! ```
//!
//! `cargo run --package squall-guide --bin visit` fetches a page of its own server, or the URL that is its argument.

use std::rc::Rc;

use squall::httpclient::AsyncHttpClient;
use squall::web::{Application, Request, RequestHandler};
use squall::{IoLoop, Result};

#[squall::coroutine]
fn coroutine_visit(url: String) -> Result<usize> {
    let response = yield_!(AsyncHttpClient::new().fetch(url))?;
    println!("{}", response.text()?);
    Ok(response.body().len())
}

#[squall::coroutine]
fn outer_coroutine(url: String) -> Result<()> {
    println!("start call coroutine_visit");
    yield_!(coroutine_visit(url))?;
    println!("end call coroutine_visit");
    Ok(())
}

async fn fetch_coroutine(url: String) -> Result<usize> {
    let response = AsyncHttpClient::new().fetch(url).await?;
    Ok(response.body().len())
}

/// The page that is visited.
struct Hello;

impl RequestHandler for Hello {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.write("Hello, world");
        Ok(())
    }
}

fn main() -> Result<()> {
    let url = match std::env::args().nth(1) {
        Some(url) => url,
        None => {
            let server = Application::new().route("/", Hello).listen("127.0.0.1:0")?;
            format!("http://{}/", server.local_addr()?)
        }
    };
    let io_loop = IoLoop::current();
    io_loop.run_sync(|| outer_coroutine(url.clone()))?;
    println!("{} bytes", io_loop.run_sync(|| fetch_coroutine(url))?);
    Ok(())
}
