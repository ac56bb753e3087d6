//! [`Io`]: one end of a connection, on any network.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use socket2::SockRef;

use super::network::Socket;
use crate::ioloop::readiness::{Readiness, Tried};
use crate::ioloop::source::Source;

/// A socket of the system, or one of another network.
pub(super) enum Io {
    Tcp(Source<std::net::TcpStream>),
    #[cfg(unix)]
    Unix(Source<UnixStream>),
    Other(Box<dyn Socket>),
}

impl Io {
    pub(super) fn readiness(&self) -> &Rc<Readiness> {
        match self {
            Self::Tcp(source) => source.readiness(),
            #[cfg(unix)]
            Self::Unix(source) => source.readiness(),
            Self::Other(socket) => socket.readiness(),
        }
    }

    /// Tries an operation in the direction `bit`.
    #[inline]
    pub(super) fn attempt<R>(&self, bit: u8, mut f: impl FnMut(&Self) -> io::Result<R>) -> Tried<R> {
        let tried = self.readiness().attempt(bit, || f(self));
        if let Tried::Blocked = tried {
            let armed = match self {
                Self::Tcp(source) => source.rearm(),
                #[cfg(unix)]
                Self::Unix(source) => source.rearm(),
                Self::Other(_) => Ok(()),
            };
            if let Err(error) = armed {
                return Tried::Done(Err(error));
            }
        }
        tried
    }

    #[inline]
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(source) => source.io().read(buffer),
            #[cfg(unix)]
            Self::Unix(source) => source.io().read(buffer),
            Self::Other(socket) => socket.read(buffer),
        }
    }

    pub(super) fn write(&self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(source) => source.io().write(buffer),
            #[cfg(unix)]
            Self::Unix(source) => source.io().write(buffer),
            Self::Other(socket) => socket.write(buffer),
        }
    }

    pub(super) fn write_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(source) => source.io().write_vectored(buffers),
            #[cfg(unix)]
            Self::Unix(source) => source.io().write_vectored(buffers),
            Self::Other(socket) => socket.write_vectored(buffers),
        }
    }

    pub(super) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Self::Tcp(source) => source.io().shutdown(how),
            #[cfg(unix)]
            Self::Unix(source) => source.io().shutdown(how),
            Self::Other(socket) => socket.shutdown(how),
        }
    }

    /// Returns whether a connect that did not wait has succeeded.
    pub(super) fn connected(&self) -> io::Result<()> {
        match self {
            Self::Tcp(source) => match source.io().take_error()? {
                Some(error) => Err(error),
                // The socket becomes ready for writing only when it is connected or has failed.
                None => source.io().peer_addr().map(drop),
            },
            #[cfg(unix)]
            Self::Unix(source) => source.io().take_error()?.map_or(Ok(()), Err),
            Self::Other(socket) => socket.connected(),
        }
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Tcp(source) => source.io().local_addr(),
            #[cfg(unix)]
            Self::Unix(_) => Err(no_tcp()),
            Self::Other(socket) => socket.local_addr(),
        }
    }

    pub(super) fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Tcp(source) => source.io().peer_addr(),
            #[cfg(unix)]
            Self::Unix(_) => Err(no_tcp()),
            Self::Other(socket) => socket.peer_addr(),
        }
    }

    /// Only sets a system's socket: another network sends everything at once.
    pub(super) fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        match self {
            Self::Tcp(source) => source.io().set_nodelay(nodelay),
            #[cfg(unix)]
            Self::Unix(_) => Err(no_tcp()),
            Self::Other(_) => Ok(()),
        }
    }

    pub(super) fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        match self {
            Self::Tcp(source) => SockRef::from(source.io()).set_linger(linger),
            #[cfg(unix)]
            Self::Unix(_) => Err(no_tcp()),
            Self::Other(socket) => socket.set_linger(linger),
        }
    }

    /// Returns a description of an operation: `TcpStream.read from 10.0.0.2:80`.
    pub(super) fn operation(&self, name: &str, way: &str) -> String {
        match self {
            #[cfg(unix)]
            Self::Unix(_) => format!("UnixStream.{name}"),
            _ => format!("TcpStream.{name} {way} {}", self.peer_name()),
        }
    }

    fn peer_name(&self) -> String {
        match self {
            Self::Other(socket) => socket.peer_name(),
            _ => shown(self.peer_addr()),
        }
    }

    pub(super) fn describe(&self) -> String {
        match self {
            #[cfg(unix)]
            Self::Unix(_) => "a UnixStream".to_owned(),
            _ => format!("the TcpStream {} -> {}", shown(self.local_addr()), self.peer_name()),
        }
    }
}

fn shown(address: io::Result<SocketAddr>) -> String {
    address.map_or("?".to_owned(), |address| address.to_string())
}

#[cfg(unix)]
fn no_tcp() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "a Unix socket has no address or option of TCP")
}
