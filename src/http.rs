//! What the web server and the HTTP client have in common: their connections are hyper's, on streams of the loop.

#[cfg(feature = "web")]
pub(crate) mod body;
pub(crate) mod io;
pub(crate) mod transport;
