//! [`Transport`]: the stream under an HTTP connection.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

use crate::net::IoStream;

/// A stream in both directions.
pub(crate) trait Duplex: AsyncRead + AsyncWrite {}

impl<S: AsyncRead + AsyncWrite> Duplex for S {}

/// A socket, or an encrypted stream on a socket.
pub(crate) enum Transport {
    Socket(IoStream),
    #[cfg_attr(not(feature = "tls"), allow(dead_code))] // without TLS, no stream is on a socket
    Other(Pin<Box<dyn Duplex>>),
    /// Nothing: the stream was taken or closed.
    #[cfg_attr(not(feature = "web"), allow(dead_code))] // The client drops its connections.
    Closed,
}

impl Transport {
    #[inline]
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Socket(stream) => stream.poll_read(cx, buffer),
            Self::Other(stream) => stream.as_mut().poll_read(cx, buffer),
            Self::Closed => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Socket(stream) => stream.poll_write(cx, bytes),
            Self::Other(stream) => stream.as_mut().poll_write(cx, bytes),
            Self::Closed => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    pub(crate) fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Socket(stream) => stream.poll_write_vectored(cx, slices),
            Self::Other(stream) => stream.as_mut().poll_write_vectored(cx, slices),
            Self::Closed => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            // Bytes that a socket has accepted are in the system's hands.
            Self::Socket(_) | Self::Closed => Poll::Ready(Ok(())),
            Self::Other(stream) => stream.as_mut().poll_flush(cx),
        }
    }

    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Socket(stream) => stream.poll_shutdown(cx),
            Self::Other(stream) => stream.as_mut().poll_close(cx),
            Self::Closed => Poll::Ready(Ok(())),
        }
    }

    /// Returns whether one write can take several slices.
    pub(crate) fn is_vectored(&self) -> bool {
        matches!(self, Self::Socket(_))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Socket(_) => "Socket",
            Self::Other(_) => "Other",
            Self::Closed => "Closed",
        })
    }
}
