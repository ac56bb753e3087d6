//! [`HttpServerConfig`]: the limits of a server.

use std::time::Duration;

/// The limits of a server, for [`Application::listen_with`](super::Application::listen_with).
///
/// ```
/// use std::time::Duration;
/// use squall::web::HttpServerConfig;
///
/// let config = HttpServerConfig { max_body_size: 1024, ..HttpServerConfig::default() };
/// assert_eq!(config.idle_timeout, Duration::from_secs(75));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpServerConfig {
    /// The size of a request's head, which is its first line and its headers, in bytes; 64 KiB. More is answered with
    /// 431. At least 8,192.
    pub max_header_size: usize,
    /// The number of a request's headers; 100. More is answered with 431.
    pub max_headers: usize,
    /// The size of a request's body, in bytes; 10 MiB. More is answered with 413. A handler changes it for its own
    /// request by [`set_max_body_size`](super::Request::set_max_body_size).
    pub max_body_size: u64,
    /// The time from the first byte of a request's head to its last; 30 seconds. Then the answer is 408. A new
    /// connection that sends nothing is closed after this time, too.
    pub header_timeout: Duration,
    /// The time for which a body may pause while the handler waits for it; 60 seconds. Then [`HttpError`] 408 is
    /// raised in the handler.
    ///
    /// [`HttpError`]: super::HttpError
    pub body_timeout: Duration,
    /// The time for which a client may take nothing of a response; 60 seconds. Then the connection is closed.
    pub write_timeout: Duration,
    /// The time between requests; 75 seconds. Then the connection is closed.
    pub idle_timeout: Duration,
    /// The number of open connections; 20,000. Others wait in the system's queue of the listener.
    pub max_connections: usize,
}

impl Default for HttpServerConfig {
    fn default() -> Self {
        Self {
            max_header_size: 64 * 1024,
            max_headers: 100,
            max_body_size: 10 * 1024 * 1024,
            header_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(75),
            max_connections: 20_000,
        }
    }
}
