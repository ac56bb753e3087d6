//! [`AsyncHttpClient`].

use std::fmt;
use std::rc::Rc;

use hyper::header::HeaderValue;
use squall_runner::{native, Coroutine, Future};

use super::config::HttpClientConfig;
use super::fetch;
use super::pool::Pool;
use super::request::Request;
use super::response::Response;
use super::stream::ResponseStream;
#[cfg(feature = "http-client")]
use super::tls::Tls;
use crate::ioloop::IoLoop;
use crate::locks::Semaphore;

/// A client of HTTP/1.1 whose fetches are yielded or awaited. A handle: clones mean the same client.
///
/// [`new`](Self::new) returns the client of the current loop, so it costs nothing to call it in each coroutine: all of
/// them share its connections.
///
/// Source: `tornado.httpclient.AsyncHTTPClient`.
#[derive(Clone)]
pub struct AsyncHttpClient(Rc<Inner>);

/// What all handles of a client share.
pub(super) struct Inner {
    pub(super) config: HttpClientConfig,
    pub(super) user_agent: HeaderValue,
    pub(super) pool: Rc<Pool>,
    /// How many more fetches may run.
    pub(super) places: Semaphore,
    #[cfg(feature = "http-client")]
    pub(super) tls: Tls,
}

impl AsyncHttpClient {
    /// Returns the client of the current loop, which is made with the default configuration by the first call.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        IoLoop::current().singleton(|| Self::with_config(HttpClientConfig::default()))
    }

    /// Creates a client with connections of its own.
    ///
    /// # Panics
    /// If `max_clients` is 0, or `user_agent` has characters that a header cannot have.
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

    /// Makes this the client that [`new`](Self::new) returns on the current loop, as
    /// `AsyncHTTPClient.configure` does in Tornado.
    pub fn make_default(&self) {
        IoLoop::current().set_singleton(self.clone());
    }

    /// Fetches a URL or a [`Request`]. It begins in the next turn of the loop.
    ///
    /// Dropping the Future does not end the fetch. Cancelling it does: its connection is closed, its place is free.
    ///
    /// # Errors
    /// The Future fails with an [`HttpClientError`](super::HttpClientError). A status other than 200 to 299 is one,
    /// unless the request says [`raise_error(false)`](Request::raise_error).
    #[track_caller]
    pub fn fetch(&self, request: impl Into<Request>) -> Future<Response> {
        static FETCH: Coroutine = Coroutine::new("AsyncHttpClient::fetch", file!(), line!());

        native::start(&FETCH, fetch::whole(self.0.clone(), request.into()))
    }

    /// Fetches like [`fetch`](Self::fetch), but the Future is done when the head of the response is there. Its body is
    /// then read by [`chunks`](ResponseStream::chunks), and may be of any size.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch). The body of a status that is raised is read before.
    #[track_caller]
    pub fn fetch_stream(&self, request: impl Into<Request>) -> Future<ResponseStream> {
        static FETCH: Coroutine = Coroutine::new("AsyncHttpClient::fetch_stream", file!(), line!());

        native::start(&FETCH, fetch::stream(self.0.clone(), request.into()))
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
