//! [`Upgrade`]: a connection that becomes a WebSocket.

use std::rc::Rc;

use bytes::Bytes;
use squall_runner::Promise;
use tungstenite::protocol::{Role, WebSocketConfig as Protocol};

use super::connection::Connection;
use super::error::ConnectionClosed;
use super::websocket::{Socket, WebSocket};
use super::wire::Wire;

/// A WebSocket that the connection becomes once the response is sent.
pub(crate) struct Upgrade {
    pub(super) promise: Promise<WebSocket>,
    pub(super) max_message_size: usize,
}

impl Upgrade {
    /// Makes the connection a WebSocket. `unread` are bytes that came after the request.
    pub(super) fn complete(self, connection: &Rc<Connection>, unread: Bytes) -> Rc<Socket> {
        const BUFFER: usize = 8 * 1024;

        let protocol = Protocol::default()
            .read_buffer_size(BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(self.max_message_size))
            .max_frame_size(Some(self.max_message_size));
        let wire = Wire::new(connection.clone(), unread);
        let protocol = tungstenite::WebSocket::from_raw_socket(wire, Role::Server, Some(protocol));
        let socket = Socket::new(connection.clone(), protocol);
        self.promise.set_result(WebSocket::new(socket.clone()));
        socket
    }

    /// Called when the connection was lost before.
    pub(super) fn fail(self) {
        self.promise.set_exception(ConnectionClosed);
    }
}
