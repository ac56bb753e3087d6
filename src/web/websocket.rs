//! [`WebSocket`]: messages in both directions, on a connection that began as a request.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use bytes::Bytes;
use squall_runner::{Future, Promise};
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Error, Message as Frame};

use super::connection::Connection;
use super::error::ConnectionClosed;
use super::wire::Wire;

/// A message of a [`WebSocket`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A text.
    Text(String),
    /// Bytes.
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

/// A WebSocket: what [`Request::upgrade`](super::Request::upgrade) makes of a request. A handle: clones mean the same,
/// and the last one that goes closes it.
///
/// Messages come whole, however many frames they were sent in. Pings are answered, and a close is answered, by
/// themselves. One message is received ahead of [`receive`](Self::receive) and no more, so a handler that is slow slows
/// its client down.
///
/// Source: `tornado.websocket.WebSocketHandler`.
#[derive(Clone)]
pub struct WebSocket(Rc<Handle>);

/// Closes the socket when it goes.
struct Handle(Rc<Socket>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close(CloseCode::Normal, "");
    }
}

impl WebSocket {
    pub(super) fn new(socket: Rc<Socket>) -> Self {
        Self(Rc::new(Handle(socket)))
    }

    /// Receives the next message; `None` once the socket is closed, by whomever: [`close_code`](Self::close_code) says
    /// how. Those who wait at once are served in turn.
    pub fn receive(&self) -> Future<Option<Message>> {
        let socket = &*self.0 .0;
        let received = Future::new();
        socket.receivers.borrow_mut().push(received.promise());
        socket.deliver();
        socket.connection.wake_task();
        received
    }

    /// Sends a message. The Future is done when the system has taken it, so a handler that waits for it is no faster
    /// than its client.
    ///
    /// # Errors
    /// The Future fails with [`ConnectionClosed`] if the socket is closed. Nobody need wait for it: that failure is not
    /// logged.
    pub fn send(&self, message: impl Into<Message>) -> Future<()> {
        self.0 .0.send(message.into())
    }

    /// Closes the socket with a code and a reason of at most 123 bytes: 1000 is the normal end. What was sent before is
    /// sent first; the client's answer is waited for.
    pub fn close(&self, code: u16, reason: &str) {
        self.0 .0.close(CloseCode::from(code), reason);
    }

    /// Returns the code with which the socket was closed, once it is: the client's, or 1006 if the connection was lost
    /// without any.
    pub fn close_code(&self) -> Option<u16> {
        self.0 .0.closed.get()
    }
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket").field("close_code", &self.close_code()).finish_non_exhaustive()
    }
}

/// The state of a WebSocket. The task of its connection drives it.
pub(crate) struct Socket {
    connection: Rc<Connection>,
    protocol: RefCell<tungstenite::WebSocket<Wire>>,
    /// A message that nobody has received yet.
    inbox: RefCell<Option<Message>>,
    receivers: RefCell<Vec<Promise<Option<Message>>>>,
    /// Those that wait until what they sent is with the system.
    senders: RefCell<Vec<(Promise<()>, Future<()>)>>,
    /// Set once it is closed, or is about to be.
    closing: Cell<bool>,
    closed: Cell<Option<u16>>,
}

/// Whether a socket has more to do.
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
        /// A control frame has room for 125 bytes, of which the code takes two.
        const REASON: usize = 123;

        if self.closing.replace(true) {
            return;
        }
        let mut end = reason.len().min(REASON);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        let frame = CloseFrame { code, reason: reason[..end].into() };
        // Whether it can be sent, the task finds out.
        let _ = self.protocol.borrow_mut().close(Some(frame));
        self.connection.wake_task();
    }

    /// Hands the message that is there to the first who waits, and says to all that none comes if so it is.
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

    /// Sends and receives what can be.
    pub(super) fn drive(&self) -> Progress {
        loop {
            // Read first: what it answers, a ping or a close, is flushed then.
            let read = self.read();
            let flushed = self.protocol.borrow_mut().flush();
            match flushed {
                Ok(()) => {
                    self.senders.take().into_iter().for_each(|(promise, _)| promise.set_result(()));
                }
                Err(error) if is_blocked(&error) => {}
                Err(_) => return self.over(),
            }
            match read {
                Ok(true) => {}
                Ok(false) => return Progress::Open,
                Err(error) => return self.fail(&error),
            }
        }
    }

    /// Receives a frame. Returns whether there may be another.
    fn read(&self) -> Result<bool, Error> {
        if self.inbox.borrow().is_some() && !self.closing.get() {
            return Ok(false);
        }
        let read = self.protocol.borrow_mut().read();
        match read {
            Ok(Frame::Text(text)) => self.receive(Message::Text(text.as_str().to_owned())),
            Ok(Frame::Binary(bytes)) => self.receive(Message::Binary(bytes)),
            Ok(Frame::Close(frame)) => {
                self.closing.set(true);
                let code = frame.map_or(CloseCode::Status, |frame| frame.code);
                self.closed.set(self.closed.get().or(Some(code.into())));
            }
            Ok(Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_)) => {}
            Err(error) if is_blocked(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    fn receive(&self, message: Message) {
        // What comes between our close and its answer is of no use.
        if !self.closing.get() {
            *self.inbox.borrow_mut() = Some(message);
            self.deliver();
        }
    }

    /// The protocol ends with an error, which a close at its proper end is as well. The client is told what it did wrong.
    fn fail(&self, error: &Error) -> Progress {
        let code = match error {
            Error::ConnectionClosed | Error::AlreadyClosed | Error::Io(_) => None,
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

    /// Nothing can be sent or received any more.
    pub(super) fn end(&self) {
        self.closing.set(true);
        self.closed.set(self.closed.get().or(Some(CloseCode::Abnormal.into())));
        self.deliver();
        self.senders.take().into_iter().for_each(fail);
    }
}

/// Says that a message was not sent, to whoever waits for it.
fn fail((promise, future): (Promise<()>, Future<()>)) {
    promise.set_exception(ConnectionClosed);
    // Code that does not wait need not learn that it failed: the exception counts as retrieved.
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
