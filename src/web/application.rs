//! [`Application`]: routes, each with its handler.

use std::fmt;
use std::rc::Rc;

use squall_runner::Result;

use super::config::HttpServerConfig;
use super::handler::RequestHandler;
use super::routes::Routes;
use super::server::Server;
use super::serving::Serving;
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

impl Application {
    /// Creates an application without routes, which answers every request with 404.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(Rc::new(Routes::new()))
    }

    /// Adds a route. In its pattern, `{name}` matches one segment of a path, and `{*name}` the whole rest of it:
    /// `"/users/{id}"`, `"/files/{*path}"`. [`Request::path_param`](super::Request::path_param) returns what they matched. A segment without
    /// parameters takes precedence, so routes may be added in any order. A path must match as a whole, including a
    /// slash at its end.
    ///
    /// # Panics
    /// Panics if the pattern is malformed, or matches the same paths as another one.
    #[track_caller]
    #[must_use]
    pub fn route(mut self, pattern: &str, handler: impl RequestHandler) -> Self {
        if let Err(error) = Rc::make_mut(&mut self.0).insert(pattern, Rc::new(handler)) {
            panic!("the route {pattern:?}: {error}");
        }
        self
    }

    /// Sets the handler of requests that no route matches. Without it they are answered with 404.
    ///
    /// Source: the setting `default_handler_class` of `tornado.web.Application`.
    #[must_use]
    pub fn default_handler(mut self, handler: impl RequestHandler) -> Self {
        Rc::make_mut(&mut self.0).set_fallback(Rc::new(handler));
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
        Server::tcp(Serving::new(self.0.clone(), config), address.into())
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
        Server::tcp(Serving::new(self.0.clone(), config).with_tls(tls), address.into())
    }

    /// Listens on a Unix socket, whose file must not exist yet.
    ///
    /// # Errors
    /// If the file cannot be created.
    #[cfg(unix)]
    pub fn listen_unix(&self, path: impl AsRef<std::path::Path>, config: HttpServerConfig) -> Result<Server> {
        Server::unix(Serving::new(self.0.clone(), config), path.as_ref())
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").finish_non_exhaustive()
    }
}
