//! The web server over loopback: its clients send bytes that are written here, and look at every byte of the answers.

mod bodies;
mod client;
mod entity_tags;
mod handlers;
#[cfg(feature = "trace")]
mod in_memory;
mod leaving;
mod lengths;
mod limits;
mod logging;
mod malformed;
mod resting;
mod static_files;
mod stopping;
#[cfg(feature = "tls")]
mod tls;
mod websocket;
mod websocket_ends;
