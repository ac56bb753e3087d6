//! [`HttpIo`]: the connection's stream, as hyper reads and writes it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};

use super::session::Session;
use crate::http::io::read_into;

/// A connection's stream, as hyper sees it. Records its traffic in the connection, for the limits.
#[derive(Debug)]
pub(crate) struct HttpIo {
    session: Rc<Session>,
    /// `true` if hyper may write several slices at once.
    vectored: bool,
}

impl HttpIo {
    pub(super) fn new(session: Rc<Session>, vectored: bool) -> Self {
        Self { session, vectored }
    }
}

impl Read for HttpIo {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        read_into(cursor, |buffer| self.session.connection.stream.poll_read(cx, buffer)).map_ok(drop)
    }
}

impl Write for HttpIo {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.session.connection.stream.poll_write_with(|stream| stream.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.session.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.session.connection.stream.poll_close(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.vectored
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.session.connection.stream.poll_write_with(|stream| stream.poll_write_vectored(cx, slices))
    }
}
