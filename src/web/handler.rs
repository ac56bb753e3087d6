//! [`RequestHandler`]: what answers the requests of a route.

use std::any::TypeId;
use std::future::Future as StdFuture;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use hyper::Method;
use squall_runner::{convert_yielded, Exception, Future, Result};

use super::error::{reason, HttpError};
use super::Request;

/// Answers the requests of a route: one method for each method of HTTP, as in Tornado.
///
/// A method is a coroutine of either style. The response is finished when it is done.
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
/// One value answers all requests of its route, so what belongs to one request is kept in variables of the method. A
/// yield-style method begins at once, a native one in the next turn of the loop. Both run to their end, also when the
/// client leaves: what they write then is dropped, and [`flush`](Request::flush) raises
/// [`ConnectionClosed`](super::ConnectionClosed).
///
/// A raised [`HttpError`] is answered with its status. Any other exception, and a panic, is logged with its traceback
/// and answered with 500; the answer has no detail. If a part of the response has been sent by then, the connection is
/// closed, so that the client sees that the rest is missing.
///
/// | method | may be a coroutine | called |
/// |---|---|---|
/// | `get`, `head`, `post`, `put`, `delete`, `patch`, `options` | yes | for a request of that method |
/// | `prepare` | yes | before the method |
/// | `on_finish` | no | after the response was finished |
/// | `on_connection_close` | no | when the client leaves before that |
/// | `write_error` | no | to write the page of an error |
///
/// A method that is not written here is answered with 405 and the list of those that are. Without `head`, `get` answers
/// `HEAD`, and its body is dropped; without `options`, `OPTIONS` is answered with 204 and that list.
///
/// Source: `tornado.web.RequestHandler`.
pub trait RequestHandler: 'static {
    /// Answers `GET`. It may be a coroutine.
    fn get(self: Rc<Self>, req: Request) -> impl StdFuture<Output = Result<()>> + 'static {
        let _ = req;
        NotAllowed
    }

    /// Answers `HEAD`. It may be a coroutine. A body that it writes is not sent; its length is.
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

    /// Is called before the method, for every request of the route. It may be a coroutine. If it finishes the response,
    /// the method is not called; what it raises is answered as what a method raises.
    fn prepare(self: Rc<Self>, req: Request) -> impl StdFuture<Output = Result<()>> + 'static {
        let _ = req;
        NotAllowed
    }

    /// Is called once the response is finished. It is not a coroutine.
    fn on_finish(&self, req: &Request) {
        let _ = req;
    }

    /// Is called when the client has closed the connection, or its half of it, before the response is finished. It is
    /// not a coroutine; [`Request::closed`] is a Future of the same.
    fn on_connection_close(&self, req: &Request) {
        let _ = req;
    }

    /// Writes the page of an error; by default a short HTML page with the status and its name. It is not a coroutine.
    /// The status is set already, and what the method had written is gone.
    fn write_error(&self, req: &Request, status: u16, exception: &Exception) {
        let _ = exception;
        write_page(req, status);
    }
}

/// Writes the page that an error has by default.
pub(crate) fn write_page(req: &Request, status: u16) {
    let reason = reason(status);
    req.write(format!("<html><title>{status}: {reason}</title><body>{status}: {reason}</body></html>"));
}

/// What a method that nobody wrote returns. It is recognised by its type, and never polled for an answer.
pub(crate) struct NotAllowed;

impl StdFuture for NotAllowed {
    type Output = Result<()>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Err(HttpError(405).into()))
    }
}

/// A method of HTTP that handlers have a method for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Patch,
    Options,
}

impl Verb {
    pub(crate) const ALL: [(Self, &'static str); 7] = [
        (Self::Get, "GET"),
        (Self::Head, "HEAD"),
        (Self::Post, "POST"),
        (Self::Put, "PUT"),
        (Self::Delete, "DELETE"),
        (Self::Patch, "PATCH"),
        (Self::Options, "OPTIONS"),
    ];

    pub(crate) fn of(method: &Method) -> Option<Self> {
        Some(match *method {
            Method::GET => Self::Get,
            Method::HEAD => Self::Head,
            Method::POST => Self::Post,
            Method::PUT => Self::Put,
            Method::DELETE => Self::Delete,
            Method::PATCH => Self::Patch,
            Method::OPTIONS => Self::Options,
            _ => return None,
        })
    }
}

/// A [`RequestHandler`] whose type is not known.
pub(crate) trait Handler {
    /// Calls the method, if somebody wrote it.
    fn call(self: Rc<Self>, verb: Verb, req: Request) -> Option<Future<()>>;

    /// Calls `prepare`, if somebody wrote it.
    fn prepare(self: Rc<Self>, req: Request) -> Option<Future<()>>;

    /// Returns whether somebody wrote the method.
    fn allows(&self, verb: Verb) -> bool;

    fn on_finish(&self, req: &Request);

    fn on_connection_close(&self, req: &Request);

    fn write_error(&self, req: &Request, status: u16, exception: &Exception);
}

impl<H: RequestHandler> Handler for H {
    #[inline]
    fn call(self: Rc<Self>, verb: Verb, req: Request) -> Option<Future<()>> {
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

    fn prepare(self: Rc<Self>, req: Request) -> Option<Future<()>> {
        start(|| RequestHandler::prepare(self, req))
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

    fn on_finish(&self, req: &Request) {
        RequestHandler::on_finish(self, req);
    }

    fn on_connection_close(&self, req: &Request) {
        RequestHandler::on_connection_close(self, req);
    }

    fn write_error(&self, req: &Request, status: u16, exception: &Exception) {
        RequestHandler::write_error(self, req, status, exception);
    }
}

/// Starts what a method returns.
#[inline]
fn start<F: StdFuture<Output = Result<()>> + 'static>(method: impl FnOnce() -> F) -> Option<Future<()>> {
    if TypeId::of::<F>() == TypeId::of::<NotAllowed>() {
        return None;
    }
    let called = Exception::trap(|| convert_yielded(method()), Err);
    Some(called.unwrap_or_else(Future::failed))
}

/// Returns whether somebody wrote this method.
fn is_written<H, F: StdFuture + 'static>(_: fn(Rc<H>, Request) -> F) -> bool {
    TypeId::of::<F>() != TypeId::of::<NotAllowed>()
}
