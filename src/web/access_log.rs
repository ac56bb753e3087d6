//! The server's log: one line for each response, and the exceptions that no handler caught.

use std::time::Duration;

use hyper::http::request::Parts;
use hyper::StatusCode;
use log::Level;
use squall_runner::Exception;

use super::peer::Peer;

/// The target of the server's log records.
pub(crate) const TARGET: &str = "squall::web";

/// Returns whether a logger may accept the line of a response.
#[inline]
pub(crate) fn is_read() -> bool {
    log::log_enabled!(target: TARGET, Level::Error)
}

/// Logs a finished response like `200 GET /users?page=2 (127.0.0.1:50000) 1.25ms`: as an error if the server failed, as
/// a warning if the request was wrong.
///
/// Source: `tornado.web.Application.log_request`.
pub(crate) fn response(status: StatusCode, request: &Parts, peer: Peer, took: Duration) {
    let level = match status.as_u16() {
        0..400 => Level::Info,
        400..500 => Level::Warn,
        _ => Level::Error,
    };
    log::log!(
        target: TARGET,
        level,
        "{} {} {} ({}) {:.2}ms",
        status.as_u16(),
        request.method,
        request.uri,
        peer,
        took.as_secs_f64() * 1000.0,
    );
}

/// Logs why a request was answered with an error, if its exception says so.
///
/// Source: `tornado.web.RequestHandler.log_exception`.
pub(crate) fn reasons(exception: &Exception, status: StatusCode, request: &Parts, peer: Peer) {
    for reason in exception.notes() {
        let status = status.as_u16();
        log::warn!(target: TARGET, "{status} {} {} ({peer}): {reason}", request.method, request.uri);
    }
}

/// Logs an exception that no handler caught, with its traceback.
pub(crate) fn exception(exception: &Exception, request: &Parts, peer: Peer) {
    log::error!(
        target: TARGET,
        "uncaught exception {} {} ({})\n{exception:?}",
        request.method,
        request.uri,
        peer,
    );
}
