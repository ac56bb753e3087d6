//! [`Routes`]: the handlers of an application, found by the path of a request.

use std::rc::Rc;

use matchit::{InsertError, Router};
use percent_encoding::percent_decode_str;
use squall_runner::Result;

use super::error::HttpError;
use super::exchange::Handler;
use super::handler::RequestHandler;
use super::request::Request;

/// The handlers of an application.
#[derive(Clone)]
pub(crate) struct Routes {
    router: Router<Rc<dyn Handler>>,
    /// Answers requests that no route matches.
    fallback: Rc<dyn Handler>,
    /// Answers `OPTIONS *`.
    asterisk: Rc<dyn Handler>,
}

impl Routes {
    pub(super) fn new() -> Self {
        Self { router: Router::new(), fallback: Rc::new(NotFound), asterisk: Rc::new(Asterisk) }
    }

    /// Adds a route.
    ///
    /// # Errors
    /// If the pattern is malformed, or matches the same paths as another one.
    pub(super) fn insert(&mut self, pattern: &str, handler: Rc<dyn Handler>) -> Result<(), InsertError> {
        self.router.insert(pattern, handler)
    }

    /// Sets the handler of requests that no route matches.
    pub(super) fn set_fallback(&mut self, handler: Rc<dyn Handler>) {
        self.fallback = handler;
    }

    /// Returns the handler of requests that no route matches.
    pub(super) fn fallback(&self) -> Rc<dyn Handler> {
        self.fallback.clone()
    }

    /// Finds the handler of a path, and the values of its parameters. If one of these is not percent-encoded UTF-8, the
    /// request is answered with 400.
    pub(super) fn find(&self, path: &str) -> (Rc<dyn Handler>, Result<Vec<(String, String)>, HttpError>) {
        match self.router.at(path) {
            Ok(found) => {
                if found.params.is_empty() {
                    return (found.value.clone(), Ok(Vec::new()));
                }
                let decoded = found.params.iter().map(|(name, value)| {
                    let value = percent_decode_str(value).decode_utf8().map_err(|_| HttpError(400))?;
                    Ok((name.to_owned(), value.into_owned()))
                });
                (found.value.clone(), decoded.collect())
            }
            Err(_) if path == "*" => (self.asterisk.clone(), Ok(Vec::new())),
            Err(_) => (self.fallback.clone(), Ok(Vec::new())),
        }
    }
}

struct NotFound;

impl RequestHandler for NotFound {
    #[allow(refining_impl_trait)]
    fn prepare(self: Rc<Self>, _: Request) -> std::future::Ready<Result<()>> {
        std::future::ready(Err(HttpError(404).into()))
    }
}

/// Answers `OPTIONS *`, which concerns the server as a whole. RFC 9110, section 9.3.7.
struct Asterisk;

impl RequestHandler for Asterisk {}
