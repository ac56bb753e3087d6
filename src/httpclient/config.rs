//! [`HttpClientConfig`]: the limits of a client, and the defaults of its requests.

use std::time::Duration;

#[cfg(feature = "http-client")]
use super::tls::ClientTls;

/// The settings for [`AsyncHttpClient::with_config`](super::AsyncHttpClient::with_config).
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
    /// How many fetches may run at once. Further fetches wait in line. 100 by default (Tornado's default is 10).
    pub max_clients: usize,
    /// How many idle connections to one host are kept. 100 by default.
    pub max_idle_per_host: usize,
    /// How long an idle connection is kept. 60 seconds by default.
    pub idle_timeout: Duration,
    /// How long connecting may take, including the name's resolution, TCP and TLS. 20 seconds by default.
    pub connect_timeout: Duration,
    /// How long a fetch may take, including the wait in line, redirects and the body. 20 seconds by default.
    pub request_timeout: Duration,
    /// How many redirects are followed. 5 by default.
    pub max_redirects: usize,
    /// The largest head of a response, in bytes. 64 KiB by default.
    pub max_header_size: usize,
    /// The largest decoded body of a response, in bytes. 100 MiB by default. Streams are not limited.
    pub max_body_size: usize,
    /// The value of the `User-Agent` header.
    pub user_agent: String,
    /// `true`, the default, to ask for gzip, deflate and brotli, and to decode them.
    #[cfg(feature = "http-client")]
    pub decompress: bool,
    /// The certificates that HTTPS trusts: those of the operating system by default.
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
