//! [`AsyncHttpClient`]: an HTTP client whose fetches are yielded or awaited (feature `http-client`).
//!
//! ```no_run
//! use squall::httpclient::AsyncHttpClient;
//! use squall::{IoLoop, Result};
//!
//! #[squall::coroutine]
//! fn visit(url: &'static str) -> Result<usize> {
//!     let response = yield_!(AsyncHttpClient::new().fetch(url))?;
//!     println!("{} {}", response.status(), response.text()?);
//!     Ok(response.body().len())
//! }
//!
//! #[squall::coroutine]
//! fn both() -> Result<usize> {
//!     let [a, b] = yield_!([visit("http://example.com/"), visit("https://example.org/")])?;   // at once
//!     Ok(a + b)
//! }
//! IoLoop::current().run_sync(both)?;
//! # Ok::<(), squall::Exception>(())
//! ```
//!
//! Connections speak HTTP/1.1, by hyper. They are kept for later fetches, within the limits of [`HttpClientConfig`].
//! [`guide`] shows what the client can do, compared to Tornado's, aiohttp's and reqwest's.

mod body;
mod client;
mod config;
mod connection;
mod content;
#[cfg(feature = "http-client")]
mod decode;
mod error;
mod fetch;
mod inner;
mod limit;
mod parsed;
mod pool;
mod receiving;
mod redirect;
mod request;
mod response;
mod stream;
#[cfg(feature = "http-client")]
mod tls;

pub use bytes::Bytes;
pub use client::AsyncHttpClient;
pub use config::HttpClientConfig;
pub use error::{HttpClientError, Part, Stage};
pub use hyper::header;
pub use hyper::{HeaderMap, StatusCode};
pub use request::Request;
pub use response::{Response, ResponseHead};
pub use stream::{Chunks, ResponseStream};
#[cfg(feature = "http-client")]
pub use tls::ClientTls;
pub use url::Url;

/// A guide to the HTTP client: requests, responses, failures, and the words of Tornado, aiohttp and reqwest.
///
#[doc = include_str!("../docs/http-client.md")]
pub mod guide {}
