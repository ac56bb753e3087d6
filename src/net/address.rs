//! [`Address`]: where to connect to, or where to listen.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// A host and a port: socket addresses, or a name to be resolved.
///
/// A function that takes an `impl Into<Address>` accepts a string `"host:port"`, a pair of a host and a port, and the
/// address types of std. A malformed string is reported by the operation that uses it.
///
/// ```
/// use squall::net::Address;
///
/// assert_eq!(Address::from("example.com:80").to_string(), "example.com:80");
/// assert_eq!(Address::from(("::1", 80)).to_string(), "[::1]:80");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Socket(SocketAddr),
    Sockets(Vec<SocketAddr>),
    Name(String, u16),
    Invalid(String),
}

/// The host of an address: socket addresses, or a name.
pub(crate) enum Host<'a> {
    Sockets(&'a [SocketAddr]),
    Name(&'a str, u16),
}

impl Address {
    pub(crate) fn host(&self) -> io::Result<Host<'_>> {
        match &self.0 {
            Kind::Socket(address) => Ok(Host::Sockets(std::slice::from_ref(address))),
            Kind::Sockets(addresses) => Ok(Host::Sockets(addresses)),
            Kind::Name(host, port) => Ok(Host::Name(host, *port)),
            Kind::Invalid(text) => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{text:?} is not an address: write \"host:port\", as in \"127.0.0.1:80\""),
            )),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Socket(address) => address.fmt(f),
            Kind::Sockets(addresses) => {
                for (n, address) in addresses.iter().enumerate() {
                    write!(f, "{}{address}", if n > 0 { ", " } else { "" })?;
                }
                Ok(())
            }
            Kind::Name(host, port) => write!(f, "{host}:{port}"),
            Kind::Invalid(text) => text.fmt(f),
        }
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Self {
        if let Ok(address) = text.parse() {
            return Self(Kind::Socket(address));
        }
        let parts = text.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
        match parts {
            Some((host, port)) if !host.contains(':') => Self::from((host, port)),
            _ => Self(Kind::Invalid(text.to_owned())),
        }
    }
}

impl From<(&str, u16)> for Address {
    fn from((host, port): (&str, u16)) -> Self {
        let unbracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        match unbracketed.parse::<IpAddr>() {
            Ok(ip) => Self::from((ip, port)),
            // `getaddrinfo` would take an empty name for the local host.
            Err(_) if host.is_empty() => Self(Kind::Invalid(format!(":{port}"))),
            Err(_) => Self(Kind::Name(host.to_owned(), port)),
        }
    }
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&String> for Address {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<(String, u16)> for Address {
    fn from((host, port): (String, u16)) -> Self {
        (host.as_str(), port).into()
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self(Kind::Socket(address))
    }
}

impl From<&SocketAddr> for Address {
    fn from(address: &SocketAddr) -> Self {
        (*address).into()
    }
}

impl From<SocketAddrV4> for Address {
    fn from(address: SocketAddrV4) -> Self {
        SocketAddr::from(address).into()
    }
}

impl From<SocketAddrV6> for Address {
    fn from(address: SocketAddrV6) -> Self {
        SocketAddr::from(address).into()
    }
}

impl From<(IpAddr, u16)> for Address {
    fn from(address: (IpAddr, u16)) -> Self {
        SocketAddr::from(address).into()
    }
}

impl From<(Ipv4Addr, u16)> for Address {
    fn from(address: (Ipv4Addr, u16)) -> Self {
        SocketAddr::from(address).into()
    }
}

impl From<(Ipv6Addr, u16)> for Address {
    fn from(address: (Ipv6Addr, u16)) -> Self {
        SocketAddr::from(address).into()
    }
}

/// The addresses of one host, tried in turn like those of a name.
impl From<Vec<SocketAddr>> for Address {
    fn from(addresses: Vec<SocketAddr>) -> Self {
        Self(Kind::Sockets(addresses))
    }
}

impl From<&[SocketAddr]> for Address {
    fn from(addresses: &[SocketAddr]) -> Self {
        addresses.to_vec().into()
    }
}

impl From<&Address> for Address {
    fn from(address: &Address) -> Self {
        address.clone()
    }
}
