//! The errors of handlers: those that they raise, and those that are raised in them.

use std::sync::Arc;

use hyper::StatusCode;
use squall_runner::Exception;

/// An error that a handler raises to answer its request with a status.
///
/// ```
/// use squall::web::HttpError;
///
/// fn lookup(name: &str) -> squall::Result<u32> {
///     match name {
///         "ann" => Ok(1),
///         _ => Err(HttpError(404))?,
///     }
/// }
/// assert_eq!(lookup("ben").unwrap_err().to_string(), "HTTP 404: Not Found");
/// ```
///
/// A number that is not a status from 200 to 599 is answered as 500. [`with_note`](Self::with_note) adds a reason for the log.
///
/// Source: `tornado.web.HTTPError`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("HTTP {0}: {reason}", reason = reason(*.0))]
pub struct HttpError(pub u16);

impl HttpError {
    /// Returns an exception with a reason, which is logged and not sent to the client.
    ///
    /// The reason is a [note](Exception::notes) of the exception, so `write_error` can read it.
    ///
    /// ```
    /// use squall::web::HttpError;
    ///
    /// fn page(text: &str) -> squall::Result<u32> {
    ///     text.parse().map_err(|e| HttpError(400).with_note(format!("the number of the page: {e}")))
    /// }
    /// let e = page("x").unwrap_err();
    /// assert_eq!(e.downcast_ref(), Some(&HttpError(400)));
    /// assert_eq!(e.notes().next(), Some("the number of the page: invalid digit found in string"));
    /// ```
    ///
    /// Source: the argument `log_message` of `tornado.web.HTTPError`.
    #[track_caller]
    pub fn with_note(self, note: impl Into<Arc<str>>) -> Exception {
        Exception::from(self).with_note(note)
    }

    pub(crate) fn status(self) -> StatusCode {
        match StatusCode::from_u16(self.0) {
            Ok(status) if (200..600).contains(&self.0) => status,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Returns the reason phrase of a status: `Not Found` for 404.
pub(crate) fn reason(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Unknown")
}

/// Returns the default page of an error.
pub(crate) fn page(status: u16) -> String {
    let reason = reason(status);
    format!("<html><title>{status}: {reason}</title><body>{status}: {reason}</body></html>")
}

/// The connection was closed before everything was sent or received. Raised in a handler that waits for the connection,
/// for example by [`flush`](super::Request::flush).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client has closed the connection")]
pub struct ConnectionClosed;

/// The status or a header was set after the head of the response was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the status and the headers are already sent: set them before `flush` and `finish`")]
pub struct HeadersSent;
