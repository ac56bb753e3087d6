//! [`Fetch`]: one fetch, from its request to its response, across redirects and connections.

use std::cell::{Cell, RefCell};
use std::future::Future as StdFuture;
use std::pin::{pin, Pin};
use std::rc::Rc;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{HeaderValue, CONTENT_LENGTH, HOST, USER_AGENT};
use hyper::{HeaderMap, Method};
use squall_runner::{Exception, Result};
use url::{Position, Url};

use super::body::{Body, BodyFailed, Outgoing};
use super::connection::{Connection, Traffic};
use super::content::Content;
use super::error::{unless_cancelled, HttpClientError, Part, Stage, WithReasons};
use super::inner::Inner;
use super::limit::within;
use super::pool;
use super::receiving::Receiving;
use super::redirect::{self, Redirected};
use super::request::{Request, Rules};
use super::response::{Response, ResponseHead};
use super::stream::ResponseStream;
use crate::http::transport::Transport;
use crate::net::{lookup_host, IoStream, TcpStream};

/// Fetches a response with its whole body.
pub(super) fn whole(client: Rc<Inner>, request: Request) -> impl StdFuture<Output = Result<Response>> {
    let mut begun = Fetch::begin(client, request);
    async move {
        let Begun { fetch, message } = begun.as_mut().map_err(|error| error.clone())?;
        let work = pin!(async {
            let (head, mut content) = fetch.follow(message).await?;
            let body = content.collect(fetch.rules.max_body_size, &head.url).await?;
            Ok(Response::new(head, body))
        });
        fetch.in_time(work).await?.checked(fetch.rules.raise_error)
    }
}

/// Fetches a response of which only the head has arrived.
pub(super) fn stream(client: Rc<Inner>, request: Request) -> impl StdFuture<Output = Result<ResponseStream>> {
    let mut begun = Fetch::begin(client, request);
    async move {
        let Begun { fetch, message } = begun.as_mut().map_err(|error| error.clone())?;
        let work = pin!(async {
            let (head, mut content) = fetch.follow(message).await?;
            if !head.status().is_success() && fetch.rules.raise_error {
                let body = content.collect(fetch.rules.max_body_size, &head.url).await?;
                Response::new(head, body).checked(true)?;
                unreachable!("the status was raised")
            }
            Ok(ResponseStream::new(head, content, fetch.rules.request_timeout))
        });
        fetch.in_time(work).await
    }
}

/// A fetch and its first request. They stay where they are while the fetch runs: what an `async` block moves is stored
/// twice in it.
struct Begun {
    fetch: Fetch,
    message: Message,
}

/// A fetch that is under way.
struct Fetch {
    client: Rc<Inner>,
    rules: Rules,
    /// The URL of the current request, for errors.
    url: RefCell<Arc<Url>>,
    stage: Cell<Stage>,
    /// The progress of the current request.
    traffic: RefCell<Option<Rc<Traffic>>>,
}

/// A request as it is sent.
struct Message {
    method: Method,
    url: Arc<Url>,
    /// The headers of the user.
    headers: HeaderMap,
    body: Body,
}

impl Message {
    /// Returns the head and the body, or a copy of the body, for hyper.
    ///
    /// # Errors
    /// If hyper does not accept the URL.
    fn outgoing(&mut self, fetch: &Fetch, connection: &Connection) -> Result<hyper::Request<Outgoing>> {
        let target = self.url[Position::BeforePath..Position::AfterQuery].parse()?;
        let mut request = hyper::Request::new(self.body.outgoing(connection.traffic.begin()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = target;
        *request.headers_mut() = self.all_headers(fetch, &connection.host);
        Ok(request)
    }

    /// Returns the headers to send. `Host` comes first, as RFC 9110, section 7.2, recommends.
    fn all_headers(&self, fetch: &Fetch, host: &HeaderValue) -> HeaderMap {
        /// `Host`, `User-Agent`, `Accept-Encoding` and `Content-Length`.
        const MORE: usize = 4;

        let mut all = HeaderMap::with_capacity(self.headers.len() + MORE);
        all.insert(HOST, self.headers.get(HOST).unwrap_or(host).clone());
        for (name, value) in self.headers.iter().filter(|(name, _)| *name != HOST) {
            all.append(name, value.clone());
        }
        all.entry(USER_AGENT).or_insert_with(|| fetch.client.user_agent.clone());
        #[cfg(feature = "http-client")]
        if fetch.rules.decompress {
            let accepted = HeaderValue::from_static(super::decode::ACCEPTED);
            all.entry(hyper::header::ACCEPT_ENCODING).or_insert(accepted);
        }
        // Without this header some servers answer 411.
        if self.body.is_empty() && matches!(self.method, Method::POST | Method::PUT | Method::PATCH) {
            all.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        all
    }
}

impl Fetch {
    fn begin(client: Rc<Inner>, request: Request) -> Result<Begun> {
        let rules = request.rules(&client.config);
        let Request { method, url, headers, body, .. } = request;
        let url = Arc::new(url?);
        let fetch = Self {
            client,
            rules,
            url: RefCell::new(url.clone()),
            stage: Cell::new(Stage::Queue),
            traffic: RefCell::default(),
        };
        Ok(Begun { fetch, message: Message { method, url, headers, body } })
    }

    fn url(&self) -> String {
        self.url.borrow().to_string()
    }

    async fn in_time<T>(&self, work: Pin<&mut impl StdFuture<Output = Result<T>>>) -> Result<T> {
        let limit = self.rules.request_timeout;
        within(limit, work, || self.timeout("request_timeout", limit)).await
    }

    fn timeout(&self, setting: &'static str, limit: std::time::Duration) -> Exception {
        let sending = self.traffic.borrow().as_ref().is_some_and(|traffic| traffic.is_sending());
        let stage = match self.stage.get() {
            Stage::Receive if sending => Stage::Send,
            stage => stage,
        };
        HttpClientError::Timeout { url: self.url(), setting, limit, stage }.into()
    }

    /// Sends the request, and the requests to which its responses redirect.
    async fn follow(&self, message: &mut Message) -> Result<(ResponseHead, Content)> {
        let mut place = match self.client.places.acquire_now() {
            Some(place) => place,
            None => self.client.places.acquire().await?,
        };
        let mut redirects = 0;
        loop {
            let (response, connection) = self.exchange(message).await?;
            let (parts, body) = response.into_parts();
            let url = message.url.clone();
            let pool = self.client.pool.clone();
            let mut receiving = Receiving::new(body, pool, url.clone(), (connection, place));
            let location = redirect::location(parts.status, &parts.headers);
            let (Some(max), Some(location)) = (self.rules.max_redirects, location) else {
                let mut head = ResponseHead::new(parts, url);
                let content = Content::new(receiving, &mut head.headers, self.rules.decompress, &message.url);
                return Ok((head, content));
            };
            if redirects == max {
                return Err(HttpClientError::TooManyRedirects { url: self.url(), limit: max }.into());
            }
            redirects += 1;
            place = match std::future::poll_fn(|cx| receiving.poll_skip(cx)).await {
                Some(place) => place,
                None => self.client.places.acquire().await?,
            };
            let Message { method, url, headers, body } = message;
            let redirected = Redirected { method, url, headers, body };
            let wrong =
                |cause| HttpClientError::Redirect { url: self.url(), location: location.clone(), cause };
            redirected.follow(parts.status, &location).map_err(wrong)?;
            self.url.replace(message.url.clone());
        }
    }

    /// Sends the request and waits for the head of its response. If a connection from the pool turns out to be closed,
    /// the request is sent again on a new one, provided that the server cannot have seen it or that repeating it is
    /// harmless.
    async fn exchange(&self, message: &mut Message) -> Result<(hyper::Response<Incoming>, Box<Connection>)> {
        let mut pooled = self.client.pool.take(&message.url);
        loop {
            let reused = pooled.is_some();
            let mut connection = match pooled.take() {
                Some(connection) => connection,
                None => Box::pin(self.connect(&message.url)).await?,
            };
            self.stage.set(Stage::Receive);
            self.traffic.replace(Some(connection.traffic.clone()));
            let wrong = |cause| HttpClientError::Request { url: self.url(), cause };
            let request = message.outgoing(self, &connection).map_err(wrong)?;
            let mut failed = match connection.send(request).await {
                Ok(response) => return Ok((response, connection)),
                Err(failed) => failed,
            };
            let unsent = failed.take_message().map(hyper::Request::into_body);
            let again = unsent.is_some() || message.method.is_idempotent();
            unsent.into_iter().for_each(|body| message.body.restore(body));
            if !reused || connection.traffic.received.get() || !again || !message.body.is_complete() {
                return Err(self.failed(failed.into_error(), &connection.traffic));
            }
        }
    }

    fn failed(&self, error: hyper::Error, traffic: &Traffic) -> Exception {
        let url = self.url();
        if error.is_parse_too_large() {
            let limit = self.client.config.max_header_size;
            return HttpClientError::TooLarge { url, part: Part::Head, limit }.into();
        }
        let source = std::error::Error::source(&error);
        if let Some(BodyFailed(cause)) = source.and_then(|source| source.downcast_ref()) {
            return unless_cancelled(cause.clone(), |cause| HttpClientError::Send { url, cause });
        }
        let cause = WithReasons(error).into();
        let error = match traffic.broken.get() && !traffic.received.get() {
            true => HttpClientError::Send { url, cause },
            false => HttpClientError::Receive { url, cause },
        };
        error.into()
    }

    /// Connects within the time limit.
    async fn connect(&self, url: &Url) -> Result<Box<Connection>> {
        let limit = self.rules.connect_timeout;
        let work = pin!(async {
            let transport = self.transport(url).await?;
            let destination = pool::destination(url).into_owned();
            let host = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort])?;
            let max_header_size = self.client.config.max_header_size;
            let connection = Connection::new(transport, max_header_size, destination, host).await;
            let wrong =
                |error| HttpClientError::Connect { url: self.url(), cause: WithReasons(error).into() };
            Ok(Box::new(connection.map_err(wrong)?))
        });
        within(limit, work, || self.timeout("connect_timeout", limit)).await
    }

    async fn transport(&self, url: &Url) -> Result<Transport> {
        self.traffic.take();
        self.stage.set(Stage::Resolve);
        let host = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
        let addresses = lookup_host(host).await.map_err(|cause| {
            unless_cancelled(cause, |cause| HttpClientError::Resolve { url: self.url(), cause })
        })?;
        self.stage.set(Stage::Connect);
        let stream = TcpStream::connect(addresses).await.map_err(|cause| {
            unless_cancelled(cause, |cause| HttpClientError::Connect { url: self.url(), cause })
        })?;
        // Otherwise the end of a request may wait for an acknowledgement of its beginning. A failure to set it is not a
        // reason to fail the fetch.
        let _ = stream.set_nodelay(true);
        self.encrypt(url, stream.into()).await
    }

    #[cfg(feature = "http-client")]
    async fn encrypt(&self, url: &Url, stream: IoStream) -> Result<Transport> {
        if url.scheme() != "https" {
            return Ok(Transport::Socket(stream));
        }
        self.stage.set(Stage::Tls);
        self.client
            .tls
            .connect(url.host_str().unwrap_or_default(), stream)
            .await
            .map_err(|cause| unless_cancelled(cause, |cause| HttpClientError::Tls { url: self.url(), cause }))
    }

    #[cfg(not(feature = "http-client"))]
    #[allow(clippy::unused_async)]
    async fn encrypt(&self, _: &Url, stream: IoStream) -> Result<Transport> {
        Ok(Transport::Socket(stream))
    }
}
