//! [`Service`]: the application as hyper sees it. It finds the handler of each request and starts it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use hyper::body::{Body as _, Incoming};
use hyper::header::{HOST, TRANSFER_ENCODING};
use hyper::{HeaderMap, Method, Request, Response, Version};

use super::error::HttpError;
use super::exchange::Exchange;
use super::receiver::Receiver;
use super::session::Session;
use crate::http::body::Body;

/// The application, for the hyper of one connection.
pub(crate) struct Service(pub(super) Rc<Session>);

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Respond;

    fn call(&self, request: Request<Incoming>) -> Respond {
        let Self(session) = self;
        let serving = &*session.serving;
        let (handler, path_params, problem) = match check(&request) {
            Some(problem) => (serving.routes.fallback(), Vec::new(), Some(problem)),
            None => {
                let (handler, path_params) = serving.routes.find(request.uri().path());
                match path_params {
                    Ok(path_params) => (handler, path_params, None),
                    Err(problem) => (handler, Vec::new(), Some(problem)),
                }
            }
        };
        let (head, incoming) = request.into_parts();
        let receiver = (!incoming.is_end_stream())
            .then(|| Box::new(Receiver::new(incoming, serving.config.max_body_size)));
        let spare = session.take_spare();
        let exchange = Exchange::new(&session.connection, head, receiver, handler, path_params, spare);
        session.call(exchange.clone(), |exchange| match problem {
            None => exchange.start(),
            Some(problem) => exchange.refuse(problem),
        });
        Respond(exchange)
    }
}

/// Returns the error of a request that is wrong although hyper accepts it.
fn check(request: &Request<Incoming>) -> Option<HttpError> {
    if *request.method() == Method::CONNECT {
        return Some(HttpError(405));
    }
    // RFC 9112, section 3.2: only a CONNECT asks for a host and a port, and only an OPTIONS for `*`.
    let path = request.uri().path();
    if path.is_empty() || (path == "*" && *request.method() != Method::OPTIONS) {
        return Some(HttpError(400));
    }
    let headers = request.headers();
    if !request.body().is_end_stream() && !is_coding_known(headers) {
        return Some(HttpError(501));
    }
    // RFC 9112, section 3.2.
    let is_good = match headers.get(HOST) {
        Some(host) => {
            let is_repeated = headers.len() != headers.keys_len() && headers.get_all(HOST).iter().count() > 1;
            !is_repeated && host.as_bytes().iter().fold(true, |good, byte| good & OF_HOST[usize::from(*byte)])
        }
        None => request.version() != Version::HTTP_11,
    };
    (!is_good).then_some(HttpError(400))
}

/// Returns whether the body comes as it is, or in chunks: no other coding is undone. RFC 9112, section 6.1.
fn is_coding_known(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    }
}

/// For each byte, whether a host's name or address with a port may contain it. RFC 3986, section 3.2.
const OF_HOST: [bool; 256] = {
    const MARKS: &[u8] = b"-._~%!$&'()*+,;=:[]";

    let mut of_host = [false; 256];
    let mut byte = 0;
    while byte < 128_u8 {
        of_host[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut mark = 0;
    while mark < MARKS.len() {
        of_host[MARKS[mark] as usize] = true;
        mark += 1;
    }
    of_host
};

/// The Future of the response, for hyper.
pub(crate) struct Respond(Rc<Exchange>);

impl Future for Respond {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        // The exchange wakes the connection's task when there is a response.
        self.0.take_response().map_or(Poll::Pending, |response| Poll::Ready(Ok(response)))
    }
}
