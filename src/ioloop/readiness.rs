//! [`Readiness`]: the operations for which a socket is ready, and its share of a turn.
//!
//! The poller sets the bits right after the loop's wait; the in-memory network of tests sets them where data arrives.
//! An operation is tried only while its bit is set, and clears the bit when the socket says that it would block. So a
//! socket that is not ready costs no system call.

use std::cell::{Cell, OnceCell};
use std::io;
use std::rc::{Rc, Weak};

use super::sources::Sources;
use super::IoLoop;

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
    /// Creates the readiness of a socket of the current loop, with its initial bits.
    pub(crate) fn new(bits: u8) -> Rc<Self> {
        Self::on(IoLoop::current().sources().clone(), bits)
    }

    pub(super) fn on(sources: Rc<Sources>, bits: u8) -> Rc<Self> {
        let (turn, used) = (Cell::new(0), Cell::new(0));
        Rc::new(Self { bits: Cell::new(bits), turn, used, owner: OnceCell::new(), sources })
    }

    /// Sets the owner that is notified of changes. Only the first call has an effect.
    pub(crate) fn own(&self, owner: Weak<dyn Watched>) {
        drop(self.owner.set(owner));
    }

    pub(super) fn owner(&self) -> Option<Rc<dyn Watched>> {
        self.owner.get().and_then(Weak::upgrade)
    }

    /// Returns the sockets of the loop to which this one belongs.
    pub(crate) fn sources(&self) -> &Rc<Sources> {
        &self.sources
    }

    /// Sets bits, and makes the owner do what waited for them.
    pub(crate) fn set(&self, bits: u8) {
        self.bits.set(self.bits.get() | bits);
        if let Some(owner) = self.owner() {
            owner.ready(bits);
        }
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

/// How many operations all sockets of a loop may do together in one turn, beyond the share of each.
const BUDGET: u32 = 128;

/// The operations that are left in this turn. It keeps sockets that are always ready from starving timers, callbacks
/// and each other.
#[derive(Default)]
pub(super) struct Budget {
    turn: Cell<u32>,
    left: Cell<u32>,
}

impl Budget {
    /// Restores the budget at the beginning of a turn.
    #[inline]
    pub(super) fn begin_turn(&self) {
        self.turn.set(self.turn.get().wrapping_add(1));
        self.left.set(BUDGET);
    }

    fn turn(&self) -> u32 {
        self.turn.get()
    }

    fn take(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }
}
