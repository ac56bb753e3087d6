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
    /// The largest head of a request, its first line and headers, in bytes. 64 KiB by default, 8,192 at least. A larger
    /// one is answered with 431.
    pub max_header_size: usize,
    /// The largest number of headers of a request. 100 by default. More are answered with 431.
    pub max_headers: usize,
    /// The largest body of a request, in bytes. 10 MiB by default. A larger one is answered with 413. A handler changes
    /// the limit for its own request by [`set_max_body_size`](super::Request::set_max_body_size).
    pub max_body_size: u64,
    /// The longest time from the first byte of a request's head to its last. 30 seconds by default. A slower request is
    /// answered with 408. A new connection that sends nothing is also closed after this time.
    pub header_timeout: Duration,
    /// The longest pause of a body while the handler waits for it. 60 seconds by default. After it, [`HttpError`] 408
    /// is raised in the handler.
    ///
    /// [`HttpError`]: super::HttpError
    pub body_timeout: Duration,
    /// The longest time for which a client may accept nothing of a response. 60 seconds by default. After it, the
    /// connection is closed.
    pub write_timeout: Duration,
    /// The longest time between two requests. 75 seconds by default. After it, the connection is closed.
    pub idle_timeout: Duration,
    /// The largest number of open connections. 20,000 by default. Further ones wait in the system's backlog.
    pub max_connections: usize,
    /// The number of connections that the system keeps until they are accepted. 1,024 by default. See
    /// [`TcpListener::bind_with_backlog`](crate::net::TcpListener::bind_with_backlog). A Unix socket has 1,024.
    pub backlog: u32,
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
            backlog: 1024,
        }
    }
}
