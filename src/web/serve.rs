//! The task of a connection, from its first byte to its last.

use std::future::poll_fn;
#[cfg(feature = "tls")]
use std::future::Future as _;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tungstenite::protocol::frame::coding::CloseCode;

use super::access_log::TARGET;
use super::closing::{Ended, NOT_HTTP_1, TOO_SLOW};
use super::connection::Connection;
use super::deadline::Phase;
use super::exchange::Exchange;
use super::protocol::{self, Protocol};
use super::serving::Serving;
use super::session::Session;
use super::websocket::{Progress, Socket};

/// Serves a connection until it is closed, first HTTP and then perhaps a WebSocket.
pub(super) async fn serve(serving: Rc<Serving>, connection: Rc<Connection>) {
    Session::new(serving, connection).serve().await;
}

impl Session {
    async fn serve(self: Rc<Self>) {
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
            let waker = self.connection.waker_of(cx);
            if self.serving.is_cut() {
                return Poll::Ready(Ended::Cut);
            }
            if !stopping && self.serving.is_stopping() {
                stopping = true;
                protocol.stop();
            }
            match protocol.poll(&self, cx) {
                Poll::Ready(Ok(())) => return Poll::Ready(Ended::Done),
                Poll::Ready(Err(error)) => return Poll::Ready(self.failed(&error)),
                Poll::Pending => {}
            }
            self.look_at_current(cx);
            let phase = self.enter_phase(&protocol, waker);
            let may_rest = matches!(phase, Phase::Idle(_)) && !self.is_body_left();
            if may_rest {
                protocol.adapt(&self.connection);
            }
            let is_over = self.connection.deadline.is_over(waker);
            if !(is_over || may_rest && protocol.is_one_too_many()) {
                return Poll::Pending;
            }
            if may_rest {
                self.take_spare();
                protocol.rest(&self.connection);
                self.enter_phase(&protocol, waker);
                return Poll::Pending;
            }
            self.time_out(phase).map_or(Poll::Pending, Poll::Ready)
        })
        .await;
        let ended = match (self.take_upgrade(), ended) {
            (Some((upgrade, exchange)), Ended::Done) => {
                self.take_spare();
                let unread = protocol.end();
                self.serve_socket(&upgrade.complete(&self.connection, unread), &exchange).await
            }
            (upgrade, ended) => {
                drop(protocol);
                upgrade.into_iter().for_each(|(upgrade, _)| upgrade.fail());
                ended
            }
        };
        drop(guard);
        self.close(ended).await;
    }

    /// Performs the TLS handshake.
    #[cfg(feature = "tls")]
    async fn encrypt(&self, tls: &super::tls::TlsConfig) -> Result<(), Ended> {
        let Some(socket) = self.connection.stream.socket() else { return Ok(()) };
        let mut handshake = tls.accept(socket);
        let encrypted = poll_fn(|cx| {
            let waker = self.connection.waker_of(cx);
            self.connection.deadline.enter(Phase::Head, Some(self.serving.config.header_timeout), waker);
            if self.serving.is_stopping() || self.connection.deadline.is_over(waker) {
                return Poll::Ready(Err(Ended::Cut));
            }
            std::pin::Pin::new(&mut handshake).poll(cx).map_err(|error| {
                log::debug!(target: TARGET, "no TLS with {}: {error}", self.connection.peer());
                Ended::Done
            })
        });
        let encrypted = encrypted.await?;
        self.connection.stream.replace(encrypted);
        Ok(())
    }

    /// Serves the connection as a WebSocket, which a request has become, until that is closed.
    async fn serve_socket(&self, socket: &Socket, exchange: &Exchange) -> Ended {
        /// How long the client may take to answer a close.
        const ANSWER: Duration = Duration::from_secs(5);

        let ended = poll_fn(|cx| {
            if self.serving.is_cut() {
                return Poll::Ready(Ended::Cut);
            }
            if self.serving.is_stopping() {
                socket.close(CloseCode::Away, "the server stops");
            }
            if socket.drive(exchange.has_failed()) == Progress::Over {
                return Poll::Ready(Ended::Done);
            }
            let (phase, limit) = match self.connection.stream.is_blocked() {
                true => {
                    (Phase::Write(self.connection.stream.written()), Some(self.serving.config.write_timeout))
                }
                false if socket.is_closing() => (Phase::Closing, Some(ANSWER)),
                false => (Phase::Upgraded, None),
            };
            self.connection.deadline.enter(phase, limit, cx.waker());
            match self.connection.deadline.is_over(cx.waker()) {
                true => Poll::Ready(Ended::Cut),
                false => Poll::Pending,
            }
        })
        .await;
        socket.end();
        ended
    }

    /// Handles a client that did not send HTTP, or a stream that failed. hyper has answered if it could.
    fn failed(&self, error: &hyper::Error) -> Ended {
        log::debug!(target: TARGET, "connection with {}: {error}", self.connection.peer());
        self.connection.linger();
        // hyper leaves HTTP/2 to others. If it has not written the response before, an answer would land within that.
        match error.is_parse_version_h2() && !self.connection.stream.is_blocked() {
            true => Ended::Refused(NOT_HTTP_1),
            false => Ended::Done,
        }
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
        if exchange.is_finished() {
            return;
        }
        let left = match self.connection.stream.is_ended() {
            // The end was seen before this request began. If it came within the body, the body's reader is told.
            true => exchange.receiver.as_ref().is_none_or(|receiver| receiver.is_over()),
            false => self.connection.stream.poll_end(cx) == Poll::Ready(false),
        };
        if left {
            exchange.client_left();
        }
    }

    /// Enters the current phase of the connection.
    fn enter_phase(&self, protocol: &Protocol, waker: &Waker) -> Phase {
        let (phase, limit) = self.phase(protocol);
        self.connection.deadline.enter(phase, limit, waker);
        phase
    }

    /// Returns the current phase of the connection, and how long it may last.
    fn phase(&self, protocol: &Protocol) -> (Phase, Option<Duration>) {
        let (config, stream) = (&self.serving.config, &self.connection.stream);
        if stream.is_blocked() {
            return (Phase::Write(stream.written()), Some(config.write_timeout));
        }
        self.with_current(|current| match current {
            Some(exchange) => match &exchange.receiver {
                Some(receiver) if receiver.is_wanted() => {
                    (Phase::Body(receiver.received()), Some(config.body_timeout))
                }
                _ => (Phase::Busy, None),
            },
            None if stream.is_fresh() || stream.written() == 0 => (Phase::Head, Some(config.header_timeout)),
            None if protocol.is_at_rest() => {
                (Phase::Rest, Some(config.idle_timeout.saturating_sub(protocol::KEPT)))
            }
            None => {
                let kept = if self.is_body_left() { Duration::MAX } else { protocol::KEPT };
                (Phase::Idle(stream.written()), Some(config.idle_timeout.min(kept)))
            }
        })
    }

    /// Handles a client that took too long. Returns how the connection ends by that, if it does.
    fn time_out(&self, phase: Phase) -> Option<Ended> {
        log::debug!(target: TARGET, "connection with {}: timeout while {phase:?}", self.connection.peer());
        match (phase, self.current()) {
            (Phase::Body(_), Some(exchange)) => {
                exchange.receiver.iter().for_each(|receiver| receiver.time_out());
                None
            }
            // Only a part of a head has arrived, so hyper has written nothing.
            (Phase::Head, _) if self.connection.stream.is_fresh() => Some(Ended::Refused(TOO_SLOW)),
            _ => Some(Ended::Cut),
        }
    }
}

/// Tells the current request that its connection is gone when this is dropped, for whatever reason.
struct Lost(Rc<Session>);

impl Drop for Lost {
    fn drop(&mut self) {
        if let Some(exchange) = self.0.take_current() {
            exchange.lost();
        }
    }
}
