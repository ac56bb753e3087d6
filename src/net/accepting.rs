//! [`Accepting`]: a listening socket, and the line of those that wait for connections.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use log::Level;
use squall_runner::ready::{Run, Withdraw};
use squall_runner::{log, Exception, Future, Resolvable, Shared};

use super::connection::{polled, wake};
use crate::ioloop::readiness::{Readiness, Tried, Watched, READ};
use crate::ioloop::IoLoop;

/// A listening socket of some kind.
pub(super) trait Listener: 'static {
    /// A connection, and the address of its other end.
    type Accepted: 'static;

    fn readiness(&self) -> &Rc<Readiness>;

    /// Takes the next connection, without waiting.
    fn accept(&self) -> io::Result<Self::Accepted>;

    /// Asks the poller to tell again of connections, where it tells only once.
    fn rearm(&self) -> io::Result<()>;

    fn describe(&self) -> String;
}

/// How long no connection is accepted when the system has no descriptor left.
const BACK_OFF: Duration = Duration::from_millis(100);

/// What all handles of one listener share. It closes when the last of them is dropped.
pub(super) struct Accepting<L: Listener> {
    pub(super) listener: L,
    line: RefCell<VecDeque<Rc<Op<L>>>>,
    /// Connections that were accepted for those who did not take them.
    returned: RefCell<VecDeque<L::Accepted>>,
    waker: Cell<Option<Waker>>,
    queued: Cell<bool>,
    /// Whether a timer runs until the next attempt, since the system had no descriptor left.
    backing_off: Cell<bool>,
    /// Whether the log says that no descriptor is left.
    logged: Cell<bool>,
    this: Weak<Self>,
}

/// An accept in line, and its Future.
struct Op<L: Listener> {
    shared: Shared<L::Accepted>,
    accepting: Weak<Accepting<L>>,
}

impl<L: Listener> Resolvable for Op<L> {
    type Output = L::Accepted;

    fn shared(&self) -> &Shared<L::Accepted> {
        &self.shared
    }
}

/// A connection that nobody took goes to the next one.
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
    fn is_lost(self: &Rc<Self>) -> bool {
        Rc::strong_count(self) == 1 && Rc::weak_count(self) == 0
    }
}

impl<L: Listener> Accepting<L> {
    pub(super) fn new(listener: L) -> Rc<Self> {
        let accepting = Rc::new_cyclic(|this: &Weak<Self>| Self {
            listener,
            line: RefCell::default(),
            returned: RefCell::default(),
            waker: Cell::default(),
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
    pub(super) fn begin_accept(&self) -> Future<L::Accepted> {
        let op = Rc::new(Op { shared: Shared::new(), accepting: self.this.clone() });
        self.line.borrow_mut().push_back(op.clone());
        self.serve();
        Future::from_core(op)
    }

    /// Waits for a connection, after those in line.
    pub(super) fn poll_accept(&self, cx: &Context<'_>) -> Poll<io::Result<L::Accepted>> {
        self.serve();
        let tried = match self.line.borrow().is_empty() {
            true => self.attempt(),
            false => Tried::Blocked,
        };
        polled(tried, cx, |waker| drop(self.waker.replace(Some(waker))))
    }

    fn serve_soon(&self) {
        if !self.queued.replace(true) {
            self.listener.readiness().sources().call_soon(Rc::new(Serve(self.this.clone())));
        }
    }

    /// Serves those in line, and then the task that polls.
    fn serve(&self) {
        loop {
            self.line.borrow_mut().retain(|op| !op.is_lost() && !op.shared.done());
            let first = self.line.borrow().front().cloned();
            let Some(first) = first else { break };
            match self.attempt() {
                Tried::Done(result) => {
                    first.shared.set(result.map_err(Exception::from));
                }
                Tried::Blocked => return,
                Tried::Later => return self.serve_soon(),
            }
        }
    }

    /// Accepts a connection, if there is one. What is wrong with a connection that has gone already is no error of the
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
                    return match self.listener.rearm() {
                        Ok(()) => Tried::Blocked,
                        Err(error) => Tried::Done(Err(error)),
                    };
                }
                tried => {
                    self.logged.set(false);
                    return tried;
                }
            }
        }
    }

    /// Accepts nothing for a while. The connections wait in the system's backlog.
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
        if self.line.borrow().is_empty() {
            wake(self.waker.take());
        }
    }

    fn waits(&self) -> Option<String> {
        let waker = self.waker.take();
        let polls = waker.is_some();
        self.waker.set(waker);
        let waits = polls || self.line.borrow().iter().any(|op| !op.is_lost());
        waits.then(|| format!("{} waits for a connection", self.listener.describe()))
    }

    fn abandon(&self) {
        let (line, waker) = (self.line.take(), self.waker.take());
        line.iter().for_each(|op| op.shared.forget_waiters());
        drop((line, waker, self.returned.take()));
    }
}

impl<L: Listener> Drop for Accepting<L> {
    fn drop(&mut self) {
        for op in self.line.take() {
            if !op.is_lost() {
                let message =
                    "the listener was dropped while this waited for a connection: keep it until then";
                op.shared.set_exception(io::Error::new(io::ErrorKind::NotConnected, message).into());
            }
        }
    }
}

/// Serves a listener that did all that a turn allows it, unless it is closed by then.
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

/// Whether an error of `accept` is one of the connection, which is gone, and says nothing of the listener.
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

/// Whether the process, or the system, has no descriptor or no memory left.
fn is_exhaustion(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        let exhausted = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
        exhausted.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
    }
    #[cfg(not(unix))]
    {
        // WSAEMFILE and WSAENOBUFS.
        matches!(error.raw_os_error(), Some(10024 | 10055))
    }
}
