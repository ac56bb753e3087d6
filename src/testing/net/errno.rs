//! [`Errno`]: the errors of sockets, as the system reports them.

use std::io;

/// An error of a socket. On Unix it becomes the system's error, with its number and text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errno {
    AddressInUse,
    AddressNotAvailable,
    BrokenPipe,
    HostUnreachable,
    NetworkUnreachable,
    NotConnected,
    Refused,
    Reset,
    TimedOut,
}

impl From<Errno> for io::Error {
    #[cfg(unix)]
    fn from(errno: Errno) -> Self {
        use rustix::io::Errno as System;

        let system = match errno {
            Errno::AddressInUse => System::ADDRINUSE,
            Errno::AddressNotAvailable => System::ADDRNOTAVAIL,
            Errno::BrokenPipe => System::PIPE,
            Errno::HostUnreachable => System::HOSTUNREACH,
            Errno::NetworkUnreachable => System::NETUNREACH,
            Errno::NotConnected => System::NOTCONN,
            Errno::Refused => System::CONNREFUSED,
            Errno::Reset => System::CONNRESET,
            Errno::TimedOut => System::TIMEDOUT,
        };
        system.into()
    }

    #[cfg(not(unix))]
    fn from(errno: Errno) -> Self {
        use io::ErrorKind;

        let kind = match errno {
            Errno::AddressInUse => ErrorKind::AddrInUse,
            Errno::AddressNotAvailable => ErrorKind::AddrNotAvailable,
            Errno::BrokenPipe => ErrorKind::BrokenPipe,
            Errno::HostUnreachable => ErrorKind::HostUnreachable,
            Errno::NetworkUnreachable => ErrorKind::NetworkUnreachable,
            Errno::NotConnected => ErrorKind::NotConnected,
            Errno::Refused => ErrorKind::ConnectionRefused,
            Errno::Reset => ErrorKind::ConnectionReset,
            Errno::TimedOut => ErrorKind::TimedOut,
        };
        kind.into()
    }
}
