//! [`Application`]: routes, each with its handler.

use std::fmt;
use std::rc::Rc;

use matchit::Router;
use percent_encoding::percent_decode_str;
use squall_runner::Result;

use super::config::HttpServerConfig;
use super::error::HttpError;
use super::handler::{Handler, RequestHandler};
use super::request::Request;
use super::server::{Server, Serving};
use crate::net::Address;

/// A table of routes, each with its handler.
///
/// An `Application` is a handle: clones share the routes until another route is added to one of them.
///
/// ```
/// use std::rc::Rc;
/// use squall::web::{Application, Request, RequestHandler};
/// use squall::Result;
///
/// struct Users;
/// impl RequestHandler for Users {
///     async fn get(self: Rc<Self>, req: Request) -> Result<()> {
///         req.write(format!("user {}", req.path_param("id").unwrap_or("?")));
///         Ok(())
///     }
/// }
///
/// let app = Application::new().route("/users/{id}", Users);
/// let server = app.listen("127.0.0.1:0")?;
/// # drop(server);
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// Source: `tornado.web.Application`.
#[derive(Clone)]
pub struct Application(Rc<Routes>);

#[derive(Clone)]
struct Routes {
    router: Router<Rc<dyn Handler>>,
    /// Answers requests that no route matches.
    fallback: Rc<dyn Handler>,
    /// Answers `OPTIONS *`.
    asterisk: Rc<dyn Handler>,
}

impl Application {
    /// Creates an application without routes, which answers every request with 404.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(Rc::new(Routes {
            router: Router::new(),
            fallback: Rc::new(NotFound),
            asterisk: Rc::new(Asterisk),
        }))
    }

    /// Adds a route. In its pattern, `{name}` matches one segment of a path, and `{*name}` the whole rest of it:
    /// `"/users/{id}"`, `"/files/{*path}"`. [`Request::path_param`] returns what they matched. A segment without
    /// parameters takes precedence, so routes may be added in any order. A path must match as a whole, including a
    /// slash at its end.
    ///
    /// # Panics
    /// Panics if the pattern is malformed, or matches the same paths as another one.
    #[track_caller]
    #[must_use]
    pub fn route(mut self, pattern: &str, handler: impl RequestHandler) -> Self {
        if let Err(error) = Rc::make_mut(&mut self.0).router.insert(pattern, Rc::new(handler)) {
            panic!("the route {pattern:?}: {error}");
        }
        self
    }

    /// Sets the handler of requests that no route matches. Without it they are answered with 404.
    ///
    /// Source: the setting `default_handler_class` of `tornado.web.Application`.
    #[must_use]
    pub fn default_handler(mut self, handler: impl RequestHandler) -> Self {
        Rc::make_mut(&mut self.0).fallback = Rc::new(handler);
        self
    }

    /// Listens on an address, and serves on the current loop. With port 0 the system chooses a free port: see
    /// [`Server::local_addr`].
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub fn listen(&self, address: impl Into<Address>) -> Result<Server> {
        self.listen_with(address, HttpServerConfig::default())
    }

    /// Listens like [`listen`](Self::listen), with limits of your own.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub fn listen_with(&self, address: impl Into<Address>, config: HttpServerConfig) -> Result<Server> {
        Server::tcp(Serving::new(self.clone(), config), address.into())
    }

    /// Listens like [`listen_with`](Self::listen_with), and serves HTTPS.
    ///
    /// # Errors
    /// If the address cannot be bound.
    #[cfg(feature = "tls")]
    pub fn listen_tls(
        &self,
        address: impl Into<Address>,
        tls: super::TlsConfig,
        config: HttpServerConfig,
    ) -> Result<Server> {
        Server::tcp(Serving::new(self.clone(), config).with_tls(tls), address.into())
    }

    /// Listens on a Unix socket, whose file must not exist yet.
    ///
    /// # Errors
    /// If the file cannot be created.
    #[cfg(unix)]
    pub fn listen_unix(&self, path: impl AsRef<std::path::Path>, config: HttpServerConfig) -> Result<Server> {
        Server::unix(Serving::new(self.clone(), config), path.as_ref())
    }

    /// Finds the handler of a path, and the values of its parameters. If one of these is not percent-encoded UTF-8, the
    /// request is answered with 400.
    pub(super) fn find(&self, path: &str) -> (Rc<dyn Handler>, Result<Vec<(String, String)>, HttpError>) {
        let routes = &*self.0;
        match routes.router.at(path) {
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
            Err(_) if path == "*" => (routes.asterisk.clone(), Ok(Vec::new())),
            Err(_) => (routes.fallback.clone(), Ok(Vec::new())),
        }
    }

    /// Returns the handler of requests that no route matches.
    pub(super) fn fallback(&self) -> Rc<dyn Handler> {
        self.0.fallback.clone()
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").finish_non_exhaustive()
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
