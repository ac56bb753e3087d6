//! [`Accepting`]: a listening socket, and the accepts that wait in line.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use log::Level;
use squall_runner::ready::{Run, Withdraw};
use squall_runner::{log, Exception, Future, Resolvable, Result, Shared};

use super::connection::polled;
use super::line::{Line, Waits};
use super::named::name;
use super::wakers::Wakers;
use crate::ioloop::readiness::{Readiness, Tried, Watched, READ};
use crate::ioloop::IoLoop;
use crate::kept::Kept;

/// A listening socket of any kind.
pub(super) trait Listener: 'static {
    /// A connection, with the address of its other end.
    type Accepted: 'static;

    fn readiness(&self) -> &Rc<Readiness>;

    /// Takes the next connection without waiting.
    fn accept(&self) -> io::Result<Self::Accepted>;

    /// Asks the poller for another report, where it reports connections only once.
    fn rearm(&self) -> io::Result<()>;

    /// Returns the name of the type, and the address.
    fn name(&self) -> (&'static str, String);

    fn describe(&self) -> String {
        let (kind, address) = self.name();
        format!("the {kind} {address}")
    }
}

/// How long no connection is accepted after the system has run out of descriptors.
const BACK_OFF: Duration = Duration::from_millis(100);

/// The state that the handles of a listener share. The socket closes when the last of them is dropped.
pub(super) struct Accepting<L: Listener> {
    pub(super) listener: L,
    /// Pending accepts, first come, first served.
    line: RefCell<Line<Op<L>>>,
    /// Accepted connections that were not taken from their Futures.
    returned: RefCell<VecDeque<L::Accepted>>,
    wakers: RefCell<Wakers>,
    queued: Cell<bool>,
    /// `true` if a timer is set for the next attempt, since the system had no descriptor left.
    backing_off: Cell<bool>,
    /// `true` if the log already says that no descriptor is left, and connections have waited ever since.
    logged: Cell<bool>,
    this: Weak<Self>,
}

/// An accept in line, which is also its Future.
struct Op<L: Listener> {
    shared: Shared<L::Accepted>,
    accepting: Weak<Accepting<L>>,
    kept: Kept<Self>,
}

impl<L: Listener> Resolvable for Op<L> {
    type Output = L::Accepted;

    fn shared(&self) -> &Shared<L::Accepted> {
        &self.shared
    }

    fn describe(&self) -> Option<String> {
        let (kind, address) = self.accepting.upgrade()?.listener.name();
        Some(format!("{kind}.accept on {address}"))
    }

    fn on_cancel(&self) {
        self.kept.release();
    }

    fn keep(self: Rc<Self>) {
        self.kept.keep(self.clone());
    }
}

impl<L: Listener> Waits for Op<L> {
    fn is_over(&self) -> bool {
        self.shared.done()
    }
}

/// Hands a connection that was not taken to the next accept in line.
impl<L: Listener> Drop for Op<L> {
    fn drop(&mut self) {
        let Some(accepting) = self.accepting.upgrade() else { return };
        if let Some(accepted) = self.shared.reclaim() {
            accepting.returned.borrow_mut().push_back(accepted);
            accepting.serve_soon();
        }
    }
}

impl<L: Listener> Op<L> {
    fn settle(&self, result: Result<L::Accepted>) {
        self.shared.set(result);
        self.kept.release();
    }
}

impl<L: Listener> Accepting<L> {
    pub(super) fn new(listener: L) -> Rc<Self> {
        let accepting = Rc::new_cyclic(|this: &Weak<Self>| Self {
            listener,
            line: RefCell::default(),
            returned: RefCell::default(),
            wakers: RefCell::default(),
            queued: Cell::new(false),
            backing_off: Cell::new(false),
            logged: Cell::new(false),
            this: this.clone(),
        });
        let owner: Weak<dyn Watched> = accepting.this.clone();
        accepting.listener.readiness().own(owner);
        accepting
    }

    /// Begins to wait for a connection.
    #[track_caller]
    pub(super) fn begin_accept(&self) -> Future<L::Accepted> {
        let op = Rc::new(Op { shared: Shared::new(), accepting: self.this.clone(), kept: Kept::default() });
        name(&*op);
        self.line.borrow_mut().join(Rc::downgrade(&op));
        self.serve();
        Future::from_core(op)
    }

    /// Polls for a connection, after the accepts in line.
    pub(super) fn poll_accept(&self, cx: &Context<'_>) -> Poll<io::Result<L::Accepted>> {
        self.serve();
        let tried = match self.first() {
            None => self.attempt(),
            Some(_) => Tried::Blocked,
        };
        polled(tried, cx, |cx| self.wakers.borrow_mut().add(cx))
    }

    fn serve_soon(&self) {
        if !self.queued.replace(true) {
            self.listener.readiness().sources().call_soon(Rc::new(Serve(self.this.clone())));
        }
    }

    /// Serves the accepts in line, and then the polling tasks.
    fn serve(&self) {
        loop {
            let Some(first) = self.first() else { break };
            match self.attempt() {
                Tried::Done(result) => {
                    first.settle(result.map_err(Exception::from));
                }
                Tried::Blocked => return,
                Tried::Later => return self.serve_soon(),
            }
        }
    }

    fn first(&self) -> Option<Rc<Op<L>>> {
        self.line.borrow_mut().first()
    }

    /// Accepts a connection, if there is one. The error of a connection that is already gone is not an error of the
    /// listener.
    fn attempt(&self) -> Tried<L::Accepted> {
        if let Some(accepted) = self.returned.borrow_mut().pop_front() {
            return Tried::Done(Ok(accepted));
        }
        if self.backing_off.get() {
            return Tried::Blocked;
        }
        loop {
            let tried = self.listener.readiness().attempt(READ, || self.listener.accept());
            match tried {
                Tried::Done(Err(error)) if is_of_the_connection(&error) => {}
                Tried::Done(Err(error)) if is_exhaustion(&error) => {
                    self.back_off(&error);
                    return Tried::Blocked;
                }
                Tried::Blocked => {
                    self.logged.set(false);
                    return match self.listener.rearm() {
                        Ok(()) => Tried::Blocked,
                        Err(error) => Tried::Done(Err(error)),
                    };
                }
                tried => return tried,
            }
        }
    }

    /// Stops accepting for a while. Connections wait in the system's backlog.
    fn back_off(&self, error: &io::Error) {
        if !self.logged.replace(true) {
            let what = self.listener.describe();
            log(
                Level::Error,
                "squall::net",
                format_args!("{what} accepts no connection until the system has room for one again: {error}"),
            );
        }
        self.backing_off.set(true);
        let this = self.this.clone();
        IoLoop::current().call_later(BACK_OFF, move || {
            if let Some(accepting) = this.upgrade() {
                accepting.backing_off.set(false);
                accepting.ready(READ);
            }
        });
    }
}

impl<L: Listener> Watched for Accepting<L> {
    fn ready(self: Rc<Self>, _bits: u8) {
        self.serve();
        if self.first().is_none() {
            let wakers = self.wakers.take();
            wakers.wake();
        }
    }

    fn is_waited_for(&self) -> bool {
        self.wakers.borrow().is_waited_for()
            || self.line.borrow().is_first_waiting()
            || self.first().is_some()
    }

    fn describe(&self) -> String {
        format!("{} waits for a connection", self.listener.describe())
    }

    fn abandon(&self) {
        let (line, wakers) = (self.line.borrow_mut().take(), self.wakers.take());
        line.iter().for_each(|op| {
            op.shared.forget_waiters();
            op.kept.release();
        });
        drop((line, wakers, self.returned.take()));
    }
}

impl<L: Listener> Drop for Accepting<L> {
    fn drop(&mut self) {
        for op in self.line.get_mut().take() {
            if !op.shared.done() {
                let message =
                    "the listener was dropped while this waited for a connection: keep it until then";
                op.settle(Err(io::Error::new(io::ErrorKind::NotConnected, message).into()));
            }
        }
    }
}

/// Serves a listener that has used its share of the last turn, unless it is closed by then.
struct Serve<L: Listener>(Weak<Accepting<L>>);

impl<L: Listener> Run for Serve<L> {
    fn run(self: Rc<Self>) {
        if let Some(accepting) = self.0.upgrade() {
            accepting.queued.set(false);
            accepting.ready(READ);
        }
    }
}

impl<L: Listener> Withdraw for Serve<L> {}

/// Returns whether an error of `accept` concerns only the connection, which is gone, and not the listener.
/// Source: accept(2), "Error handling".
fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind as E;
    #[cfg(unix)]
    if [rustix::io::Errno::PROTO, rustix::io::Errno::OPNOTSUPP]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
    {
        return true;
    }
    matches!(
        error.kind(),
        E::ConnectionAborted
            | E::ConnectionReset
            | E::NetworkDown
            | E::NetworkUnreachable
            | E::HostUnreachable
    )
}

/// Returns whether the process or the system has run out of descriptors or memory.
fn is_exhaustion(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        let exhausted = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
        exhausted.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
    }
    #[cfg(not(unix))]
    {
        // `WSAEMFILE` and `WSAENOBUFS`.
        matches!(error.raw_os_error(), Some(10024 | 10055))
    }
}
