//! [`IoStream`]: what every stream can do, whatever carries its bytes.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_io::{AsyncRead, AsyncWrite};
use squall_runner::Future;

use super::connection::Connection;
use super::io::Io;
use super::lines::Lines;
use super::tcp::TcpStream;
use super::wants::{AtMost, Exactly, IntoVec, ToEnd, Until};

/// A connection to another end: bytes in both directions, in order. [`TcpStream`](super::TcpStream) and
/// [`UnixStream`](super::UnixStream) are one each, and have these methods.
///
/// A handle: clones mean the same connection, which closes when the last of them is dropped. What still waits then
/// fails.
///
/// **Reads wait in line**, first come first served. What a read has taken and nobody took from its Future goes back to
/// its place in the stream: a read that is cancelled, dropped or given up after a time limit loses no byte.
///
/// **Writes keep their order.** Bytes that were handed in are written, also if the Future is dropped or cancelled, as
/// long as the stream is open; so a write never lands in the middle of another. Wait for the Future before you drop the
/// stream, and before you hand in more: what the other end does not take is kept here, without limit.
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

    /// Reads what is there, at most `max` bytes; waits until there is something. It is empty at the end of the stream.
    /// One read takes at most 64 KiB.
    pub fn read(&self, max: usize) -> Future<Bytes> {
        self.connection.begin_read(AtMost(max))
    }

    /// Reads what is there and appends it to `buffer`, as much as its spare capacity holds (with none, 8 KiB are
    /// reserved). Returns the buffer, and how much was read: zero at the end of the stream.
    pub fn read_into(&self, mut buffer: Vec<u8>) -> Future<(Vec<u8>, usize)> {
        const ROOM: usize = 8 * 1024;

        if buffer.len() == buffer.capacity() {
            buffer.reserve(ROOM);
        }
        self.connection.begin_read(IntoVec(buffer))
    }

    /// Reads `len` bytes.
    ///
    /// # Errors
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the stream ends before; what came is left to be read.
    pub fn read_exact(&self, len: usize) -> Future<Bytes> {
        self.connection.begin_read(Exactly(len))
    }

    /// Reads up to and with the first `delimiter`, at most `max` bytes.
    ///
    /// # Errors
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the stream ends before,
    /// [`InvalidData`](io::ErrorKind::InvalidData) if there is none within `max` bytes; what came is left to be read.
    pub fn read_until(&self, delimiter: impl Into<Bytes>, max: usize) -> Future<Bytes> {
        self.connection.begin_read(Until::new(delimiter.into(), max))
    }

    /// Reads all that comes until the end of the stream.
    ///
    /// # Errors
    /// [`InvalidData`](io::ErrorKind::InvalidData) if it is more than `max` bytes; what came is left to be read.
    pub fn read_to_end(&self, max: usize) -> Future<Bytes> {
        self.connection.begin_read(ToEnd(max))
    }

    /// The lines of text that come, one by one.
    pub fn lines(&self) -> Lines {
        Lines::new(self.clone())
    }

    /// Writes all of `bytes`. The Future is done when the system has taken them, which says nothing of the other end.
    pub fn write_all(&self, bytes: impl Into<Bytes>) -> Future<()> {
        self.connection.begin_write(bytes.into())
    }

    /// Writes what there is room for, after what was handed in before, and returns how many of the bytes that was. It
    /// waits until there is some room. A write that is dropped or cancelled before has written nothing.
    #[track_caller]
    pub fn write(&self, bytes: impl Into<Bytes>) -> Future<usize> {
        self.connection.begin_write_once(bytes.into())
    }

    /// Waits until all that was handed in is written.
    pub fn flush(&self) -> Future<()> {
        self.connection.begin_write(Bytes::new())
    }

    /// Says to the other end that nothing more comes, after all that was handed in. Reading goes on.
    pub fn shutdown(&self) -> Future<()> {
        self.connection.begin_shutdown()
    }

    /// Reads into `buffer`, for adapters to traits of others: see [`AsyncRead`]. It comes after the reads in line.
    pub fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.connection.poll_read(cx, buffer)
    }

    /// Writes out of `buffer`, for adapters to traits of others: see [`AsyncWrite`].
    pub fn poll_write(&self, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.connection.poll_write(cx, &[IoSlice::new(buffer)])
    }

    /// Writes out of several buffers, for adapters to traits of others.
    pub fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.connection.poll_write(cx, buffers)
    }

    /// Waits until all that was handed in is written, for adapters to traits of others.
    pub fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.poll_flush(cx)
    }

    /// Shuts the stream down for writing, for adapters to traits of others.
    pub fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.poll_shutdown(cx)
    }
}

impl fmt::Debug for IoStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IoStream").field(&self.connection.io.describe()).finish()
    }
}

/// Also for `&IoStream`: a stream can be read from and written to at once.
macro_rules! futures_io {
    ($($stream:ty),*) => {$(
        impl AsyncRead for $stream {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                self.connection.poll_read(cx, buffer)
            }
        }

        impl AsyncWrite for $stream {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.connection.poll_write(cx, &[IoSlice::new(buffer)])
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffers: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.connection.poll_write(cx, buffers)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.connection.poll_flush(cx)
            }

            fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.connection.poll_shutdown(cx)
            }
        }
    )*};
}
futures_io!(IoStream, &IoStream, TcpStream, &TcpStream);
#[cfg(unix)]
futures_io!(super::UnixStream, &super::UnixStream);
