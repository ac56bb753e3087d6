//! [`Connection`]: a connection to a client, from its first byte to its last.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::future::poll_fn;
#[cfg(feature = "tls")]
use std::future::Future as _;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use squall_runner::trace::program;
use tungstenite::protocol::frame::coding::CloseCode;

use super::access_log::TARGET;
use super::deadline::{Deadline, Phase};
use super::exchange::Exchange;
use super::peer::Peer;
use super::protocol::{self, Protocol};
use super::server::Serving;
use super::upgrade::Upgrade;
use super::websocket::{Progress, Socket};
use crate::http::transport::Transport;

/// How long a closed connection waits for the client to see that.
const LINGER: Duration = Duration::from_secs(2);

/// How many bytes are read and dropped meanwhile.
const LINGER_BYTES: usize = 16 * 1024 * 1024;

/// How many bytes are read ahead while a handler runs: enough to see the end of the stream.
const AHEAD: usize = 64;

/// How many bytes are read before hyper's side is made: the head of most requests.
const FIRST: usize = 1024;

/// How many unneeded bytes are read at once.
const UNWANTED: usize = 4096;

/// After how many small responses in a row the next ones are expected to be small, too.
const MANY_SMALL: u8 = 8;

/// The state that a connection's task, hyper and the current request share.
pub(crate) struct Connection {
    pub(super) serving: Rc<Serving>,
    transport: RefCell<Transport>,
    peer: Peer,
    /// Wakes the task. Set when the task is first polled.
    waker: OnceCell<Waker>,
    /// The request whose response was not sent yet.
    current: RefCell<Option<Rc<Exchange>>>,
    /// `true` if hyper is calling the service, after which it looks for the response itself.
    calling: Cell<bool>,
    /// A finished exchange whose memory the next request reuses.
    spare: Cell<Option<Rc<Exchange>>>,
    /// How many responses in a row were small, at most 255.
    small: Cell<u8>,
    /// Bytes that were read while hyper did not read, for hyper to read.
    ahead: RefCell<Vec<u8>>,
    /// `true` if the client sends no more.
    ended: Cell<bool>,
    /// `true` if bytes have arrived since the last request began.
    fresh: Cell<bool>,
    /// How many bytes were written.
    written: Cell<u64>,
    /// `true` if the last write had to wait.
    blocked: Cell<bool>,
    /// `true` if hyper may have to skip the rest of a body that was not read: then only hyper knows where a request
    /// begins.
    body_left: Cell<bool>,
    /// `true` if the client may be sending bytes that nothing will read.
    lingers: Cell<bool>,
    /// The WebSocket that the connection becomes once the response is sent.
    upgrade: Cell<Option<Upgrade>>,
    pub(super) deadline: Deadline,
}

/// How the HTTP part of a connection ended.
enum Ended {
    /// hyper has finished.
    Done,
    /// The client did not send HTTP, or the stream failed. hyper has answered if that was possible.
    Failed,
    /// The client took too long, or the server stops.
    Cut,
}

impl Connection {
    pub(super) fn new(serving: Rc<Serving>, transport: Transport, peer: Peer) -> Rc<Self> {
        let deadline = Deadline::new(serving.io_loop.clone());
        Rc::new(Self {
            serving,
            transport: RefCell::new(transport),
            peer,
            waker: OnceCell::new(),
            current: RefCell::default(),
            calling: Cell::default(),
            spare: Cell::default(),
            small: Cell::default(),
            ahead: RefCell::default(),
            ended: Cell::default(),
            fresh: Cell::default(),
            written: Cell::default(),
            blocked: Cell::default(),
            body_left: Cell::default(),
            lingers: Cell::default(),
            upgrade: Cell::default(),
            deadline,
        })
    }

    pub(super) fn peer(&self) -> Peer {
        self.peer
    }

    /// Returns the loop's time.
    pub(super) fn time(&self) -> Duration {
        self.serving.io_loop.time()
    }

    pub(super) fn take_spare(&self) -> Option<Rc<Exchange>> {
        self.spare.take()
    }

    /// Keeps the room of an exchange that is over, unless a handler has it still.
    fn put_by(&self, mut over: Rc<Exchange>) {
        if over.receiver.as_ref().is_some_and(|receiver| !receiver.is_over()) {
            self.body_left.set(true);
        }
        if let Some(exchange) = Rc::get_mut(&mut over) {
            exchange.clear();
            self.spare.set(Some(over));
        }
    }

    /// Notes how large a response is.
    pub(super) fn note_response(&self, is_small: bool) {
        self.small.set(if is_small { self.small.get().saturating_add(1) } else { 0 });
    }

    /// Returns whether responses are best written from one buffer into which their bodies are copied: while all of
    /// them are small, or where a stream takes one slice only.
    pub(super) fn prefers_copies(&self) -> bool {
        self.small.get() >= MANY_SMALL || !self.transport.borrow().is_vectored()
    }

    /// Wakes the task, since there is something to send or to receive.
    pub(super) fn wake(&self) {
        if !self.calling.get() {
            self.wake_task();
        }
    }

    /// Wakes the task, which then finds out what to do.
    pub(super) fn wake_task(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }

    /// Closes the connection slowly. The client may be sending bytes that nothing will read, and closing a socket with
    /// unread bytes resets it, so that the client loses the response.
    pub(super) fn linger(&self) {
        self.lingers.set(true);
    }

    /// Makes the connection a WebSocket after the response is sent.
    pub(super) fn upgrade(&self, upgrade: Upgrade) {
        self.upgrade.set(Some(upgrade));
    }

    /// Returns a waker of the task.
    pub(super) fn waker(&self) -> Waker {
        self.waker.get().cloned().unwrap_or_else(|| Waker::noop().clone())
    }

    /// Begins a request.
    pub(super) fn call(self: &Rc<Self>, exchange: Rc<Exchange>, start: impl FnOnce(&Rc<Exchange>)) {
        self.fresh.set(false);
        *self.current.borrow_mut() = Some(exchange.clone());
        self.calling.set(true);
        // The connection is in the background and internal, but its handlers are not.
        program(|| self.serving.context.clone().enter(|| start(&exchange)));
        self.calling.set(false);
    }

    #[inline]
    pub(super) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.ended.get() || !self.ahead.borrow().is_empty() {
            return Poll::Ready(Ok(self.take_ahead(buffer)));
        }
        let read = self.transport.borrow_mut().poll_read(cx, buffer);
        match read {
            Poll::Ready(Ok(n)) if n > 0 => self.fresh.set(true),
            Poll::Ready(_) => self.ended.set(true),
            Poll::Pending => {}
        }
        read
    }

    /// Takes what was read ahead.
    #[cold]
    fn take_ahead(&self, buffer: &mut [u8]) -> usize {
        let ahead = &mut *self.ahead.borrow_mut();
        let n = ahead.len().min(buffer.len());
        buffer[..n].copy_from_slice(&ahead[..n]);
        if n == ahead.len() {
            *ahead = Vec::new();
        } else {
            ahead.drain(..n);
        }
        if n > 0 {
            self.fresh.set(true);
        }
        n
    }

    /// Reads ahead while hyper does not read. Returns whether there is something for hyper; if not, the client sends
    /// no more.
    pub(super) fn poll_ahead(&self, cx: &mut Context<'_>) -> Poll<bool> {
        if !self.ahead.borrow().is_empty() {
            return Poll::Ready(true);
        }
        if self.ended.get() {
            return Poll::Ready(false);
        }
        let mut bytes = [0; FIRST];
        let read = self.transport.borrow_mut().poll_read(cx, &mut bytes);
        match read {
            Poll::Ready(Ok(n)) if n > 0 => {
                self.fresh.set(true);
                self.ahead.borrow_mut().extend_from_slice(&bytes[..n]);
                Poll::Ready(true)
            }
            Poll::Ready(_) => {
                self.ended.set(true);
                Poll::Ready(false)
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// Puts back bytes of the next request that were read already, so that they are read again.
    pub(super) fn read_again(&self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.fresh.set(true);
            self.ahead.borrow_mut().splice(..0, bytes.iter().copied());
        }
    }

    pub(super) fn poll_write_with(
        &self,
        f: impl FnOnce(&mut Transport) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let wrote = f(&mut self.transport.borrow_mut());
        self.blocked.set(wrote.is_pending());
        if let Poll::Ready(Ok(n)) = wrote {
            self.written.set(self.written.get() + n as u64);
        }
        wrote
    }

    /// Flushes the stream. hyper calls this when it has nothing left to write.
    pub(super) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.transport.borrow_mut().poll_flush(cx);
        self.blocked.set(flushed.is_pending());
        if flushed.is_ready() {
            let mut current = self.current.borrow_mut();
            if let Some(exchange) = &*current {
                exchange.flushed();
                if exchange.is_taken() {
                    let over = current.take();
                    drop(current);
                    over.into_iter().for_each(|over| self.put_by(over));
                }
            }
        }
        flushed
    }

    pub(super) fn poll_close(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.borrow_mut().poll_close(cx)
    }

    fn current(&self) -> Option<Rc<Exchange>> {
        self.current.borrow().clone()
    }

    /// Serves the connection until it is closed, first HTTP and then perhaps a WebSocket.
    pub(super) async fn serve(self: Rc<Self>) {
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.serving.tls {
            if let Err(ended) = self.encrypt(tls).await {
                return self.close(ended).await;
            }
        }
        let guard = Lost(self.clone());
        let mut protocol = Protocol::default();
        let mut stopping = false;
        let ended = poll_fn(|cx| {
            let waker = self.waker.get_or_init(|| cx.waker().clone());
            if self.serving.is_cut() {
                return Poll::Ready(Ended::Cut);
            }
            if !stopping && self.serving.is_stopping() {
                stopping = true;
                protocol.stop();
            }
            match protocol.poll(&self, cx) {
                Poll::Ready(Ok(())) => return Poll::Ready(Ended::Done),
                Poll::Ready(Err(error)) => {
                    log::debug!(target: TARGET, "connection with {}: {error}", self.peer);
                    self.linger();
                    return Poll::Ready(Ended::Failed);
                }
                Poll::Pending => {}
            }
            self.look_at_current(cx);
            let phase = self.enter_phase(&protocol, waker);
            let may_rest = matches!(phase, Phase::Idle(_)) && !self.body_left.get();
            if may_rest {
                protocol.adapt(&self);
            }
            if !self.deadline.is_over(waker) {
                return Poll::Pending;
            }
            if may_rest {
                self.spare.take();
                protocol.rest(&self);
                self.enter_phase(&protocol, waker);
            } else if self.time_out(phase) {
                return Poll::Ready(Ended::Cut);
            }
            Poll::Pending
        })
        .await;
        let ended = match (self.upgrade.take(), ended) {
            (Some(upgrade), Ended::Done) => {
                self.spare.take();
                let unread = protocol.end();
                self.serve_socket(&upgrade.complete(&self, unread)).await
            }
            (upgrade, ended) => {
                drop(protocol);
                upgrade.into_iter().for_each(Upgrade::fail);
                ended
            }
        };
        drop(guard);
        self.close(ended).await;
    }

    /// Performs the TLS handshake.
    #[cfg(feature = "tls")]
    async fn encrypt(&self, tls: &super::tls::TlsConfig) -> Result<(), Ended> {
        let mut handshake = match &*self.transport.borrow() {
            Transport::Socket(stream) => tls.accept(stream.clone()),
            Transport::Other(_) | Transport::Closed => return Ok(()),
        };
        let encrypted = poll_fn(|cx| {
            let waker = self.waker.get_or_init(|| cx.waker().clone());
            self.deadline.enter(Phase::Head, Some(self.serving.config.header_timeout), waker);
            if self.serving.is_stopping() || self.deadline.is_over(waker) {
                return Poll::Ready(Err(Ended::Cut));
            }
            std::pin::Pin::new(&mut handshake).poll(cx).map_err(|error| {
                log::debug!(target: TARGET, "no TLS with {}: {error}", self.peer);
                Ended::Failed
            })
        });
        let encrypted = encrypted.await?;
        *self.transport.borrow_mut() = encrypted;
        Ok(())
    }

    /// Serves the connection as a WebSocket until that is closed.
    async fn serve_socket(&self, socket: &Socket) -> Ended {
        let ended = poll_fn(|cx| {
            if self.serving.is_cut() {
                return Poll::Ready(Ended::Cut);
            }
            if self.serving.is_stopping() {
                socket.close(CloseCode::Away, "the server stops");
            }
            if socket.drive() == Progress::Over {
                return Poll::Ready(Ended::Done);
            }
            let (phase, limit) = match self.blocked.get() {
                true => (Phase::Write(self.written.get()), Some(self.serving.config.write_timeout)),
                false => (Phase::Upgraded, None),
            };
            self.deadline.enter(phase, limit, cx.waker());
            match self.deadline.is_over(cx.waker()) {
                true => Poll::Ready(Ended::Cut),
                false => Poll::Pending,
            }
        })
        .await;
        socket.end();
        ended
    }

    /// Does for the current request what hyper does not: reads its body, and notices that the client has left.
    fn look_at_current(&self, cx: &mut Context<'_>) {
        let Some(exchange) = self.current() else { return };
        if let Some(receiver) = &exchange.receiver {
            receiver.poll(cx);
            if receiver.is_unread() {
                return;
            }
        }
        if exchange.is_finished() || self.ended.get() || !self.ahead.borrow().is_empty() {
            return;
        }
        let mut bytes = [0; AHEAD];
        let read = self.transport.borrow_mut().poll_read(cx, &mut bytes);
        match read {
            Poll::Ready(Ok(n)) if n > 0 => self.ahead.borrow_mut().extend_from_slice(&bytes[..n]),
            Poll::Ready(_) => {
                self.ended.set(true);
                exchange.client_left();
            }
            Poll::Pending => {}
        }
    }

    /// Enters the current phase of the connection.
    fn enter_phase(&self, protocol: &Protocol, waker: &Waker) -> Phase {
        let (phase, limit) = self.phase(protocol);
        self.deadline.enter(phase, limit, waker);
        phase
    }

    /// Returns the current phase of the connection, and how long it may last.
    fn phase(&self, protocol: &Protocol) -> (Phase, Option<Duration>) {
        let config = &self.serving.config;
        if self.blocked.get() {
            return (Phase::Write(self.written.get()), Some(config.write_timeout));
        }
        match &*self.current.borrow() {
            Some(exchange) => match &exchange.receiver {
                Some(receiver) if receiver.is_wanted() => {
                    (Phase::Body(receiver.received()), Some(config.body_timeout))
                }
                _ => (Phase::Busy, None),
            },
            None if self.fresh.get() || self.written.get() == 0 => (Phase::Head, Some(config.header_timeout)),
            None if protocol.is_at_rest() => {
                (Phase::Rest, Some(config.idle_timeout.saturating_sub(protocol::KEPT)))
            }
            None => {
                let kept = if self.body_left.get() { Duration::MAX } else { protocol::KEPT };
                (Phase::Idle(self.written.get()), Some(config.idle_timeout.min(kept)))
            }
        }
    }

    /// Handles a client that took too long. Returns whether the connection ends by that.
    fn time_out(&self, phase: Phase) -> bool {
        log::debug!(target: TARGET, "connection with {}: timeout while {phase:?}", self.peer);
        match (phase, self.current()) {
            (Phase::Body(_), Some(exchange)) => {
                exchange.receiver.iter().for_each(|receiver| receiver.time_out());
                false
            }
            _ => true,
        }
    }

    /// Closes the stream, even if a running handler still holds the connection.
    async fn close(&self, ended: Ended) {
        self.shut_down(ended).await;
        let closed = self.transport.replace(Transport::Closed);
        drop(closed);
    }

    /// Ends the stream for the client. If the client may still be sending, waits until it has seen that.
    async fn shut_down(&self, ended: Ended) {
        let phase = self.deadline.phase();
        let mut room = LINGER_BYTES;
        let mut closed = false;
        poll_fn(|cx| {
            let waker = cx.waker();
            self.deadline.enter(Phase::Linger, Some(LINGER), waker);
            if self.serving.is_cut() || self.deadline.is_over(waker) {
                return Poll::Ready(());
            }
            if !closed {
                if matches!(ended, Ended::Cut) && phase == Phase::Head && self.fresh.replace(false) {
                    // Only a part of a head has arrived, so hyper has written nothing, and this is the first thing the
                    // client reads.
                    const ANSWER: &[u8] =
                        b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
                    let _ = self.transport.borrow_mut().poll_write(cx, ANSWER);
                }
                match self.poll_close(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Ready(Ok(())) => closed = true,
                }
            }
            if !self.lingers.get() || self.ended.get() {
                return Poll::Ready(());
            }
            let mut bytes = [0; UNWANTED];
            loop {
                let read = self.transport.borrow_mut().poll_read(cx, &mut bytes);
                match read {
                    Poll::Ready(Ok(n)) if n > 0 && n < room => room -= n,
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
    }
}

/// Tells the current request that its connection is gone when this is dropped, for whatever reason.
struct Lost(Rc<Connection>);

impl Drop for Lost {
    fn drop(&mut self) {
        let current = self.0.current.borrow_mut().take();
        if let Some(exchange) = current {
            exchange.lost();
        }
        // It holds the connection.
        self.0.spare.take();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("peer", &self.peer).finish_non_exhaustive()
    }
}
