//! A web server whose handlers are coroutines (feature `web`).
//!
//! ```
//! use std::rc::Rc;
//! use squall::web::{Application, Request, RequestHandler};
//! use squall::Result;
//!
//! struct Hello;
//!
//! impl RequestHandler for Hello {
//!     #[squall::coroutine]
//!     fn get(self: Rc<Self>, req: Request) -> Result<()> {
//!         req.write(format!("Hello, {}", req.path_param("name").unwrap_or("you")));
//!         Ok(())
//!     }
//! }
//!
//! let app = Application::new().route("/hello/{name}", Hello);
//! let server = app.listen("127.0.0.1:0")?;
//! println!("http://{}", server.local_addr()?);
//! // IoLoop::current().start();
//! # Ok::<(), squall::Exception>(())
//! ```
//!
//! hyper implements HTTP; nothing here parses it. Each connection is one task of the loop, with one timer for all its
//! limits. Log records have the target `squall::web`: one line for each response, and the traceback of each exception
//! that no handler caught.
//!
//! The [guide] describes more. Source: `tornado.web` and `tornado.httpserver`.

mod access_log;
mod application;
mod closing;
mod config;
mod connection;
mod cookies;
mod deadline;
mod entity_tag;
mod error;
mod exchange;
mod handler;
mod handling;
mod handshake;
mod http_io;
mod length;
mod peer;
mod protocol;
mod receiver;
mod request;
mod response;
mod routes;
mod serve;
mod server;
mod service;
mod serving;
mod session;
mod static_files;
mod stream;
#[cfg(feature = "tls")]
mod tls;
mod upgrade;
mod verb;
mod websocket;
mod wire;
mod written;

pub use application::Application;
pub use config::HttpServerConfig;
pub use cookie::Cookie;
pub use error::{ConnectionClosed, HeadersSent, HttpError};
pub use handler::RequestHandler;
pub use handshake::WebSocketConfig;
pub use request::Request;
pub use server::Server;
pub use static_files::StaticFiles;
#[cfg(feature = "tls")]
pub use tls::TlsConfig;
pub use websocket::{Message, WebSocket};

/// A guide to the web server: handlers, WebSockets, files, limits, and the words of other libraries.
///
#[doc = include_str!("../docs/web.md")]
pub mod guide {}
