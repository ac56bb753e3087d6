//! [`UnixStream`] and [`UnixListener`].

use std::fmt;
use std::io;
use std::ops::Deref;
use std::os::fd::OwnedFd;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;
use std::rc::Rc;
use std::task::{Context, Poll};

use socket2::{Domain, SockAddr, Socket, Type};
use squall_runner::Future;

use super::accepting::{Accepting, Listener};
use super::io::Io;
use super::listen::{listen_unix, BACKLOG};
use super::stream::IoStream;
use crate::ioloop::readiness::{Readiness, READ, WRITE};
use crate::ioloop::source::Source;

/// A connection by a Unix socket. It reads and writes like every [`IoStream`].
///
/// ```
/// use squall::net::UnixStream;
/// use squall::{IoLoop, Result};
///
/// #[squall::coroutine]
/// fn greet() -> Result<()> {
///     let (client, server) = UnixStream::pair()?;
///     yield_!(client.write_all("hello"))?;
///     assert_eq!(yield_!(server.read(100))?, "hello");
///     Ok(())
/// }
/// IoLoop::current().run_sync(greet)?;
/// # Ok::<(), squall::Exception>(())
/// ```
#[derive(Clone)]
pub struct UnixStream(pub(super) IoStream);

impl UnixStream {
    /// Connects to the socket at `path`. A Unix socket connects at once or not at all.
    ///
    /// # Errors
    /// The Future fails with an [`io::Error`] if nothing listens there, if the backlog of the listener is full
    /// ([`WouldBlock`](io::ErrorKind::WouldBlock)), or if the loop is closed.
    #[track_caller]
    pub fn connect(path: impl AsRef<Path>) -> Future<Self> {
        match Self::connect_now(path.as_ref()) {
            Ok(stream) => Future::ready(stream),
            Err(error) => Future::failed(error),
        }
    }

    fn connect_now(path: &Path) -> io::Result<Self> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.connect(&SockAddr::unix(path)?).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot connect to {}: {error}", path.display()))
        })?;
        Self::from_std(OwnedFd::from(socket).into())
    }

    /// Creates two streams that are connected to each other.
    ///
    /// # Errors
    /// If the process has no descriptors left, or the loop is closed.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = net::UnixStream::pair()?;
        Ok((Self::from_std(one)?, Self::from_std(other)?))
    }

    /// Converts a connection of std, and makes it non-blocking.
    ///
    /// # Errors
    /// If the system refuses it, or the loop is closed.
    pub fn from_std(stream: net::UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self(IoStream::new(Io::Unix(Source::new(stream, READ | WRITE)?))))
    }

    fn std(&self) -> io::Result<&net::UnixStream> {
        match &self.0.connection.io {
            Io::Unix(source) => Ok(source.io()),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Returns the address of this end. Usually only a listener's has a path.
    ///
    /// # Errors
    /// The error of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.std()?.local_addr()
    }

    /// Returns the address of the other end.
    ///
    /// # Errors
    /// The error of the system.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.std()?.peer_addr()
    }
}

impl Deref for UnixStream {
    type Target = IoStream;

    fn deref(&self) -> &IoStream {
        &self.0
    }
}

impl From<UnixStream> for IoStream {
    fn from(stream: UnixStream) -> Self {
        stream.0
    }
}

impl fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixStream")
            .field("local", &self.local_addr().ok())
            .field("peer", &self.peer_addr().ok())
            .finish()
    }
}

/// A Unix socket that listens for connections, like a [`TcpListener`](super::TcpListener). The file at its path stays
/// when the listener is dropped.
#[derive(Clone)]
pub struct UnixListener(Rc<Accepting<Source<net::UnixListener>>>);

impl UnixListener {
    /// Binds a socket to `path`, where no file may exist, and listens.
    ///
    /// # Errors
    /// If the path cannot be bound, or the loop is closed.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let listener = listen_unix(path, BACKLOG).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot listen on {}: {error}", path.display()))
        })?;
        Self::from_std(listener)
    }

    /// Converts a listener of std, and makes it non-blocking.
    ///
    /// # Errors
    /// If the system refuses it, or the loop is closed.
    pub fn from_std(listener: net::UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self(Accepting::new(Source::new(listener, READ)?)))
    }

    /// Waits for a connection. The result is the connection and the address of its other end.
    #[track_caller]
    pub fn accept(&self) -> Future<(UnixStream, SocketAddr)> {
        self.0.begin_accept()
    }

    /// Waits for a connection, for adapters to other traits. It is served after the accepts in line.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        self.0.poll_accept(cx)
    }

    /// Returns the address on which it listens.
    ///
    /// # Errors
    /// The error of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.listener.io().local_addr()
    }
}

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixListener").field("local", &self.local_addr().ok()).finish()
    }
}

impl Listener for Source<net::UnixListener> {
    type Accepted = (UnixStream, SocketAddr);

    fn readiness(&self) -> &Rc<Readiness> {
        self.readiness()
    }

    fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (stream, peer) = self.io().accept()?;
        Ok((UnixStream::from_std(stream)?, peer))
    }

    fn rearm(&self) -> io::Result<()> {
        self.rearm()
    }

    fn name(&self) -> (&'static str, String) {
        let path = self.io().local_addr().ok().and_then(|address| Some(address.as_pathname()?.to_owned()));
        ("UnixListener", path.map_or("?".to_owned(), |path| path.display().to_string()))
    }
}
