//! [`TcpStream`] and [`TcpListener`].

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::ops::Deref;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use squall_runner::native::start_internal;
use squall_runner::trace::observed;
use squall_runner::{Coroutine, Exception, Future};

use super::accepting::{Accepting, Listener};
use super::address::Address;
use super::connect::connect;
use super::io::Io;
use super::listen::{listen_tcp, BACKLOG};
use super::lookup::resolve_here;
use super::network::{self, Acceptor};
use super::stream::IoStream;
use crate::ioloop::readiness::{Readiness, READ, WRITE};
use crate::ioloop::source::Source;

/// A TCP connection. It reads and writes like every [`IoStream`], and has methods that only TCP needs.
///
/// ```
/// use squall::net::{TcpListener, TcpStream};
/// use squall::{IoLoop, Result};
///
/// #[squall::coroutine]
/// fn greet() -> Result<()> {
///     let listener = TcpListener::bind("127.0.0.1:0")?;
///     let client = yield_!(TcpStream::connect(listener.local_addr()?))?;
///     let (server, peer) = yield_!(listener.accept())?;
///     assert_eq!(client.local_addr()?, peer);
///     yield_!(client.write_all("hello"))?;
///     assert_eq!(yield_!(server.read_exact(5))?, "hello");
///     Ok(())
/// }
/// IoLoop::current().run_sync(greet)?;
/// # Ok::<(), squall::Exception>(())
/// ```
#[derive(Clone)]
pub struct TcpStream(pub(super) IoStream);

impl TcpStream {
    /// Connects to a host, given as `"example.com:80"` or another [`Address`].
    ///
    /// A name is resolved on the loop's executor. Its addresses are tried in turn, IPv6 and IPv4 alternating: each 250
    /// ms after the one before, or as soon as that has failed. The first one that answers is used ("happy eyeballs",
    /// RFC 8305).
    ///
    /// # Errors
    /// The Future fails with an [`io::Error`] that names each address and its error. Its kind is that of the first
    /// address.
    #[track_caller]
    pub fn connect(address: impl Into<Address>) -> Future<Self> {
        Self::begin(address.into(), None)
    }

    /// Connects like [`connect`](Self::connect), but fails with [`TimedOut`](io::ErrorKind::TimedOut) after `timeout`.
    /// The limit covers all addresses and the resolution of the name.
    #[track_caller]
    pub fn connect_within(timeout: Duration, address: impl Into<Address>) -> Future<Self> {
        Self::begin(address.into(), Some(timeout))
    }

    #[track_caller]
    fn begin(address: Address, limit: Option<Duration>) -> Future<Self> {
        static CONNECT: Coroutine = Coroutine::new("TcpStream::connect", file!(), line!());

        let name = observed().then(|| format!("TcpStream.connect to {address}"));
        start_internal(&CONNECT, name, async move {
            let connection = connect(address, limit).await?;
            Ok::<_, Exception>(Self(IoStream { connection }))
        })
    }

    fn of(io: Io) -> Self {
        Self(IoStream::new(io))
    }

    /// Converts a connection of std, and makes it non-blocking.
    ///
    /// # Errors
    /// If the system refuses it, or the loop is closed.
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self::of(Io::Tcp(Source::new(stream, READ | WRITE)?)))
    }

    /// Returns the address of this end.
    ///
    /// # Errors
    /// The error of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.connection.io.local_addr()
    }

    /// Returns the address of the other end.
    ///
    /// # Errors
    /// The error of the system, for example if the other end is gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.connection.io.peer_addr()
    }

    /// Sets whether small writes are sent at once rather than collected. `false` by default.
    ///
    /// # Errors
    /// The error of the system.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.0.connection.io.set_nodelay(nodelay)
    }

    /// Sets how long the system tries to send the rest after the stream is closed. With `Some(Duration::ZERO)`, closing
    /// resets the connection.
    ///
    /// # Errors
    /// The error of the system.
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        self.0.connection.io.set_linger(linger)
    }
}

impl Deref for TcpStream {
    type Target = IoStream;

    fn deref(&self) -> &IoStream {
        &self.0
    }
}

impl From<TcpStream> for IoStream {
    fn from(stream: TcpStream) -> Self {
        stream.0
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpStream")
            .field("local", &self.local_addr().ok())
            .field("peer", &self.peer_addr().ok())
            .finish()
    }
}

/// A TCP socket that listens for connections.
///
/// A `TcpListener` is a handle: clones refer to the same socket, which closes when the last of them is dropped. Accepts
/// wait in line. A connection that is not taken from its Future goes to the next accept.
///
/// When the process or the system has no descriptor left, no connection is accepted for 100 ms, repeatedly until there
/// is one, and connections wait in the system's backlog meanwhile. The log says so once, and again only after a time
/// when no connection had to wait. A connection that is gone before it is accepted is skipped.
///
/// Source: `tornado.netutil.add_accept_handler`.
#[derive(Clone)]
pub struct TcpListener(Rc<Accepting<Socket>>);

impl TcpListener {
    /// Binds a socket to an address and listens. With port 0 the system chooses a free port: see
    /// [`local_addr`](Self::local_addr).
    ///
    /// A name is resolved at once, which blocks the loop. To avoid that, pass addresses, for example from
    /// [`lookup_host`](super::lookup_host). If there are several addresses, the first one that can be bound is used.
    ///
    /// # Errors
    /// If no address can be bound, the name cannot be resolved, or the loop is closed.
    pub fn bind(address: impl Into<Address>) -> io::Result<Self> {
        Self::bind_with_backlog(address, BACKLOG)
    }

    /// Binds and listens like [`bind`](Self::bind), with another backlog than the default of 1,024: the number of
    /// connections that the system keeps until they are accepted. Linux keeps one more, but never more than
    /// `net.core.somaxconn`. Clients beyond the backlog have to try again.
    ///
    /// ```
    /// use squall::net::TcpListener;
    ///
    /// let listener = TcpListener::bind_with_backlog("127.0.0.1:0", 16)?;
    /// # drop(listener);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`bind`](Self::bind).
    ///
    /// Source: the argument `backlog` of `tornado.netutil.bind_sockets`.
    pub fn bind_with_backlog(address: impl Into<Address>, backlog: u32) -> io::Result<Self> {
        let address = address.into();
        if let Some(network) = network::current()? {
            return Ok(Self(Accepting::new(Socket::Other(network.bind(&address)?))));
        }
        let addresses = resolve_here(&address)?;
        let listener = listen_tcp(&addresses, backlog)
            .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))?;
        Self::from_std(listener)
    }

    /// Converts a listener of std, and makes it non-blocking.
    ///
    /// # Errors
    /// If the system refuses it, or the loop is closed.
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self(Accepting::new(Socket::Tcp(Source::new(listener, READ)?))))
    }

    /// Waits for a connection. The result is the connection and the address of its other end.
    #[track_caller]
    pub fn accept(&self) -> Future<(TcpStream, SocketAddr)> {
        self.0.begin_accept()
    }

    /// Waits for a connection, for adapters to other traits. It is served after the accepts in line.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        self.0.poll_accept(cx)
    }

    /// Returns the address on which it listens, with the port that the system chose.
    ///
    /// # Errors
    /// The error of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.0.listener {
            Socket::Tcp(source) => source.io().local_addr(),
            Socket::Other(acceptor) => acceptor.local_addr(),
        }
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpListener").field("local", &self.local_addr().ok()).finish()
    }
}

/// A listening socket of the system, or one of another network.
enum Socket {
    Tcp(Source<std::net::TcpListener>),
    Other(Box<dyn Acceptor>),
}

impl Listener for Socket {
    type Accepted = (TcpStream, SocketAddr);

    fn readiness(&self) -> &Rc<Readiness> {
        match self {
            Self::Tcp(source) => source.readiness(),
            Self::Other(acceptor) => acceptor.readiness(),
        }
    }

    fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match self {
            Self::Tcp(source) => {
                let (stream, peer) = source.io().accept()?;
                Ok((TcpStream::from_std(stream)?, peer))
            }
            Self::Other(acceptor) => {
                let (socket, peer) = acceptor.accept()?;
                Ok((TcpStream::of(Io::Other(socket)), peer))
            }
        }
    }

    fn rearm(&self) -> io::Result<()> {
        match self {
            Self::Tcp(source) => source.rearm(),
            Self::Other(_) => Ok(()),
        }
    }

    fn name(&self) -> (&'static str, String) {
        let address = match self {
            Self::Tcp(source) => {
                source.io().local_addr().map_or("?".to_owned(), |address| address.to_string())
            }
            Self::Other(acceptor) => acceptor.name(),
        };
        ("TcpListener", address)
    }
}
