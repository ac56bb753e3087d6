//! [`HttpClientError`]: why a fetch failed.

use std::fmt;
use std::time::Duration;

use squall_runner::{Error, Exception};

use super::response::Response;

/// Why a fetch failed: which stage, and for which URL. After a redirect it is the URL to which that led.
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
    /// The request itself is wrong: its URL, a header, its body.
    #[error("{url} cannot be fetched: {cause}")]
    Request {
        /// The URL as it was written.
        url: String,
        /// What is wrong.
        cause: Exception,
    },
    /// The host's name has no address.
    #[error("the host of {url} cannot be resolved: {cause}")]
    Resolve {
        /// The URL that was fetched.
        url: String,
        /// What the resolver said.
        cause: Exception,
    },
    /// No address of the host has taken the connection.
    #[error("no connection for {url}: {cause}")]
    Connect {
        /// The URL that was fetched.
        url: String,
        /// What became of each address.
        cause: Exception,
    },
    /// The handshake of TLS failed: the certificate is not trusted, or the server does not speak TLS.
    #[error("no TLS connection for {url}: {cause}")]
    Tls {
        /// The URL that was fetched.
        url: String,
        /// What rustls said.
        cause: Exception,
    },
    /// The request could not be sent as a whole.
    #[error("the request for {url} could not be sent: {cause}")]
    Send {
        /// The URL that was fetched.
        url: String,
        /// What happened; if the body is a stream that failed, its exception.
        cause: Exception,
    },
    /// The response did not come as a whole, or is not HTTP.
    #[error("the response of {url} could not be received: {cause}")]
    Receive {
        /// The URL that was fetched.
        url: String,
        /// What happened.
        cause: Exception,
    },
    /// The body is not what its headers say it is.
    #[error("the response of {url} could not be decoded: {cause}")]
    Decode {
        /// The URL that was fetched.
        url: String,
        /// What is wrong with it.
        cause: Exception,
    },
    /// A time limit was over.
    #[error("{url} took longer than its {setting} of {limit:?}: {stage}")]
    Timeout {
        /// The URL that was fetched.
        url: String,
        /// The limit that was over: `"connect_timeout"` or `"request_timeout"`.
        setting: &'static str,
        /// How long it is.
        limit: Duration,
        /// What the fetch was doing then.
        stage: Stage,
    },
    /// The head or the body of the response is larger than is allowed.
    #[error("{part} of {url} is larger than {limit} bytes")]
    TooLarge {
        /// The URL that was fetched.
        url: String,
        /// The part that is too large.
        part: Part,
        /// The limit, in bytes: `max_header_size` or `max_body_size`.
        limit: usize,
    },
    /// One redirect more than is allowed.
    #[error("{url} redirects once more, after {limit} redirects")]
    TooManyRedirects {
        /// The URL of the last response.
        url: String,
        /// The limit: `max_redirects`.
        limit: usize,
    },
    /// A redirect that cannot be followed.
    #[error("{url} redirects to {location:?}: {cause}")]
    Redirect {
        /// The URL of the response.
        url: String,
        /// Its header `Location`.
        location: String,
        /// Why it cannot be followed.
        cause: Exception,
    },
    /// The response has another status than 200 to 299, and the request did not say
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
    /// Returns the URL that failed.
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

    /// Returns the response, if there is one: that of a [`Status`](Self::Status).
    pub fn response(&self) -> Option<&Response> {
        match self {
            Self::Status { response, .. } => Some(response),
            _ => None,
        }
    }
}

/// What a fetch is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// It waits until fewer than `max_clients` others run.
    Queue,
    /// The host's name is being resolved.
    Resolve,
    /// The host has not accepted the connection yet.
    Connect,
    /// TLS is being negotiated.
    Tls,
    /// The request is being sent.
    Send,
    /// The response is awaited, or has come in part.
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

/// A part of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The status line and the headers.
    Head,
    /// The body, once it is decoded.
    Body,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head => "the head",
            Self::Body => "the body",
        })
    }
}

/// Makes a stage's error of what went wrong in it. That somebody has cancelled it is passed on as it is.
pub(super) fn unless_cancelled(
    cause: Exception,
    error: impl FnOnce(Exception) -> HttpClientError,
) -> Exception {
    match cause.downcast_ref() {
        Some(Error::Cancelled) => cause,
        _ => error(cause).into(),
    }
}

/// An error of hyper, with the reasons below it in its message.
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
