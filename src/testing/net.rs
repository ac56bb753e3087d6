//! A network in a test: no sockets, virtual time, every order. The [`guide`] shows all of it.
//!
//! ```
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

use squall_runner::{convert_yielded, Future, Yieldable};

use crate::ioloop::IoLoop;
use crate::net::network::Entrance;

use interface::Interface;
use link::State;
use network::{Host, Network};

pub use link::{Link, Split};

/// Returns the network of the current loop: in a `#[squall::test]` or with a [`TestLoop`](super::TestLoop), that of the
/// test. It ends with the loop.
///
/// The [module](mod@self) has an example.
pub fn net() -> Net {
    let io_loop = IoLoop::current();
    Net { network: io_loop.singleton(|| Rc::new(Network::new(&io_loop))) }
}

/// A network of hosts that are known by their names, in memory. A handle: clones mean the same network.
///
/// What a host runs makes its sockets on the network: the listeners and streams of [`squall::net`](crate::net), and all
/// that is built on them. Whatever is sent arrives by a timer of the loop, after the latency of the [link](Self::link):
/// on a virtual clock that takes no real time, and [`explore`](super::explore) tries every order in which what is sent
/// on different connections, and in different directions, may arrive.
#[derive(Clone)]
pub struct Net {
    network: Rc<Network>,
}

impl Net {
    /// Calls `f` on the host of that name, which is there from then on. What `f` calls, and every coroutine that it
    /// starts, runs on that host: it listens at the host's addresses, and connects from there.
    ///
    /// A native coroutine is started by the one that awaits, yields or spawns it, not by the call that makes it: use
    /// [`spawn`](Self::spawn) for it.
    ///
    /// ```
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
    /// If the name is an address, is empty, or has a colon or a comma.
    #[track_caller]
    pub fn host<R>(&self, name: &str, f: impl FnOnce() -> R) -> R {
        let host = self.get(name);
        let enter = || Entrance::new(Interface::new(&self.network, host.id));
        host.entrance.get_or_init(enter).enter(f)
    }

    /// Calls `f` on the host of that name, and drives what it returns there: a coroutine of either style, or
    /// anything else that can be yielded.
    ///
    /// ```
    /// use squall::net::{TcpListener, TcpStream};
    /// use squall::{testing, Result};
    ///
    /// #[squall::test]
    /// async fn connects() -> Result<()> {
    ///     let net = testing::net();
    ///     let listener = net.host("server", || TcpListener::bind("server:80"))?;
    ///     let client = net.spawn("client", || async { Result::Ok(TcpStream::connect("server:80").await?) });
    ///     let (_, peer) = listener.accept().await?;
    ///     assert_eq!(client.await?.local_addr()?, peer);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Panics
    /// As [`host`](Self::host).
    #[track_caller]
    pub fn spawn<M, Y: Yieldable<M>>(&self, name: &str, f: impl FnOnce() -> Y) -> Future<Y::Output> {
        self.host(name, || convert_yielded(f()).unwrap_or_else(Future::failed))
    }

    /// Returns the address of a host. The first host has 10.0.0.1, the second 10.0.0.2.
    ///
    /// # Panics
    /// As [`host`](Self::host).
    #[track_caller]
    pub fn ip(&self, name: &str) -> IpAddr {
        self.get(name).ip
    }

    /// Returns the link between two hosts, to set its properties. A host also has a link to itself.
    ///
    /// # Panics
    /// As [`host`](Self::host).
    #[track_caller]
    pub fn link(&self, one: &str, other: &str) -> Link {
        Link::new(self.network.wire(self.get(one).id, self.get(other).id))
    }

    /// Cuts the link between two hosts: nothing arrives any more, what is under way included. Both hosts see what they
    /// would see of a broken cable: nothing. They send again what is not answered, after 200 ms, then after twice that
    /// time, and so on. An attempt to connect fails after 127 seconds, a connection on which something was sent after
    /// 15 minutes; one on which nothing is sent waits for ever.
    ///
    /// ```
    /// use std::{io::ErrorKind, time::Duration};
    /// use squall::{net::TcpStream, testing, Exception, IoLoop, Result};
    ///
    /// #[squall::test]
    /// fn nobody_answers() -> Result<()> {
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
    /// As [`host`](Self::host).
    #[track_caller]
    pub fn cut(&self, one: &str, other: &str) {
        self.set_state(one, other, State::Cut);
    }

    /// Cuts the link between two hosts as [`cut`](Self::cut) does, and has attempts to connect fail with
    /// [`HostUnreachable`](std::io::ErrorKind::HostUnreachable): a router on the way knows that it is cut.
    ///
    /// # Panics
    /// As [`host`](Self::host).
    #[track_caller]
    pub fn unreachable(&self, one: &str, other: &str) {
        self.set_state(one, other, State::Unreachable);
    }

    /// Mends the link between two hosts. What was lost arrives after it is sent the next time, which may take as long
    /// as it was cut.
    ///
    /// # Panics
    /// As [`host`](Self::host).
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
