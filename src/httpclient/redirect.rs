//! Redirects: where they lead, and which parts of the request follow.

use std::sync::Arc;

use hyper::header::{
    HeaderName, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION,
    CONTENT_TYPE, COOKIE, HOST, LOCATION, PROXY_AUTHORIZATION, TRANSFER_ENCODING,
};
use hyper::{HeaderMap, Method, StatusCode};
use percent_encoding::{percent_encode, AsciiSet};
use squall_runner::Exception;
use url::Url;

use super::body::Body;
use super::request::{check, take_credentials};

/// Headers with credentials, which another host must not learn.
const CREDENTIALS: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

/// Headers that describe the body.
const OF_BODY: [HeaderName; 6] =
    [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE, TRANSFER_ENCODING];

/// Returns the header `Location` of a response that asks for another request.
pub(super) fn location(status: StatusCode, headers: &HeaderMap) -> Option<String> {
    let asks = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = headers.get(LOCATION).filter(|_| asks)?;
    let location = location.as_bytes();
    Some(match std::str::from_utf8(location) {
        Ok(location) => location.to_owned(),
        // A byte of another encoding stays the byte that it is.
        Err(_) => percent_encode(location, &AsciiSet::EMPTY).to_string(),
    })
}

/// The parts of a request that a redirect may change.
pub(super) struct Redirected<'a> {
    pub(super) method: &'a mut Method,
    pub(super) url: &'a mut Arc<Url>,
    pub(super) headers: &'a mut HeaderMap,
    pub(super) body: &'a mut Body,
}

impl Redirected<'_> {
    /// Changes the request to the one that `location` asks for.
    ///
    /// # Errors
    /// The reason why the redirect cannot be followed.
    pub(super) fn follow(self, status: StatusCode, location: &str) -> Result<(), Exception> {
        let mut next = self.url.join(location)?;
        check(&next)?;
        // Source: RFC 9110, section 10.2.2.
        if next.fragment().is_none() {
            next.set_fragment(self.url.fragment());
        }
        if becomes_get(status, self.method) {
            *self.method = Method::GET;
            *self.body = Body::default();
            OF_BODY.iter().for_each(|name| drop(self.headers.remove(name)));
        } else if !self.body.is_complete() {
            return Err(Exception::msg("the body is a stream, which cannot be sent again"));
        }
        if next.origin() != self.url.origin() {
            CREDENTIALS.iter().for_each(|name| drop(self.headers.remove(name)));
            self.headers.remove(HOST);
        }
        if let Some(value) = take_credentials(&mut next) {
            self.headers.insert(AUTHORIZATION, value);
        }
        *self.url = Arc::new(next);
        Ok(())
    }
}

/// Source: the Fetch standard, "HTTP-redirect fetch", which browsers follow, and Tornado.
fn becomes_get(status: StatusCode, method: &Method) -> bool {
    match status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => method == Method::POST,
        StatusCode::SEE_OTHER => method != Method::HEAD,
        _ => false,
    }
}
