//! [`Exchange`]: a request and its response, from the call of its handler to the last byte.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::ext::ReasonPhrase;
use hyper::header::{HeaderValue, ALLOW, CONNECTION, CONTENT_TYPE};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Response, StatusCode, Uri};
use squall_runner::ready::{Run, Withdraw};
use squall_runner::report::guard;
use squall_runner::trace::{program, Problem};
use squall_runner::{Context, Exception, Future, Promise, Result};

use super::access_log::{self, TARGET};
use super::connection::Connection;
use super::error::{reason, ConnectionClosed, HttpError};
use super::handler::{write_page, Handler, Verb};
use super::receiver::Receiver;
use super::request::Request;
use crate::http::body::{Body, Pipe};

/// A request and its response. [`Request`] is a handle of it.
pub(crate) struct Exchange {
    pub(super) connection: Rc<Connection>,
    pub(super) head: Parts,
    /// The decoded values of the route's parameters.
    pub(super) path_params: Vec<(String, String)>,
    handler: Rc<dyn Handler>,
    /// The body of the request, if there is one.
    pub(super) receiver: Option<Box<Receiver>>,
    pub(super) status: Cell<StatusCode>,
    pub(super) headers: RefCell<HeaderMap>,
    written: RefCell<Written>,
    stage: Cell<Stage>,
    /// The body of the response, from the moment it is known until hyper takes it.
    body: RefCell<Option<Body>>,
    /// The pipe that carries the chunks of the response, after the first flush.
    pipe: OnceCell<Rc<Pipe>>,
    /// The handler's coroutine that runs, its step, and its context.
    running: Cell<Option<(Step, Future<()>, Context)>>,
    /// `true` if the client has closed the connection, or its half of it.
    left: Cell<bool>,
    /// The Futures of `closed` that are pending.
    leaving: RefCell<Vec<Promise<()>>>,
    /// `true` to close the connection after the response, since what follows may not be a request.
    closes: Cell<bool>,
    /// When the request began, on the loop's clock; `None` if no logger accepts the line of the response.
    started: Option<Duration>,
}

/// The progress of the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was sent.
    Open,
    /// The status and the headers were sent; chunks follow.
    Streaming,
    /// Finished: nothing can be added.
    Finished,
}

/// The part of a request's handling that a coroutine does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Prepare,
    Method,
}

/// The part of the response that was written since the last flush.
#[derive(Debug, Default)]
enum Written {
    #[default]
    Nothing,
    One(Bytes),
    Many(BytesMut),
}

impl Written {
    fn push(&mut self, chunk: Bytes) {
        match self {
            Self::Nothing => *self = Self::One(chunk),
            Self::One(first) => {
                let mut both = BytesMut::with_capacity((first.len() + chunk.len()).max(1024));
                both.extend_from_slice(first);
                both.extend_from_slice(&chunk);
                *self = Self::Many(both);
            }
            Self::Many(all) => all.extend_from_slice(&chunk),
        }
    }

    fn take(&mut self) -> Bytes {
        match std::mem::take(self) {
            Self::Nothing => Bytes::new(),
            Self::One(chunk) => chunk,
            Self::Many(all) => all.freeze(),
        }
    }
}

impl Exchange {
    /// Creates an exchange, in the room of the one before if that is not in use.
    pub(super) fn new(
        connection: &Rc<Connection>,
        head: Parts,
        receiver: Option<Box<Receiver>>,
        handler: Rc<dyn Handler>,
        path_params: Vec<(String, String)>,
    ) -> Rc<Self> {
        let started = access_log::is_read().then(|| connection.time());
        if let Some(mut spare) = connection.take_spare() {
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
        self.receiver = None;
        self.pipe.take();
        *self.left.get_mut() = false;
        *self.leaving.get_mut() = Vec::new();
        *self.closes.get_mut() = false;
    }

    fn request(self: &Rc<Self>) -> Request {
        Request::new(self.clone())
    }

    /// Calls the handler.
    pub(super) fn start(self: &Rc<Self>) {
        match self.handler.clone().prepare(self.request()) {
            None => self.call_method(),
            Some(prepared) => self.wait(Step::Prepare, prepared),
        }
    }

    /// Answers a request that no handler may see, and closes the connection.
    pub(super) fn refuse(self: &Rc<Self>, problem: HttpError) {
        self.closes.set(true);
        self.raise(problem.into());
    }

    fn call_method(self: &Rc<Self>) {
        let called = Verb::of(&self.head.method).and_then(|verb| {
            let called = self.handler.clone().call(verb, self.request());
            match verb {
                Verb::Head if called.is_none() => self.handler.clone().call(Verb::Get, self.request()),
                Verb::Options if called.is_none() => {
                    self.status.set(StatusCode::NO_CONTENT);
                    self.headers.borrow_mut().insert(ALLOW, self.allowed());
                    Some(Future::ready(()))
                }
                _ => called,
            }
        });
        match called {
            Some(called) => self.wait(Step::Method, called),
            None => self.raise(HttpError(405).into()),
        }
    }

    /// Returns the methods that the handler implements, for the header `Allow`.
    fn allowed(&self) -> HeaderValue {
        let names = Verb::ALL.iter().filter(|(verb, _)| self.handler.allows(*verb)).map(|(_, name)| *name);
        HeaderValue::try_from(names.collect::<Vec<_>>().join(", ")).expect("the names of methods are tokens")
    }

    fn wait(self: &Rc<Self>, step: Step, future: Future<()>) {
        if future.done() {
            self.go_on(step, future.into_result());
        } else {
            future.call_when_done(self.clone());
            self.running.set(Some((step, future, Context::current())));
        }
    }

    fn go_on(self: &Rc<Self>, step: Step, result: Result<()>) {
        match (step, result) {
            (_, Err(exception)) => self.raise(exception),
            (Step::Prepare, Ok(())) if !self.is_finished() => self.call_method(),
            (_, Ok(())) => self.finish(),
        }
    }

    /// Answers with an error if that is still possible, or else cuts the response off.
    pub(super) fn raise(self: &Rc<Self>, exception: Exception) {
        let status = match exception.downcast_ref::<HttpError>() {
            Some(error) => error.status(),
            None if exception.is::<ConnectionClosed>() => StatusCode::INTERNAL_SERVER_ERROR,
            None => {
                access_log::exception(self, &exception);
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        match self.stage.get() {
            Stage::Open => {
                self.reset(status);
                let write = || {
                    let request = self.request();
                    self.handler.write_error(&request, status.as_u16(), &exception);
                    Ok(())
                };
                if let Err(panic) = Exception::trap(write, Err) {
                    access_log::exception(self, &panic);
                    self.reset(status);
                    write_page(&self.request(), status.as_u16());
                }
                self.finish();
            }
            Stage::Streaming => {
                self.written.take();
                self.end(Err(std::io::Error::other("the handler failed before the response was finished")));
            }
            Stage::Finished => {}
        }
    }

    /// Forgets what was written, for an answer with the given status.
    fn reset(&self, status: StatusCode) {
        self.status.set(status);
        self.written.take();
        let mut headers = self.headers.borrow_mut();
        headers.clear();
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, self.allowed());
        }
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
        let pipe = self.pipe.get_or_init(|| Pipe::new(|| ConnectionClosed.into()));
        if self.stage.replace(Stage::Streaming) == Stage::Open {
            self.send(Body::stream(pipe));
        }
        let chunk = self.written.borrow_mut().take();
        if self.is_bodiless() {
            return Future::ready(());
        }
        pipe.push(chunk);
        pipe.drained()
    }

    /// Ends the response.
    pub(super) fn finish(self: &Rc<Self>) {
        self.end(Ok(()));
    }

    fn end(self: &Rc<Self>, result: std::io::Result<()>) {
        let chunk = self.written.borrow_mut().take();
        match (self.stage.replace(Stage::Finished), self.pipe.get()) {
            (Stage::Finished, _) => return,
            (Stage::Streaming, Some(pipe)) => {
                pipe.push(chunk);
                pipe.end(result);
            }
            _ if has_no_body(self.status.get()) => self.send(Body::Empty),
            _ => self.send(chunk.into()),
        }
        if let Some(receiver) = &self.receiver {
            receiver.close(&self.connection);
        }
        access_log::response(self, self.started);
        let request = self.request();
        guard(Problem::Callback, || self.handler.on_finish(&request));
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
        let request = self.request();
        program(|| guard(Problem::Callback, || self.handler.on_connection_close(&request)));
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

/// Called when the handler's coroutine is done.
impl Run for Exchange {
    fn run(self: Rc<Self>) {
        if let Some((step, future, context)) = self.running.take() {
            context.enter(|| self.go_on(step, future.into_result()));
        }
    }
}

impl Withdraw for Exchange {
    fn withdraw(&self) {
        drop(self.running.take());
    }
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
