//! Fetches, 100 at a time, by squall's client or by others on tokio. Each prints its nanoseconds.

use std::cell::Cell;
use std::error::Error;
use std::future::Future;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::header::USER_AGENT;
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use squall::httpclient::{AsyncHttpClient, Url};
use squall::{multi, IoLoop};
use tokio::sync::Semaphore;
use tokio::task::LocalSet;
use tokio::time::timeout;

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

type Failure = Box<dyn Error + Send + Sync>;

/// Fetches by hyper-util's client alone, which has no limits and follows no redirects.
pub(crate) fn hyper(url: &str, fetches: usize) -> Result<(), Box<dyn Error>> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let uri: hyper::Uri = url.parse()?;
    on_tokio(fetches, move || {
        let response = client.get(uri.clone());
        async move { Ok(response.await?.into_body().collect().await?.to_bytes().len()) }
    })
}

/// Fetches by hyper-util's client, with what squall's does by default for each fetch: a place in line, a limit of time
/// and of the body's size, the header `User-Agent`, a look at the status, and an error for one that is not a success.
pub(crate) fn hyper_limited(url: &str, fetches: usize) -> Result<(), Box<dyn Error>> {
    const LIMIT: Duration = Duration::from_secs(20);
    const MAX_BODY: usize = 100 * 1024 * 1024;

    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let uri: hyper::Uri = url.parse()?;
    let places = Rc::new(Semaphore::new(AT_ONCE));
    on_tokio(fetches, move || {
        let (client, uri, places) = (client.clone(), uri.clone(), places.clone());
        async move {
            timeout(LIMIT, async move {
                let _place = places.acquire().await?;
                let request = Request::get(uri).header(USER_AGENT, "squall-http-bench").body(Empty::new())?;
                let response = client.request(request).await?;
                if !response.status().is_success() {
                    return Err(response.status().as_str().to_owned().into());
                }
                Ok(Limited::new(response.into_body(), MAX_BODY).collect().await?.to_bytes().len())
            })
            .await?
        }
    })
}

/// Calls `fetch` until there were so many fetches, and waits for their bytes.
fn on_tokio<F>(fetches: usize, fetch: impl Fn() -> F + 'static) -> Result<(), Box<dyn Error>>
where
    F: Future<Output = Result<usize, Failure>> + 'static,
{
    let (fetch, left) = (Rc::new(fetch), Rc::new(Cell::new(fetches)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let started = Instant::now();
    let bytes = LocalSet::new().block_on(&runtime, async move {
        let fetching = (0..AT_ONCE).map(|_| {
            let (fetch, left) = (fetch.clone(), left.clone());
            tokio::task::spawn_local(async move {
                let mut bytes = 0;
                while take(&left) {
                    bytes += fetch().await?;
                }
                Ok::<_, Failure>(bytes)
            })
        });
        let mut bytes = 0;
        for fetched in fetching.collect::<Vec<_>>() {
            bytes += fetched.await??;
        }
        Ok::<_, Failure>(bytes)
    });
    report(started, bytes.map_err(|error| error.to_string())?);
    Ok(())
}

fn report(started: Instant, bytes: usize) {
    println!("{} ns, {bytes} bytes", started.elapsed().as_nanos());
}
