//! [`HttpClientConfig`]: the limits of a client, and what its requests say unless they say otherwise.

use std::time::Duration;

#[cfg(feature = "http-client")]
use super::tls::ClientTls;

/// What [`AsyncHttpClient::with_config`](super::AsyncHttpClient::with_config) takes.
///
/// ```
/// use std::time::Duration;
/// use squall::httpclient::{AsyncHttpClient, HttpClientConfig};
///
/// let client = AsyncHttpClient::with_config(HttpClientConfig {
///     max_clients: 10,
///     request_timeout: Duration::from_secs(5),
///     ..HttpClientConfig::default()
/// });
/// # let _ = client;
/// ```
#[derive(Debug, Clone)]
pub struct HttpClientConfig {
    /// How many fetches may run at once. Further ones wait in line. 100 by default (Tornado's default is 10).
    pub max_clients: usize,
    /// How many connections to one host are kept for later. 100 by default.
    pub max_idle_per_host: usize,
    /// How long a connection is kept that is not used. 60 seconds by default.
    pub idle_timeout: Duration,
    /// How long a connection may take: name, TCP and TLS together. 20 seconds by default.
    pub connect_timeout: Duration,
    /// How long a fetch may take, with its time in line, redirects and the body. 20 seconds by default.
    pub request_timeout: Duration,
    /// How many redirects are followed. 5 by default.
    pub max_redirects: usize,
    /// How large the head of a response may be, in bytes. 64 KiB by default.
    pub max_header_size: usize,
    /// How large the body of a response may be, in bytes, once it is decoded. 100 MiB by default. Streams have no limit.
    pub max_body_size: usize,
    /// What the header `User-Agent` says.
    pub user_agent: String,
    /// Whether gzip, deflate and brotli are asked for and decoded. `true` by default.
    #[cfg(feature = "http-client")]
    pub decompress: bool,
    /// What HTTPS trusts: the roots of the operating system by default.
    #[cfg(feature = "http-client")]
    pub tls: ClientTls,
}

impl Default for HttpClientConfig {
    fn default() -> Self {
        Self {
            max_clients: 100,
            max_idle_per_host: 100,
            idle_timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(20),
            request_timeout: Duration::from_secs(20),
            max_redirects: 5,
            max_header_size: 64 * 1024,
            max_body_size: 100 * 1024 * 1024,
            user_agent: concat!("squall/", env!("CARGO_PKG_VERSION")).to_owned(),
            #[cfg(feature = "http-client")]
            decompress: true,
            #[cfg(feature = "http-client")]
            tls: ClientTls::default(),
        }
    }
}
