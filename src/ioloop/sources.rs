//! [`Sources`]: the sockets that a loop watches. Each is registered with the poller once, for its whole life.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use polling::{AsSource, Events};
use slab::Slab;
use squall_runner::ready::{Callback, ReadyQueue};

use super::handle::Wakeup;
use super::readiness::{Budget, Readiness, Watched, CLOSED, READ, WRITE};
use super::registered::{Mode, Registered};
use super::wait::Seen;
use super::IoLoop;

/// Separates the keys of sockets from those of handlers, which are descriptor numbers, and from the poller's own, which
/// has all bits set.
const SOURCE: usize = 1 << (usize::BITS - 2);

/// The sockets of one loop.
pub(crate) struct Sources {
    /// The readiness of each socket, at the socket's key.
    table: RefCell<Slab<Rc<Readiness>>>,
    wakeup: Arc<Wakeup>,
    ready: Rc<ReadyQueue>,
    closed: Cell<bool>,
    /// The key at which a socket with a waiter was found last. The next search begins there.
    waited: Cell<usize>,
    pub(super) budget: Budget,
    /// `true` if the log already says that a virtual clock stands still because of these sockets.
    pub(super) stood_still: Cell<bool>,
}

impl Sources {
    pub(super) fn new(wakeup: Arc<Wakeup>, ready: Rc<ReadyQueue>) -> Rc<Self> {
        let (table, closed, waited) = (RefCell::default(), Cell::new(false), Cell::new(0));
        let (budget, stood_still) = (Budget::default(), Cell::new(false));
        Rc::new(Self { table, wakeup, ready, closed, waited, budget, stood_still })
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.table.borrow().is_empty()
    }

    /// Returns whether the loop has ended, so that operations are not attempted.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Calls a callback in the next turn of the loop.
    pub(crate) fn call_soon(&self, callback: Callback) {
        if !self.is_closed() {
            self.ready.push(callback);
        }
    }

    /// Updates the readiness of the sockets that the poller reported.
    pub(super) fn take_in(&self, events: &Events, seen: &[Seen]) {
        for seen in seen {
            self.see(seen);
        }
        for event in events.iter() {
            // Without `RDHUP`, any socket that can be read from may be at its end.
            let closed = event.readable || event.is_interrupt();
            self.see(&Seen { key: event.key, read: event.readable, write: event.writable, closed });
        }
    }

    fn see(&self, seen: &Seen) {
        if seen.key & SOURCE == 0 {
            return;
        }
        let readiness = self.table.borrow().get(seen.key & !SOURCE).cloned();
        if let Some(readiness) = readiness {
            let bit = |is: bool, bit: u8| if is { bit } else { 0 };
            readiness.set(bit(seen.read, READ) | bit(seen.write, WRITE) | bit(seen.closed, CLOSED));
        }
    }

    /// Returns whether something waits for one of the sockets.
    pub(super) fn are_waited_for(&self) -> bool {
        self.waited_for().is_some()
    }

    /// Returns a description of what is waited for at one of the sockets, or `None` if nothing waits for any.
    pub(super) fn waits(&self) -> Option<String> {
        self.waited_for().map(|owner| owner.describe())
    }

    fn waited_for(&self) -> Option<Rc<dyn Watched>> {
        let table = self.table.borrow();
        let waited = |readiness: &Rc<Readiness>| readiness.owner().filter(|owner| owner.is_waited_for());
        if let Some(found) = table.get(self.waited.get()).and_then(waited) {
            return Some(found);
        }
        let (key, found) = table.iter().find_map(|(key, readiness)| Some((key, waited(readiness)?)))?;
        self.waited.set(key);
        Some(found)
    }

    /// Abandons every wait, since the loop ends. A socket stays open until its owner is dropped.
    pub(super) fn close(&self) {
        self.closed.set(true);
        let left = self.table.take();
        left.iter().filter_map(|(_, readiness)| readiness.owner()).for_each(|owner| owner.abandon());
    }
}

/// A socket that its loop watches until this is dropped.
pub(crate) struct Source<S: AsSource> {
    registered: Registered<S>,
    readiness: Rc<Readiness>,
    key: usize,
}

impl<S: AsSource> Source<S> {
    /// Registers a non-blocking socket with the current loop.
    ///
    /// `bits` are the operations that may be tried before the poller has reported anything.
    pub(crate) fn new(io: S, bits: u8) -> io::Result<Self> {
        let sources = IoLoop::current().sources().clone();
        if sources.is_closed() {
            return Err(io::Error::other("the IoLoop is closed"));
        }
        let readiness = Readiness::on(sources.clone(), bits);
        let key = sources.table.borrow_mut().insert(readiness.clone());
        // If registering it fails, dropping it removes it from the table.
        let source = Self { registered: Registered::new(io, &sources.wakeup), readiness, key };
        source.registered.add(key | SOURCE, Mode::Edge)?;
        Ok(source)
    }

    pub(crate) fn io(&self) -> &S {
        self.registered.io()
    }

    pub(crate) fn readiness(&self) -> &Rc<Readiness> {
        &self.readiness
    }

    /// Asks the poller for further reports in both directions, where it reports each only once.
    pub(crate) fn rearm(&self) -> io::Result<()> {
        self.registered.rearm(self.key | SOURCE)
    }
}

impl<S: AsSource> Drop for Source<S> {
    fn drop(&mut self) {
        // Finds nothing if the loop has ended, which empties the table.
        let removed = self.readiness.sources().table.borrow_mut().try_remove(self.key);
        drop(removed);
    }
}

impl IoLoop {
    pub(super) fn sources(&self) -> &Rc<Sources> {
        &self.inner.sources
    }
}
