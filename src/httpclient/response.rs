//! [`Response`]: the result of a fetch; [`ResponseHead`]: its status, headers and URL.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use hyper::ext::ReasonPhrase;
use hyper::header::AsHeaderName;
use hyper::http::response::Parts;
use hyper::{HeaderMap, StatusCode};
use url::Url;

/// The status, the headers and the URL of a response.
#[derive(Clone)]
pub struct ResponseHead {
    status: StatusCode,
    reason: Option<ReasonPhrase>,
    pub(super) headers: HeaderMap,
    pub(super) url: Arc<Url>,
}

impl ResponseHead {
    pub(super) fn new(mut parts: Parts, url: Arc<Url>) -> Self {
        let reason = parts.extensions.remove();
        Self { status: parts.status, reason, headers: parts.headers, url }
    }

    /// Returns the status, which can be compared with a number: `response.status() == 200`.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the reason phrase that the server sent, else the standard one.
    pub fn reason(&self) -> &str {
        let sent = self.reason.as_ref().and_then(|reason| std::str::from_utf8(reason.as_bytes()).ok());
        sent.or(self.status.canonical_reason()).unwrap_or("Unknown")
    }

    /// Returns all headers. If the body was decoded, they no longer describe its coding.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the first value of a header, if there is one that is text.
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the URL of the response: after redirects, and without name and password.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }
}

impl fmt::Debug for ResponseHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, headers, url, .. } = self;
        f.debug_struct("ResponseHead")
            .field("status", status)
            .field("url", &url.as_str())
            .field("headers", headers)
            .finish()
    }
}

/// The response of [`fetch`](super::AsyncHttpClient::fetch) with its whole body. It dereferences to [`ResponseHead`].
///
/// Source: `tornado.httpclient.HTTPResponse`.
#[derive(Debug, Clone)]
pub struct Response {
    head: ResponseHead,
    body: Bytes,
}

impl Response {
    pub(super) fn new(head: ResponseHead, body: Bytes) -> Self {
        Self { head, body }
    }

    /// Returns the body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

impl Deref for Response {
    type Target = ResponseHead;

    fn deref(&self) -> &ResponseHead {
        &self.head
    }
}
