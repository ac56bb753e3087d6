//! Names, addresses, ports; what is left when a test ends.

use std::cell::Cell;
use std::io::ErrorKind;
use std::rc::Rc;

use squall::net::{lookup_host, TcpListener, TcpStream};
use squall::testing::{self, TestLoop, VirtualClock};
use squall::{Error, Exception, IoLoop, Result};

use crate::{kind, milliseconds, now, pair};

#[squall::coroutine]
fn visit() -> Result<TcpStream> {
    yield_!(TcpStream::connect("server:80"))
}

#[squall::coroutine]
fn visit_by_another() -> Result<TcpStream> {
    yield_!(squall::moment())?;
    yield_!(visit())
}

#[squall::test]
async fn what_a_host_starts_runs_on_that_host() -> Result<()> {
    let net = testing::net();
    let listener = net.host("server", || TcpListener::bind("server:80"))?;
    let called = net.host("one", visit_by_another);
    let spawned = net.spawn("other", || async { TcpStream::connect("server:80").await });
    let (first, second) = (listener.accept().await?, listener.accept().await?);
    let mut ips = [first.1.ip(), second.1.ip()];
    ips.sort_unstable();
    assert_eq!(ips, [net.ip("one"), net.ip("other")]);
    assert_eq!(listener.local_addr()?.to_string(), "10.0.0.1:80");
    drop((called.await?, spawned.await?));
    Ok(())
}

#[squall::test]
async fn names_are_resolved_to_the_addresses_of_hosts() -> Result<()> {
    let net = testing::net();
    let ip = net.ip("server");
    let resolved = net.host("client", || lookup_host("SERVER:80")).await?;
    assert_eq!(resolved, [(ip, 80).into()]);
    let unknown = net.host("client", || TcpStream::connect("nobody:80")).await.unwrap_err();
    assert_eq!(kind(&unknown), ErrorKind::NotFound);
    assert!(unknown.to_string().contains("these are: server, client"), "{unknown}");
    Ok(())
}

#[squall::test]
async fn refused_and_unreachable_connections_fail() -> Result<()> {
    let net = testing::net();
    net.link("client", "server").latency(milliseconds(10));
    let refused = net.host("client", || TcpStream::connect("server:80")).await.unwrap_err();
    assert_eq!((kind(&refused), now()), (ErrorKind::ConnectionRefused, 20));
    let nobodys = net.host("client", || TcpStream::connect("192.0.2.1:80")).await.unwrap_err();
    assert_eq!((kind(&nobodys), now()), (ErrorKind::NetworkUnreachable, 20));
    net.unreachable("client", "server");
    let unreachable = net.host("client", || TcpStream::connect("server:80")).await.unwrap_err();
    assert_eq!((kind(&unreachable), now()), (ErrorKind::HostUnreachable, 30));
    let foreign = net.host("client", || TcpListener::bind("server:80")).unwrap_err();
    assert_eq!(foreign.kind(), ErrorKind::AddrNotAvailable);
    Ok(())
}

#[squall::test]
async fn each_host_has_its_own_loopback() -> Result<()> {
    let net = testing::net();
    let listener = net.host("one", || TcpListener::bind("127.0.0.1:80"))?;
    let refused = net.host("other", || TcpStream::connect("localhost:80")).await.unwrap_err();
    assert_eq!(kind(&refused), ErrorKind::ConnectionRefused);
    let outside = net.host("other", || TcpStream::connect("one:80")).await.unwrap_err();
    assert_eq!(kind(&outside), ErrorKind::ConnectionRefused);
    let inside = net.host("one", || TcpStream::connect("localhost:80"));
    let (_, peer) = listener.accept().await?;
    assert_eq!(inside.await?.local_addr()?, peer);
    Ok(())
}

#[squall::test]
#[should_panic(expected = "\"server:80\" is not the name of a host")]
fn address_is_not_the_name_of_a_host() -> Result<()> {
    testing::net().host("server:80", || Ok(()))
}

#[test]
fn network_belongs_to_its_loop_and_ends_with_it() {
    struct Noticed(Rc<Cell<bool>>);
    impl Drop for Noticed {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }

    let dropped = Rc::new(Cell::new(false));
    let noticed = Noticed(dropped.clone());
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let current = io_loop.make_current();
    let net = testing::net();
    let waits = net.spawn("server", || async move {
        let (client, server) = pair(testing::net()).await?;
        let read = server.read(1).await?;
        drop((noticed, client));
        Ok::<_, Exception>(read)
    });
    let ended = io_loop.run_sync(|| waits);
    assert!(matches!(ended.unwrap_err().downcast_ref(), Some(Error::Deadlock { .. })));
    assert!(!dropped.get());
    drop((current, io_loop));
    assert!(dropped.get(), "the coroutine that waits for a stream is kept by something");
    assert!(net.host("server", || TcpListener::bind("server:80")).is_err(), "its loop has ended");

    let other = IoLoop::with_clock(VirtualClock::new());
    let current = other.make_current();
    let listener = testing::net().host("first", || TcpListener::bind("first:80")).unwrap();
    assert_eq!(
        listener.local_addr().unwrap().to_string(),
        "10.0.0.1:80",
        "nothing of the other network is there"
    );
    drop(current);
}

#[squall::test]
async fn what_is_under_way_at_the_end_of_a_test_is_not_left_over() -> Result<()> {
    let net = testing::net();
    let (client, server) = pair(net.clone()).await?;
    net.link("client", "server").latency(milliseconds(500));
    client.write_all("nobody reads this").await?;
    drop(server);
    Ok(())
}

#[squall::coroutine]
fn reads(stream: TcpStream) -> Result<()> {
    yield_!(stream.read(10))?;
    Ok(())
}

#[squall::coroutine]
fn writes(stream: TcpStream) -> Result<()> {
    yield_!(stream.write_all(vec![0; 200_000]))
}

#[squall::coroutine]
fn accepts(listener: TcpListener) -> Result<()> {
    yield_!(listener.accept())?;
    Ok(())
}

#[test]
fn those_that_wait_say_for_what_and_for_whom() {
    let mut t = TestLoop::new();
    let net = testing::net();
    let connected = t.spawn(|| pair(net.clone()));
    t.run_until_idle();
    let (client, _server) = connected.into_result().unwrap();
    let listener = net.host("server", || TcpListener::bind("0.0.0.0:8080")).unwrap();
    let waiting = (
        t.spawn(|| reads(client.clone())),
        t.spawn(|| writes(client.clone())),
        t.spawn(|| accepts(listener)),
        t.spawn(|| async move { client.clone().read_until("\n", 10).await }),
    );
    t.run_until_idle();
    let waits = t.waiting().to_string();
    for what in [
        "for TcpStream.read from server:80, since",
        "for TcpStream.write_all to server:80, since",
        "for TcpListener.accept on server:8080, since",
        "for TcpStream.read_until from server:80, since",
    ] {
        assert!(waits.contains(what), "{what}: {waits}");
    }
    drop(waiting);
}

#[test]
fn deadlock_says_for_which_host_it_waits() {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let _current = io_loop.make_current();
    let net = testing::net();
    let deadlock = io_loop.run_sync(|| async move {
        let (client, _server) = pair(net).await?;
        client.read(1).await
    });
    let deadlock = deadlock.unwrap_err().to_string();
    assert!(deadlock.contains("TcpStream.read from server:80"), "{deadlock}");
}
