//! The common part of the web server and the HTTP client: hyper's connections on streams of the loop.

#[cfg(feature = "web")]
pub(crate) mod body;
pub(crate) mod io;
pub(crate) mod transport;
