//! The writes of a [`Connection`].
//!
//! Bytes are written in the order in which they were handed in, even if their Future is dropped or cancelled, so writes
//! never interleave. Source: `tornado.iostream.BaseIOStream.write`.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use squall_runner::native::start_internal;
use squall_runner::trace::observed;
use squall_runner::{Coroutine, Exception, Future, Resolvable, Shared};

use super::connection::{dropped, polled, Connection, Shut, Write, Writing};
use super::named;
use crate::ioloop::readiness::{Tried, WRITE};

impl Resolvable for Write {
    type Output = ();

    fn shared(&self) -> &Shared<()> {
        &self.shared
    }

    fn describe(&self) -> Option<String> {
        self.connection.upgrade().map(|connection| connection.io.operation(self.name, "to"))
    }
}

impl Write {
    #[track_caller]
    fn new(connection: &Connection, name: &'static str) -> Rc<Self> {
        let op = Rc::new(Self { shared: Shared::new(), name, connection: connection.this.clone() });
        named::name(&*op);
        op
    }

    /// Returns whether no handle can see the result any more. The line holds the operation; a done callback holds it
    /// weakly.
    fn is_lost(self: &Rc<Self>) -> bool {
        Rc::strong_count(self) == 1 && Rc::weak_count(self) == 0
    }
}

/// How many entries one system call writes.
const PIECES: usize = 64;

impl Writing {
    /// Returns whether a task may write now: the backlog is empty, and no shutdown is due.
    fn is_clear(&self) -> bool {
        self.backlog.is_empty() && self.shut != Shut::AfterBacklog
    }

    /// Returns whether there is something to do when there is room.
    pub(super) fn has_work(&self) -> bool {
        !self.is_clear() || !self.wakers.is_empty()
    }

    /// Returns whether something waits for room.
    pub(super) fn is_waited_for(&self) -> bool {
        self.wakers.is_waited_for() || self.line.iter().any(|(_, op)| !op.is_lost())
    }

    /// Counts `len` bytes that the socket has accepted. Returns the writes that are done by that.
    fn advance(&mut self, mut len: usize) -> Vec<Rc<Write>> {
        self.written += len as u64;
        while let Some(first) = self.backlog.front_mut() {
            if first.len() > len {
                first.advance(len);
                break;
            }
            len -= first.len();
            self.backlog.pop_front();
        }
        if self.backlog.is_empty() && self.shut == Shut::AfterBacklog {
            // A shutdown is still due, for which they wait too.
            return Vec::new();
        }
        self.take_served()
    }

    fn take_served(&mut self) -> Vec<Rc<Write>> {
        let served = self.line.iter().take_while(|(end, _)| *end <= self.written).count();
        self.line.drain(..served).map(|(_, op)| op).collect()
    }
}

impl Connection {
    /// Hands bytes in. The Future is done when the socket has accepted all of them.
    #[track_caller]
    pub(super) fn begin_write(&self, mut bytes: Bytes) -> Future<()> {
        let (open, at_once) = {
            let writing = self.writing.borrow();
            (writing.shut == Shut::Open, writing.backlog.is_empty())
        };
        if !open {
            return Future::failed(shut_down());
        }
        let mut later = false;
        while at_once && !bytes.is_empty() {
            match self.attempt_write(&bytes) {
                Tried::Done(Ok(written)) => bytes.advance(written),
                Tried::Done(Err(error)) => return Future::failed(error),
                Tried::Blocked => break,
                Tried::Later => {
                    later = true;
                    break;
                }
            }
        }
        if later {
            self.serve_soon();
        }
        if bytes.is_empty() && self.writing.borrow().backlog.is_empty() {
            return Future::ready(());
        }
        let op = Write::new(self, "write_all");
        let writing = &mut *self.writing.borrow_mut();
        writing.accepted += bytes.len() as u64;
        if !bytes.is_empty() {
            writing.backlog.push_back(bytes);
        }
        writing.line.push_back((writing.accepted, op.clone()));
        Future::from_core(op)
    }

    /// Writes as many bytes as there is room for, once there is some.
    #[track_caller]
    pub(super) fn begin_write_once(self: &Rc<Self>, bytes: Bytes) -> Future<usize> {
        static WRITE_ONCE: Coroutine = Coroutine::new("IoStream::write", file!(), line!());

        if bytes.is_empty() {
            return Future::ready(0);
        }
        match self.attempt_after_backlog(&[IoSlice::new(&bytes)]) {
            Tried::Done(Ok(written)) => return Future::ready(written),
            Tried::Done(Err(error)) => return Future::failed(error),
            Tried::Blocked | Tried::Later => {}
        }
        // Weak, so that the connection closes with its last handle.
        let connection = Rc::downgrade(self);
        let name = observed().then(|| self.io.operation("write", "to"));
        start_internal(
            &WRITE_ONCE,
            name,
            poll_fn(move |cx| match connection.upgrade() {
                Some(connection) => {
                    connection.poll_write(cx, &[IoSlice::new(&bytes)]).map_err(Exception::from)
                }
                None => Poll::Ready(Err(dropped().into())),
            }),
        )
    }

    /// Shuts the connection down for writing, after the backlog.
    #[track_caller]
    pub(super) fn begin_shutdown(&self) -> Future<()> {
        if !self.writing.borrow().backlog.is_empty() {
            let op = Write::new(self, "shutdown");
            let writing = &mut *self.writing.borrow_mut();
            if writing.shut == Shut::Open {
                writing.shut = Shut::AfterBacklog;
            }
            writing.line.push_back((writing.accepted, op.clone()));
            return Future::from_core(op);
        }
        let shut = std::mem::replace(&mut self.writing.borrow_mut().shut, Shut::Done);
        if shut == Shut::Done {
            return Future::ready(());
        }
        match self.io.shutdown(Shutdown::Write) {
            Ok(()) => Future::ready(()),
            Err(error) => Future::failed(error),
        }
    }

    /// Writes as much of the backlog as the socket has room for, and then wakes the polling tasks.
    pub(super) fn serve_writes(&self) {
        match self.write_backlog() {
            Tried::Done(Ok(())) => {
                let wakers = self.writing.borrow_mut().wakers.take();
                wakers.wake();
            }
            Tried::Done(Err(_)) | Tried::Blocked => {}
            Tried::Later => self.serve_soon(),
        }
    }

    /// Writes until the backlog is empty.
    #[inline]
    fn write_backlog(&self) -> Tried<()> {
        if self.writing.borrow().is_clear() {
            return Tried::Done(Ok(()));
        }
        self.write_pieces()
    }

    fn write_pieces(&self) -> Tried<()> {
        loop {
            let backlog: Vec<Bytes> = self.writing.borrow().backlog.iter().take(PIECES).cloned().collect();
            if backlog.is_empty() {
                self.shut_down_after_backlog();
                return Tried::Done(Ok(()));
            }
            let slices: Vec<IoSlice<'_>> = backlog.iter().map(|bytes| IoSlice::new(bytes)).collect();
            let tried = self.io.attempt(WRITE, |io| match &slices[..] {
                [one] => io.write(one),
                several => io.write_vectored(several),
            });
            match tried {
                Tried::Done(Ok(written)) => {
                    let served = self.writing.borrow_mut().advance(written);
                    for op in served {
                        op.shared.set_result(());
                    }
                }
                Tried::Done(Err(error)) => {
                    // Later operations get the error from the socket itself.
                    let exception = Exception::from(error);
                    let (kind, message) = exception.downcast_ref::<io::Error>().map_or_else(
                        || (io::ErrorKind::Other, String::new()),
                        |error| (error.kind(), error.to_string()),
                    );
                    self.finish_writes(&Err(exception));
                    return Tried::Done(Err(io::Error::new(kind, message)));
                }
                Tried::Blocked => return Tried::Blocked,
                Tried::Later => return Tried::Later,
            }
        }
    }

    fn shut_down_after_backlog(&self) {
        let due = {
            let writing = &mut *self.writing.borrow_mut();
            let due = writing.shut == Shut::AfterBacklog;
            if due {
                writing.shut = Shut::Done;
            }
            due
        };
        if due {
            let result = self.io.shutdown(Shutdown::Write).map_err(Exception::from);
            self.finish_writes(&result);
        }
    }

    /// Resolves all operations in line with `result`.
    fn finish_writes(&self, result: &Result<(), Exception>) {
        let (line, backlog) = {
            let writing = &mut *self.writing.borrow_mut();
            (std::mem::take(&mut writing.line), std::mem::take(&mut writing.backlog))
        };
        drop(backlog);
        for (_, op) in line {
            if result.is_ok() || !op.is_lost() {
                op.shared.set(result.clone());
            }
        }
    }

    /// Writes once to the socket.
    fn attempt_write(&self, bytes: &[u8]) -> Tried<usize> {
        self.io.attempt(WRITE, |io| io.write(bytes))
    }

    /// Writes the bytes of a polling task, after the backlog.
    pub(super) fn poll_write(&self, cx: &Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        polled(self.attempt_after_backlog(buffers), cx, |cx| self.keep_writer(cx))
    }

    fn attempt_after_backlog(&self, buffers: &[IoSlice<'_>]) -> Tried<usize> {
        if self.writing.borrow().shut != Shut::Open {
            return Tried::Done(Err(shut_down()));
        }
        match self.write_backlog() {
            Tried::Done(Ok(())) => {}
            Tried::Done(Err(error)) => return Tried::Done(Err(error)),
            Tried::Blocked => return Tried::Blocked,
            Tried::Later => return Tried::Later,
        }
        self.io.attempt(WRITE, |io| match buffers {
            [one] => io.write(one),
            several => io.write_vectored(several),
        })
    }

    /// Waits until the backlog is written.
    pub(super) fn poll_flush(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        polled(self.write_backlog(), cx, |cx| self.keep_writer(cx))
    }

    /// Shuts the connection down for writing, after the backlog.
    pub(super) fn poll_shutdown(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        match self.poll_flush(cx) {
            Poll::Ready(Ok(())) => {
                let shut = std::mem::replace(&mut self.writing.borrow_mut().shut, Shut::Done);
                Poll::Ready(if shut == Shut::Done { Ok(()) } else { self.io.shutdown(Shutdown::Write) })
            }
            waits => waits,
        }
    }

    pub(super) fn keep_writer(&self, cx: &Context<'_>) {
        self.writing.borrow_mut().wakers.add(cx);
    }

    /// Fails every operation that waits for room.
    pub(super) fn fail_writes(&self, error: impl Fn() -> io::Error) {
        self.finish_writes(&Err(error().into()));
    }

    /// Forgets everything that waits for room.
    pub(super) fn abandon_writes(&self) {
        let (line, wakers) = {
            let writing = &mut *self.writing.borrow_mut();
            (std::mem::take(&mut writing.line), writing.wakers.take())
        };
        line.iter().for_each(|(_, op)| op.shared.forget_waiters());
        drop((line, wakers));
    }
}

fn shut_down() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the stream was shut down for writing")
}
