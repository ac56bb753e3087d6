//! [`IoStream`]: the operations of every stream, on any network.

use std::fmt;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use squall_runner::Future;

use super::connection::Connection;
use super::io::Io;
use super::wants::{AtMost, Exactly, IntoVec, ToEnd, Until};

/// A connection: bytes in both directions, in order. [`TcpStream`](super::TcpStream) and
/// [`UnixStream`](super::UnixStream) each contain one and have its methods.
///
/// An `IoStream` is a handle: clones refer to the same connection, which closes when the last of them is dropped.
/// Operations that are still pending then fail.
///
/// **Reads wait in line**, first come, first served. Bytes that a read has taken, and that are not taken from its
/// Future, return to their place in the stream: a read that is cancelled, dropped or out of time loses no byte.
///
/// **Writes keep their order.** Bytes that were handed in are written even if the Future is dropped or cancelled, as
/// long as the stream is open, so writes never interleave. Wait for the Future before you drop the stream, and before
/// you hand in more: bytes that the other end does not accept are kept here, without limit.
///
/// Source: `tornado.iostream.IOStream`.
#[derive(Clone)]
pub struct IoStream {
    pub(super) connection: Rc<Connection>,
}

impl IoStream {
    pub(super) fn new(io: Io) -> Self {
        Self { connection: Connection::new(io) }
    }

    /// Reads at most `max` bytes, and at most 64 KiB, as soon as there are some. Empty at the end of the stream.
    #[track_caller]
    pub fn read(&self, max: usize) -> Future<Bytes> {
        self.connection.begin_read(AtMost(max))
    }

    /// Reads bytes as soon as there are some, and appends them to `buffer`, as many as its spare capacity holds (if it
    /// has none, 8 KiB are reserved). Returns the buffer and the number of bytes: zero at the end of the stream.
    #[track_caller]
    pub fn read_into(&self, mut buffer: Vec<u8>) -> Future<(Vec<u8>, usize)> {
        const ROOM: usize = 8 * 1024;

        if buffer.len() == buffer.capacity() {
            buffer.reserve(ROOM);
        }
        self.connection.begin_read(IntoVec(buffer))
    }

    /// Reads exactly `len` bytes.
    ///
    /// # Errors
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the stream ends before; the bytes that came stay in the
    /// stream.
    #[track_caller]
    pub fn read_exact(&self, len: usize) -> Future<Bytes> {
        self.connection.begin_read(Exactly(len))
    }

    /// Reads through the first `delimiter`, at most `max` bytes.
    ///
    /// # Errors
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the stream ends before the delimiter,
    /// [`InvalidData`](io::ErrorKind::InvalidData) if it is not within `max` bytes; the bytes that came stay in the
    /// stream.
    #[track_caller]
    pub fn read_until(&self, delimiter: impl Into<Bytes>, max: usize) -> Future<Bytes> {
        self.connection.begin_read(Until::new(delimiter.into(), max))
    }

    /// Reads everything until the end of the stream.
    ///
    /// # Errors
    /// [`InvalidData`](io::ErrorKind::InvalidData) if there are more than `max` bytes; those that came stay in the
    /// stream.
    #[track_caller]
    pub fn read_to_end(&self, max: usize) -> Future<Bytes> {
        self.connection.begin_read(ToEnd(max))
    }

    /// Writes all of `bytes`. The Future is done when the system has accepted them, which does not mean that the other
    /// end has received them.
    #[track_caller]
    pub fn write_all(&self, bytes: impl Into<Bytes>) -> Future<()> {
        self.connection.begin_write(bytes.into())
    }

    /// Writes as many of the bytes as there is room for, after everything handed in before, and returns their number.
    /// It waits until there is some room. A write that is dropped or cancelled while it waits has written nothing.
    #[track_caller]
    pub fn write(&self, bytes: impl Into<Bytes>) -> Future<usize> {
        self.connection.begin_write_once(bytes.into())
    }

    /// Waits until everything handed in is written.
    #[track_caller]
    pub fn flush(&self) -> Future<()> {
        self.connection.begin_write(Bytes::new())
    }

    /// Ends the stream for the other end, after everything handed in. Reading goes on.
    #[track_caller]
    pub fn shutdown(&self) -> Future<()> {
        self.connection.begin_shutdown()
    }

    /// Returns whether a read may find something: bytes, the end of the stream, or an error.
    #[cfg(feature = "http-client-plain")]
    pub(crate) fn may_be_readable(&self) -> bool {
        self.connection.may_be_readable()
    }

    /// Forgets the tasks that have polled for reading, since none of them waits any more.
    #[cfg(feature = "http-client-plain")]
    pub(crate) fn abandon_reads(&self) {
        self.connection.abandon_reads();
    }

    /// Reads into `buffer`, for adapters to other traits, such as `AsyncRead`. It is served after the reads in line.
    pub fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.connection.poll_read(cx, buffer)
    }

    /// Writes from `buffer`, for adapters to other traits, such as `AsyncWrite`.
    pub fn poll_write(&self, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.connection.poll_write(cx, &[IoSlice::new(buffer)])
    }

    /// Writes from several buffers, for adapters to other traits.
    pub fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.connection.poll_write(cx, buffers)
    }

    /// Waits until everything handed in is written, for adapters to other traits.
    pub fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.poll_flush(cx)
    }

    /// Shuts the stream down for writing, for adapters to other traits.
    pub fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.poll_shutdown(cx)
    }
}

impl fmt::Debug for IoStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IoStream").field(&self.connection.io.describe()).finish()
    }
}
