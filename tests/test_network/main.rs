//! The network in memory: hosts, links, time, every order.

#![cfg(all(feature = "net", feature = "trace", feature = "macros"))]

mod hosts;
mod links;
mod orders;

use std::io::ErrorKind;
use std::time::Duration;

use squall::net::{TcpListener, TcpStream};
use squall::testing::Net;
use squall::{Exception, IoLoop, Result};

fn kind(exception: &Exception) -> ErrorKind {
    exception.downcast_ref::<std::io::Error>().unwrap_or_else(|| panic!("{exception:?}")).kind()
}

/// Returns the time of the test, in milliseconds.
fn now() -> u128 {
    IoLoop::current().time().as_millis()
}

fn milliseconds(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Returns a connection between the hosts `client` and `server`, in this order.
async fn pair(net: Net) -> Result<(TcpStream, TcpStream)> {
    let listener = net.host("server", || TcpListener::bind("server:80"))?;
    let client = net.host("client", || TcpStream::connect("server:80"));
    let (server, _) = listener.accept().await?;
    Ok((client.await?, server))
}
