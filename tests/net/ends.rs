//! The ends of connections, and addresses that cannot be used.

use std::io::ErrorKind;
use std::time::Duration;

use squall::net::{TcpListener, TcpStream};

use crate::{kind, on_both, pair, turns};

#[test]
fn bytes_that_arrived_before_a_reset_are_read_and_then_it_is_told_once() {
    on_both(|| async {
        let (client, server) = pair().await?;
        client.write_all("last words").await?;
        turns(3).await;
        client.set_linger(Some(Duration::ZERO))?;
        drop(client);
        turns(3).await;
        assert_eq!(server.read(4).await?, "last");
        assert_eq!(server.read(100).await?, " words");
        assert_eq!(kind(&server.read(100).await.unwrap_err()), ErrorKind::ConnectionReset);
        assert_eq!(server.read(100).await?, "");
        assert_eq!(kind(&server.write_all("x").await.unwrap_err()), ErrorKind::BrokenPipe);
        assert_eq!(kind(&server.shutdown().await.unwrap_err()), ErrorKind::NotConnected);
        Ok(())
    });
}

#[test]
fn reset_that_a_write_sees_first_is_told_to_no_read() {
    on_both(|| async {
        let (client, server) = pair().await?;
        client.set_linger(Some(Duration::ZERO))?;
        drop(client);
        turns(3).await;
        assert_eq!(kind(&server.write_all("x").await.unwrap_err()), ErrorKind::ConnectionReset);
        assert_eq!(server.read(100).await?, "");
        assert_eq!(kind(&server.write_all("x").await.unwrap_err()), ErrorKind::BrokenPipe);
        Ok(())
    });
}

#[test]
fn stream_that_is_closed_with_unread_bytes_resets_the_connection() {
    on_both(|| async {
        let (client, server) = pair().await?;
        client.write_all("unread").await?;
        turns(3).await;
        server.write_all("answer").await?;
        drop(server);
        turns(3).await;
        assert_eq!(client.read(100).await?, "answer");
        assert_eq!(kind(&client.read(100).await.unwrap_err()), ErrorKind::ConnectionReset);
        Ok(())
    });
}

#[test]
fn write_to_one_that_has_left_succeeds_once() {
    on_both(|| async {
        let (client, server) = pair().await?;
        drop(server);
        turns(3).await;
        assert_eq!(client.read(100).await?, "");
        client.write_all("nobody reads this").await?;
        turns(3).await;
        assert_eq!(kind(&client.write_all("x").await.unwrap_err()), ErrorKind::BrokenPipe);
        assert_eq!(client.read(100).await?, "");
        Ok(())
    });
}

#[test]
fn closed_stream_sends_what_was_written_and_then_its_end() {
    on_both(|| async {
        let (client, server) = pair().await?;
        let written = client.write(vec![7; 100_000_000]).await?;
        drop(client);
        let all = server.read_to_end(100_000_000).await?;
        assert_eq!((all.len(), all.iter().all(|byte| *byte == 7)), (written, true));
        Ok(())
    });
}

#[test]
fn end_comes_after_the_bytes_in_both_directions() {
    on_both(|| async {
        let (client, server) = pair().await?;
        for (one, other) in [(&client, &server), (&server, &client)] {
            one.write_all("bye").await?;
            one.shutdown().await?;
            one.shutdown().await?;
            assert_eq!(other.read_to_end(10).await?, "bye");
            assert_eq!(kind(&one.write_all("x").await.unwrap_err()), ErrorKind::BrokenPipe);
        }
        Ok(())
    });
}

#[test]
fn client_that_leaves_before_it_is_accepted_is_accepted_all_the_same() {
    on_both(|| async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let client = TcpStream::connect(listener.local_addr()?).await?;
        client.write_all("was here").await?;
        drop(client);
        turns(3).await;
        let (server, _) = listener.accept().await?;
        assert_eq!(server.read_to_end(100).await?, "was here");
        Ok(())
    });
}

#[test]
fn listener_that_closes_resets_those_that_it_has_not_accepted() {
    on_both(|| async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let client = TcpStream::connect(listener.local_addr()?).await?;
        let read = client.read(1);
        drop(listener);
        assert_eq!(kind(&read.await.unwrap_err()), ErrorKind::ConnectionReset);
        Ok(())
    });
}

#[test]
fn addresses_that_cannot_be_listened_on() {
    on_both(|| async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let taken = listener.local_addr()?;
        let error = TcpListener::bind(taken).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        assert!(error.to_string().starts_with(&format!("cannot listen on {taken}: ")), "{error}");
        let everywhere = TcpListener::bind(("0.0.0.0", taken.port())).unwrap_err();
        assert_eq!(everywhere.kind(), ErrorKind::AddrInUse);
        assert_eq!(TcpListener::bind("192.0.2.1:80").unwrap_err().kind(), ErrorKind::AddrNotAvailable);
        drop(listener);
        TcpListener::bind(taken)?;
        Ok(())
    });
}

#[test]
fn both_ends_know_both_addresses() {
    on_both(|| async {
        let (client, server) = pair().await?;
        assert_eq!(client.peer_addr()?, server.local_addr()?);
        assert_eq!(client.local_addr()?, server.peer_addr()?);
        assert!(client.local_addr()?.ip().is_loopback());
        Ok(())
    });
}
