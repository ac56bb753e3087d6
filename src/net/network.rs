//! [`Network`]: the seam between sockets and what carries their bytes.
//!
//! Sockets are made on the current network: the system's, unless a [`Network`] was entered, as the in-memory network
//! of tests is by `net.host(..)`. A network other than the system's behaves as a kernel does. Its sockets do
//! not wait: an operation that cannot be done now fails with [`WouldBlock`](io::ErrorKind::WouldBlock), and when it
//! can, the socket sets the bit of its [`Readiness`]. So all that waits, queues, buffers and shares a turn stands above
//! this seam, and is the same code for both.
//!
//! As a kernel tells of events between system calls, a network sets bits between operations, never within one: from a
//! callback of the loop.

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

/// Something that sockets are made on, in the place of the system.
pub(crate) trait Network {
    /// Binds and listens, at once.
    fn bind(&self, address: &Address) -> io::Result<Box<dyn Acceptor>>;

    /// Begins to connect. The socket gets ready for writing once it is connected or has failed, and then
    /// [`Socket::connected`] says which.
    fn connect(&self, address: SocketAddr) -> io::Result<Box<dyn Socket>>;

    /// Resolves a name to addresses, in the order in which they are to be tried.
    fn resolve(&self, host: &str, port: u16) -> Future<Vec<SocketAddr>>;
}

/// One end of a connection, as its network knows it. No operation waits. Dropping it closes it.
pub(crate) trait Socket {
    /// The socket's readiness, which it sets as bytes arrive and room gets free. It is the same one each time.
    fn readiness(&self) -> &Rc<Readiness>;

    /// Whether connecting has succeeded.
    ///
    /// # Errors
    /// Why it failed; [`WouldBlock`](io::ErrorKind::WouldBlock) while it is under way.
    fn connected(&self) -> io::Result<()>;

    /// Reads what is there into `buffer` and says how much that was: zero at the end.
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes what there is room for, and says how much that was.
    fn write(&self, buffer: &[u8]) -> io::Result<usize>;

    /// Writes what there is room for out of several buffers.
    fn write_vectored(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Closes one direction, or both.
    fn shutdown(&self, how: Shutdown) -> io::Result<()>;

    fn local_addr(&self) -> io::Result<SocketAddr>;

    fn peer_addr(&self) -> io::Result<SocketAddr>;

    /// The other end by the name of its host, as `server:80`.
    fn peer_name(&self) -> String;

    /// What `SO_LINGER` says: with `Some(Duration::ZERO)` closing the socket resets the connection.
    fn set_linger(&self, linger: Option<Duration>) -> io::Result<()>;
}

/// A listening socket, as its network knows it. Dropping it closes it.
pub(crate) trait Acceptor {
    /// Its readiness: `READ` is set as connections arrive. It is the same one each time.
    fn readiness(&self) -> &Rc<Readiness>;

    /// Takes the next connection out of the backlog.
    fn accept(&self) -> io::Result<(Box<dyn Socket>, SocketAddr)>;

    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// Its address by the name of its host, as `server:80`.
    fn name(&self) -> String;
}

/// The number of the network on which a coroutine makes its sockets; see [`Entrance`].
static CURRENT: ContextVar<u64> = ContextVar::new();

thread_local! {
    /// A context may go to another thread, a network may not: so the context holds only the network's number.
    static NETWORKS: RefCell<HashMap<u64, Rc<dyn Network>>> = RefCell::default();
}

/// The way onto a network, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Entrance {
    number: u64,
}

impl Entrance {
    /// Makes `network` one that can be entered on this thread.
    pub(crate) fn new(network: Rc<dyn Network>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);

        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        NETWORKS.with_borrow_mut(|networks| networks.insert(number, network));
        Self { number }
    }

    /// Calls `f`. What it calls, and every coroutine that it starts, makes its sockets on this network.
    pub(crate) fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        Context::current().enter(|| {
            CURRENT.set(self.number);
            f()
        })
    }
}

impl Drop for Entrance {
    fn drop(&mut self) {
        // A thread that is ending has no networks any more. The network is dropped outside of the borrow.
        let removed = NETWORKS.try_with(|networks| networks.borrow_mut().remove(&self.number));
        drop(removed);
    }
}

/// The number of the network on which sockets are made now, by which two can be told apart; `None`: the system's.
#[cfg_attr(not(feature = "http-client-plain"), allow(dead_code))]
pub(crate) fn current_number() -> Option<u64> {
    CURRENT.get()
}

/// The network on which sockets are made now; `None`: the system's.
///
/// # Errors
/// If it is gone, or belongs to another thread.
pub(crate) fn current() -> io::Result<Option<Rc<dyn Network>>> {
    let Some(number) = CURRENT.get() else { return Ok(None) };
    match NETWORKS.with_borrow(|networks| networks.get(&number).cloned()) {
        Some(network) => Ok(Some(network)),
        None => Err(io::Error::other("the network of this coroutine is gone, or belongs to another thread")),
    }
}
