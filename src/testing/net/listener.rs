//! [`Listening`]: a socket that listens on a host, and its backlog.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use crate::ioloop::readiness::{Readiness, CLOSED, READ};
use crate::net::network::{Acceptor, Socket};

/// How many connections may wait to be accepted: as many as for listeners of std.
const BACKLOG: usize = 128;

/// A listening socket, as the network sees it.
pub(super) struct Listening {
    address: SocketAddr,
    readiness: Rc<Readiness>,
    backlog: RefCell<VecDeque<(Box<dyn Socket>, SocketAddr)>>,
}

impl Listening {
    pub(super) fn new(address: SocketAddr) -> Rc<Self> {
        Rc::new(Self { address, readiness: Readiness::new(CLOSED), backlog: RefCell::default() })
    }

    /// Returns whether it uses this address, so that another socket cannot.
    pub(super) fn overlaps(&self, address: SocketAddr) -> bool {
        let any = self.address.ip().is_unspecified() || address.ip().is_unspecified();
        self.address.port() == address.port() && (any || self.address.ip() == address.ip())
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(super) fn takes(&self, ip: IpAddr) -> bool {
        self.address.ip().is_unspecified() || self.address.ip() == ip
    }

    pub(super) fn is_full(&self) -> bool {
        self.backlog.borrow().len() >= BACKLOG
    }

    /// Adds a connection. The caller then [notifies](Self::tell) the socket.
    pub(super) fn add(&self, socket: Box<dyn Socket>, peer: SocketAddr) {
        self.backlog.borrow_mut().push_back((socket, peer));
    }

    /// Notifies the socket that there is a connection.
    pub(super) fn tell(&self) {
        self.readiness.set(READ);
    }
}

/// A listening socket, as its owner sees it.
pub(super) struct Listener {
    listening: Rc<Listening>,
    /// The name of its host.
    host: Rc<str>,
}

impl Listener {
    pub(super) fn new(listening: Rc<Listening>, host: Rc<str>) -> Self {
        Self { listening, host }
    }
}

impl Acceptor for Listener {
    fn readiness(&self) -> &Rc<Readiness> {
        &self.listening.readiness
    }

    fn accept(&self) -> io::Result<(Box<dyn Socket>, SocketAddr)> {
        self.listening.backlog.borrow_mut().pop_front().ok_or(io::ErrorKind::WouldBlock.into())
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.listening.address)
    }

    fn name(&self) -> String {
        format!("{}:{}", self.host, self.listening.address.port())
    }
}

/// Resets connections that were not accepted.
impl Drop for Listener {
    fn drop(&mut self) {
        for (socket, _) in self.listening.backlog.take() {
            drop(socket.set_linger(Some(Duration::ZERO)));
        }
    }
}
