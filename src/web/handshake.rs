//! The opening handshake of a [`WebSocket`]. RFC 6455, section 4.2.

use hyper::header::{
    HeaderName, HeaderValue, CONNECTION, HOST, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{Method, StatusCode, Uri, Version};
use squall_runner::{Future, Result};
use tungstenite::handshake::derive_accept_key;

use super::error::HttpError;
use super::request::Request;
use super::upgrade::Upgrade;
use super::websocket::WebSocket;

/// The settings of a [`WebSocket`], for [`Request::upgrade_with`].
///
/// ```
/// use squall::web::WebSocketConfig;
///
/// let config = WebSocketConfig { max_message_size: 1024, ..WebSocketConfig::default() };
/// assert!(!config.any_origin);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocketConfig {
    /// The largest message that is received, in bytes. 10 MiB by default. A larger one closes the socket with code
    /// 1009.
    pub max_message_size: usize,
    /// `true` if pages of other sites may open the socket; `false` by default. A browser names the page's site in the
    /// header `Origin`, and sends this site's cookies with the request.
    pub any_origin: bool,
    /// The subprotocols that the server supports. Empty by default. The first one in the client's list that the server
    /// supports is used.
    pub subprotocols: Vec<String>,
}

impl Default for WebSocketConfig {
    fn default() -> Self {
        Self { max_message_size: 10 * 1024 * 1024, any_origin: false, subprotocols: Vec::new() }
    }
}

impl Request {
    /// Makes the request a WebSocket, which finishes the response.
    ///
    /// ```
    /// use std::rc::Rc;
    /// use squall::{Result, web::{Request, RequestHandler}};
    ///
    /// struct Echo;
    /// impl RequestHandler for Echo {
    ///     #[squall::coroutine]
    ///     fn get(self: Rc<Self>, req: Request) -> Result<()> {
    ///         let socket = yield_!(req.upgrade())?;
    ///         while let Some(message) = yield_!(socket.receive())? {
    ///             yield_!(socket.send(message))?;
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// # squall::web::Application::new().route("/", Echo);
    /// ```
    ///
    /// # Errors
    /// The Future fails with [`HttpError`] 400 if the client did not ask for a WebSocket, 426 if it asked for another
    /// version than 13, 403 if its page belongs to another site; with [`ConnectionClosed`](super::ConnectionClosed) if
    /// the connection is lost.
    ///
    /// Source: `tornado.websocket.WebSocketHandler.get` and `check_origin`.
    pub fn upgrade(&self) -> Future<WebSocket> {
        self.upgrade_with(&WebSocketConfig::default())
    }

    /// Makes the request a WebSocket like [`upgrade`](Self::upgrade), with settings of your own.
    ///
    /// # Errors
    /// The errors of [`upgrade`](Self::upgrade).
    pub fn upgrade_with(&self, config: &WebSocketConfig) -> Future<WebSocket> {
        match self.accept(config) {
            Ok(()) => {
                let future = Future::new();
                let promise = future.promise();
                self.0.upgrade(Upgrade { promise, max_message_size: config.max_message_size });
                future
            }
            Err(exception) => Future::failed(exception),
        }
    }

    /// Sets the status and the headers that accept the handshake.
    fn accept(&self, config: &WebSocketConfig) -> Result<()> {
        let head = &self.0.head;
        let key = self.single(&SEC_WEBSOCKET_KEY).filter(|key| is_key(key));
        let (Some(key), &Method::GET, Version::HTTP_11) = (key, &head.method, head.version) else {
            return Err(HttpError(400).with_note("the request does not ask for a WebSocket"));
        };
        if !self.has_token(&UPGRADE, "websocket") || !self.has_token(&CONNECTION, "upgrade") {
            return Err(HttpError(400).with_note("the request does not ask for a WebSocket"));
        }
        // What follows the head of a handshake are frames.
        if self.0.receiver.is_some() {
            return Err(HttpError(400).into());
        }
        self.check_unsent()?;
        if self.single(&SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            // The answer names the required version.
            self.set_status(426)?;
            self.set_header(SEC_WEBSOCKET_VERSION, "13")?;
            self.finish();
            return Err(HttpError(426).into());
        }
        if !config.any_origin && !self.is_of_same_origin() {
            return Err(HttpError(403).with_note("a page of another site asks for a WebSocket"));
        }
        self.0.status.set(StatusCode::SWITCHING_PROTOCOLS);
        let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()))?;
        let mut headers = self.0.headers.borrow_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        let offered = self.tokens(&SEC_WEBSOCKET_PROTOCOL);
        if let Some(agreed) = offered.into_iter().find(|offered| config.subprotocols.contains(offered)) {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::try_from(agreed)?);
        }
        Ok(())
    }

    /// Returns the value of a header that is there once.
    fn single(&self, name: &HeaderName) -> Option<&HeaderValue> {
        let mut values = self.headers().get_all(name).iter();
        values.next().filter(|_| values.next().is_none())
    }

    /// Returns the values that a header lists, separated by commas, over all its lines.
    fn tokens(&self, name: &HeaderName) -> Vec<String> {
        let lines = self.headers().get_all(name).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).map(|token| token.trim().to_owned()).collect()
    }

    fn has_token(&self, name: &HeaderName, token: &str) -> bool {
        self.tokens(name).iter().any(|found| found.eq_ignore_ascii_case(token))
    }

    /// Returns whether the request comes from a page of this host, or not from a page at all.
    fn is_of_same_origin(&self) -> bool {
        if !self.headers().contains_key(ORIGIN) {
            return true;
        }
        let origin = self.single(&ORIGIN).and_then(|origin| origin.to_str().ok()?.parse::<Uri>().ok());
        match (origin.as_ref().and_then(Uri::authority), self.headers().get(HOST)) {
            (Some(origin), Some(host)) => origin.as_str().as_bytes().eq_ignore_ascii_case(host.as_bytes()),
            _ => false,
        }
    }
}

/// Returns whether the value is base64 of sixteen bytes.
fn is_key(key: &HeaderValue) -> bool {
    matches!(key.as_bytes(), [value @ .., b'=', b'='] if value.len() == 22
        && value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte)))
}
