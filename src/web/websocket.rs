//! [`WebSocket`]: messages in both directions, on a connection that began as an HTTP request.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use bytes::Bytes;
use squall_runner::{Future, Promise};
use tungstenite::error::ProtocolError;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Error, Message as Frame};

use super::connection::Connection;
use super::error::ConnectionClosed;
use super::wire::Wire;

/// A message of a [`WebSocket`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Bytes),
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<Message> for Frame {
    fn from(message: Message) -> Self {
        match message {
            Message::Text(text) => Self::text(text),
            Message::Binary(bytes) => Self::binary(bytes),
        }
    }
}

/// A WebSocket, as [`Request::upgrade`](super::Request::upgrade) returns it.
///
/// A `WebSocket` is a handle: clones refer to the same socket, and dropping the last of them closes it. Messages arrive
/// whole, however many frames they were sent in. Pings and closes are answered automatically. Only one message is
/// received ahead of [`receive`](Self::receive), so a slow handler slows down its client. A handler that fails closes
/// its socket with code 1011, even if other handles of it are kept.
///
/// Source: `tornado.websocket.WebSocketHandler`.
#[derive(Clone)]
pub struct WebSocket(Rc<Handle>);

/// Closes the socket when it is dropped.
struct Handle(Rc<Socket>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl WebSocket {
    pub(super) fn new(socket: Rc<Socket>) -> Self {
        Self(Rc::new(Handle(socket)))
    }

    /// Receives the next message; `None` once either end has closed the socket: [`close_code`](Self::close_code)
    /// returns how. Concurrent calls are served in order.
    pub fn receive(&self) -> Future<Option<Message>> {
        let socket = &*self.0 .0;
        let received = Future::new();
        socket.receivers.borrow_mut().push(received.promise());
        socket.deliver();
        socket.connection.wake_task();
        received
    }

    /// Sends a message. The Future is done when the system has accepted it, so a handler that waits for it goes at the
    /// pace of its client.
    ///
    /// # Errors
    /// The Future fails with [`ConnectionClosed`] if the socket is closed. A handler need not wait for it: this failure
    /// is not logged.
    pub fn send(&self, message: impl Into<Message>) -> Future<()> {
        self.0 .0.send(message.into())
    }

    /// Closes the socket with a code, of which 1000 is the normal end, and a reason of at most 123 bytes. Messages that
    /// were sent before go out first, and the client's answer is awaited for at most five seconds. With code 1005,
    /// neither a code nor the reason is sent. A socket that is closed already stays as it is.
    ///
    /// # Panics
    /// Panics if no socket may be closed with the code: those from 1000 to 1003, from 1007 to 1013 and from 3000 to 4999
    /// can be sent.
    #[track_caller]
    pub fn close(&self, code: u16, reason: &str) {
        let (socket, code) = (&*self.0 .0, CloseCode::from(code));
        assert!(
            socket.is_closing() || code == CloseCode::Status || code.is_allowed(),
            "{code} is not a code to close a WebSocket with: use 1000 to 1003, 1007 to 1013 or 3000 to 4999"
        );
        socket.close(code, reason);
    }

    /// Returns the code with which the socket was closed, or `None` while it is open: the client's code, or 1006 if the
    /// connection was lost without one.
    pub fn close_code(&self) -> Option<u16> {
        self.0 .0.closed.get()
    }
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket").field("close_code", &self.close_code()).finish_non_exhaustive()
    }
}

/// The state of a WebSocket, driven by the task of its connection.
pub(crate) struct Socket {
    connection: Rc<Connection>,
    protocol: RefCell<tungstenite::WebSocket<Wire>>,
    /// A message that was not received yet.
    inbox: RefCell<Option<Message>>,
    receivers: RefCell<Vec<Promise<Option<Message>>>>,
    /// The Futures of `send` that are pending.
    senders: RefCell<Vec<(Promise<()>, Future<()>)>>,
    /// `true` from a ping of the client until its answer is sent. Nothing is read meanwhile, so that a client that reads
    /// no answers cannot fill the memory with them.
    answering: Cell<bool>,
    /// `true` once the last handle was dropped.
    abandoned: Cell<bool>,
    /// `true` if the socket is closed or about to be.
    closing: Cell<bool>,
    closed: Cell<Option<u16>>,
}

/// The state of a socket after it was driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Open,
    Over,
}

impl Socket {
    pub(super) fn new(connection: Rc<Connection>, protocol: tungstenite::WebSocket<Wire>) -> Rc<Self> {
        Rc::new(Self {
            connection,
            protocol: RefCell::new(protocol),
            inbox: RefCell::default(),
            receivers: RefCell::default(),
            senders: RefCell::default(),
            answering: Cell::default(),
            abandoned: Cell::default(),
            closing: Cell::default(),
            closed: Cell::default(),
        })
    }

    fn send(&self, message: Message) -> Future<()> {
        let sent = Future::new();
        self.senders.borrow_mut().push((sent.promise(), sent.clone()));
        let written = match self.closing.get() {
            true => Err(Error::AlreadyClosed),
            false => self.protocol.borrow_mut().write(message.into()),
        };
        match written {
            Err(error) if !is_blocked(&error) => {
                let failed = self.senders.borrow_mut().pop();
                failed.into_iter().for_each(fail);
            }
            _ => self.connection.wake_task(),
        }
        sent
    }

    pub(super) fn close(&self, code: CloseCode, reason: &str) {
        /// A control frame has room for 125 bytes, two of which are the code.
        const REASON: usize = 123;

        if self.closing.replace(true) {
            return;
        }
        let mut end = reason.len().min(REASON);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        let frame = (code != CloseCode::Status).then(|| CloseFrame { code, reason: reason[..end].into() });
        // The task finds out whether it can be sent.
        let _ = self.protocol.borrow_mut().close(frame);
        self.connection.wake_task();
    }

    /// Returns whether the socket is closed or about to be.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.get()
    }

    /// Called when the last handle is dropped. Why it was, the task finds out: the handler may be about to fail.
    fn abandon(&self) {
        self.abandoned.set(true);
        self.connection.wake_task();
    }

    /// Hands the message in the inbox to the first `receive` in line, or resolves all of them if no message will come.
    fn deliver(&self) {
        let mut receivers = self.receivers.borrow_mut();
        if !receivers.is_empty() {
            if let Some(message) = self.inbox.take() {
                receivers.remove(0).set_result(Some(message));
            } else if self.closed.get().is_some() {
                receivers.drain(..).for_each(|receiver| receiver.set_result(None));
            }
        }
    }

    /// Sends and receives as much as possible without waiting, or begins to close the socket if its handler has failed.
    pub(super) fn drive(&self, has_failed: bool) -> Progress {
        if has_failed {
            self.close(CloseCode::Error, "");
        } else if self.abandoned.get() {
            self.close(CloseCode::Normal, "");
        }
        loop {
            let flushed = self.protocol.borrow_mut().flush();
            match flushed {
                Ok(()) => self.sent(),
                // The last message before the closing handshake is out with it.
                Err(Error::ConnectionClosed) => {
                    self.sent();
                    return self.over();
                }
                Err(error) if is_blocked(&error) => {
                    if self.answering.get() {
                        return Progress::Open;
                    }
                }
                Err(_) => return self.over(),
            }
            match self.read() {
                Ok(true) => {}
                Ok(false) => return Progress::Open,
                Err(error) => return self.fail(&error),
            }
        }
    }

    /// Called when the system has accepted everything.
    fn sent(&self) {
        self.answering.set(false);
        self.senders.take().into_iter().for_each(|(promise, _)| promise.set_result(()));
    }

    /// Receives a frame. Returns whether to go on with another one at once.
    fn read(&self) -> Result<bool, Error> {
        let is_full = self.inbox.borrow().is_some() && !self.closing.get();
        if is_full || self.closed.get().is_some() {
            return Ok(false);
        }
        let read = self.protocol.borrow_mut().read();
        match read {
            Ok(Frame::Text(text)) => return Ok(self.receive(Message::Text(text.as_str().to_owned()))),
            Ok(Frame::Binary(bytes)) => return Ok(self.receive(Message::Binary(bytes))),
            Ok(Frame::Close(frame)) => {
                self.closing.set(true);
                let code = frame.map_or(CloseCode::Status, |frame| frame.code);
                self.closed.set(Some(code.into()));
            }
            Ok(Frame::Ping(_)) => self.answering.set(true),
            Ok(Frame::Pong(_) | Frame::Frame(_)) => {}
            Err(error) if is_blocked(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Takes a message in. Returns whether to read on at once.
    fn receive(&self, message: Message) -> bool {
        // Messages between our close and its answer are dropped.
        if self.closing.get() {
            return true;
        }
        *self.inbox.borrow_mut() = Some(message);
        self.deliver();
        // The handler comes first: the next frame may be a close, after which it could not answer this one.
        self.connection.wake_task();
        false
    }

    /// Ends the protocol after an error, which a proper close is as well. The client is told what it did wrong.
    fn fail(&self, error: &Error) -> Progress {
        let code = match error {
            Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Io(_)
            | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
            Error::Capacity(_) => Some(CloseCode::Size),
            Error::Utf8(_) => Some(CloseCode::Invalid),
            _ => Some(CloseCode::Protocol),
        };
        if let Some(code) = code {
            self.closed.set(self.closed.get().or(Some(code.into())));
            self.close(code, "");
            let _ = self.protocol.borrow_mut().flush();
            self.connection.linger();
        }
        self.over()
    }

    fn over(&self) -> Progress {
        self.end();
        Progress::Over
    }

    /// Called when nothing can be sent or received any more.
    pub(super) fn end(&self) {
        self.closing.set(true);
        self.closed.set(self.closed.get().or(Some(CloseCode::Abnormal.into())));
        self.deliver();
        self.senders.take().into_iter().for_each(fail);
    }
}

/// Fails the Future of a message that was not sent.
fn fail((promise, future): (Promise<()>, Future<()>)) {
    promise.set_exception(ConnectionClosed);
    // The exception counts as retrieved, since code that does not wait need not learn of it.
    drop(future.exception());
}

fn is_blocked(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("closed", &self.closed.get()).finish_non_exhaustive()
    }
}
