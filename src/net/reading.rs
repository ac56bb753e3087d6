//! [`Reading`]: the reads of one connection, in line.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use squall_runner::{Exception, Future, Resolvable, Shared};

use super::buffer::Buffer;
use super::connection::{polled, wake, Connection};
use super::wants::{Want, CHUNK};
use crate::ioloop::readiness::{Tried, READ};

/// What has been read, and what waits for more.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) buffer: Buffer,
    /// The reads that wait, first come first served.
    pub(super) line: VecDeque<Rc<dyn Read>>,
    /// The task that reads by `poll_read`: it comes after those in line.
    pub(super) waker: Option<Waker>,
    /// The other end sends no more.
    pub(super) ended: bool,
}

/// A read in line.
pub(super) trait Read {
    /// Reads, if it can; the socket's answer is set as the result. Returns whether it is over.
    fn serve(&self, connection: &Connection) -> Tried<()>;

    /// Fails, because of the connection.
    fn fail(&self, exception: Exception);

    /// Forgets what waits for it.
    fn abandon(&self);
}

impl dyn Read {
    /// Returns whether nobody can see the result of a read any more, of which its connection has `ours` handles.
    pub(super) fn is_lost(self: &Rc<Self>, ours: usize) -> bool {
        // A done callback holds it weakly.
        Rc::strong_count(self) == ours && Rc::weak_count(self) == 0
    }
}

/// A read, and the Future of what it reads.
struct Op<W: Want> {
    shared: Shared<W::Output>,
    want: RefCell<W>,
    /// The position in the stream of what it has taken.
    position: Cell<u64>,
    connection: Weak<Connection>,
}

impl<W: Want> Resolvable for Op<W> {
    type Output = W::Output;

    fn shared(&self) -> &Shared<W::Output> {
        &self.shared
    }

    /// It leaves the line. What has come goes to the next one.
    fn cancel(&self) -> bool {
        let cancelled = self.shared.cancel();
        if let Some(connection) = self.connection.upgrade() {
            connection.serve_soon();
        }
        cancelled
    }
}

impl<W: Want> Read for Op<W> {
    fn serve(&self, connection: &Connection) -> Tried<()> {
        if self.shared.done() {
            return Tried::Done(Ok(()));
        }
        match connection.read(&mut *self.want.borrow_mut(), &self.position) {
            Tried::Done(result) => {
                self.shared.set(result.map_err(Exception::from));
                Tried::Done(Ok(()))
            }
            Tried::Blocked => Tried::Blocked,
            Tried::Later => Tried::Later,
        }
    }

    fn fail(&self, exception: Exception) {
        self.shared.set_exception(exception);
    }

    fn abandon(&self) {
        self.shared.forget_waiters();
    }
}

/// What was read and nobody took goes back to where it came from.
impl<W: Want> Drop for Op<W> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.upgrade() else { return };
        if let Some(output) = self.shared.reclaim() {
            let bytes = self.want.get_mut().give_back(output);
            connection.reading.borrow_mut().buffer.give_back(self.position.get(), &bytes);
            connection.serve_soon();
        }
    }
}

thread_local! {
    /// What sockets read into: so a connection that waits holds no buffer.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Connection {
    /// Begins a read.
    pub(super) fn begin_read<W: Want>(self: &Rc<Self>, want: W) -> Future<W::Output> {
        let (want, connection) = (RefCell::new(want), Rc::downgrade(self));
        let op = Rc::new(Op { shared: Shared::new(), want, position: Cell::new(0), connection });
        self.forget_lost_reads();
        if self.reading.borrow().line.is_empty() {
            match op.serve(self) {
                Tried::Done(_) => return Future::from_core(op),
                Tried::Blocked => {}
                Tried::Later => self.serve_soon(),
            }
        }
        self.reading.borrow_mut().line.push_back(op.clone());
        Future::from_core(op)
    }

    /// Drops the reads at the front of the line whose results nobody can see any more.
    pub(super) fn forget_lost_reads(&self) {
        loop {
            let line = &mut self.reading.borrow_mut().line;
            let lost = line.front().is_some_and(|first| first.is_lost(1)).then(|| line.pop_front());
            if lost.is_none() {
                return;
            }
        }
    }

    /// Serves the reads in line, and then the task that polls.
    pub(super) fn serve_reads(&self) {
        loop {
            let first = self.reading.borrow().line.front().cloned();
            let Some(first) = first else { break };
            match first.serve(self) {
                Tried::Done(_) => {
                    let line = &mut self.reading.borrow_mut().line;
                    let is_first = line.front().is_some_and(|read| Rc::ptr_eq(read, &first));
                    let served = is_first.then(|| line.pop_front());
                    drop(served);
                }
                Tried::Blocked => return,
                Tried::Later => return self.serve_soon(),
            }
        }
        let waker = self.reading.borrow_mut().waker.take();
        wake(waker);
    }

    /// Reads from the socket until `want` has what it wants.
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

    /// Reads once from the socket, at most `len` bytes, and hands them on.
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
        // A thread that is ending has no room for it any more.
        let _ = SCRATCH.try_with(|room| room.set(scratch));
        filled
    }

    /// Reads once from the socket into `buffer`, which is not empty.
    pub(super) fn attempt_read(&self, buffer: &mut [u8]) -> Tried<usize> {
        let tried = self.io.attempt(READ, |io| io.read(buffer));
        if let Tried::Done(Ok(read)) = tried {
            if 0 < read && read < buffer.len() {
                self.io.readiness().exhausted();
            }
        }
        tried
    }

    /// Reads into the buffer of a task, after those in line.
    pub(super) fn poll_read(&self, cx: &Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.forget_lost_reads();
        let keep = |waker| {
            let before = self.reading.borrow_mut().waker.replace(waker);
            drop(before);
        };
        {
            let reading = &mut *self.reading.borrow_mut();
            if reading.line.is_empty() {
                if !reading.buffer.is_empty() {
                    return Poll::Ready(Ok(reading.buffer.copy_to(buffer)));
                }
                if reading.ended || buffer.is_empty() {
                    return Poll::Ready(Ok(0));
                }
            }
        }
        if !self.reading.borrow().line.is_empty() {
            return polled(Tried::Blocked, cx, keep);
        }
        let tried = self.attempt_read(buffer);
        if let Tried::Done(Ok(read)) = tried {
            let reading = &mut *self.reading.borrow_mut();
            reading.ended = read == 0;
            reading.buffer.pass(read);
        }
        polled(tried, cx, keep)
    }

    /// Fails all reads in line.
    pub(super) fn fail_reads(&self, error: impl Fn() -> io::Error) {
        let line = std::mem::take(&mut self.reading.borrow_mut().line);
        for read in line {
            if !read.is_lost(1) {
                read.fail(error().into());
            }
        }
    }

    /// Forgets all that wait to read.
    pub(super) fn abandon_reads(&self) {
        let (line, waker) = {
            let reading = &mut *self.reading.borrow_mut();
            (std::mem::take(&mut reading.line), reading.waker.take())
        };
        line.iter().for_each(|read| read.abandon());
        drop((line, waker));
    }
}
