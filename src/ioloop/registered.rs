//! [`Registered`]: a socket or descriptor that is removed from the poller before it closes.

use std::cell::Cell;
use std::io;
use std::sync::Arc;

use log::Level;
use polling::{AsSource, Event, Poller};
use squall_runner::log;

use super::wakeup::Wakeup;

/// A socket or descriptor that is registered with the poller from [`add`](Self::add) until [`delete`](Self::delete), or
/// until it is dropped.
///
/// Invariant: the poller has forgotten `io` when `io` is dropped. `io` is private, and is never replaced or moved out;
/// `Drop` deletes it first.
pub(crate) struct Registered<S: AsSource> {
    io: S,
    wakeup: Arc<Wakeup>,
    known: Cell<bool>,
}

/// How often the poller reports an event.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mode {
    /// At each change in either direction. Where the poller cannot do that, once after each [`Registered::rearm`].
    Edge,
    /// Once after each [`Registered::watch`].
    #[cfg(unix)]
    Once,
}

impl<S: AsSource> Registered<S> {
    pub(super) fn new(io: S, wakeup: &Arc<Wakeup>) -> Self {
        Self { io, wakeup: wakeup.clone(), known: Cell::new(false) }
    }

    pub(crate) fn io(&self) -> &S {
        &self.io
    }

    #[cfg(unix)]
    pub(super) fn is_known(&self) -> bool {
        self.known.get()
    }

    /// Registers `io` with the poller under `key`, if it is not registered yet.
    pub(super) fn add(&self, key: usize, mode: Mode) -> io::Result<()> {
        if !self.known.get() {
            self.add_to(self.wakeup.poller()?, key, mode)?;
            self.known.set(true);
        }
        Ok(())
    }

    /// Calls epoll directly, which is safe, to ask for `RDHUP`. `polling` does not ask for it, and without it a short
    /// read cannot be told from the end of the stream.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn add_to(&self, poller: &Poller, key: usize, mode: Mode) -> io::Result<()> {
        use rustix::event::epoll::{add, EventData, EventFlags};

        let flags = match mode {
            Mode::Edge => EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET,
            Mode::Once => EventFlags::ONESHOT,
        };
        add(poller, self.io.source(), EventData::new_u64(key as u64), flags).map_err(io::Error::from)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    #[allow(unsafe_code)]
    fn add_to(&self, poller: &Poller, key: usize, mode: Mode) -> io::Result<()> {
        use polling::PollMode;

        let (event, mode) = match mode {
            Mode::Edge if poller.supports_edge() => (Event::all(key), PollMode::Edge),
            Mode::Edge => (Event::all(key), PollMode::Oneshot),
            #[cfg(unix)]
            Mode::Once => (Event::none(key), PollMode::Oneshot),
        };
        // SAFETY: `add_with_mode` asks that the source be deleted from the poller before it is dropped. The source is
        // `self.io`, which `Drop` deletes before it is dropped; see the invariant of the type. If `self` is leaked, so
        // is `io`, which stays open then. The poller is not dropped before, since `self.wakeup` holds it. `S` is always
        // a type of this crate or of std, whose descriptor stays the same for its whole life.
        unsafe { poller.add_with_mode(&self.io.source(), event, mode) }
    }

    /// Asks for one report of the next of these events, after [`Mode::Once`].
    #[cfg(unix)]
    pub(super) fn watch(&self, event: Event) -> io::Result<()> {
        self.wakeup.poller()?.modify(&self.io, event)
    }

    /// Asks for further reports in both directions, after [`Mode::Edge`], where the poller reports each only once.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(super) fn rearm(&self, key: usize) -> io::Result<()> {
        match self.wakeup.poller()? {
            poller if poller.supports_edge() => Ok(()),
            poller => poller.modify(&self.io, Event::all(key)),
        }
    }

    /// Does nothing: epoll reports each change after [`Mode::Edge`].
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[inline]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps)]
    pub(super) fn rearm(&self, _key: usize) -> io::Result<()> {
        Ok(())
    }

    /// Removes `io` from the poller.
    pub(super) fn delete(&self) -> io::Result<()> {
        match self.known.take() {
            true => self.wakeup.poller()?.delete(&self.io),
            false => Ok(()),
        }
    }
}

impl<S: AsSource> Drop for Registered<S> {
    fn drop(&mut self) {
        if let Err(error) = self.delete() {
            log(Level::Error, "squall::ioloop", format_args!("a descriptor could not be forgotten: {error}"));
        }
    }
}
