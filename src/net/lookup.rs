//! [`lookup_host`]: resolves a name to addresses.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use squall_runner::Future;

use super::address::{Address, Host};
use super::network;
use crate::ioloop::IoLoop;

/// Resolves a name to addresses by the system's `getaddrinfo`, which runs on the loop's default executor.
///
/// ```
/// use squall::{net::lookup_host, IoLoop};
///
/// let addresses = IoLoop::current().run_sync(|| lookup_host("127.0.0.1:80"))?;
/// assert_eq!(addresses, ["127.0.0.1:80".parse()?]);
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// Source: `tornado.netutil.Resolver`.
#[track_caller]
pub fn lookup_host(host: impl Into<Address>) -> Future<Vec<SocketAddr>> {
    let address = host.into();
    match address.host() {
        Err(error) => Future::failed(error),
        Ok(Host::Sockets(addresses)) => Future::ready(addresses.to_vec()),
        Ok(Host::Name(host, port)) => match network::current() {
            Err(error) => Future::failed(error),
            Ok(Some(network)) => network.resolve(host, port),
            Ok(None) => {
                let host = host.to_owned();
                let resolve = move || resolve(&host, port);
                IoLoop::current().run_result_in_executor(resolve)
            }
        },
    }
}

/// Resolves the name of an address on this thread, which blocks.
pub(super) fn resolve_here(address: &Address) -> io::Result<Vec<SocketAddr>> {
    match address.host()? {
        Host::Sockets(addresses) => Ok(addresses.to_vec()),
        Host::Name(host, port) => resolve(host, port),
    }
}

fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let resolved = (host, port).to_socket_addrs();
    let resolved = resolved.map_err(|error| {
        let message = format!("{host} cannot be resolved: {error}");
        io::Error::new(error.kind(), message)
    })?;
    let addresses: Vec<_> = resolved.collect();
    if addresses.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address")));
    }
    Ok(addresses)
}
