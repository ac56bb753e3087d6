//! [`Response`]: the result of a fetch; [`ResponseHead`]: its status, headers and URL.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use hyper::ext::ReasonPhrase;
use hyper::header::{AsHeaderName, CONTENT_TYPE};
use hyper::http::response::Parts;
use hyper::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use squall_runner::{Exception, Result};
use url::Url;

use super::error::HttpClientError;

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

    /// Returns the body as text, decoded by the charset in `Content-Type`.
    ///
    /// Without a charset, and for `utf-8` and `us-ascii`, the body is decoded as UTF-8, and invalid bytes become
    /// U+FFFD. For `iso-8859-1` each byte is a character.
    ///
    /// # Errors
    /// [`HttpClientError::Decode`] for another charset; [`body`](Self::body) returns the bytes then.
    pub fn text(&self) -> Result<String> {
        let charset = self.header(CONTENT_TYPE).and_then(charset).unwrap_or_default().to_ascii_lowercase();
        match charset.as_str() {
            "" | "utf-8" | "utf8" | "us-ascii" | "ascii" => {
                Ok(String::from_utf8_lossy(&self.body).into_owned())
            }
            "iso-8859-1" | "latin1" | "latin-1" => {
                Ok(self.body.iter().map(|byte| char::from(*byte)).collect())
            }
            _ => Err(self.undecodable(Exception::msg(format!("its charset {charset:?} is not supported")))),
        }
    }

    /// Returns the body, parsed as JSON.
    ///
    /// # Errors
    /// [`HttpClientError::Decode`] if the body is not the JSON of a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| self.undecodable(error.into()))
    }

    fn undecodable(&self, cause: Exception) -> Exception {
        HttpClientError::Decode { url: self.head.url.to_string(), cause }.into()
    }

    /// Returns this response, or raises its status if `raise_error` is set and the status is not one of 200 to 299.
    pub(super) fn checked(self, raise_error: bool) -> Result<Self> {
        if self.status().is_success() || !raise_error {
            return Ok(self);
        }
        let url = self.head.url.to_string();
        Err(HttpClientError::Status { url, response: Box::new(self) }.into())
    }
}

impl Deref for Response {
    type Target = ResponseHead;

    fn deref(&self) -> &ResponseHead {
        &self.head
    }
}

/// Returns the charset in a `Content-Type`.
fn charset(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    })
}
