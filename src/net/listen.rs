//! Creating listening sockets of the system.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, SockAddr, Socket, Type};

/// The default backlog of a listener: how many connections the system keeps until they are accepted. The system's own
/// limit may be lower: on Linux `net.core.somaxconn`, which is 4,096 by default.
pub(super) const BACKLOG: u32 = 1024;

/// Listens at the first of the addresses that can be bound.
pub(super) fn listen_tcp(addresses: &[SocketAddr], backlog: u32) -> io::Result<std::net::TcpListener> {
    let mut failed = io::Error::new(io::ErrorKind::InvalidInput, "there is no address");
    for address in addresses {
        match listen(Domain::for_address(*address), &(*address).into(), backlog) {
            Ok(socket) => return Ok(socket.into()),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

#[cfg(unix)]
pub(super) fn listen_unix(
    path: &std::path::Path,
    backlog: u32,
) -> io::Result<std::os::unix::net::UnixListener> {
    let socket = listen(Domain::UNIX, &SockAddr::unix(path)?, backlog)?;
    Ok(std::os::fd::OwnedFd::from(socket).into())
}

fn listen(domain: Domain, address: &SockAddr, backlog: u32) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::STREAM, None)?;
    // Without it, a restarted program cannot listen while connections of its last run linger. On Windows this option
    // has another meaning: it lets two programs listen at one address.
    #[cfg(unix)]
    if domain != Domain::UNIX {
        socket.set_reuse_address(true)?;
    }
    socket.bind(address)?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    Ok(socket)
}
