//! [`Connection`]: the state that the handles of one stream share: the socket, and its pending reads and writes.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use squall_runner::ready::{Run, Withdraw};
use squall_runner::{Exception, Shared};

use super::buffer::Buffer;
use super::io::Io;
use super::line::{Line, Waits};
use super::wakers::Wakers;
use crate::ioloop::readiness::{Tried, Watched, READ, WRITE};

/// A connection. It closes when its last handle is dropped; operations in line do not hold it.
pub(super) struct Connection {
    pub(super) io: Io,
    pub(super) reading: RefCell<Reading>,
    pub(super) writing: RefCell<Writing>,
    /// `true` if the connection is queued to be served in the next turn.
    queued: Cell<bool>,
    pub(super) this: Weak<Self>,
}

/// Bytes that have arrived, and reads that wait for more.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) buffer: Buffer,
    /// Pending reads, first come, first served.
    pub(super) line: Line<dyn Read>,
    /// The tasks that read by `poll_read`, which are served after the reads in line.
    pub(super) wakers: Wakers,
    /// `true` if the other end sends no more.
    pub(super) ended: bool,
}

/// A read in line.
pub(super) trait Read: Waits {
    /// Reads if possible, and sets the socket's answer as the result.
    fn serve(&self, connection: &Connection) -> Tried<()>;

    /// Fails, since the connection has failed.
    fn fail(&self, exception: Exception);

    /// Forgets the waiters of the read, since the loop has ended.
    fn abandon(&self);
}

/// Bytes for which the socket had no room yet.
#[derive(Default)]
pub(super) struct Writing {
    /// Contains no empty entry.
    pub(super) backlog: VecDeque<Bytes>,
    /// How many bytes were handed in. `written` counts those that the socket has accepted.
    pub(super) accepted: u64,
    pub(super) written: u64,
    /// Each pending write with the count of written bytes for which it waits, in order.
    pub(super) line: VecDeque<(u64, Rc<Write>)>,
    /// The progress of a shutdown for writing, which happens after the backlog.
    pub(super) shut: Shut,
    /// The tasks that write by `poll_write`, which are served after the backlog.
    pub(super) wakers: Wakers,
}

/// A write or a shutdown in line, which is also its Future.
pub(super) struct Write {
    pub(super) shared: Shared<()>,
    pub(super) name: &'static str,
    pub(super) connection: Weak<Connection>,
}

/// The progress of a shutdown for writing.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shut {
    #[default]
    Open,
    AfterBacklog,
    Done,
}

impl Connection {
    pub(super) fn new(io: Io) -> Rc<Self> {
        let connection = Rc::new_cyclic(|this: &Weak<Self>| Self {
            io,
            reading: RefCell::default(),
            writing: RefCell::default(),
            queued: Cell::new(false),
            this: this.clone(),
        });
        let owner: Weak<dyn Watched> = connection.this.clone();
        connection.io.readiness().own(owner);
        connection
    }

    /// Serves the operations in line in the next turn of the loop.
    pub(super) fn serve_soon(&self) {
        if !self.queued.replace(true) {
            self.io.readiness().sources().call_soon(Rc::new(Serve(self.this.clone())));
        }
    }

    /// Waits until connecting has succeeded or failed.
    pub(super) fn poll_connected(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        polled(self.io.attempt(WRITE, Io::connected), cx, |cx| self.keep_writer(cx))
    }

    /// Fails every operation in line.
    fn fail(&self, error: impl Fn() -> io::Error) {
        self.fail_reads(&error);
        self.fail_writes(&error);
    }
}

impl Watched for Connection {
    fn ready(self: Rc<Self>, bits: u8) {
        if bits & READ != 0 {
            self.serve_reads();
        }
        // Each event reports room for writing, for which nothing waits in most cases.
        if bits & WRITE != 0 && self.writing.borrow().has_work() {
            self.serve_writes();
        }
    }

    fn is_waited_for(&self) -> bool {
        self.reading.borrow().is_waited_for() || self.writing.borrow().is_waited_for()
    }

    fn describe(&self) -> String {
        let what = if self.reading.borrow().is_waited_for() { "to be read" } else { "to be written" };
        format!("{} is waited for {what}", self.io.describe())
    }

    fn abandon(&self) {
        self.abandon_reads();
        self.abandon_writes();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.fail(dropped);
        let wakers = (self.reading.get_mut().wakers.take(), self.writing.get_mut().wakers.take());
        wakers.0.wake();
        wakers.1.wake();
    }
}

pub(super) fn dropped() -> io::Error {
    let message = "the stream was dropped while this waited for it: keep a handle of it until then";
    io::Error::new(io::ErrorKind::NotConnected, message)
}

/// Serves a connection that has used its share of the last turn, unless it is closed by then.
struct Serve(Weak<Connection>);

impl Run for Serve {
    fn run(self: Rc<Self>) {
        if let Some(connection) = self.0.upgrade() {
            connection.queued.set(false);
            connection.serve_reads();
            connection.serve_writes();
        }
    }
}

impl Withdraw for Serve {}

/// Converts the outcome of an attempt for a polling task. If the socket is not ready, `keep` stores the task's waker.
pub(super) fn polled<R>(
    tried: Tried<R>,
    cx: &Context<'_>,
    keep: impl FnOnce(&Context<'_>),
) -> Poll<io::Result<R>> {
    match tried {
        Tried::Done(result) => return Poll::Ready(result),
        Tried::Later => cx.waker().wake_by_ref(),
        Tried::Blocked => keep(cx),
    }
    Poll::Pending
}
