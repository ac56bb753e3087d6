//! Latency, bandwidth, buffers, split reads; links that are cut and repaired.

use std::io::ErrorKind;

use squall::net::{TcpListener, TcpStream};
use squall::testing::{self, Split};
use squall::{moment, sleep, with_timeout, Error, IoLoop, Result};

use crate::{kind, milliseconds, now, pair};

#[squall::test]
async fn bytes_take_the_latency_of_the_link_each_way() -> Result<()> {
    let net = testing::net();
    net.link("client", "server").latency(milliseconds(40));
    let (client, server) = pair(net).await?;
    assert_eq!(now(), 80);
    client.write_all("a").await?;
    assert_eq!(now(), 80, "to write takes no time");
    assert_eq!(server.read(10).await?, "a");
    assert_eq!(now(), 120);
    server.write_all("b").await?;
    assert_eq!(client.read(10).await?, "b");
    assert_eq!(now(), 160);
    drop(server);
    assert_eq!(client.read(10).await?, "");
    assert_eq!(now(), 200);
    Ok(())
}

#[squall::test]
async fn bandwidth_is_shared_by_the_connections_and_not_by_the_directions() -> Result<()> {
    let net = testing::net();
    net.link("client", "server").bandwidth(1_000);
    let listener = net.host("server", || TcpListener::bind("server:80"))?;
    let connect = || net.host("client", || TcpStream::connect("server:80"));
    let (one, other) = (connect().await?, connect().await?);
    let ((at_one, _), (at_other, _)) = (listener.accept().await?, listener.accept().await?);
    for (stream, len) in [(&one, 1000), (&other, 500), (&at_one, 700)] {
        stream.write_all(vec![0; len]).await?;
    }
    one.read_exact(700).await?;
    assert_eq!(now(), 700);
    at_one.read_exact(1000).await?;
    assert_eq!(now(), 1000);
    at_other.read_exact(500).await?;
    assert_eq!(now(), 1500);
    Ok(())
}

#[squall::test]
async fn much_comes_bit_by_bit_over_a_narrow_link() -> Result<()> {
    let net = testing::net();
    net.link("client", "server").bandwidth(14_600).latency(milliseconds(1));
    let (client, server) = pair(net).await?;
    client.write_all(vec![0; 14_600]).await?;
    let first = server.read(100_000).await?;
    assert_eq!((first.len(), now()), (1460, 102 + 1));
    server.read_exact(14_600 - 1460).await?;
    assert_eq!(now(), 1002 + 1);
    Ok(())
}

#[squall::test]
async fn nothing_overtakes_when_the_latency_gets_shorter() -> Result<()> {
    let net = testing::net();
    let (client, server) = pair(net.clone()).await?;
    net.link("client", "server").latency(milliseconds(100));
    client.write_all("first").await?;
    net.link("client", "server").latency(milliseconds(1));
    client.write_all("second").await?;
    assert_eq!(server.read_exact(11).await?, "firstsecond");
    assert_eq!(now(), 100);
    Ok(())
}

#[squall::test]
async fn reads_are_merged_split_or_as_written() -> Result<()> {
    let net = testing::net();
    let (client, server) = pair(net.clone()).await?;
    let link = net.link("client", "server");
    let expected: [(Split, &[&str]); 4] = [
        (Split::Merged, &["onetwo"]),
        (Split::AsWritten, &["one", "two"]),
        (Split::AtMost(4), &["onet", "wo"]),
        (Split::AtMost(1), &["o", "n", "e", "t", "w", "o"]),
    ];
    for (split, reads) in expected {
        drop(link.clone().reads(split));
        client.write_all("one").await?;
        client.write_all("two").await?;
        sleep(milliseconds(1)).await?;
        for expected in reads {
            assert_eq!(server.read(100).await?, *expected, "{split:?}");
        }
    }
    assert!(!server.read(100).done());
    Ok(())
}

#[squall::test]
async fn slow_reader_with_full_buffers_keeps_the_writer_waiting() -> Result<()> {
    let net = testing::net();
    net.link("client", "server").buffer(1000).latency(milliseconds(10));
    let (client, server) = pair(net).await?;
    let first = client.write_all(vec![0; 2000]);
    sleep(milliseconds(60)).await?;
    assert!(first.done(), "1,000 bytes are on each side");
    let second = client.write_all(vec![0; 1]);
    sleep(milliseconds(3_600_000)).await?;
    assert!(!second.done());
    let before = now();
    assert_eq!(server.read(300).await?.len(), 300);
    sleep(milliseconds(60)).await?;
    assert!(!second.done(), "so little room is not worth a packet");
    assert_eq!(server.read(300).await?.len(), 300);
    second.await?;
    // The client is told of the room, and what it sends then arrives.
    assert_eq!(now() - before, 60 + 20);
    assert_eq!(server.read_exact(1401).await?.len(), 1401);
    Ok(())
}

#[squall::test]
async fn cut_link_shows_nothing_and_what_was_lost_arrives_after_it_is_healed() -> Result<()> {
    let net = testing::net();
    let (client, server) = pair(net.clone()).await?;
    net.cut("client", "server");
    client.write_all("one").await?;
    client.write_all("two").await?;
    let late = with_timeout(milliseconds(5_000), server.read(10)).await.unwrap_err();
    assert_eq!(late.downcast_ref(), Some(&Error::Timeout));
    net.heal("client", "server");
    // It is sent again after 200 ms, 600 ms, 1.4 s, 3 s, 6.2 s.
    assert_eq!(server.read(10).await?, "onetwo");
    assert_eq!(now(), 6_200);
    server.write_all("answer").await?;
    assert_eq!(client.read(10).await?, "answer");
    Ok(())
}

#[squall::test]
async fn what_is_under_way_when_the_link_is_cut_is_lost() -> Result<()> {
    let net = testing::net();
    net.link("client", "server").latency(milliseconds(100));
    let (client, server) = pair(net.clone()).await?;
    client.write_all("x").await?;
    sleep(milliseconds(50)).await?;
    net.cut("client", "server");
    sleep(milliseconds(100)).await?;
    net.heal("client", "server");
    assert_eq!(server.read(10).await?, "x");
    // Sent again 200 ms after it was sent first, which was at 200 ms.
    assert_eq!(now(), 500);
    Ok(())
}

#[squall::test]
async fn connection_whose_bytes_are_never_answered_times_out() -> Result<()> {
    let net = testing::net();
    let (client, server) = pair(net.clone()).await?;
    net.cut("client", "server");
    client.write_all("x").await?;
    assert_eq!(kind(&client.read(10).await.unwrap_err()), ErrorKind::TimedOut);
    assert_eq!(now(), 924_600);
    // The other end knows nothing of it, until it sends something.
    net.heal("client", "server");
    server.write_all("still there?").await?;
    assert_eq!(kind(&server.read(10).await.unwrap_err()), ErrorKind::ConnectionReset);
    Ok(())
}

#[squall::test]
async fn attempt_to_connect_over_a_cut_link_goes_on_when_it_is_healed() -> Result<()> {
    let net = testing::net();
    net.cut("client", "server");
    let listener = net.host("server", || TcpListener::bind("server:80"))?;
    let connecting = net.host("client", || TcpStream::connect("server:80"));
    let late = net.host("client", || TcpStream::connect_within(milliseconds(2_000), "server:80"));
    assert_eq!(kind(&late.await.unwrap_err()), ErrorKind::TimedOut);
    net.heal("client", "server");
    connecting.await?;
    assert_eq!(now(), 3_000);
    assert!(listener.accept().done());
    Ok(())
}

#[squall::test]
async fn client_whose_answer_is_lost_times_out_too() -> Result<()> {
    let net = testing::net();
    net.link("client", "server").latency(milliseconds(10));
    let listener = net.host("server", || TcpListener::bind("server:80"))?;
    let connecting = net.host("client", || TcpStream::connect("server:80"));
    sleep(milliseconds(15)).await?;
    net.cut("client", "server");
    assert_eq!(kind(&connecting.await.unwrap_err()), ErrorKind::TimedOut);
    drop(listener);
    Ok(())
}

#[squall::test]
async fn full_backlog_lets_no_connection_in_until_there_is_room() -> Result<()> {
    let net = testing::net();
    let listener = net.host("server", || TcpListener::bind("server:80"))?;
    let connect = || net.host("client", || TcpStream::connect("server:80"));
    let mut clients = Vec::new();
    for _ in 0..128 {
        clients.push(connect().await?);
    }
    let one_more = connect();
    sleep(milliseconds(500)).await?;
    assert!(!one_more.done());
    listener.accept().await?;
    one_more.await?;
    assert_eq!(IoLoop::current().time(), milliseconds(1_000));
    Ok(())
}

#[squall::test]
async fn limit_of_connecting_leaves_no_timer_behind() -> Result<()> {
    let net = squall::testing::net();
    let listener = net.host("server", || TcpListener::bind("server:80"))?;
    let stream = net.host("client", || TcpStream::connect_within(milliseconds(2_000), "server:80")).await?;
    drop((stream, listener));
    // The abandoned operation also removes its timer.
    net.cut("client", "server");
    let late = net.host("client", || TcpStream::connect_within(milliseconds(2_000), "server:80"));
    moment().await?;
    moment().await?;
    assert!(late.cancel());
    Ok(())
}

#[squall::test]
async fn bytes_of_a_link_of_any_latency_arrive_at_the_end_of_time() -> Result<()> {
    let net = testing::net();
    let (client, server) = pair(net.clone()).await?;
    net.link("client", "server").latency(std::time::Duration::MAX);
    client.write_all("a").await?;
    drop(client);
    assert_eq!(server.read_to_end(10).await?, "a");
    assert_eq!(IoLoop::current().time(), std::time::Duration::from_nanos(u64::MAX));
    Ok(())
}
