//! A handler that fetches the next chunk while it sends the last one, in the yield style and natively.
//!
//! ```python
//! from tornado import gen, web
//! from tornado.gen import convert_yielded
//!
//! class Decorated(web.RequestHandler):
//!     @gen.coroutine
//!     def get(self):
//!         fetch_future = self.fetch_next_chunk()
//!         while True:
//!             chunk = yield fetch_future
//!             if chunk is None: break
//!             self.write(chunk)
//!             fetch_future = self.fetch_next_chunk()
//!             yield self.flush()
//!
//! class Native(web.RequestHandler):
//!     async def get(self):
//!         # convert_yielded() starts the native coroutine in the background.
//!         fetch_future = convert_yielded(self.fetch_next_chunk())
//!         while True:
//!             chunk = await fetch_future
//!             if chunk is None: break
//!             self.write(chunk)
//!             fetch_future = convert_yielded(self.fetch_next_chunk())
//!             await self.flush()
//! ```
//!
//! `cargo run --package squall-guide --bin interleaving` serves both handlers, and prints the response of each.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use squall::httpclient::AsyncHttpClient;
use squall::web::{Application, Request, RequestHandler};
use squall::{convert_yielded, sleep, IoLoop, Result};

/// A source of chunks, each of which takes 20 ms.
struct Source {
    left: Cell<u32>,
}

impl Source {
    fn new() -> Rc<Self> {
        Rc::new(Self { left: Cell::new(3) })
    }

    fn take(&self) -> Option<String> {
        let left = self.left.get();
        self.left.set(left.checked_sub(1)?);
        Some(format!("{left} .. "))
    }

    #[squall::coroutine]
    fn fetch_next_chunk(self: Rc<Self>) -> Result<Option<String>> {
        yield_!(sleep(Duration::from_millis(20)))?;
        Ok(self.take())
    }

    async fn fetch_next_chunk_natively(self: Rc<Self>) -> Result<Option<String>> {
        sleep(Duration::from_millis(20)).await?;
        Ok(self.take())
    }
}

struct Decorated;

impl RequestHandler for Decorated {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        let source = Source::new();
        let mut chunk_future = source.clone().fetch_next_chunk();
        while let Some(chunk) = yield_!(chunk_future)? {
            req.write(chunk);
            chunk_future = source.clone().fetch_next_chunk();
            yield_!(req.flush())?;
        }
        Ok(())
    }
}

struct Native;

impl RequestHandler for Native {
    async fn get(self: Rc<Self>, req: Request) -> Result<()> {
        let source = Source::new();
        // `convert_yielded` starts the native coroutine in the background.
        let mut chunk_future = convert_yielded(source.clone().fetch_next_chunk_natively())?;
        while let Some(chunk) = chunk_future.await? {
            req.write(chunk);
            chunk_future = convert_yielded(source.clone().fetch_next_chunk_natively())?;
            req.flush().await?;
        }
        Ok(())
    }
}

fn app() -> Application {
    Application::new().route("/decorated", Decorated).route("/native", Native)
}

#[squall::coroutine]
fn read(url: String) -> Result<String> {
    let response = yield_!(AsyncHttpClient::new().fetch_stream(url))?;
    let (chunks, mut text) = (response.chunks(), String::new());
    while let Some(chunk) = yield_!(chunks.next())? {
        text += std::str::from_utf8(&chunk)?;
    }
    Ok(text)
}

#[squall::coroutine]
fn program(site: String) -> Result<()> {
    for path in ["decorated", "native"] {
        println!("{path}: {}", yield_!(read(format!("http://{site}/{path}")))?);
    }
    Ok(())
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
    fn next_chunk_is_fetched_while_the_last_one_travels() -> Result<()> {
        let net = testing::net();
        net.link("client", "site").latency(Duration::from_millis(15));
        net.host("site", || app().listen("site:80"))?;
        for path in ["decorated", "native"] {
            let start = IoLoop::current().time();
            let text = yield_!(net.host("client", || read(format!("http://site/{path}"))))?;
            assert_eq!(text, "3 .. 2 .. 1 .. ");
            // Three chunks and their end take 20 ms each, the way there and back 30 ms. The first fetch also connects.
            let took = IoLoop::current().time().saturating_sub(start);
            let expected = if path == "decorated" { 80 + 30 + 30 } else { 80 + 30 };
            assert_eq!(took.as_millis(), expected, "{path}");
        }
        Ok(())
    }
}
