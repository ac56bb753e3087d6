//! Fetches, 100 at a time, by squall's client or by hyper-util's on tokio. Each prints its nanoseconds.

use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use squall::httpclient::{AsyncHttpClient, Url};
use squall::{multi, IoLoop};
use tokio::task::LocalSet;

const AT_ONCE: usize = 100;

/// Returns whether another fetch is to be begun.
fn take(left: &Cell<usize>) -> bool {
    let n = left.get();
    left.set(n.saturating_sub(1));
    n > 0
}

#[squall::coroutine]
fn fetch_many(url: Rc<Url>, left: Rc<Cell<usize>>) -> squall::Result<usize> {
    let client = AsyncHttpClient::new();
    let mut bytes = 0;
    while take(&left) {
        bytes += yield_!(client.fetch(&*url))?.body().len();
    }
    Ok(bytes)
}

/// Fetches by squall's client.
pub(crate) fn squall(url: &str, fetches: usize) -> Result<(), Box<dyn Error>> {
    let (url, left) = (Rc::new(Url::parse(url)?), Rc::new(Cell::new(fetches)));
    let started = Instant::now();
    let bytes: Vec<usize> = IoLoop::new().run_sync(move || {
        multi((0..AT_ONCE).map(|_| fetch_many(url.clone(), left.clone())).collect::<Vec<_>>())
    })?;
    report(started, bytes.iter().sum());
    Ok(())
}

/// Fetches by hyper-util's client.
pub(crate) fn hyper(url: &str, fetches: usize) -> Result<(), Box<dyn Error>> {
    let uri: hyper::Uri = url.parse()?;
    let left = Rc::new(Cell::new(fetches));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let started = Instant::now();
    let bytes = LocalSet::new().block_on(&runtime, async move {
        let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let fetching = (0..AT_ONCE).map(|_| {
            let (client, uri, left) = (client.clone(), uri.clone(), left.clone());
            tokio::task::spawn_local(async move {
                let mut bytes = 0;
                while take(&left) {
                    let response = client.get(uri.clone()).await?;
                    bytes += response.into_body().collect().await?.to_bytes().len();
                }
                Ok::<_, Box<dyn Error + Send + Sync>>(bytes)
            })
        });
        let mut bytes = 0;
        for fetched in fetching.collect::<Vec<_>>() {
            bytes += fetched.await??;
        }
        Ok::<_, Box<dyn Error + Send + Sync>>(bytes)
    });
    report(started, bytes.map_err(|error| error.to_string())?);
    Ok(())
}

fn report(started: Instant, bytes: usize) {
    println!("{} ns, {bytes} bytes", started.elapsed().as_nanos());
}
