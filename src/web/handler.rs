//! [`RequestHandler`]: answers the requests of a route.

use std::any::TypeId;
use std::future::Future as StdFuture;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use squall_runner::{convert_yielded, Exception, Future, Result};

use super::entity_tag;
use super::error::{page, HttpError};
use super::exchange::{Exchange, Handler};
use super::request::Request;
use super::verb::Verb;

/// Answers the requests of a route: one method for each method of HTTP, as in Tornado.
///
/// Each method is a coroutine, yield-style or native. The response is finished when the coroutine is done.
///
/// ```
/// use std::rc::Rc;
/// use squall::web::{Application, Request, RequestHandler};
/// use squall::{moment, Result};
///
/// struct Hello;
///
/// impl RequestHandler for Hello {
///     #[squall::coroutine]
///     fn get(self: Rc<Self>, req: Request) -> Result<()> {     // yield-style
///         yield_!(moment())?;
///         req.write("Hello");
///         Ok(())
///     }
///
///     async fn post(self: Rc<Self>, req: Request) -> Result<()> {     // native
///         let name = req.body().await?;
///         req.write(name);
///         Ok(())
///     }
/// }
/// let app = Application::new().route("/", Hello);
/// # drop(app);
/// ```
///
/// One value answers all requests of its route, so data that belongs to one request is kept in variables of the method.
/// A yield-style method begins at once, a native one in the next turn of the loop. Both run to their end even if the
/// client leaves: what they write then is dropped, and [`flush`](Request::flush) raises
/// [`ConnectionClosed`](super::ConnectionClosed).
///
/// A raised [`HttpError`] is answered with its status. Any other exception, or a panic, is logged with its traceback
/// and answered with 500, without details. If a part of the response was already sent, the connection is closed, so
/// that the client can tell that the rest is missing.
///
/// | method | may be a coroutine | called |
/// |---|---|---|
/// | `get`, `head`, `post`, `put`, `delete`, `patch`, `options` | yes | for a request of that method |
/// | `prepare` | yes | before the method |
/// | `on_finish` | no | after the response was finished |
/// | `on_connection_close` | no | when the client leaves before that |
/// | `write_error` | no | to write the page of an error |
/// | `compute_etag` | no | when a response is finished that was not flushed before |
///
/// A request for a method that the handler does not implement is answered with 405 and a list of those it does. Without
/// `head`, `get` answers `HEAD` and its body is dropped; without `options`, `OPTIONS` is answered with 204 and that
/// list.
///
/// Source: `tornado.web.RequestHandler`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler of requests",
    label = "expected a value whose type implements `RequestHandler`",
    note = "a function becomes a method of a type: `impl RequestHandler for Hello {{ async fn get(self: Rc<Self>, req: Request) -> Result<()> {{ .. }} }}`"
)]
pub trait RequestHandler: 'static {
    /// Answers `GET`. It may be a coroutine.
    fn get(self: Rc<Self>, req: Request) -> impl StdFuture<Output = Result<()>> + 'static {
        let _ = req;
        NotAllowed
    }

    /// Answers `HEAD`. It may be a coroutine. A body that it writes is not sent, but its length is.
    fn head(self: Rc<Self>, req: Request) -> impl StdFuture<Output = Result<()>> + 'static {
        let _ = req;
        NotAllowed
    }

    /// Answers `POST`. It may be a coroutine.
    fn post(self: Rc<Self>, req: Request) -> impl StdFuture<Output = Result<()>> + 'static {
        let _ = req;
        NotAllowed
    }

    /// Answers `PUT`. It may be a coroutine.
    fn put(self: Rc<Self>, req: Request) -> impl StdFuture<Output = Result<()>> + 'static {
        let _ = req;
        NotAllowed
    }

    /// Answers `DELETE`. It may be a coroutine.
    fn delete(self: Rc<Self>, req: Request) -> impl StdFuture<Output = Result<()>> + 'static {
        let _ = req;
        NotAllowed
    }

    /// Answers `PATCH`. It may be a coroutine.
    fn patch(self: Rc<Self>, req: Request) -> impl StdFuture<Output = Result<()>> + 'static {
        let _ = req;
        NotAllowed
    }

    /// Answers `OPTIONS`. It may be a coroutine.
    fn options(self: Rc<Self>, req: Request) -> impl StdFuture<Output = Result<()>> + 'static {
        let _ = req;
        NotAllowed
    }

    /// Called before the method for every request of the route. It may be a coroutine. If it finishes the response, the
    /// method is not called; an exception is answered like one of the method.
    fn prepare(self: Rc<Self>, req: Request) -> impl StdFuture<Output = Result<()>> + 'static {
        let _ = req;
        NotAllowed
    }

    /// Called once the response is finished. It is not a coroutine.
    fn on_finish(&self, req: &Request) {
        let _ = req;
    }

    /// Called when the client has closed the connection, or its half of it, before the response is finished. It is not
    /// a coroutine; [`Request::closed`] returns a Future of that event.
    fn on_connection_close(&self, req: &Request) {
        let _ = req;
    }

    /// Writes the page of an error; by default a short HTML page with the status and its reason phrase. It is not a
    /// coroutine. The status is already set, and the method's output is discarded. An [`HttpError`] may have a
    /// reason among the [notes](Exception::notes) of the exception.
    fn write_error(&self, req: &Request, status: u16, exception: &Exception) {
        let _ = exception;
        req.write(page(status));
    }

    /// Returns the entity tag of a response, in quotes, or `None` for no tag; by default a hash of the body. It is not a
    /// coroutine.
    ///
    /// Called for a response of status 200 to `GET` or `HEAD` that was not flushed before, when it is finished, unless it
    /// has an `ETag` already. If the client has named the tag in `If-None-Match`, it is answered with 304 and no body.
    ///
    /// ```
    /// use std::rc::Rc;
    /// use squall::web::{Request, RequestHandler};
    /// use squall::Result;
    ///
    /// struct Clock;
    ///
    /// impl RequestHandler for Clock {
    ///     async fn get(self: Rc<Self>, req: Request) -> Result<()> {
    ///         req.write_json(&squall::IoLoop::current().time().as_secs())
    ///     }
    ///
    ///     fn compute_etag(&self, _: &Request, _: &[u8]) -> Option<String> {
    ///         None                                          // no client asks for the same second twice
    ///     }
    /// }
    /// # squall::web::Application::new().route("/", Clock);
    /// ```
    ///
    /// Source: `tornado.web.RequestHandler.compute_etag`.
    fn compute_etag(&self, req: &Request, body: &[u8]) -> Option<String> {
        let _ = req;
        Some(entity_tag::of(body))
    }
}

/// The result of a method that the handler does not implement. It is recognised by its type, and never polled.
pub(crate) struct NotAllowed;

impl StdFuture for NotAllowed {
    type Output = Result<()>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Err(HttpError(405).into()))
    }
}

impl<H: RequestHandler> Handler for H {
    #[inline]
    fn call(self: Rc<Self>, verb: Verb, exchange: Rc<Exchange>) -> Option<Future<()>> {
        let req = Request::new(exchange);
        match verb {
            Verb::Get => start(|| self.get(req)),
            Verb::Head => start(|| self.head(req)),
            Verb::Post => start(|| self.post(req)),
            Verb::Put => start(|| self.put(req)),
            Verb::Delete => start(|| self.delete(req)),
            Verb::Patch => start(|| self.patch(req)),
            Verb::Options => start(|| self.options(req)),
        }
    }

    fn prepare(self: Rc<Self>, exchange: Rc<Exchange>) -> Option<Future<()>> {
        start(|| RequestHandler::prepare(self, Request::new(exchange)))
    }

    fn allows(&self, verb: Verb) -> bool {
        match verb {
            Verb::Get => is_written(H::get),
            Verb::Head => is_written(H::head) || is_written(H::get),
            Verb::Post => is_written(H::post),
            Verb::Put => is_written(H::put),
            Verb::Delete => is_written(H::delete),
            Verb::Patch => is_written(H::patch),
            Verb::Options => true,
        }
    }

    fn on_finish(&self, exchange: Rc<Exchange>) {
        RequestHandler::on_finish(self, &Request::new(exchange));
    }

    fn on_connection_close(&self, exchange: Rc<Exchange>) {
        RequestHandler::on_connection_close(self, &Request::new(exchange));
    }

    fn write_error(&self, exchange: Rc<Exchange>, status: u16, exception: &Exception) {
        RequestHandler::write_error(self, &Request::new(exchange), status, exception);
    }

    fn compute_etag(&self, exchange: Rc<Exchange>, body: &[u8]) -> Option<String> {
        RequestHandler::compute_etag(self, &Request::new(exchange), body)
    }
}

/// Starts the coroutine that a method returns, unless the handler does not implement the method.
#[inline]
fn start<F: StdFuture<Output = Result<()>> + 'static>(method: impl FnOnce() -> F) -> Option<Future<()>> {
    if TypeId::of::<F>() == TypeId::of::<NotAllowed>() {
        return None;
    }
    let called = Exception::trap(|| convert_yielded(method()), Err);
    Some(called.unwrap_or_else(Future::failed))
}

/// Returns whether the handler implements this method.
fn is_written<H, F: StdFuture + 'static>(_: fn(Rc<H>, Request) -> F) -> bool {
    TypeId::of::<F>() != TypeId::of::<NotAllowed>()
}
