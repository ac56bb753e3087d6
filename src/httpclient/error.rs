//! [`HttpClientError`]: why a fetch failed.

use std::fmt;
use std::time::Duration;

use squall_runner::{Error, Exception};

use super::response::Response;

/// The error of a failed fetch, by the stage that failed. It names the URL; after a redirect, the URL of the redirect.
///
/// ```
/// use squall::httpclient::{AsyncHttpClient, HttpClientError};
/// use squall::IoLoop;
///
/// let failed = IoLoop::current().run_sync(|| AsyncHttpClient::new().fetch("ftp://example.com/")).unwrap_err();
/// assert!(matches!(failed.downcast_ref(), Some(HttpClientError::Request { .. })));
/// assert_eq!(failed.to_string(), "ftp://example.com/ cannot be fetched: its scheme is not http or https");
/// ```
///
/// Source: `tornado.httpclient.HTTPClientError`.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum HttpClientError {
    /// The request itself is invalid: its URL, a header or its body.
    #[error("{url} cannot be fetched: {cause}")]
    Request {
        /// The URL as it was passed.
        url: String,
        /// The mistake.
        cause: Exception,
    },
    /// The host's name could not be resolved.
    #[error("the host of {url} cannot be resolved: {cause}")]
    Resolve {
        /// The URL that was fetched.
        url: String,
        /// The error of the resolver.
        cause: Exception,
    },
    /// No address of the host accepted the connection.
    #[error("no connection for {url}: {cause}")]
    Connect {
        /// The URL that was fetched.
        url: String,
        /// The error, with the result of each address.
        cause: Exception,
    },
    /// The TLS handshake failed: the certificate is not trusted, or the server does not speak TLS.
    #[error("no TLS connection for {url}: {cause}")]
    Tls {
        /// The URL that was fetched.
        url: String,
        /// The error of rustls.
        cause: Exception,
    },
    /// The request was not sent completely.
    #[error("the request for {url} could not be sent: {cause}")]
    Send {
        /// The URL that was fetched.
        url: String,
        /// The error; if a stream as the body failed, its exception.
        cause: Exception,
    },
    /// The response did not arrive completely, or is not HTTP.
    #[error("the response of {url} could not be received: {cause}")]
    Receive {
        /// The URL that was fetched.
        url: String,
        /// The error.
        cause: Exception,
    },
    /// The body does not match its headers.
    #[error("the response of {url} could not be decoded: {cause}")]
    Decode {
        /// The URL that was fetched.
        url: String,
        /// The error of the decoder.
        cause: Exception,
    },
    /// A time limit was exceeded.
    #[error("{url} took longer than its {setting} of {limit:?}: {stage}")]
    Timeout {
        /// The URL that was fetched.
        url: String,
        /// The limit that was exceeded: `"connect_timeout"` or `"request_timeout"`.
        setting: &'static str,
        /// The value of the limit.
        limit: Duration,
        /// The stage of the fetch at which the limit was reached.
        stage: Stage,
    },
    /// The head or the body of the response exceeds a size limit, or the head has more than 100 headers.
    #[error("{part} of {url} is larger than {limit} bytes{or}", or = part.other_limit())]
    TooLarge {
        /// The URL that was fetched.
        url: String,
        /// The part that is too large.
        part: Part,
        /// The limit, in bytes: `max_header_size` or `max_body_size`.
        limit: usize,
    },
    /// The response redirects once more than is allowed.
    #[error("{url} redirects once more, after {limit} redirects")]
    TooManyRedirects {
        /// The URL of the last response.
        url: String,
        /// The limit: `max_redirects`.
        limit: usize,
    },
    /// The response redirects to a location that cannot be followed.
    #[error("{url} redirects to {location:?}: {cause}")]
    Redirect {
        /// The URL of the response.
        url: String,
        /// The value of its `Location` header.
        location: String,
        /// The reason why it cannot be followed.
        cause: Exception,
    },
    /// The status is not one of 200 to 299, and the request did not set
    /// [`raise_error(false)`](super::Request::raise_error).
    #[error("HTTP {}: {} ({url})", response.status().as_u16(), response.reason())]
    Status {
        /// The URL of the response.
        url: String,
        /// The response, with its body.
        response: Box<Response>,
    },
}

impl HttpClientError {
    /// Returns the URL of the error.
    pub fn url(&self) -> &str {
        match self {
            Self::Request { url, .. }
            | Self::Resolve { url, .. }
            | Self::Connect { url, .. }
            | Self::Tls { url, .. }
            | Self::Send { url, .. }
            | Self::Receive { url, .. }
            | Self::Decode { url, .. }
            | Self::Timeout { url, .. }
            | Self::TooLarge { url, .. }
            | Self::TooManyRedirects { url, .. }
            | Self::Redirect { url, .. }
            | Self::Status { url, .. } => url,
        }
    }

    /// Returns the response of a [`Status`](Self::Status); `None` for other errors.
    pub fn response(&self) -> Option<&Response> {
        match self {
            Self::Status { response, .. } => Some(response),
            _ => None,
        }
    }
}

/// The stage of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// The fetch waits until fewer than `max_clients` others run.
    Queue,
    /// The host's name is being resolved.
    Resolve,
    /// The connection has not been accepted yet.
    Connect,
    /// The TLS handshake is under way.
    Tls,
    /// The request is being sent.
    Send,
    /// The response has not arrived, or not completely.
    Receive,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Queue => "it was waiting for other fetches (max_clients)",
            Self::Resolve => "its host was being resolved",
            Self::Connect => "it was connecting",
            Self::Tls => "TLS was being negotiated",
            Self::Send => "the request was being sent",
            Self::Receive => "the response was awaited",
        })
    }
}

/// A part of a response, for [`TooLarge`](HttpClientError::TooLarge).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The status line and the headers.
    Head,
    /// The decoded body.
    Body,
}

impl Part {
    /// Returns what the message says of the limit that no setting has.
    fn other_limit(self) -> &'static str {
        match self {
            Self::Head => ", or has more than 100 headers",
            Self::Body => "",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head => "the head",
            Self::Body => "the body",
        })
    }
}

/// Converts an error into that of a stage. A cancellation is passed on unchanged.
pub(super) fn unless_cancelled(
    cause: Exception,
    error: impl FnOnce(Exception) -> HttpClientError,
) -> Exception {
    match cause.downcast_ref() {
        Some(Error::Cancelled) => cause,
        _ => error(cause).into(),
    }
}

/// An error of hyper, whose message includes those of its sources.
#[derive(Debug)]
pub(super) struct WithReasons(pub(super) hyper::Error);

impl fmt::Display for WithReasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)?;
        let mut source = std::error::Error::source(&self.0);
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl std::error::Error for WithReasons {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
