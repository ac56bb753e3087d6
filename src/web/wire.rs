//! [`Wire`]: the connection's stream, as the WebSocket protocol reads and writes it.

use std::io::{self, Read, Write};
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};

use super::connection::Connection;

/// A connection's stream as a non-blocking stream of std: an operation that would wait fails with `WouldBlock`, and the
/// connection's task is woken when it is worth another try.
#[derive(Debug)]
pub(crate) struct Wire {
    connection: Rc<Connection>,
    /// Bytes that came after the request.
    unread: Bytes,
}

impl Wire {
    pub(super) fn new(connection: Rc<Connection>, unread: Bytes) -> Self {
        Self { connection, unread }
    }

    fn poll<T>(&self, poll: impl FnOnce(&mut Context<'_>) -> Poll<io::Result<T>>) -> io::Result<T> {
        match poll(&mut Context::from_waker(&self.connection.waker())) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.unread.has_remaining() {
            let n = self.unread.len().min(buffer.len());
            self.unread.split_to(n).copy_to_slice(&mut buffer[..n]);
            return Ok(n);
        }
        self.poll(|cx| self.connection.stream.poll_read(cx, buffer))
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.poll(|cx| self.connection.stream.poll_write_with(|stream| stream.poll_write(cx, bytes)))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.poll(|cx| self.connection.stream.poll_flush(cx))
    }
}
