//! [`Interface`]: the network as sockets on one host see it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::{Rc, Weak};
use std::time::Duration;

use squall_runner::native::start_internal;
use squall_runner::{Coroutine, Future};

use super::connection::Connection;
use super::errno::Errno;
use super::listener::Listener;
use super::network::{Host, HostId, Network};
use crate::gen::sleep;
use crate::net::address::{Address, Host as Named};
use crate::net::network::{self, Acceptor, Socket};

/// The access of one host to its network. It does not hold the network, which ends with its loop.
pub(super) struct Interface {
    network: Weak<Network>,
    host: HostId,
}

impl Interface {
    pub(super) fn new(network: &Rc<Network>, host: HostId) -> Rc<Self> {
        Rc::new(Self { network: Rc::downgrade(network), host })
    }

    fn get(&self) -> io::Result<(Rc<Network>, Rc<Host>)> {
        let ended = || io::Error::other("the network of this test has ended, with its loop");
        let network = self.network.upgrade().ok_or_else(ended)?;
        if network.io_loop().is_none_or(|io_loop| io_loop.is_closed()) {
            return Err(ended());
        }
        let host = network.by_id(self.host);
        Ok((network, host))
    }

    fn addresses(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let (network, _) = self.get()?;
        let ip = match network.find(name) {
            Some(host) => host.ip,
            None if name.eq_ignore_ascii_case("localhost") => IpAddr::V4(Ipv4Addr::LOCALHOST),
            None => {
                let names = network.names().join(", ");
                let message = format!(
                    "{name} cannot be resolved: no host of this test's network has that name, these are: {names}"
                );
                return Err(io::Error::new(io::ErrorKind::NotFound, message));
            }
        };
        Ok(vec![SocketAddr::new(ip, port)])
    }
}

impl network::Network for Interface {
    fn bind(&self, address: &Address) -> io::Result<Box<dyn Acceptor>> {
        let (_, host) = self.get()?;
        let addresses = match address.host()? {
            Named::Sockets(addresses) => addresses.to_vec(),
            Named::Name(name, port) => self.addresses(name, port)?,
        };
        let mut failed = io::Error::from(io::ErrorKind::InvalidInput);
        for socket in addresses {
            match host.bind(socket) {
                Ok(listening) => return Ok(Box::new(Listener::new(listening, host.name.clone()))),
                Err(error) => failed = error,
            }
        }
        Err(io::Error::new(failed.kind(), format!("cannot listen on {address}: {failed}")))
    }

    fn connect(&self, address: SocketAddr) -> io::Result<Box<dyn Socket>> {
        let (network, host) = self.get()?;
        let Some(server) = network.by_ip(&host, address.ip()) else {
            return Err(Errno::NetworkUnreachable.into());
        };
        let to = match address.ip() {
            ip if ip.is_unspecified() => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port()),
            _ => address,
        };
        let ip = if to.ip().is_loopback() { to.ip() } else { host.ip };
        let from = SocketAddr::new(ip, host.free_port());
        Ok(Connection::begin(&network, (&host, from), (&server, to)))
    }

    fn resolve(&self, host: &str, port: u16) -> Future<Vec<SocketAddr>> {
        static RESOLVE: Coroutine = Coroutine::new("Net::resolve", file!(), line!());

        let found = self.network.upgrade().and_then(|network| network.find(host));
        let time = found.map_or(Duration::ZERO, |host| host.lookup.get());
        match self.addresses(host, port) {
            Err(error) => Future::failed(error),
            Ok(addresses) if time.is_zero() => Future::ready(addresses),
            Ok(addresses) => start_internal(&RESOLVE, None, async move {
                sleep(time).await?;
                Ok(addresses)
            }),
        }
    }
}
