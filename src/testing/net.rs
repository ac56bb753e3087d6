//! A network for tests: no sockets, virtual time, every order of deliveries. The [`guide`] shows all of it.
//!
//! ```test_harness
//! use std::time::Duration;
//! use squall::net::{TcpListener, TcpStream};
//! use squall::{testing, IoLoop, Result};
//!
//! #[squall::coroutine]
//! fn serve() -> Result<()> {
//!     let listener = TcpListener::bind("server:80")?;
//!     let (stream, _) = yield_!(listener.accept())?;
//!     let question = yield_!(stream.read_until("\n", 100))?;
//!     yield_!(stream.write_all(question))
//! }
//!
//! #[squall::coroutine]
//! fn ask() -> Result<Option<String>> {
//!     let stream = yield_!(TcpStream::connect("server:80"))?;
//!     yield_!(stream.write_all("hello\n"))?;
//!     yield_!(stream.lines().next_line())
//! }
//!
//! #[squall::test]
//! fn it_echoes() -> Result<()> {
//!     let net = testing::net();
//!     net.link("client", "server").latency(Duration::from_millis(40));
//!     let served = net.host("server", serve);
//!     assert_eq!(yield_!(net.host("client", ask))?.as_deref(), Some("hello"));
//!     assert_eq!(IoLoop::current().time(), Duration::from_millis(160));      // two round trips
//!     yield_!(served)
//! }
//! ```

/// A guide to the in-memory network: hosts, links that are slow or fail, servers in virtual time, and every order.
///
#[cfg(all(feature = "macros", feature = "trace"))]
#[doc = include_str!("../../docs/test-network.md")]
pub mod guide {}

mod connection;
mod errno;
mod interface;
mod link;
mod listener;
mod network;
mod pipe;

use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use squall_runner::{convert_yielded, Future, Yieldable};

use crate::ioloop::IoLoop;
use crate::net::network::Entrance;

use interface::Interface;
use link::State;
use network::{Host, Network};

pub use link::{Link, Split};

/// Returns the network of the current loop: in a `#[squall::test]` or with a [`TestLoop`](super::TestLoop), the network
/// of the test. It ends with the loop.
///
/// The [module](mod@self) has an example.
pub fn net() -> Net {
    let io_loop = IoLoop::current();
    Net { network: io_loop.singleton(|| Rc::new(Network::new(&io_loop))) }
}

/// An in-memory network of hosts that have names.
///
/// A `Net` is a handle: clones refer to the same network. Code that runs on a host creates its sockets on the network:
/// the listeners and streams of [`squall::net`](crate::net), and everything built on them. Bytes arrive by a timer of
/// the loop, after the latency of the [link](Self::link). On a virtual clock that takes no real time, and
/// [`explore`](super::explore) tries every order in which bytes of different connections, and of different directions,
/// may arrive.
#[derive(Clone)]
pub struct Net {
    network: Rc<Network>,
}

impl Net {
    /// Calls `f` on the host `name`, which is created if it does not exist. Everything that `f` calls, and every
    /// coroutine that it starts, runs on that host: it listens at the host's addresses, and connects from there.
    ///
    /// A native coroutine is started where it is awaited, yielded or spawned, and not by the call that creates it: use
    /// [`spawn`](Self::spawn) for one.
    ///
    /// ```test_harness
    /// use squall::{net::TcpListener, testing, Result};
    ///
    /// #[squall::test]
    /// fn two_hosts_listen_on_the_same_port() -> Result<()> {
    ///     let net = testing::net();
    ///     let one = net.host("one", || TcpListener::bind("one:80"))?;
    ///     let other = net.host("other", || TcpListener::bind("0.0.0.0:80"))?;
    ///     drop((one, other));
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Panics
    /// Panics if the name is an address, is empty, or contains a colon or a comma.
    #[track_caller]
    pub fn host<R>(&self, name: &str, f: impl FnOnce() -> R) -> R {
        let host = self.get(name);
        let enter = || Entrance::new(Interface::new(&self.network, host.id));
        host.entrance.get_or_init(enter).enter(f)
    }

    /// Calls `f` on the host `name`, and runs what it returns there: a coroutine, yield-style or native, or anything
    /// else that can be yielded.
    ///
    /// ```test_harness
    /// use squall::net::{TcpListener, TcpStream};
    /// use squall::{testing, Result};
    ///
    /// #[squall::test]
    /// async fn connects() -> Result<()> {
    ///     let net = testing::net();
    ///     let listener = net.host("server", || TcpListener::bind("server:80"))?;
    ///     let client = net.spawn("client", || TcpStream::connect("server:80"));
    ///     let (_, peer) = listener.accept().await?;
    ///     assert_eq!(client.await?.local_addr()?, peer);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Panics
    /// Panics like [`host`](Self::host).
    #[track_caller]
    pub fn spawn<M, Y: Yieldable<M>>(&self, name: &str, f: impl FnOnce() -> Y) -> Future<Y::Output> {
        self.host(name, || convert_yielded(f()).unwrap_or_else(Future::failed))
    }

    /// Returns the address of a host: 10.0.0.1 for the first host, 10.0.0.2 for the second.
    ///
    /// # Panics
    /// Panics like [`host`](Self::host).
    #[track_caller]
    pub fn ip(&self, name: &str) -> IpAddr {
        self.get(name).ip
    }

    /// Sets how long it takes to resolve the name of a host. Names are resolved at once by default.
    ///
    /// ```test_harness
    /// use std::time::Duration;
    /// use squall::{net::lookup_host, testing, IoLoop, Result};
    ///
    /// #[squall::test]
    /// fn a_slow_name_server() -> Result<()> {
    ///     let net = testing::net();
    ///     net.lookup_time("server", Duration::from_secs(3));
    ///     let addresses = yield_!(net.host("client", || lookup_host("server:80")))?;
    ///     assert_eq!(addresses[0].ip(), net.ip("server"));
    ///     assert_eq!(IoLoop::current().time(), Duration::from_secs(3));
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Panics
    /// Panics like [`host`](Self::host).
    #[track_caller]
    pub fn lookup_time(&self, name: &str, time: Duration) {
        self.get(name).lookup.set(time);
    }

    /// Returns the link between two hosts, to set its properties. A host also has a link to itself.
    ///
    /// # Panics
    /// Panics like [`host`](Self::host).
    #[track_caller]
    pub fn link(&self, one: &str, other: &str) -> Link {
        Link::new(self.network.wire(self.get(one).id, self.get(other).id))
    }

    /// Cuts the link between two hosts: nothing arrives any more, not even what is under way. Both hosts see what they
    /// would see of a broken cable: nothing. They repeat what is not acknowledged after 200 ms, then after twice that
    /// time, and so on. An attempt to connect fails after 127 seconds; a connection on which something was sent, after
    /// 15 minutes. A connection on which nothing is sent waits for ever.
    ///
    /// ```test_harness
    /// use std::{io::ErrorKind, time::Duration};
    /// use squall::{net::TcpStream, testing, Exception, IoLoop, Result};
    ///
    /// #[squall::test]
    /// fn nothing_answers() -> Result<()> {
    ///     let net = testing::net();
    ///     net.cut("client", "server");
    ///     let e = yield_!(net.host("client", || TcpStream::connect("server:80"))).unwrap_err();
    ///     assert_eq!(e.downcast_ref().map(std::io::Error::kind), Some(ErrorKind::TimedOut));
    ///     assert_eq!(IoLoop::current().time(), Duration::from_secs(127));
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Panics
    /// Panics like [`host`](Self::host).
    #[track_caller]
    pub fn cut(&self, one: &str, other: &str) {
        self.set_state(one, other, State::Cut);
    }

    /// Cuts the link between two hosts like [`cut`](Self::cut), but attempts to connect fail with
    /// [`HostUnreachable`](std::io::ErrorKind::HostUnreachable), as if a router on the way knew of the cut.
    ///
    /// # Panics
    /// Panics like [`host`](Self::host).
    #[track_caller]
    pub fn unreachable(&self, one: &str, other: &str) {
        self.set_state(one, other, State::Unreachable);
    }

    /// Repairs the link between two hosts. What was lost arrives after it is next repeated, which may take as long
    /// again as the link was cut.
    ///
    /// # Panics
    /// Panics like [`host`](Self::host).
    #[track_caller]
    pub fn heal(&self, one: &str, other: &str) {
        self.set_state(one, other, State::Up);
    }

    #[track_caller]
    fn set_state(&self, one: &str, other: &str, state: State) {
        self.network.wire(self.get(one).id, self.get(other).id).set_state(state);
    }

    #[track_caller]
    fn get(&self, name: &str) -> Rc<Host> {
        let is_name = !name.is_empty() && !name.contains([':', ',', '[', ']']);
        assert!(
            is_name && name.parse::<IpAddr>().is_err(),
            "{name:?} is not the name of a host: a name such as \"server\" stands before the colon of an address"
        );
        self.network.host(name)
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net").field("hosts", &self.network.names()).finish()
    }
}
