//! [`Link`]: how bytes travel between two hosts.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// How many bytes each end of a connection buffers in each direction by default.
const BUFFER: usize = 64 * 1024;

/// The largest packet over a link with limited bandwidth, in bytes: that of an Ethernet.
const PACKET: usize = 1460;

/// How reads divide the bytes that have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Split {
    /// A read returns everything that has arrived, as much as its buffer holds.
    #[default]
    Merged,
    /// A read returns the bytes of one write, or the part of them that arrived together.
    AsWritten,
    /// A read returns at most this many bytes.
    AtMost(usize),
}

/// The condition of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum State {
    #[default]
    Up,
    /// Packets are lost without notice.
    Cut,
    /// Packets are lost, and attempts to connect are told so.
    Unreachable,
}

/// The link between two hosts, with equal properties in both directions. [`Net::link`](super::Net::link) returns it.
///
/// Without any setting, bytes take no time, in any amount. A setting applies from then on; what is under way is not
/// changed.
///
/// ```test_harness
/// use std::time::Duration;
/// use squall::net::{TcpListener, TcpStream};
/// use squall::{testing, IoLoop, Result};
///
/// #[squall::coroutine]
/// fn hello() -> Result<()> {
///     let listener = TcpListener::bind("server:80")?;
///     let client = testing::net().host("client", || TcpStream::connect("server:80"));
///     let (stream, _) = yield_!(listener.accept())?;
///     yield_!(stream.write_all(vec![0; 1000]))?;
///     yield_!(yield_!(client)?.read_exact(1000))?;
///     Ok(())
/// }
///
/// #[squall::test]
/// fn a_slow_link() -> Result<()> {
///     let net = testing::net();
///     net.link("client", "server").latency(Duration::from_millis(40)).bandwidth(10_000);
///     yield_!(net.host("server", hello))?;
///     // 80 ms to connect and 40 ms for the bytes, which take 100 ms to send.
///     assert_eq!(IoLoop::current().time(), Duration::from_millis(180));
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Link {
    wire: Rc<Wire>,
}

impl Link {
    pub(super) fn new(wire: Rc<Wire>) -> Self {
        Self { wire }
    }

    /// Sets how long each byte takes, in each direction. A connection is made after twice that time.
    #[allow(clippy::return_self_not_must_use)]
    pub fn latency(self, latency: Duration) -> Self {
        self.wire.latency.set(latency);
        self
    }

    /// Sets how many bytes per second the link carries in each direction. All connections share the bandwidth: bytes
    /// that are sent first arrive first.
    ///
    /// # Panics
    /// Panics if it is zero: use [`Net::cut`](super::Net::cut) to let nothing through.
    #[track_caller]
    #[allow(clippy::return_self_not_must_use)]
    pub fn bandwidth(self, bytes_per_second: u64) -> Self {
        assert!(bytes_per_second > 0, "a link without bandwidth is cut: say so by `net.cut(a, b)`");
        self.wire.bandwidth.set(Some(bytes_per_second));
        self
    }

    /// Sets how many bytes each end of a connection buffers in each direction: written bytes that have not arrived, and
    /// arrived bytes that were not read. 64 KiB by default. When both buffers are full, writes wait.
    ///
    /// # Panics
    /// Panics if it is zero.
    #[track_caller]
    #[allow(clippy::return_self_not_must_use)]
    pub fn buffer(self, bytes: usize) -> Self {
        assert!(bytes > 0, "a connection without a buffer carries nothing");
        self.wire.buffer.set(bytes);
        self
    }

    /// Sets how reads divide the bytes that have arrived.
    ///
    /// # Panics
    /// Panics if it is `Split::AtMost(0)`.
    #[track_caller]
    #[allow(clippy::return_self_not_must_use)]
    pub fn reads(self, split: Split) -> Self {
        assert!(split != Split::AtMost(0), "a read of no bytes would be the end of the stream");
        self.wire.split.set(split);
        self
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wire = &*self.wire;
        f.debug_struct("Link")
            .field("state", &wire.state.get())
            .field("latency", &wire.latency.get())
            .field("bandwidth", &wire.bandwidth.get())
            .field("buffer", &wire.buffer.get())
            .field("reads", &wire.split.get())
            .finish()
    }
}

/// The cable between two hosts.
pub(super) struct Wire {
    state: Cell<State>,
    latency: Cell<Duration>,
    /// In bytes per second; `None` for no limit.
    bandwidth: Cell<Option<u64>>,
    buffer: Cell<usize>,
    split: Cell<Split>,
    /// When everything sent in each direction has left its host.
    free: [Cell<Duration>; 2],
}

impl Default for Wire {
    fn default() -> Self {
        Self {
            state: Cell::default(),
            latency: Cell::default(),
            bandwidth: Cell::default(),
            buffer: Cell::new(BUFFER),
            split: Cell::default(),
            free: Default::default(),
        }
    }
}

impl Wire {
    pub(super) fn set_state(&self, state: State) {
        self.state.set(state);
    }

    pub(super) fn state(&self) -> State {
        self.state.get()
    }

    pub(super) fn latency(&self) -> Duration {
        self.latency.get()
    }

    pub(super) fn buffer(&self) -> usize {
        self.buffer.get()
    }

    pub(super) fn split(&self) -> Split {
        self.split.get()
    }

    /// Returns the size of the largest packet, in bytes.
    pub(super) fn packet(&self) -> usize {
        if self.bandwidth.get().is_some() {
            PACKET
        } else {
            usize::MAX
        }
    }

    /// Sends `len` bytes that are ready in one direction, and returns when they arrive.
    pub(super) fn carry(&self, direction: usize, ready: Duration, len: usize) -> Duration {
        let free = &self.free[direction];
        if let Some(bandwidth) = self.bandwidth.get() {
            let nanoseconds = len as u128 * 1_000_000_000 / u128::from(bandwidth);
            let takes = Duration::from_nanos(nanoseconds.try_into().unwrap_or(u64::MAX));
            free.set(free.get().max(ready).saturating_add(takes));
        } else {
            free.set(free.get().max(ready));
        }
        free.get().saturating_add(self.latency.get())
    }
}
