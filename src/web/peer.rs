//! [`Peer`]: the other end of a connection.

use std::fmt;
use std::net::SocketAddr;

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    /// The address of the other end; `None` on a Unix socket.
    pub(crate) address: Option<SocketAddr>,
    /// `true` if the connection is encrypted.
    pub(crate) secure: bool,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => address.ip().fmt(f),
            None => f.write_str("unix"),
        }
    }
}
