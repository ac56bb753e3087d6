//! [`Readiness`]: the operations for which a socket is ready, and its share of a turn. [`Sources`]: the sockets of one
//! loop, with the readiness of each.
//!
//! The poller sets the bits right after the loop's wait; the in-memory network of tests sets them where data arrives.
//! An operation is tried only while its bit is set, and clears the bit when the socket says that it would block. So a
//! socket that is not ready costs no system call.

use std::cell::{Cell, OnceCell, RefCell};
use std::io;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use slab::Slab;
use squall_runner::ready::{Callback, ReadyQueue};

use super::budget::Budget;
use super::wait::{Seen, Wait};
use super::wakeup::Wakeup;

/// The socket can be read from, or has a connection to accept.
pub(crate) const READ: u8 = 1;
/// The socket can be written to without blocking.
pub(crate) const WRITE: u8 = 2;
/// The other end sends no more, or the socket has an error. Then a short read does not mean that nothing is left.
pub(crate) const CLOSED: u8 = 4;

/// How many operations each socket may do in one turn, independent of the others.
const SHARE: u8 = 4;

/// How many operations one socket may do in one turn while the common budget lasts.
const MOST: u8 = 16;

/// The owner of a socket, which the loop notifies when the socket becomes ready.
pub(crate) trait Watched {
    /// Does what waits for `bits`. The loop calls this right after its wait: it resolves Futures and wakes tasks, which
    /// puts them on the ready queue, and resumes no coroutine itself.
    fn ready(self: Rc<Self>, bits: u8);

    /// Returns whether a coroutine or task waits for the socket.
    fn is_waited_for(&self) -> bool;

    /// Returns a description of what is waited for.
    fn describe(&self) -> String;

    /// Drops what is waiting, since the loop ends.
    fn abandon(&self);
}

/// The outcome of an attempt at an operation.
pub(crate) enum Tried<R> {
    /// The socket's result.
    Done(io::Result<R>),
    /// The socket is not ready; its owner is notified when it is.
    Blocked,
    /// The turn's budget is used up: try again in the next turn.
    Later,
}

/// The readiness of one socket.
pub(crate) struct Readiness {
    bits: Cell<u8>,
    /// The turn in which `used` was counted.
    turn: Cell<u32>,
    /// How many operations the socket did in that turn.
    used: Cell<u8>,
    owner: OnceCell<Weak<dyn Watched>>,
    /// The sockets of the loop on which this one was created.
    sources: Rc<Sources>,
}

impl Readiness {
    pub(super) fn on(sources: Rc<Sources>, bits: u8) -> Rc<Self> {
        let (turn, used) = (Cell::new(0), Cell::new(0));
        Rc::new(Self { bits: Cell::new(bits), turn, used, owner: OnceCell::new(), sources })
    }

    /// Sets the owner that is notified of changes. Only the first call has an effect.
    pub(crate) fn own(&self, owner: Weak<dyn Watched>) {
        drop(self.owner.set(owner));
    }

    #[inline]
    pub(super) fn owner(&self) -> Option<Rc<dyn Watched>> {
        self.owner.get().and_then(Weak::upgrade)
    }

    /// Returns whether something waits for the socket.
    #[inline]
    pub(super) fn is_waited_for(&self) -> bool {
        self.owner().is_some_and(|owner| owner.is_waited_for())
    }

    /// Returns the sockets of the loop to which this one belongs.
    pub(crate) fn sources(&self) -> &Rc<Sources> {
        &self.sources
    }

    /// Sets bits, and makes the owner do what waited for them.
    pub(crate) fn set(&self, bits: u8) {
        if let Some(owner) = self.add(bits) {
            owner.ready(bits);
        }
    }

    /// Sets bits, and returns the owner, which is to do what waited for them.
    #[inline]
    pub(super) fn add(&self, bits: u8) -> Option<Rc<dyn Watched>> {
        self.bits.set(self.bits.get() | bits);
        self.owner()
    }

    /// Returns whether an operation in the direction `bit` would be tried, or fails.
    #[cfg(feature = "http-client-plain")]
    pub(crate) fn is_set(&self, bit: u8) -> bool {
        self.bits.get() & bit != 0 || self.sources.is_closed()
    }

    /// Clears [`READ`] after a read that returned less than it asked for. Keeps it if the other end is closed: the end
    /// of the stream is then still to be read, and no further event announces it.
    pub(crate) fn exhausted(&self) {
        if self.bits.get() & CLOSED == 0 {
            self.clear(READ);
        }
    }

    /// Tries an operation in the direction `bit`, if that bit is set and the turn's budget is not used up.
    #[inline]
    pub(crate) fn attempt<R>(&self, bit: u8, mut f: impl FnMut() -> io::Result<R>) -> Tried<R> {
        if self.sources.is_closed() {
            return Tried::Done(Err(io::Error::other("the IoLoop on which this socket was made is closed")));
        }
        while self.bits.get() & bit != 0 {
            if !self.take_share() {
                return Tried::Later;
            }
            match f() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.clear(bit),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return Tried::Done(done),
            }
        }
        Tried::Blocked
    }

    fn clear(&self, bit: u8) {
        self.bits.set(self.bits.get() & !bit);
    }

    /// Takes one operation from the socket's own share of this turn, or else from the budget of all sockets.
    #[inline]
    fn take_share(&self) -> bool {
        let turn = self.sources.budget.turn();
        if self.turn.replace(turn) != turn {
            self.used.set(0);
        }
        let used = self.used.get();
        let may = used < SHARE || (used < MOST && self.sources.budget.take());
        self.used.set(used + u8::from(may));
        may
    }
}

/// Separates the keys of sockets from those of handlers, which are descriptor numbers, and from the poller's own, which
/// has all bits set.
pub(super) const SOURCE: usize = 1 << (usize::BITS - 2);

/// The sockets of one loop.
pub(crate) struct Sources {
    /// The readiness of each socket, at the socket's key.
    pub(super) table: RefCell<Slab<Rc<Readiness>>>,
    pub(super) wakeup: Arc<Wakeup>,
    ready: Rc<ReadyQueue>,
    closed: Cell<bool>,
    /// The key at which a socket with a waiter was found last. That socket is asked first the next time.
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
    pub(super) fn take_in(&self, wait: &Wait) {
        wait.each(|seen| self.see(seen));
    }

    #[inline]
    fn see(&self, seen: Seen) {
        if seen.key & SOURCE == 0 {
            return;
        }
        let bit = |is: bool, bit: u8| if is { bit } else { 0 };
        let bits = bit(seen.read, READ) | bit(seen.write, WRITE) | bit(seen.closed, CLOSED);
        let owner = self.table.borrow().get(seen.key & !SOURCE).and_then(|readiness| readiness.add(bits));
        // What the owner does may open and close sockets.
        if let Some(owner) = owner {
            owner.ready(bits);
        }
    }

    /// Returns whether something waits for one of the sockets.
    ///
    /// The loop asks this before each sleep without a timer. In most cases the socket that was found last is still
    /// waited for.
    pub(super) fn are_waited_for(&self) -> bool {
        let is_same = self.table.borrow().get(self.waited.get()).is_some_and(|found| found.is_waited_for());
        is_same || self.waited_for().is_some()
    }

    /// Returns a description of what is waited for at one of the sockets, or `None` if nothing waits for any.
    pub(super) fn waits(&self) -> Option<String> {
        self.waited_for().map(|owner| owner.describe())
    }

    fn waited_for(&self) -> Option<Rc<dyn Watched>> {
        let table = self.table.borrow();
        let waited = |readiness: &Rc<Readiness>| readiness.owner().filter(|owner| owner.is_waited_for());
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
