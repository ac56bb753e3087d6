//! [`Session`]: HTTP on a connection, as its task and hyper see it: one request after the other.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use squall_runner::trace::program;

use super::connection::Connection;
use super::exchange::Exchange;
use super::serving::Serving;
use super::upgrade::Upgrade;

/// The requests of a connection. Its task, hyper's stream and hyper's service share it.
pub(crate) struct Session {
    pub(super) serving: Rc<Serving>,
    pub(super) connection: Rc<Connection>,
    /// The request whose response was not sent yet.
    current: RefCell<Option<Rc<Exchange>>>,
    /// A finished exchange whose memory the next request reuses.
    spare: Cell<Option<Rc<Exchange>>>,
    /// `true` if hyper may have to skip the rest of a body that was not read: then only hyper knows where a request
    /// begins.
    body_left: Cell<bool>,
    /// The WebSocket that the connection becomes, since the response that accepts it is sent.
    upgrade: Cell<Option<(Upgrade, Rc<Exchange>)>>,
}

impl Session {
    pub(super) fn new(serving: Rc<Serving>, connection: Rc<Connection>) -> Rc<Self> {
        Rc::new(Self {
            serving,
            connection,
            current: RefCell::default(),
            spare: Cell::default(),
            body_left: Cell::default(),
            upgrade: Cell::default(),
        })
    }

    /// Returns the request whose response was not sent yet.
    pub(super) fn current(&self) -> Option<Rc<Exchange>> {
        self.current.borrow().clone()
    }

    /// Calls `f` with the request whose response was not sent yet.
    pub(super) fn with_current<R>(&self, f: impl FnOnce(Option<&Exchange>) -> R) -> R {
        f(self.current.borrow().as_deref())
    }

    /// Takes out the request whose response was not sent yet.
    pub(super) fn take_current(&self) -> Option<Rc<Exchange>> {
        self.current.borrow_mut().take()
    }

    pub(super) fn take_spare(&self) -> Option<Rc<Exchange>> {
        self.spare.take()
    }

    /// Keeps the room of an exchange that is over, unless a handler has it still.
    fn put_by(&self, mut over: Rc<Exchange>) {
        if over.receiver.as_ref().is_some_and(|receiver| !receiver.is_over()) {
            self.body_left.set(true);
        }
        if let Some(upgrade) = over.take_upgrade() {
            self.upgrade.set(Some((upgrade, over)));
            return;
        }
        if let Some(exchange) = Rc::get_mut(&mut over) {
            exchange.clear();
            self.spare.set(Some(over));
        }
    }

    /// Returns whether hyper may have to skip the rest of a body that was not read.
    pub(super) fn is_body_left(&self) -> bool {
        self.body_left.get()
    }

    /// Returns the WebSocket that the connection is to become, and the request that asked for it.
    pub(super) fn take_upgrade(&self) -> Option<(Upgrade, Rc<Exchange>)> {
        self.upgrade.take().or_else(|| {
            let current = self.current()?;
            Some((current.take_upgrade()?, current))
        })
    }

    /// Begins a request.
    pub(super) fn call(&self, exchange: Rc<Exchange>, start: impl FnOnce(&Rc<Exchange>)) {
        self.connection.stream.begin_request();
        *self.current.borrow_mut() = Some(exchange.clone());
        // The connection is in the background and internal, but its handlers are not.
        let start = || program(|| self.serving.context.clone().enter(|| start(&exchange)));
        self.connection.calling(start);
    }

    /// Flushes the stream. hyper calls this when it has nothing left to write.
    pub(super) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.connection.stream.poll_flush(cx);
        if flushed.is_ready() {
            let mut current = self.current.borrow_mut();
            if let Some(exchange) = &*current {
                exchange.flushed();
                if exchange.is_taken() {
                    let over = current.take();
                    drop(current);
                    over.into_iter().for_each(|over| self.put_by(over));
                }
            }
        }
        flushed
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("connection", &self.connection).finish_non_exhaustive()
    }
}
