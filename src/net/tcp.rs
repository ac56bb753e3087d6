//! [`TcpStream`] and [`TcpListener`].

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::ops::Deref;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use squall_runner::native::start;
use squall_runner::{Coroutine, Exception, Future};

use super::accepting::{Accepting, Listener};
use super::address::Address;
use super::connect::connect;
use super::io::Io;
use super::lookup::resolve_here;
use super::network::{self, Acceptor};
use super::stream::IoStream;
use crate::ioloop::readiness::{Readiness, READ, WRITE};
use crate::ioloop::sources::Source;

/// A TCP connection. It reads and writes as every [`IoStream`] does; this type adds what only TCP has.
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
    /// Connects to a host: `"example.com:80"`, or anything else that is an [`Address`].
    ///
    /// A name is resolved on the executor of the loop. Its addresses are tried in turn, IPv6 and IPv4 alternating, each
    /// 250 ms after the one before or as soon as that has failed, and the first one that answers is taken ("happy
    /// eyeballs", RFC 8305).
    ///
    /// # Errors
    /// The Future fails with an [`io::Error`] that names each address and what became of it. Its kind is that of the
    /// first one.
    #[track_caller]
    pub fn connect(address: impl Into<Address>) -> Future<Self> {
        Self::begin(address.into(), None)
    }

    /// Connects like [`connect`](Self::connect), but fails with [`TimedOut`](io::ErrorKind::TimedOut) after `timeout`.
    /// The limit is for all addresses together, and the time that the name takes.
    #[track_caller]
    pub fn connect_within(timeout: Duration, address: impl Into<Address>) -> Future<Self> {
        Self::begin(address.into(), Some(timeout))
    }

    #[track_caller]
    fn begin(address: Address, limit: Option<Duration>) -> Future<Self> {
        static CONNECT: Coroutine = Coroutine::new("TcpStream::connect", file!(), line!());

        start(&CONNECT, async move {
            let connection = connect(address, limit).await?;
            Ok::<_, Exception>(Self(IoStream { connection }))
        })
    }

    fn of(io: Io) -> Self {
        Self(IoStream::new(io))
    }

    /// Takes over a connection of std, and makes it non-blocking.
    ///
    /// # Errors
    /// If the system does not let it, or the loop is closed.
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self::of(Io::Tcp(Source::new(stream, READ | WRITE)?)))
    }

    /// The address of this end.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.connection.io.local_addr()
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// What the system says: the other end may be gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.connection.io.peer_addr()
    }

    /// Says whether small writes are sent at once, rather than wait for more to go with them. It is `false` if nothing
    /// is said.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.0.connection.io.set_nodelay(nodelay)
    }

    /// Says how long the system tries to send what is left when the stream is closed. With `Some(Duration::ZERO)`
    /// closing resets the connection.
    ///
    /// # Errors
    /// What the system says.
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

/// A TCP socket that listens for connections. A handle: clones mean the same socket, which closes when the last of them
/// is dropped.
///
/// Those who wait for connections wait in line. A connection that nobody took from its Future goes to the next one.
///
/// When the process or the system has no descriptor left for a connection, none is accepted for 100 ms, over and over
/// until there is one; the log says so once, and the connections wait in the system's backlog meanwhile. A connection
/// that is gone before it is accepted is passed over.
///
/// Source: `tornado.netutil.add_accept_handler`.
#[derive(Clone)]
pub struct TcpListener(Rc<Accepting<Socket>>);

impl TcpListener {
    /// Binds a socket to an address and listens. Port 0 is any that is free: see [`local_addr`](Self::local_addr).
    ///
    /// A name is resolved here and now, while the loop waits; use addresses, or [`lookup_host`](super::lookup_host)
    /// before, where that takes time. If there are several addresses, the first is taken that can be bound.
    ///
    /// # Errors
    /// If no address can be bound, the name cannot be resolved, or the loop is closed.
    pub fn bind(address: impl Into<Address>) -> io::Result<Self> {
        let address = address.into();
        if let Some(network) = network::current()? {
            return Ok(Self(Accepting::new(Socket::Other(network.bind(&address)?))));
        }
        let addresses = resolve_here(&address)?;
        let listener = std::net::TcpListener::bind(&addresses[..])
            .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))?;
        Self::from_std(listener)
    }

    /// Takes over a listener of std, and makes it non-blocking.
    ///
    /// # Errors
    /// If the system does not let it, or the loop is closed.
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self(Accepting::new(Socket::Tcp(Source::new(listener, READ)?))))
    }

    /// Waits for a connection. The Future is of it and the address of its other end.
    pub fn accept(&self) -> Future<(TcpStream, SocketAddr)> {
        self.0.begin_accept()
    }

    /// Waits for a connection, for adapters to traits of others. It comes after those that wait in line.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        self.0.poll_accept(cx)
    }

    /// The address that it listens on, with the port that the system chose.
    ///
    /// # Errors
    /// What the system says.
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

/// A listening socket of the system, or of another network.
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
