//! The halves of a stream, one for reading and one for writing.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

use super::stream::IoStream;

/// The reading half of a stream; see [`IoStream::into_split`].
pub struct ReadHalf(pub(super) IoStream);

/// The writing half of a stream; see [`IoStream::into_split`]. Dropping it shuts the stream down for writing after
/// everything handed in: the other end then sees the end of the stream.
pub struct WriteHalf(pub(super) IoStream);

impl IoStream {
    /// Splits the stream into two halves that can go to separate coroutines. The connection closes when both halves,
    /// and every other handle of it, are dropped.
    ///
    /// ```
    /// use squall::net::UnixStream;
    /// use squall::{IoLoop, Result};
    ///
    /// #[squall::coroutine]
    /// fn greet() -> Result<()> {
    ///     let (client, server) = UnixStream::pair()?;
    ///     let (reader, writer) = server.into_split();
    ///     yield_!(writer.write_all("hello"))?;
    ///     drop(writer);                                        // the end, for the client
    ///     assert_eq!(yield_!(client.read_to_end(100))?, "hello");
    ///     yield_!(client.write_all("still open"))?;            // the other direction
    ///     assert_eq!(yield_!(reader.read(100))?, "still open");
    ///     Ok(())
    /// }
    /// IoLoop::current().run_sync(greet)?;
    /// # Ok::<(), squall::Exception>(())
    /// ```
    pub fn into_split(self) -> (ReadHalf, WriteHalf) {
        (ReadHalf(self.clone()), WriteHalf(self))
    }
}

impl Drop for WriteHalf {
    fn drop(&mut self) {
        // A failed connection is reported to those that read from it.
        drop(self.0.shutdown().exception());
    }
}

impl AsyncRead for ReadHalf {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0.poll_read(cx, buffer)
    }
}

impl AsyncWrite for WriteHalf {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, buffer)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write_vectored(cx, buffers)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_shutdown(cx)
    }
}

impl fmt::Debug for ReadHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadHalf").field(&self.0).finish()
    }
}

impl fmt::Debug for WriteHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WriteHalf").field(&self.0).finish()
    }
}
