//! The reads of a [`Connection`].

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use squall_runner::{Exception, Future, Resolvable, Shared};

use super::buffer::Buffer;
use super::connection::{polled, Connection, Read, Reading};
use super::line::Waits;
use super::named::name;
use super::wants::{Want, CHUNK};
use crate::ioloop::readiness::{Tried, READ};
use crate::kept::Kept;

impl Reading {
    /// Returns whether a read or a task waits for bytes.
    pub(super) fn is_waited_for(&self) -> bool {
        self.wakers.is_waited_for() || self.line.is_waited_for()
    }
}

/// A read, which is also the Future of its bytes.
struct Op<W: Want> {
    shared: Shared<W::Output>,
    want: RefCell<W>,
    /// The position in the stream of the bytes that it took.
    position: Cell<u64>,
    connection: Weak<Connection>,
    kept: Kept<Self>,
}

impl<W: Want> Resolvable for Op<W> {
    type Output = W::Output;

    fn shared(&self) -> &Shared<W::Output> {
        &self.shared
    }

    /// Leaves the line. Bytes that have arrived go to the next read.
    fn on_cancel(&self) {
        self.leave();
        self.kept.release();
    }

    fn keep(self: Rc<Self>) {
        self.kept.keep(self.clone());
    }

    fn describe(&self) -> Option<String> {
        self.connection.upgrade().map(|connection| connection.io.operation(W::NAME, "from"))
    }
}

impl<W: Want> Op<W> {
    /// Serves the next read in line.
    fn leave(&self) {
        if let Some(connection) = self.connection.upgrade() {
            connection.serve_soon();
        }
    }
}

impl<W: Want> Waits for Op<W> {
    fn is_over(&self) -> bool {
        self.shared.done()
    }
}

impl<W: Want> Read for Op<W> {
    fn serve(&self, connection: &Connection) -> Tried<()> {
        match connection.read(&mut *self.want.borrow_mut(), &self.position) {
            Tried::Done(result) => {
                self.shared.set(result.map_err(Exception::from));
                self.kept.release();
                Tried::Done(Ok(()))
            }
            Tried::Blocked => Tried::Blocked,
            Tried::Later => Tried::Later,
        }
    }

    fn fail(&self, exception: Exception) {
        self.shared.set_exception(exception);
        self.kept.release();
    }

    fn abandon(&self) {
        self.shared.forget_waiters();
        self.kept.release();
    }
}

/// Puts back bytes that were read and not taken from the Future.
impl<W: Want> Drop for Op<W> {
    fn drop(&mut self) {
        if !self.shared.done() {
            return self.leave();
        }
        let Some(output) = self.shared.reclaim() else { return };
        if let Some(connection) = self.connection.upgrade() {
            let bytes = self.want.get_mut().give_back(output);
            connection.reading.borrow_mut().buffer.give_back(self.position.get(), &bytes);
            connection.serve_soon();
        }
    }
}

thread_local! {
    /// A buffer for all sockets of the thread, so that a connection that waits holds none.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Connection {
    /// Begins a read.
    #[track_caller]
    pub(super) fn begin_read<W: Want>(self: &Rc<Self>, want: W) -> Future<W::Output> {
        let (want, connection) = (RefCell::new(want), Rc::downgrade(self));
        let (position, kept) = (Cell::new(0), Kept::default());
        let op = Rc::new(Op { shared: Shared::new(), want, position, connection, kept });
        name(&*op);
        if self.first_read().is_none() {
            match op.serve(self) {
                Tried::Done(_) => return Future::from_core(op),
                Tried::Blocked => {}
                Tried::Later => self.serve_soon(),
            }
        }
        let in_line: Weak<dyn Read> = Rc::downgrade(&op) as _;
        self.reading.borrow_mut().line.join(in_line);
        Future::from_core(op)
    }

    fn first_read(&self) -> Option<Rc<dyn Read>> {
        self.reading.borrow_mut().line.first()
    }

    /// Serves the reads in line, and then the polling tasks.
    pub(super) fn serve_reads(&self) {
        while let Some(first) = self.first_read() {
            match first.serve(self) {
                Tried::Done(_) => {}
                Tried::Blocked => return,
                Tried::Later => return self.serve_soon(),
            }
        }
        let wakers = self.reading.borrow_mut().wakers.take();
        wakers.wake();
    }

    /// Reads from the socket until `want` is satisfied.
    fn read<W: Want>(&self, want: &mut W, position: &Cell<u64>) -> Tried<W::Output> {
        loop {
            let mut reading = self.reading.borrow_mut();
            let ended = reading.ended;
            position.set(reading.buffer.position());
            if let Some(taken) = want.take(&mut reading.buffer, ended) {
                return Tried::Done(taken);
            }
            let directly = reading.buffer.is_empty();
            drop(reading);
            let mut passed = None;
            let tried = self.fill(want.appetite(), |chunk, buffer| {
                match if directly { want.pass(chunk) } else { None } {
                    Some(output) => {
                        buffer.pass(chunk.len());
                        passed = Some(output);
                    }
                    None => buffer.push(chunk),
                }
            });
            match (passed, tried) {
                (Some(output), _) => return Tried::Done(Ok(output)),
                (None, Tried::Done(Ok(()))) => {}
                (None, Tried::Done(Err(error))) => return Tried::Done(Err(error)),
                (None, Tried::Blocked) => return Tried::Blocked,
                (None, Tried::Later) => return Tried::Later,
            }
        }
    }

    /// Reads once from the socket, at most `len` bytes, and passes them to `take`.
    fn fill(&self, len: usize, mut take: impl FnMut(&[u8], &mut Buffer)) -> Tried<()> {
        let mut scratch = SCRATCH.try_with(Cell::take).unwrap_or_default();
        scratch.resize(CHUNK, 0);
        let tried = self.attempt_read(&mut scratch[..len.clamp(1, CHUNK)]);
        let filled = match tried {
            Tried::Done(Ok(read)) => {
                let reading = &mut *self.reading.borrow_mut();
                if read == 0 {
                    reading.ended = true;
                } else {
                    take(&scratch[..read], &mut reading.buffer);
                }
                Tried::Done(Ok(()))
            }
            Tried::Done(Err(error)) => Tried::Done(Err(error)),
            Tried::Blocked => Tried::Blocked,
            Tried::Later => Tried::Later,
        };
        // A thread that is ending cannot keep the buffer.
        let _ = SCRATCH.try_with(|room| room.set(scratch));
        filled
    }

    /// Reads once from the socket into `buffer`, which must not be empty.
    #[inline]
    pub(super) fn attempt_read(&self, buffer: &mut [u8]) -> Tried<usize> {
        let tried = self.io.attempt(READ, |io| io.read(buffer));
        if let Tried::Done(Ok(read)) = tried {
            if 0 < read && read < buffer.len() {
                self.io.readiness().exhausted();
            }
        }
        tried
    }

    /// Reads into the buffer of a polling task, after the reads in line.
    pub(super) fn poll_read(&self, cx: &Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        {
            let reading = &mut *self.reading.borrow_mut();
            if reading.line.first().is_some() {
                return polled(Tried::Blocked, cx, |cx| reading.wakers.add(cx));
            }
            if !reading.buffer.is_empty() {
                return Poll::Ready(Ok(reading.buffer.copy_to(buffer)));
            }
            if reading.ended || buffer.is_empty() {
                return Poll::Ready(Ok(0));
            }
        }
        let tried = self.attempt_read(buffer);
        let reading = &mut *self.reading.borrow_mut();
        if let Tried::Done(Ok(read)) = tried {
            reading.ended = read == 0;
            reading.buffer.pass(read);
        }
        polled(tried, cx, |cx| reading.wakers.add(cx))
    }

    /// Returns whether a read may find something. It costs no system call.
    #[cfg(feature = "http-client-plain")]
    pub(super) fn may_be_readable(&self) -> bool {
        let reading = self.reading.borrow();
        reading.ended || !reading.buffer.is_empty() || self.io.readiness().is_set(READ)
    }

    /// Fails all reads in line.
    pub(super) fn fail_reads(&self, error: impl Fn() -> io::Error) {
        let line = self.reading.borrow_mut().line.take();
        line.iter().for_each(|read| read.fail(error().into()));
    }

    /// Forgets everything that waits to read.
    pub(super) fn abandon_reads(&self) {
        let (line, wakers) = {
            let reading = &mut *self.reading.borrow_mut();
            (reading.line.take(), reading.wakers.take())
        };
        line.iter().for_each(|read| read.abandon());
        drop((line, wakers));
    }
}
