//! Making a connection: a name is resolved, and its addresses are tried by the rules of "happy eyeballs".

use std::collections::VecDeque;
use std::future::{poll_fn, Future as StdFuture};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use squall_runner::{Exception, Future, Result};

use super::address::Address;
use super::connection::Connection;
use super::io::Io;
use super::lookup::lookup_host;
use super::network;
use crate::gen::sleep;
use crate::ioloop::readiness::{READ, WRITE};
use crate::ioloop::source::Source;

/// How long an address is tried alone before the next one is tried beside it. Source: RFC 8305, section 5.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Connects to the first of the host's addresses that answers.
pub(super) async fn connect(address: Address, limit: Option<Duration>) -> Result<Rc<Connection>> {
    let connecting = async {
        let addresses = lookup_host(&address).await?;
        Race::new(&addresses).await
    };
    let Some(limit) = limit else { return connecting.await };
    let (mut connecting, mut time) = (std::pin::pin!(connecting), Delay(sleep(limit)));
    poll_fn(|cx| {
        if let Poll::Ready(connected) = connecting.as_mut().poll(cx) {
            return Poll::Ready(connected);
        }
        Pin::new(&mut time.0).poll(cx).map(|over| {
            over?;
            let message = format!("connecting to {address} took longer than {limit:?}");
            Err(io::Error::new(io::ErrorKind::TimedOut, message).into())
        })
    })
    .await
}

/// A delay that removes its timer when it is dropped.
struct Delay(Future<()>);

impl Drop for Delay {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Connects to several addresses, beginning one after the other, until one of them answers.
struct Race {
    /// Addresses that were not tried yet.
    left: VecDeque<SocketAddr>,
    /// Addresses that are being tried.
    trying: Vec<(SocketAddr, Rc<Connection>)>,
    /// A sleep until the next address is tried even if none has failed.
    delay: Option<Delay>,
    failed: Vec<(SocketAddr, io::Error)>,
}

impl Race {
    fn new(addresses: &[SocketAddr]) -> Self {
        Self { left: interleave(addresses), trying: Vec::new(), delay: None, failed: Vec::new() }
    }

    fn try_next(&mut self) {
        self.delay = None;
        let Some(address) = self.left.pop_front() else { return };
        match begin(address) {
            Ok(connection) => {
                self.trying.push((address, connection));
                if !self.left.is_empty() {
                    self.delay = Some(Delay(sleep(ATTEMPT_DELAY)));
                }
            }
            Err(error) => self.failed.push((address, error)),
        }
    }

    fn error(&mut self) -> Exception {
        let failed = std::mem::take(&mut self.failed);
        let kind = failed.first().map_or(io::ErrorKind::InvalidInput, |(_, error)| error.kind());
        let tried: Vec<_> = failed.iter().map(|(address, error)| format!("{address}: {error}")).collect();
        let message = match tried.is_empty() {
            true => "there is no address to connect to".to_owned(),
            false => format!("cannot connect to {}", tried.join(", nor to ")),
        };
        io::Error::new(kind, message).into()
    }
}

impl StdFuture for Race {
    type Output = Result<Rc<Connection>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            let mut n = 0;
            while let Some((_, connection)) = this.trying.get(n) {
                match connection.poll_connected(cx) {
                    Poll::Ready(Ok(())) => return Poll::Ready(Ok(this.trying.swap_remove(n).1)),
                    Poll::Ready(Err(error)) => {
                        let (address, _) = this.trying.remove(n);
                        this.failed.push((address, error));
                        this.delay = None;
                    }
                    Poll::Pending => n += 1,
                }
            }
            match &mut this.delay {
                Some(Delay(delay)) => match Pin::new(delay).poll(cx) {
                    Poll::Ready(over) => over?,
                    Poll::Pending => return Poll::Pending,
                },
                None if this.left.is_empty() && this.trying.is_empty() => {
                    return Poll::Ready(Err(this.error()))
                }
                None if this.left.is_empty() => return Poll::Pending,
                None => {}
            }
            this.try_next();
        }
    }
}

/// Returns the addresses with IPv6 and IPv4 alternating. Source: RFC 8305, section 4.
fn interleave(addresses: &[SocketAddr]) -> VecDeque<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut one, mut other) = (VecDeque::new(), VecDeque::new());
    for address in addresses {
        if address.is_ipv6() == first_is_v6 { &mut one } else { &mut other }.push_back(*address);
    }
    let mut interleaved = VecDeque::with_capacity(addresses.len());
    while !one.is_empty() || !other.is_empty() {
        interleaved.extend(one.pop_front());
        interleaved.extend(other.pop_front());
    }
    interleaved
}

/// Begins to connect to one address.
fn begin(address: SocketAddr) -> io::Result<Rc<Connection>> {
    if let Some(network) = network::current()? {
        return Ok(Connection::new(Io::Other(network.connect(address)?)));
    }
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    let connected = match socket.connect(&address.into()) {
        Ok(()) => true,
        Err(error) if is_in_progress(&error) => false,
        Err(error) => return Err(error),
    };
    // The poller reports when the connection is made. Until then no operation is worth trying.
    Ok(Connection::new(Io::Tcp(Source::new(socket.into(), if connected { READ | WRITE } else { 0 })?)))
}

#[cfg(unix)]
fn is_in_progress(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
}

#[cfg(not(unix))]
fn is_in_progress(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns_beginning_with_that_of_the_first() {
        let addresses =
            ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"].map(|it| it.parse().unwrap());
        let order: Vec<_> = interleave(&addresses).iter().map(ToString::to_string).collect();
        assert_eq!(order, ["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"]);
    }
}
