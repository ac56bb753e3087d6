//! [`Connection`]: a connection to a client, as its task, hyper and the current request see it.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use squall_runner::trace::program;

use super::deadline::Deadline;
use super::exchange::Exchange;
use super::peer::Peer;
use super::server::Serving;
use super::stream::ClientStream;
use super::upgrade::Upgrade;
use crate::http::transport::Transport;

/// After how many small responses in a row the next ones are expected to be small, too.
const MANY_SMALL: u8 = 8;

/// The state that a connection's task, hyper and the current request share.
pub(crate) struct Connection {
    pub(super) serving: Rc<Serving>,
    pub(super) stream: ClientStream,
    pub(super) deadline: Deadline,
    peer: Peer,
    /// Wakes the task. Set when the task is first polled.
    waker: OnceCell<Waker>,
    /// The request whose response was not sent yet.
    current: RefCell<Option<Rc<Exchange>>>,
    /// `true` if hyper is calling the service, after which it looks for the response itself.
    calling: Cell<bool>,
    /// A finished exchange whose memory the next request reuses.
    spare: Cell<Option<Rc<Exchange>>>,
    /// How many responses in a row were small, at most 255.
    small: Cell<u8>,
    /// `true` if hyper may have to skip the rest of a body that was not read: then only hyper knows where a request
    /// begins.
    body_left: Cell<bool>,
    /// `true` if the client may be sending bytes that nothing will read.
    lingers: Cell<bool>,
    /// The WebSocket that the connection becomes once the response is sent.
    upgrade: Cell<Option<Upgrade>>,
}

impl Connection {
    pub(super) fn new(serving: Rc<Serving>, transport: Transport, peer: Peer) -> Rc<Self> {
        let deadline = Deadline::new(serving.io_loop.clone());
        Rc::new(Self {
            serving,
            stream: ClientStream::new(transport),
            deadline,
            peer,
            waker: OnceCell::new(),
            current: RefCell::default(),
            calling: Cell::default(),
            spare: Cell::default(),
            small: Cell::default(),
            body_left: Cell::default(),
            lingers: Cell::default(),
            upgrade: Cell::default(),
        })
    }

    pub(super) fn peer(&self) -> Peer {
        self.peer
    }

    /// Returns the loop's time.
    pub(super) fn time(&self) -> Duration {
        self.serving.io_loop.time()
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
        if let Some(exchange) = Rc::get_mut(&mut over) {
            exchange.clear();
            self.spare.set(Some(over));
        }
    }

    /// Returns whether hyper may have to skip the rest of a body that was not read.
    pub(super) fn is_body_left(&self) -> bool {
        self.body_left.get()
    }

    /// Notes how large a response is.
    pub(super) fn note_response(&self, is_small: bool) {
        self.small.set(if is_small { self.small.get().saturating_add(1) } else { 0 });
    }

    /// Returns whether responses are best written from one buffer into which their bodies are copied: while all of
    /// them are small, or where a stream takes one slice only.
    pub(super) fn prefers_copies(&self) -> bool {
        self.small.get() >= MANY_SMALL || !self.stream.is_vectored()
    }

    /// Returns the waker of the task, which polls with `cx`.
    pub(super) fn waker_of(&self, cx: &Context<'_>) -> &Waker {
        self.waker.get_or_init(|| cx.waker().clone())
    }

    /// Returns a waker of the task.
    pub(super) fn waker(&self) -> Waker {
        self.waker.get().cloned().unwrap_or_else(|| Waker::noop().clone())
    }

    /// Wakes the task, since there is something to send or to receive.
    pub(super) fn wake(&self) {
        if !self.calling.get() {
            self.wake_task();
        }
    }

    /// Wakes the task, which then finds out what to do.
    pub(super) fn wake_task(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }

    /// Closes the connection slowly. The client may be sending bytes that nothing will read, and closing a socket with
    /// unread bytes resets it, so that the client loses the response.
    pub(super) fn linger(&self) {
        self.lingers.set(true);
    }

    /// Returns whether the connection is to be closed slowly.
    pub(super) fn lingers(&self) -> bool {
        self.lingers.get()
    }

    /// Makes the connection a WebSocket after the response is sent.
    pub(super) fn upgrade(&self, upgrade: Upgrade) {
        self.upgrade.set(Some(upgrade));
    }

    /// Returns the WebSocket that the connection is to become.
    pub(super) fn take_upgrade(&self) -> Option<Upgrade> {
        self.upgrade.take()
    }

    /// Begins a request.
    pub(super) fn call(self: &Rc<Self>, exchange: Rc<Exchange>, start: impl FnOnce(&Rc<Exchange>)) {
        self.stream.begin_request();
        *self.current.borrow_mut() = Some(exchange.clone());
        self.calling.set(true);
        // The connection is in the background and internal, but its handlers are not.
        program(|| self.serving.context.clone().enter(|| start(&exchange)));
        self.calling.set(false);
    }

    /// Flushes the stream. hyper calls this when it has nothing left to write.
    pub(super) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.stream.poll_flush(cx);
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

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("peer", &self.peer).finish_non_exhaustive()
    }
}
