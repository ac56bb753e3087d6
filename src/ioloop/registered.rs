//! [`Registered`]: something that the poller watches for exactly as long as this owns it.

use std::io;
use std::sync::Arc;

use log::Level;
use polling::{AsSource, Event, Poller};
use squall_runner::log;

use super::handle::Wakeup;

/// A socket or descriptor that the poller knows, until this is dropped.
///
/// Invariant: the poller forgets `io` before `io` is dropped. `io` is private, is never replaced or moved out, and
/// `Drop` deletes it first.
pub(crate) struct Registered<S: AsSource> {
    io: S,
    wakeup: Arc<Wakeup>,
}

impl<S: AsSource> Registered<S> {
    /// Registers `io` under `key`, edge-triggered, for reading and writing, for its whole life.
    pub(super) fn new(io: S, wakeup: &Arc<Wakeup>, key: usize) -> io::Result<Self> {
        add(wakeup.poller()?, &io, key)?;
        Ok(Self { io, wakeup: wakeup.clone() })
    }

    pub(crate) fn io(&self) -> &S {
        &self.io
    }

    /// Asks again to be told of both directions, where the poller tells of each only once.
    pub(super) fn rearm(&self, key: usize) -> io::Result<()> {
        match self.wakeup.poller()? {
            poller if poller.supports_edge() => Ok(()),
            poller => poller.modify(&self.io, Event::all(key)),
        }
    }
}

impl<S: AsSource> Drop for Registered<S> {
    fn drop(&mut self) {
        let deleted = self.wakeup.poller().and_then(|poller| poller.delete(&self.io));
        if let Err(error) = deleted {
            log(Level::Error, "squall::ioloop", format_args!("a descriptor could not be forgotten: {error}"));
        }
    }
}

/// Makes `io` known to the poller.
///
/// epoll's own call is safe, saves a later one, and can ask for `RDHUP`, of which `polling` does not know: without it a
/// short read could not be told from the end of the stream.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn add(poller: &Poller, io: &impl AsSource, key: usize) -> io::Result<()> {
    use rustix::event::epoll::{self, EventData, EventFlags};

    let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
    epoll::add(poller, io.source(), EventData::new_u64(key as u64), flags).map_err(io::Error::from)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[allow(unsafe_code)]
fn add(poller: &Poller, io: &impl AsSource, key: usize) -> io::Result<()> {
    use polling::PollMode;

    let mode = if poller.supports_edge() { PollMode::Edge } else { PollMode::Oneshot };
    // SAFETY: `add_with_mode` asks that the source be deleted from the poller before it is dropped. The only caller
    // moves `io` into a `Registered`, whose `Drop` deletes it; see the invariant there. If a `Registered` is leaked,
    // so is its `io`, which then stays open.
    unsafe { poller.add_with_mode(io, Event::all(key), mode) }
}
