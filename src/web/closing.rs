//! The end of a connection.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use super::connection::Connection;
use super::deadline::Phase;
use super::session::Session;
use crate::http::transport::Transport;

/// How long a closed connection waits for the client to see that.
const LINGER: Duration = Duration::from_secs(2);

/// How many bytes are read and dropped meanwhile.
const LINGER_BYTES: usize = 16 * 1024 * 1024;

/// How many unneeded bytes are read at once.
const UNWANTED: usize = 4096;

/// The answer to a head that does not come to its end in time.
pub(super) const TOO_SLOW: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// The answer to the preface of HTTP/2.
pub(super) const NOT_HTTP_1: &[u8] =
    b"HTTP/1.1 505 HTTP Version Not Supported\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// How a connection ended.
pub(super) enum Ended {
    /// Everything was answered that could be.
    Done,
    /// The client took too long, or the server stops.
    Cut,
    /// A request is answered that hyper does not answer. The bytes are the next that the client reads.
    Refused(&'static [u8]),
}

impl Session {
    /// Closes the stream, even if a running handler still holds the connection.
    pub(super) async fn close(&self, ended: Ended) {
        self.shut_down(ended).await;
        let closed = self.connection.stream.replace(Transport::Closed);
        drop(closed);
    }

    /// Ends the stream for the client. If the client may still be sending, waits until it has seen that.
    async fn shut_down(&self, ended: Ended) {
        let mut answer = match ended {
            Ended::Refused(answer) => Some(answer),
            Ended::Done | Ended::Cut => None,
        };
        let mut room = LINGER_BYTES;
        let mut closed = false;
        let Connection { stream, deadline, .. } = &*self.connection;
        poll_fn(|cx| {
            let waker = cx.waker();
            deadline.enter(Phase::Linger, Some(LINGER), waker);
            if self.serving.is_cut() || deadline.is_over(waker) {
                return Poll::Ready(());
            }
            if !closed {
                if let Some(answer) = answer.take() {
                    // It fits into the empty buffer of any socket.
                    let _ = stream.poll_write_with(|stream| stream.poll_write(cx, answer));
                }
                match stream.poll_close(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Ready(Ok(())) => closed = true,
                }
            }
            if !self.connection.lingers() || stream.is_ended() {
                return Poll::Ready(());
            }
            let mut bytes = [0; UNWANTED];
            loop {
                match stream.poll_unwanted(cx, &mut bytes) {
                    Poll::Ready(Ok(n)) if n > 0 && n < room => room -= n,
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
    }
}
