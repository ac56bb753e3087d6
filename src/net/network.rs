//! [`Network`]: the seam between sockets and what carries their bytes.
//!
//! Sockets are created on the current network. That is the system's, unless another one was entered, as `net.host(..)`
//! enters the in-memory network of tests. A network behaves like a kernel. Its sockets never wait: an operation that is
//! not possible now fails with [`WouldBlock`](io::ErrorKind::WouldBlock), and when it becomes possible, the socket sets
//! the bit of its [`Readiness`]. So all code that waits, queues, buffers and shares a turn is above this seam, and
//! common to all networks.
//!
//! As a kernel reports events between system calls, a network sets bits between operations, never within one: it does
//! so from a callback of the loop.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, IoSlice};
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use squall_runner::{Context, Future};

use super::address::Address;
use crate::context::ContextVar;
use crate::ioloop::readiness::Readiness;

/// A network on which sockets are created in place of the system's.
pub(crate) trait Network {
    /// Binds a listening socket, without waiting.
    fn bind(&self, address: &Address) -> io::Result<Box<dyn Acceptor>>;

    /// Begins to connect. The socket becomes ready for writing once it is connected or has failed;
    /// [`Socket::connected`] then returns which.
    fn connect(&self, address: SocketAddr) -> io::Result<Box<dyn Socket>>;

    /// Resolves a name to addresses, in the order in which to try them.
    fn resolve(&self, host: &str, port: u16) -> Future<Vec<SocketAddr>>;
}

/// One end of a connection on a network. No operation waits. Dropping it closes it.
pub(crate) trait Socket {
    /// Returns the socket's readiness, which it sets when bytes arrive or room becomes free. Always the same one.
    fn readiness(&self) -> &Rc<Readiness>;

    /// Returns whether the connection is made.
    ///
    /// # Errors
    /// The reason why it failed; [`WouldBlock`](io::ErrorKind::WouldBlock) while it is under way.
    fn connected(&self) -> io::Result<()>;

    /// Reads available bytes into `buffer` and returns their number: zero at the end.
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes as many bytes as there is room for, and returns their number.
    fn write(&self, buffer: &[u8]) -> io::Result<usize>;

    /// Writes as many bytes of several buffers as there is room for, and returns their number.
    fn write_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Closes one direction, or both.
    fn shutdown(&self, how: Shutdown) -> io::Result<()>;

    fn local_addr(&self) -> io::Result<SocketAddr>;

    fn peer_addr(&self) -> io::Result<SocketAddr>;

    /// Returns the other end by the name of its host, such as `server:80`.
    fn peer_name(&self) -> String;

    /// Sets `SO_LINGER`. With `Some(Duration::ZERO)`, closing the socket resets the connection.
    fn set_linger(&self, linger: Option<Duration>) -> io::Result<()>;
}

/// A listening socket on a network. Dropping it closes it.
pub(crate) trait Acceptor {
    /// Returns its readiness, which sets `READ` when connections arrive. Always the same one.
    fn readiness(&self) -> &Rc<Readiness>;

    /// Takes the next connection from the backlog.
    fn accept(&self) -> io::Result<(Box<dyn Socket>, SocketAddr)>;

    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// Returns its address by the name of its host, such as `server:80`.
    fn name(&self) -> String;
}

/// The number of the network on which a coroutine creates its sockets; see [`Entrance`].
static CURRENT: ContextVar<u64> = ContextVar::new();

thread_local! {
    /// The networks of this thread by number. A context may move to another thread, but a network may not, so a context
    /// holds only the number.
    static NETWORKS: RefCell<HashMap<u64, Rc<dyn Network>>> = RefCell::default();
}

/// Keeps a network enterable while this lives.
#[derive(Debug)]
pub(crate) struct Entrance {
    number: u64,
}

impl Entrance {
    /// Makes `network` enterable on this thread.
    pub(crate) fn new(network: Rc<dyn Network>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);

        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        NETWORKS.with_borrow_mut(|networks| networks.insert(number, network));
        Self { number }
    }

    /// Calls `f`, which creates its sockets on this network, as does every coroutine that it starts.
    pub(crate) fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        Context::current().enter(|| {
            CURRENT.set(self.number);
            f()
        })
    }
}

impl Drop for Entrance {
    fn drop(&mut self) {
        // A thread that is ending has no networks any more. The network is dropped after the borrow.
        let removed = NETWORKS.try_with(|networks| networks.borrow_mut().remove(&self.number));
        drop(removed);
    }
}

/// Returns the number of the current network, which identifies it; `None` for the system's.
#[cfg_attr(not(feature = "http-client-plain"), allow(dead_code))]
pub(crate) fn current_number() -> Option<u64> {
    CURRENT.get()
}

/// Returns the current network; `None` for the system's.
///
/// # Errors
/// If the network is gone, or belongs to another thread.
pub(crate) fn current() -> io::Result<Option<Rc<dyn Network>>> {
    let Some(number) = CURRENT.get() else { return Ok(None) };
    match NETWORKS.with_borrow(|networks| networks.get(&number).cloned()) {
        Some(network) => Ok(Some(network)),
        None => Err(io::Error::other("the network of this coroutine is gone, or belongs to another thread")),
    }
}
