//! [`AsyncHttpClient`]: the client itself.

use std::fmt;
use std::rc::Rc;

use hyper::header::HeaderValue;
use squall_runner::native::start_internal;
use squall_runner::{Coroutine, Future};

use super::config::HttpClientConfig;
use super::fetch;
use super::inner::Inner;
use super::pool::Pool;
use super::request::Request;
use super::response::Response;
use super::stream::ResponseStream;
#[cfg(feature = "http-client")]
use super::tls::Tls;
use crate::ioloop::IoLoop;
use crate::locks::Semaphore;

/// An HTTP/1.1 client whose fetches are yielded or awaited.
///
/// An `AsyncHttpClient` is a handle: clones refer to the same client. [`new`](Self::new) returns the client of the
/// current loop, so each coroutine can call it at no cost; all of them share its connections.
///
/// Source: `tornado.httpclient.AsyncHTTPClient`.
#[derive(Clone)]
pub struct AsyncHttpClient(Rc<Inner>);

impl AsyncHttpClient {
    /// Returns the client of the current loop. The first call creates it, with the default configuration.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        IoLoop::current().singleton(|| Self::with_config(HttpClientConfig::default()))
    }

    /// Creates a client with connections of its own.
    ///
    /// # Panics
    /// Panics if `max_clients` is 0, or if `user_agent` contains characters that a header cannot have.
    #[track_caller]
    pub fn with_config(config: HttpClientConfig) -> Self {
        assert!(config.max_clients > 0, "max_clients is 0: no fetch could ever run");
        let user_agent = HeaderValue::from_str(&config.user_agent);
        Self(Rc::new(Inner {
            user_agent: user_agent.expect("user_agent has characters that a header cannot have"),
            pool: Pool::new(config.max_idle_per_host, config.idle_timeout),
            places: Semaphore::new(config.max_clients),
            #[cfg(feature = "http-client")]
            tls: Tls::new(config.tls.clone()),
            config,
        }))
    }

    /// Makes this the client that [`new`](Self::new) returns on the current loop, like Tornado's
    /// `AsyncHTTPClient.configure`.
    pub fn make_default(&self) {
        IoLoop::current().set_singleton(self.clone());
    }

    /// Fetches a URL or a [`Request`]. The fetch begins in the next turn of the loop.
    ///
    /// Dropping the Future does not end the fetch. Cancelling it does: that closes the connection and frees the fetch's
    /// place among `max_clients`.
    ///
    /// # Errors
    /// The Future fails with an [`HttpClientError`](super::HttpClientError). A status other than 200 to 299 is an
    /// error, unless the request sets [`raise_error(false)`](Request::raise_error).
    #[track_caller]
    pub fn fetch(&self, request: impl Into<Request>) -> Future<Response> {
        static FETCH: Coroutine = Coroutine::new("AsyncHttpClient::fetch", file!(), line!());

        let request = request.into();
        start_internal(&FETCH, request.name(), fetch::whole(self.0.clone(), request))
    }

    /// Fetches like [`fetch`](Self::fetch), but the Future is done when the head of the response has arrived. The body,
    /// of any size, is then read by [`chunks`](ResponseStream::chunks).
    ///
    /// # Errors
    /// The errors of [`fetch`](Self::fetch). If a status is raised, the body of that response is read first.
    #[track_caller]
    pub fn fetch_stream(&self, request: impl Into<Request>) -> Future<ResponseStream> {
        static FETCH: Coroutine = Coroutine::new("AsyncHttpClient::fetch_stream", file!(), line!());

        let request = request.into();
        start_internal(&FETCH, request.name(), fetch::stream(self.0.clone(), request))
    }
}

impl fmt::Debug for AsyncHttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncHttpClient")
            .field("idle_connections", &self.0.pool.len())
            .field("config", &self.0.config)
            .finish()
    }
}
