//! [`Request`]: a request as its handler sees it. This file has the part that came from the client.

use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, Method, Uri, Version};
use serde::de::DeserializeOwned;
use squall_runner::trace::{internal, Origin};
use squall_runner::{coroutine, Future};

use super::error::HttpError;
use super::exchange::Exchange;

/// A request, and the response to it.
///
/// A `Request` is a handle: clones refer to the same request. The client's part consists of [`method`](Self::method),
/// [`path`](Self::path), [`path_param`](Self::path_param), [`query_argument`](Self::query_argument),
/// [`header`](Self::header), [`cookie`](Self::cookie) and the body, as a whole ([`body`](Self::body),
/// [`json`](Self::json), [`form`](Self::form)) or [`chunk`](Self::chunk) by chunk.
///
/// The response is written by [`set_status`](Self::set_status), [`set_header`](Self::set_header),
/// [`write`](Self::write), [`flush`](Self::flush) and [`finish`](Self::finish). It is finished when the handler's
/// method is done.
#[derive(Clone)]
pub struct Request(pub(super) Rc<Exchange>);

impl Request {
    pub(super) fn new(exchange: Rc<Exchange>) -> Self {
        Self(exchange)
    }

    /// Returns the method, such as `GET`.
    pub fn method(&self) -> &Method {
        &self.0.head.method
    }

    /// Returns the request target, as the client sent it.
    pub fn uri(&self) -> &Uri {
        &self.0.head.uri
    }

    /// Returns the path, percent-encoded as the client sent it. It begins with a slash.
    pub fn path(&self) -> &str {
        self.0.head.uri.path()
    }

    /// Returns the version of HTTP that the client speaks.
    pub fn version(&self) -> Version {
        self.0.head.version
    }

    /// Returns the decoded value of a parameter of the route.
    pub fn path_param(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.path_params.iter().find(|(of, _)| of == name)?;
        Some(value)
    }

    /// Returns the decoded last value of an argument in the query. Invalid UTF-8 becomes U+FFFD.
    ///
    /// Source: `tornado.web.RequestHandler.get_query_argument`.
    pub fn query_argument(&self, name: &str) -> Option<String> {
        self.query().filter(|(of, _)| of == name).last().map(|(_, value)| value.into_owned())
    }

    /// Returns the decoded values of an argument in the query.
    pub fn query_arguments(&self, name: &str) -> Vec<String> {
        self.query().filter(|(of, _)| of == name).map(|(_, value)| value.into_owned()).collect()
    }

    fn query(&self) -> form_urlencoded::Parse<'_> {
        form_urlencoded::parse(self.0.head.uri.query().unwrap_or_default().as_bytes())
    }

    /// Returns the headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.head.headers
    }

    /// Returns the first value of a header, if it is visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.head.headers.get(name)?.to_str().ok()
    }

    /// Returns the address of the client; `None` on a Unix socket.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.0.connection.peer().address
    }

    /// Returns whether the connection is encrypted.
    pub fn is_secure(&self) -> bool {
        self.0.connection.peer().secure
    }

    /// Keeps a value with the request, for code that sees the request later: what `prepare` has found out, for the
    /// method and for `on_finish`. It replaces an earlier value of the same type.
    ///
    /// ```
    /// use std::rc::Rc;
    /// use squall::web::{HttpError, Request, RequestHandler};
    /// use squall::Result;
    ///
    /// struct User(String);
    /// struct Inbox;
    ///
    /// impl RequestHandler for Inbox {
    ///     async fn prepare(self: Rc<Self>, req: Request) -> Result<()> {
    ///         let name = req.cookie("user").ok_or(HttpError(401))?;
    ///         req.set_extension(User(name));
    ///         Ok(())
    ///     }
    ///
    ///     async fn get(self: Rc<Self>, req: Request) -> Result<()> {
    ///         let user = req.extension::<User>().ok_or(HttpError(401))?;
    ///         req.write(format!("no mail for {}", user.0));
    ///         Ok(())
    ///     }
    /// }
    /// # squall::web::Application::new().route("/", Inbox);
    /// ```
    ///
    /// Source: the attribute `current_user` of `tornado.web.RequestHandler`.
    pub fn set_extension<T: 'static>(&self, value: T) {
        let mut extensions = self.0.extensions.borrow_mut();
        extensions.retain(|other| !other.is::<T>());
        extensions.push(Rc::new(value));
    }

    /// Returns the value of a type that [`set_extension`](Self::set_extension) has set.
    pub fn extension<T: 'static>(&self) -> Option<Rc<T>> {
        self.0.extensions.borrow().iter().find_map(|value| value.clone().downcast().ok())
    }

    /// Sets the largest size of the body, in bytes, instead of the server's limit. Call it before the body is read.
    pub fn set_max_body_size(&self, max: u64) {
        if let Some(receiver) = &self.0.receiver {
            receiver.set_limit(max);
        }
    }

    /// Receives the whole body, or what is left of it after chunks were received. It may be called again.
    ///
    /// # Errors
    /// The Future fails with [`HttpError`] 413 if the body exceeds the limit, 408 if the client pauses for too long,
    /// 400 if the body is malformed; with [`ConnectionClosed`](super::ConnectionClosed) if the connection is lost.
    pub fn body(&self) -> Future<Bytes> {
        match &self.0.receiver {
            Some(receiver) => receiver.whole(&self.0.connection),
            None => Future::ready(Bytes::new()),
        }
    }

    /// Receives the next chunk of the body; `None` at its end. The server reads from the client only while a chunk is
    /// waited for.
    ///
    /// # Errors
    /// The errors of [`body`](Self::body).
    pub fn chunk(&self) -> Future<Option<Bytes>> {
        match &self.0.receiver {
            Some(receiver) => receiver.chunk(&self.0.connection),
            None => Future::ready(None),
        }
    }

    /// Receives the body and parses it as JSON.
    ///
    /// # Errors
    /// The errors of [`body`](Self::body); the Future fails with [`HttpError`] 400 if the body is not the JSON of a
    /// `T`.
    #[track_caller]
    pub fn json<T: DeserializeOwned + 'static>(&self) -> Future<T> {
        let body = self.body();
        let json = internal(|| {
            coroutine(|co| async move {
                let body = co.yield_(body).await?;
                serde_json::from_slice(&body).map_err(|error| {
                    HttpError(400).with_note(format!("the body is not the JSON that is expected: {error}"))
                })
            })
        });
        json.core().shared().announce_as(|| (Origin::Named("Request.json"), None, None));
        json
    }

    /// Receives the body and parses it as a form (`application/x-www-form-urlencoded`): its fields, in order.
    ///
    /// # Errors
    /// The errors of [`body`](Self::body); the Future fails with [`HttpError`] 415 if the body has another type.
    #[track_caller]
    pub fn form(&self) -> Future<Vec<(String, String)>> {
        const FORM: &str = "application/x-www-form-urlencoded";

        let of_type = self.0.head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = of_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case(FORM) {
            return Future::failed(
                HttpError(415).with_note(format!("the body is not a form: its type is {essence:?}")),
            );
        }
        let body = self.body();
        let form = internal(|| {
            coroutine(|co| async move {
                let body = co.yield_(body).await?;
                Ok(form_urlencoded::parse(&body).into_owned().collect())
            })
        });
        form.core().shared().announce_as(|| (Origin::Named("Request.form"), None, None));
        form
    }

    /// Returns a Future that is done when the client has closed the connection, or its half of it, before the response
    /// is finished. If the response is finished first, the Future fails with
    /// [`BrokenPromise`](crate::Error::BrokenPromise) when the last handle of the request is dropped.
    pub fn closed(&self) -> Future<()> {
        self.0.leaving()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", self.method())
            .field("uri", self.uri())
            .finish_non_exhaustive()
    }
}
