//! [`Request`]: what to fetch, and how.

use std::fmt::{self, Display};
use std::time::Duration;

use base64::prelude::{Engine, BASE64_STANDARD};
use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use hyper::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use squall_runner::trace::{observed, program};
use squall_runner::{convert_yielded, Exception, Future, Result, Yieldable};
use url::Url;

use super::body::Body;
use super::config::HttpClientConfig;
use super::error::HttpClientError;

/// A request for [`AsyncHttpClient::fetch`](super::AsyncHttpClient::fetch). A URL alone is a GET request.
///
/// ```no_run
/// use squall::httpclient::{AsyncHttpClient, Request};
///
/// #[squall::coroutine]
/// fn create(name: &'static str) -> squall::Result<u64> {
///     let request = Request::post("http://127.0.0.1:8888/users")
///         .header("X-Trace", "17")
///         .json(&serde_json::json!({ "name": name }))
///         .raise_error(false);
///     let response = yield_!(AsyncHttpClient::new().fetch(request))?;
///     match response.status().is_success() {
///         true => Ok(response.json::<serde_json::Value>()?["id"].as_u64().unwrap_or(0)),
///         false => Err(squall::Exception::msg(format!("{}: {}", response.status(), response.text()?))),
///     }
/// }
/// ```
///
/// A mistake in a request, such as an invalid URL or header, is raised by the fetch. Source:
/// `tornado.httpclient.HTTPRequest`.
pub struct Request {
    pub(super) method: Method,
    /// The parsed URL, or the first mistake in the request.
    pub(super) url: Result<Url, HttpClientError>,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    options: Options,
}

/// The settings of one request; those that are `None` are the client's.
#[derive(Debug, Clone, Default)]
struct Options {
    connect_timeout: Option<Duration>,
    request_timeout: Option<Duration>,
    follow_redirects: Option<bool>,
    max_redirects: Option<usize>,
    max_body_size: Option<usize>,
    raise_error: Option<bool>,
    decompress: Option<bool>,
}

/// The settings of one fetch, from its request and its client.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) connect_timeout: Duration,
    pub(super) request_timeout: Duration,
    /// `None` if redirects are not followed.
    pub(super) max_redirects: Option<usize>,
    pub(super) max_body_size: usize,
    pub(super) raise_error: bool,
    pub(super) decompress: bool,
}

/// Defines one constructor for each method.
macro_rules! methods {
    ($($name:ident $method:ident),*) => {$(
        #[doc = concat!("Creates a ", stringify!($method), " request.")]
        pub fn $name(url: impl AsRef<str>) -> Self {
            Self::with_method(Method::$method, url.as_ref())
        }
    )*};
}

impl Request {
    methods!(get GET, head HEAD, post POST, put PUT, delete DELETE, patch PATCH, options OPTIONS);

    /// Creates a request with any method, such as `"PROPFIND"`.
    pub fn new(method: &str, url: impl AsRef<str>) -> Self {
        match Method::from_bytes(method.as_bytes()) {
            Ok(method) => Self::with_method(method, url.as_ref()),
            Err(_) => Self::get(url).failed(format!("{method:?} is not a method")),
        }
    }

    fn with_method(method: Method, url: &str) -> Self {
        Self::with_url(method, parse(url))
    }

    fn with_url(method: Method, mut url: Result<Url, HttpClientError>) -> Self {
        let mut headers = HeaderMap::new();
        if let Some(value) = url.as_mut().ok().and_then(take_credentials) {
            headers.insert(AUTHORIZATION, value);
        }
        Self { method, url, headers, body: Body::default(), options: Options::default() }
    }

    /// Returns the name of the fetch in a trace, if the thread is observed.
    pub(super) fn name(&self) -> Option<String> {
        let url = || self.url().unwrap_or("an invalid URL");
        observed().then(|| match self.method {
            Method::GET => format!("fetch {}", url()),
            _ => format!("fetch {} {}", self.method, url()),
        })
    }

    /// Records a mistake, if it is the first one.
    fn failed(mut self, cause: impl Into<String>) -> Self {
        self.fail(Exception::msg(cause));
        self
    }

    fn fail(&mut self, cause: Exception) {
        if let Ok(url) = &self.url {
            self.url = Err(HttpClientError::Request { url: url.to_string(), cause });
        }
    }

    /// Adds a header. A header that is there already is kept beside it.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        match header(name.as_ref(), value.as_ref()) {
            Ok((name, value)) => {
                self.headers.append(name, value);
                self
            }
            Err(cause) => self.failed(cause),
        }
    }

    fn set_header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.remove(&name);
        self.header(name, value)
    }

    /// Adds parameters to the URL's query, percent-encoded.
    ///
    /// ```
    /// use squall::httpclient::Request;
    ///
    /// let request = Request::get("http://example.com/search").query([("q", "a b&c"), ("page", "2")]);
    /// assert_eq!(request.url(), Some("http://example.com/search?q=a+b%26c&page=2"));
    /// ```
    #[must_use]
    pub fn query<K: AsRef<str>, V: Display>(mut self, pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        if let Ok(url) = &mut self.url {
            let mut query = url.query_pairs_mut();
            for (key, value) in pairs {
                query.append_pair(key.as_ref(), &value.to_string());
            }
        }
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Body::Whole(body.into());
        self
    }

    /// Sets the body to the JSON of `value`, and `Content-Type` to `application/json` unless it is set.
    #[must_use]
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => self.typed("application/json").body(json),
            Err(error) => {
                self.fail(error.into());
                self
            }
        }
    }

    /// Sets the body to a form (`application/x-www-form-urlencoded`), and `Content-Type` unless it is set.
    #[must_use]
    pub fn form<K: AsRef<str>, V: Display>(self, pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (key, value) in pairs {
            form.append_pair(key.as_ref(), &value.to_string());
        }
        self.typed("application/x-www-form-urlencoded").body(form.finish())
    }

    fn typed(mut self, content_type: &'static str) -> Self {
        self.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
        self
    }

    /// Sets the body to a stream. `next_chunk` is called for each chunk, once the connection has taken the one before,
    /// until its result is `None`. It may return anything that can be yielded. The body is sent with chunked encoding,
    /// unless there is a header `Content-Length`.
    ///
    /// A stream is sent once: a redirect that asks for the body again fails. If `next_chunk` raises an exception, the
    /// fetch fails with [`HttpClientError::Send`](super::HttpClientError::Send), whose cause it is.
    ///
    /// ```
    /// use squall::httpclient::{Bytes, Request};
    ///
    /// let mut left = 3;
    /// let request = Request::put("http://127.0.0.1:8888/upload").body_stream(move || {
    ///     let chunk = (left > 0).then(|| Bytes::from(format!("{left}\n")));
    ///     left -= i32::from(chunk.is_some());
    ///     async move { Ok::<_, squall::Exception>(chunk) }
    /// });
    /// # let _ = request;
    /// ```
    ///
    /// Source: `body_producer` of `tornado.httpclient.HTTPRequest`.
    #[must_use]
    pub fn body_stream<M, Y>(mut self, mut next_chunk: impl FnMut() -> Y + 'static) -> Self
    where
        Y: Yieldable<M, Output = Option<Bytes>>,
    {
        self.body =
            Body::stream(move || program(|| convert_yielded(next_chunk())).unwrap_or_else(Future::failed));
        self
    }

    /// Sets the `Authorization` header by the Basic scheme. A URL with a name and a password has the same effect.
    #[must_use]
    pub fn auth_basic(self, username: impl Display, password: impl Display) -> Self {
        let value = basic(format!("{username}:{password}"));
        self.set_header(AUTHORIZATION, &value)
    }

    /// Sets the `User-Agent` header.
    #[must_use]
    pub fn user_agent(self, user_agent: impl AsRef<str>) -> Self {
        self.set_header(USER_AGENT, user_agent.as_ref())
    }

    /// Sets how long connecting may take, including the name's resolution, TCP and TLS.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.options.connect_timeout = Some(limit);
        self
    }

    /// Sets how long the whole fetch may take, including the wait in line, redirects and the body. For a stream
    /// ([`fetch_stream`](super::AsyncHttpClient::fetch_stream)) it limits the time until the head arrives, and then the
    /// wait for each chunk. `Duration::MAX` means no limit.
    #[must_use]
    pub fn request_timeout(mut self, limit: Duration) -> Self {
        self.options.request_timeout = Some(limit);
        self
    }

    /// Sets whether redirects are followed. `true` by default.
    #[must_use]
    pub fn follow_redirects(mut self, follow: bool) -> Self {
        self.options.follow_redirects = Some(follow);
        self
    }

    /// Sets how many redirects are followed.
    #[must_use]
    pub fn max_redirects(mut self, max: usize) -> Self {
        self.options.max_redirects = Some(max);
        self
    }

    /// Sets the largest decoded body of the response, in bytes.
    #[must_use]
    pub fn max_body_size(mut self, max: usize) -> Self {
        self.options.max_body_size = Some(max);
        self
    }

    /// Sets whether a status other than 200 to 299 is raised. `true` by default.
    #[must_use]
    pub fn raise_error(mut self, raise: bool) -> Self {
        self.options.raise_error = Some(raise);
        self
    }

    /// Sets whether a compressed body is asked for and decoded.
    #[cfg(feature = "http-client")]
    #[must_use]
    pub fn decompress(mut self, decompress: bool) -> Self {
        self.options.decompress = Some(decompress);
        self
    }

    /// Returns the URL, if it is valid.
    pub fn url(&self) -> Option<&str> {
        self.url.as_ref().ok().map(Url::as_str)
    }

    pub(super) fn rules(&self, config: &HttpClientConfig) -> Rules {
        let Options { connect_timeout, request_timeout, .. } = self.options;
        let follow = self.options.follow_redirects.unwrap_or(true);
        #[cfg(feature = "http-client")]
        let decompress = self.options.decompress.unwrap_or(config.decompress);
        #[cfg(not(feature = "http-client"))]
        let decompress = self.options.decompress.unwrap_or(false);
        Rules {
            connect_timeout: connect_timeout.unwrap_or(config.connect_timeout),
            request_timeout: request_timeout.unwrap_or(config.request_timeout),
            max_redirects: follow.then(|| self.options.max_redirects.unwrap_or(config.max_redirects)),
            max_body_size: self.options.max_body_size.unwrap_or(config.max_body_size),
            raise_error: self.options.raise_error.unwrap_or(true),
            decompress,
        }
    }
}

fn header(name: &str, value: &[u8]) -> Result<(HeaderName, HeaderValue), String> {
    let parsed = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| format!("{name:?} cannot be the name of a header"))?;
    let value = HeaderValue::from_bytes(value)
        .map_err(|_| format!("the value of the header {name} has bytes that cannot be sent"))?;
    Ok((parsed, value))
}

/// Returns the value of `Authorization` by the Basic scheme.
fn basic(credentials: impl AsRef<[u8]>) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(credentials))
}

/// Removes the name and the password from a URL. Returns the `Authorization` value for them.
pub(super) fn take_credentials(url: &mut Url) -> Option<HeaderValue> {
    let (username, password) = (url.username().to_owned(), url.password().map(str::to_owned));
    if username.is_empty() && password.is_none() {
        return None;
    }
    let mut credentials: Vec<u8> = percent_decode_str(&username).collect();
    credentials.push(b':');
    credentials.extend(percent_decode_str(password.as_deref().unwrap_or_default()));
    // Cannot fail, since a URL of http has a host.
    let _ = (url.set_username(""), url.set_password(None));
    HeaderValue::try_from(basic(credentials)).ok()
}

/// Parses a URL that can be fetched.
fn parse(text: &str) -> Result<Url, HttpClientError> {
    let wrong = |error: url::ParseError| HttpClientError::Request {
        url: without_credentials(text),
        cause: error.into(),
    };
    fetchable(Url::parse(text).map_err(wrong)?)
}

fn fetchable(url: Url) -> Result<Url, HttpClientError> {
    match check(&url) {
        Ok(()) => Ok(url),
        Err(cause) => Err(HttpClientError::Request { url: without_credentials(url.as_str()), cause }),
    }
}

/// Returns a URL that cannot be fetched for its error, which is no place for a name and a password.
fn without_credentials(url: &str) -> String {
    let start = url.find("//").map_or(0, |slashes| slashes + 2);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |end| start + end);
    match url[start..end].rfind('@') {
        Some(at) => [&url[..start], &url[start + at + 1..]].concat(),
        None => url.to_owned(),
    }
}

/// Checks that a URL can be fetched.
///
/// # Errors
/// The reason why it cannot.
pub(super) fn check(url: &Url) -> Result<()> {
    match url.scheme() {
        "http" => Ok(()),
        #[cfg(feature = "http-client")]
        "https" => Ok(()),
        #[cfg(not(feature = "http-client"))]
        "https" => Err(Exception::msg("HTTPS needs squall's feature `http-client`")),
        _ => Err(Exception::msg("its scheme is not http or https")),
    }
}

impl From<&str> for Request {
    fn from(url: &str) -> Self {
        Self::get(url)
    }
}

impl From<String> for Request {
    fn from(url: String) -> Self {
        Self::get(url)
    }
}

impl From<&String> for Request {
    fn from(url: &String) -> Self {
        Self::get(url)
    }
}

/// A GET request of a URL that is parsed already, such as a link that was joined with the URL of its page.
///
/// ```
/// use squall::httpclient::{Request, Url};
///
/// let page = Url::parse("http://example.com/a/b.html")?;
/// let request = Request::from(page.join("../c.html")?);
/// assert_eq!(request.url(), Some("http://example.com/c.html"));
/// # Ok::<(), squall::Exception>(())
/// ```
impl From<Url> for Request {
    fn from(url: Url) -> Self {
        Self::with_url(Method::GET, fetchable(url))
    }
}

impl From<&Url> for Request {
    fn from(url: &Url) -> Self {
        url.clone().into()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}
