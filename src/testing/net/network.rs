//! [`Network`]: the hosts of one loop, and the links between them.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::errno::Errno;
use super::link::Wire;
use super::listener::Listening;
use crate::ioloop::{IoLoop, WeakLoop};
use crate::net::network::Entrance;

/// The number of a host, in order of first mention.
pub(super) type HostId = usize;

/// The first port for sockets that do not ask for one. Source: IANA, "dynamic ports".
const FIRST_PORT: u16 = 49_152;

/// The hosts of a network, and the cables between them.
pub(super) struct Network {
    io_loop: WeakLoop,
    hosts: RefCell<Vec<Rc<Host>>>,
    /// By the numbers of both hosts, the lower one first.
    wires: RefCell<HashMap<(HostId, HostId), Rc<Wire>>>,
    /// How many connections were ever made.
    connections: Cell<u64>,
}

/// A host of the network.
pub(super) struct Host {
    pub(super) id: HostId,
    pub(super) name: Rc<str>,
    pub(super) ip: IpAddr,
    /// Enters the network for code that runs on this host.
    pub(super) entrance: OnceCell<Entrance>,
    /// How long it takes to resolve its name.
    pub(super) lookup: Cell<Duration>,
    listening: RefCell<Vec<Weak<Listening>>>,
    next_port: Cell<u16>,
}

impl Network {
    pub(super) fn new(io_loop: &IoLoop) -> Self {
        Self {
            io_loop: io_loop.downgrade(),
            hosts: RefCell::default(),
            wires: RefCell::default(),
            connections: Cell::new(0),
        }
    }

    /// Returns the loop whose timers deliver; `None` once it has ended.
    pub(super) fn io_loop(&self) -> Option<IoLoop> {
        self.io_loop.upgrade()
    }

    pub(super) fn now(&self) -> Duration {
        self.io_loop().map_or(Duration::ZERO, |io_loop| io_loop.time())
    }

    /// Returns the number of a new connection, from 1.
    pub(super) fn next_connection(&self) -> u64 {
        self.connections.set(self.connections.get() + 1);
        self.connections.get()
    }

    /// Finds a host by its name.
    pub(super) fn find(&self, name: &str) -> Option<Rc<Host>> {
        // Names of hosts are not case-sensitive.
        self.hosts.borrow().iter().find(|host| host.name.eq_ignore_ascii_case(name)).cloned()
    }

    /// Returns the host of that name, and creates it if it does not exist.
    pub(super) fn host(&self, name: &str) -> Rc<Host> {
        if let Some(host) = self.find(name) {
            return host;
        }
        let hosts = &mut *self.hosts.borrow_mut();
        let id = hosts.len();
        // 10.0.0.1, 10.0.0.2, ..
        let number = u32::try_from(id + 1).expect("fewer than four thousand million hosts");
        let ip = IpAddr::V4(Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 0).to_bits() + number));
        let host = Rc::new(Host {
            id,
            name: name.into(),
            ip,
            entrance: OnceCell::new(),
            lookup: Cell::default(),
            listening: RefCell::default(),
            next_port: Cell::new(FIRST_PORT),
        });
        hosts.push(host.clone());
        host
    }

    /// Returns the names of all hosts.
    pub(super) fn names(&self) -> Vec<Rc<str>> {
        self.hosts.borrow().iter().map(|host| host.name.clone()).collect()
    }

    pub(super) fn by_id(&self, id: HostId) -> Rc<Host> {
        self.hosts.borrow()[id].clone()
    }

    /// Returns the host that an address means on the host `from`.
    pub(super) fn by_ip(&self, from: &Rc<Host>, ip: IpAddr) -> Option<Rc<Host>> {
        if ip.is_loopback() || ip.is_unspecified() {
            return Some(from.clone());
        }
        self.hosts.borrow().iter().find(|host| host.ip == ip).cloned()
    }

    /// Returns the cable between two hosts.
    pub(super) fn wire(&self, one: HostId, other: HostId) -> Rc<Wire> {
        let key = (one.min(other), one.max(other));
        self.wires.borrow_mut().entry(key).or_default().clone()
    }
}

impl Host {
    /// Binds a listening socket.
    pub(super) fn bind(&self, address: SocketAddr) -> io::Result<Rc<Listening>> {
        let ip = address.ip();
        if !(ip.is_loopback() || ip.is_unspecified() || ip == self.ip) {
            return Err(Errno::AddressNotAvailable.into());
        }
        let port = if address.port() == 0 { self.free_port() } else { address.port() };
        let address = SocketAddr::new(ip, port);
        self.listening.borrow_mut().retain(|listening| listening.strong_count() > 0);
        if self.alive().any(|listening| listening.overlaps(address)) {
            return Err(Errno::AddressInUse.into());
        }
        let listening = Listening::new(address);
        self.listening.borrow_mut().push(Rc::downgrade(&listening));
        Ok(listening)
    }

    /// Returns the socket that listens at an address of this host.
    pub(super) fn listening(&self, address: SocketAddr) -> Option<Rc<Listening>> {
        self.alive().find(|listening| listening.port() == address.port() && listening.takes(address.ip()))
    }

    fn alive(&self) -> impl Iterator<Item = Rc<Listening>> {
        let alive: Vec<_> = self.listening.borrow().iter().filter_map(Weak::upgrade).collect();
        alive.into_iter()
    }

    /// Returns a port on which nothing listens.
    pub(super) fn free_port(&self) -> u16 {
        loop {
            let port = self.next_port.get();
            self.next_port.set(port.checked_add(1).unwrap_or(FIRST_PORT));
            if self.alive().all(|listening| listening.port() != port) {
                return port;
            }
        }
    }
}
