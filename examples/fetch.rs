//! Fetches all URLs on the command line at once, and prints the status and the length of each response.
//!
//! ```console
//! $ cargo run --features http-client --example fetch -- http://example.com/ http://example.org/
//! 200 559 http://example.com/
//! 200 559 http://example.org/
//! ```

use std::process::ExitCode;

use squall::httpclient::{AsyncHttpClient, HttpClientConfig, Request};
use squall::{IoLoop, Result};

/// Prints the response of one URL.
#[squall::coroutine]
fn visit(client: AsyncHttpClient, url: String) -> Result<()> {
    let response = yield_!(client.fetch(Request::get(&url)))?;
    println!("{} {} {url}", response.status().as_u16(), response.body().len());
    Ok(())
}

/// Visits all URLs, and returns whether every fetch succeeded.
#[squall::coroutine]
fn visit_all(urls: Vec<String>) -> Result<bool> {
    let config = HttpClientConfig { max_clients: urls.len(), ..HttpClientConfig::default() };
    let client = AsyncHttpClient::with_config(config);
    let visits: Vec<_> = urls.into_iter().map(|url| visit(client.clone(), url)).collect();
    let mut all_well = true;
    for visit in visits {
        if let Err(exception) = yield_!(visit) {
            eprintln!("{exception}");
            all_well = false;
        }
    }
    Ok(all_well)
}

fn main() -> Result<ExitCode> {
    let urls: Vec<String> = std::env::args().skip(1).collect();
    if urls.is_empty() {
        eprintln!("usage: cargo run --features http-client --example fetch -- URL..");
        return Ok(ExitCode::from(2));
    }
    let all_well = IoLoop::current().run_sync(|| visit_all(urls))?;
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
