//! [`Exchange`]: a request and its response, as its handler writes it and hyper takes it.

use std::any::Any;
use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use hyper::ext::ReasonPhrase;
use hyper::header::{
    HeaderName, HeaderValue, CONNECTION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE,
    ETAG, IF_NONE_MATCH,
};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Response, StatusCode, Uri};
use squall_runner::report::guard;
use squall_runner::trace::{program, Problem};
use squall_runner::{Context, Exception, Future, Promise};

use super::access_log::{self, TARGET};
use super::connection::Connection;
use super::entity_tag::lists_weakly;
use super::error::{reason, ConnectionClosed};
use super::length::{Length, WrongLength};
use super::receiver::Receiver;
use super::upgrade::Upgrade;
use super::verb::Verb;
use super::written::Written;
use crate::http::body::{Body, Pipe};

/// Headers that describe a body, and that a response without one does not have.
const OF_BODY: [HeaderName; 4] = [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE];

/// A request and its response. Each [`Request`](super::Request) is a handle of it.
pub(crate) struct Exchange {
    pub(super) connection: Rc<Connection>,
    pub(super) head: Parts,
    /// The decoded values of the route's parameters.
    pub(super) path_params: Vec<(String, String)>,
    pub(super) handler: Rc<dyn Handler>,
    /// What the handler keeps with the request: at most one value of each type.
    pub(super) extensions: RefCell<Vec<Rc<dyn Any>>>,
    /// The body of the request, if there is one.
    pub(super) receiver: Option<Box<Receiver>>,
    pub(super) status: Cell<StatusCode>,
    pub(super) headers: RefCell<HeaderMap>,
    pub(super) written: RefCell<Written>,
    pub(super) stage: Cell<Stage>,
    /// The body of the response, from the moment it is known until hyper takes it.
    body: RefCell<Option<Body>>,
    /// The pipe that carries the chunks of the response, after the first flush.
    pipe: OnceCell<Rc<Pipe>>,
    /// The handler's coroutine that runs, its step, and its context.
    pub(super) running: Cell<Option<(Step, Future<()>, Context)>>,
    /// `true` if the client has closed the connection, or its half of it.
    left: Cell<bool>,
    /// The Futures of `closed` that are pending.
    leaving: RefCell<Vec<Promise<()>>>,
    /// `true` to close the connection after the response, since what follows may not be a request.
    pub(super) closes: Cell<bool>,
    pub(super) length: Length,
    /// `true` if the handler has failed after the response was finished.
    pub(super) failed: Cell<bool>,
    /// The WebSocket that the connection becomes once the response is sent.
    upgrade: Cell<Option<Upgrade>>,
    /// When the request began, on the loop's clock; `None` if no logger accepts the line of the response.
    started: Option<Duration>,
}

/// The progress of the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing was sent.
    Open,
    /// The status and the headers were sent; chunks follow.
    Streaming,
    /// Finished: nothing can be added.
    Finished,
}

/// The part of a request's handling that a coroutine does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Prepare,
    Method,
}

/// The handler of a route, as an exchange calls it.
pub(crate) trait Handler {
    /// Calls the method, if the handler implements it.
    fn call(self: Rc<Self>, verb: Verb, exchange: Rc<Exchange>) -> Option<Future<()>>;

    /// Calls `prepare`, if the handler implements it.
    fn prepare(self: Rc<Self>, exchange: Rc<Exchange>) -> Option<Future<()>>;

    /// Returns whether the handler implements the method.
    fn allows(&self, verb: Verb) -> bool;

    fn on_finish(&self, exchange: Rc<Exchange>);

    fn on_connection_close(&self, exchange: Rc<Exchange>);

    fn write_error(&self, exchange: Rc<Exchange>, status: u16, exception: &Exception);

    fn compute_etag(&self, exchange: Rc<Exchange>, body: &[u8]) -> Option<String>;
}

impl Exchange {
    /// Creates an exchange, in the room of a `spare` one of the same connection if that is not in use.
    pub(super) fn new(
        connection: &Rc<Connection>,
        head: Parts,
        receiver: Option<Box<Receiver>>,
        handler: Rc<dyn Handler>,
        path_params: Vec<(String, String)>,
        spare: Option<Rc<Self>>,
    ) -> Rc<Self> {
        let started = access_log::is_read().then(|| connection.time());
        if let Some(mut spare) = spare {
            if let Some(this) = Rc::get_mut(&mut spare) {
                // The map of the headers of the request before is for those of this response.
                *this.headers.get_mut() = std::mem::replace(&mut this.head.headers, head.headers);
                this.head.method = head.method;
                this.head.uri = head.uri;
                this.head.version = head.version;
                this.head.extensions = head.extensions;
                this.path_params = path_params;
                this.handler = handler;
                this.receiver = receiver;
                this.status.set(StatusCode::OK);
                this.stage.set(Stage::Open);
                this.started = started;
                return spare;
            }
        }
        Rc::new(Self {
            connection: connection.clone(),
            head,
            path_params,
            handler,
            extensions: RefCell::default(),
            receiver,
            status: Cell::new(StatusCode::OK),
            headers: RefCell::default(),
            written: RefCell::default(),
            stage: Cell::new(Stage::Open),
            body: RefCell::default(),
            pipe: OnceCell::new(),
            running: Cell::default(),
            left: Cell::default(),
            leaving: RefCell::default(),
            closes: Cell::default(),
            length: Length::default(),
            failed: Cell::default(),
            upgrade: Cell::default(),
            started,
        })
    }

    /// Drops everything but the room for the next request.
    ///
    /// It is finished and sent, so nothing runs, and nothing is written that is not sent.
    pub(super) fn clear(&mut self) {
        self.head.uri = Uri::default();
        self.head.headers.clear();
        self.path_params = Vec::new();
        *self.extensions.get_mut() = Vec::new();
        self.receiver = None;
        self.pipe.take();
        *self.left.get_mut() = false;
        *self.leaving.get_mut() = Vec::new();
        *self.closes.get_mut() = false;
        self.length = Length::default();
        *self.failed.get_mut() = false;
    }

    pub(super) fn is_finished(&self) -> bool {
        self.stage.get() == Stage::Finished
    }

    /// Returns whether the status and the headers were sent.
    pub(super) fn is_sent(&self) -> bool {
        self.stage.get() != Stage::Open
    }

    /// Returns whether the response has no body, whatever is written.
    fn is_bodiless(&self) -> bool {
        self.head.method == Method::HEAD || has_no_body(self.status.get())
    }

    pub(super) fn write(&self, chunk: Bytes) {
        if !chunk.is_empty() {
            self.written.borrow_mut().push(chunk);
        }
    }

    pub(super) fn flush(&self) -> Future<()> {
        if self.is_finished() {
            return Future::ready(());
        }
        if self.stage.get() == Stage::Open && !self.is_bodiless() {
            if let Err(wrong) = self.length.begin(&self.headers.borrow()) {
                return Future::failed(wrong);
            }
        }
        let pipe = self.pipe.get_or_init(|| Pipe::new(|| ConnectionClosed.into()));
        if self.stage.replace(Stage::Streaming) == Stage::Open {
            self.send(Body::stream(pipe));
        }
        let chunk = self.written.borrow_mut().take();
        if self.is_bodiless() {
            return Future::ready(());
        }
        if let Err(wrong) = self.length.take(chunk.len()) {
            return Future::failed(wrong);
        }
        pipe.push(chunk);
        pipe.drained()
    }

    /// Ends the response as its handler has written it.
    pub(super) fn finish(self: &Rc<Self>) {
        match self.check_length() {
            Ok(()) => self.end(Ok(())),
            Err(wrong) => self.fail(&wrong.into()),
        }
    }

    /// Checks that the rest of the response agrees with what the handler has said of its length.
    fn check_length(&self) -> Result<(), WrongLength> {
        let len = self.written.borrow().len();
        match self.stage.get() {
            Stage::Finished => Ok(()),
            _ if has_no_body(self.status.get()) => Ok(()),
            // A response to `HEAD` has the length of the one to `GET`, and need not have its body.
            _ if self.head.method == Method::HEAD && len == 0 => Ok(()),
            Stage::Open => self.length.check(&self.headers.borrow(), len),
            Stage::Streaming if self.is_bodiless() => Ok(()),
            Stage::Streaming => self.length.end(len),
        }
    }

    pub(super) fn end(self: &Rc<Self>, result: std::io::Result<()>) {
        let chunk = self.written.borrow_mut().take();
        match (self.stage.replace(Stage::Finished), self.pipe.get()) {
            (Stage::Finished, _) => return,
            (Stage::Streaming, Some(pipe)) => {
                pipe.push(chunk);
                pipe.end(result);
            }
            _ if has_no_body(self.status.get()) || self.is_known(&chunk) => self.send(Body::Empty),
            _ => self.send(chunk.into()),
        }
        if let Some(receiver) = &self.receiver {
            receiver.close(&self.connection);
        }
        if let Some(started) = self.started {
            let took = self.connection.time().saturating_sub(started);
            access_log::response(self.status.get(), &self.head, self.connection.peer(), took);
        }
        guard(Problem::Callback, || self.handler.on_finish(self.clone()));
    }

    /// Adds an `ETag` to a response that can have one. Returns whether the client has that version already, after the
    /// response was made one that says so.
    fn is_known(self: &Rc<Self>, body: &Bytes) -> bool {
        let method = &self.head.method;
        if self.status.get() != StatusCode::OK || !(*method == Method::GET || *method == Method::HEAD) {
            return false;
        }
        // A response to `HEAD` need not have the body of the one to `GET`.
        let is_whole = *method == Method::GET || !body.is_empty();
        if is_whole && !self.headers.borrow().contains_key(ETAG) {
            let computed = Exception::trap(|| Ok(self.handler.compute_etag(self.clone(), body)), Err);
            let tag = computed.and_then(|tag| Ok(tag.map(HeaderValue::try_from).transpose()?));
            match tag {
                Ok(tag) => tag.into_iter().for_each(|tag| drop(self.headers.borrow_mut().insert(ETAG, tag))),
                Err(exception) => access_log::exception(&exception, &self.head, self.connection.peer()),
            }
        }
        let mut headers = self.headers.borrow_mut();
        let tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok());
        let is_known = tag.is_some_and(|tag| lists_weakly(&self.head.headers, &IF_NONE_MATCH, tag));
        if is_known {
            self.status.set(StatusCode::NOT_MODIFIED);
            OF_BODY.iter().for_each(|name| drop(headers.remove(name)));
        }
        is_known
    }

    /// Passes the response to hyper.
    fn send(&self, body: Body) {
        let mut headers = self.headers.borrow_mut();
        if !matches!(body, Body::Empty) {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("text/html; charset=UTF-8"));
        }
        if self.closes.get() || self.receiver.as_ref().is_some_and(|receiver| receiver.is_broken()) {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        drop(headers);
        *self.body.borrow_mut() = Some(body);
        self.connection.wake();
    }

    /// Takes the response, once it is known.
    pub(super) fn take_response(&self) -> Option<Response<Body>> {
        let body = self.body.take()?;
        self.connection.note_response(body.is_small());
        let mut response = Response::new(body);
        let status = self.status.get();
        *response.status_mut() = status;
        if status.canonical_reason().is_none() {
            // hyper would send `<none>`.
            let unknown = ReasonPhrase::from_static(reason(status.as_u16()).as_bytes());
            response.extensions_mut().insert(unknown);
        }
        std::mem::swap(response.headers_mut(), &mut *self.headers.borrow_mut());
        Some(response)
    }

    /// Finishes the response, after which the connection becomes a WebSocket.
    pub(super) fn upgrade(self: &Rc<Self>, upgrade: Upgrade) {
        self.upgrade.set(Some(upgrade));
        self.finish();
    }

    /// Returns the WebSocket that the connection is to become.
    pub(super) fn take_upgrade(&self) -> Option<Upgrade> {
        self.upgrade.take()
    }

    /// Returns whether the handler has failed after the response was finished, even if that was not reported yet.
    pub(super) fn has_failed(&self) -> bool {
        let running = self.running.take();
        let is_about_to =
            running.as_ref().is_some_and(|(_, future, _)| future.done() && future.exception().is_some());
        self.running.set(running);
        is_about_to || self.failed.get()
    }

    /// Called when hyper has no more bytes to write to the connection.
    pub(super) fn flushed(&self) {
        if let Some(pipe) = self.pipe.get() {
            pipe.settle();
        }
    }

    /// Returns whether hyper has taken everything of the response. After a flush, it has also written it.
    pub(super) fn is_taken(&self) -> bool {
        self.is_finished()
            && self.body.borrow().is_none()
            && self.pipe.get().is_none_or(|pipe| pipe.is_over() || pipe.is_closed())
    }

    /// Called when the client has closed the connection, or its half of it.
    pub(super) fn client_left(self: &Rc<Self>) {
        if self.is_finished() || self.left.replace(true) {
            return;
        }
        for promise in self.leaving.take() {
            promise.set_result(());
        }
        log::debug!(target: TARGET, "{} {} has left", self.connection.peer(), self.head.uri);
        program(|| guard(Problem::Callback, || self.handler.on_connection_close(self.clone())));
    }

    /// Called when the connection is gone, so that nothing more is sent.
    pub(super) fn lost(self: &Rc<Self>) {
        if let Some(receiver) = &self.receiver {
            receiver.lose();
        }
        self.pipe.get_or_init(|| Pipe::new(|| ConnectionClosed.into())).lose();
        self.client_left();
    }

    /// Returns a Future that is done when the client leaves before the response is finished.
    pub(super) fn leaving(&self) -> Future<()> {
        if self.left.get() {
            return Future::ready(());
        }
        let future = Future::new();
        self.leaving.borrow_mut().push(future.promise());
        future
    }
}

/// Returns whether a response with that status has no body.
fn has_no_body(status: StatusCode) -> bool {
    status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED || status.is_informational()
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("method", &self.head.method)
            .field("uri", &self.head.uri)
            .field("stage", &self.stage.get())
            .finish_non_exhaustive()
    }
}
