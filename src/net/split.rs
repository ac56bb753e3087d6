//! The halves of a stream: one to read from, one to write to.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

use super::stream::IoStream;

/// The half of a stream that is read from; see [`IoStream::into_split`].
pub struct ReadHalf(pub(super) IoStream);

/// The half of a stream that is written to; see [`IoStream::into_split`]. Dropping it shuts the stream down for writing,
/// after all that was handed in: the other end sees the end of the stream.
pub struct WriteHalf(pub(super) IoStream);

impl IoStream {
    /// Splits the stream, so that each half can go to a coroutine of its own. The connection closes when both halves are
    /// dropped, and every other handle of it.
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
        // What is wrong with the connection is told to those who read from it.
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
