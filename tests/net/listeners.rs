//! Accepting and connecting.

use std::io::ErrorKind;
use std::time::Duration;

use squall::net::{lookup_host, Address, TcpListener, TcpStream, UnixListener, UnixStream};
use squall::{convert_yielded, Result};

use crate::{kind, on_both, run, turns};

#[test]
fn accepts_in_line_are_served_in_order() {
    on_both(|| async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (first, second) = (listener.accept(), listener.accept());
        let one = TcpStream::connect(address).await?;
        let other = TcpStream::connect(address).await?;
        assert_eq!((first.await?.1, second.await?.1), (one.local_addr()?, other.local_addr()?));
        Ok(())
    });
}

#[test]
fn connection_that_was_not_taken_goes_to_the_next_accept() {
    on_both(|| async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (waiting, taken) = (listener.accept(), listener.accept());
        drop(waiting);
        let client = TcpStream::connect(address).await?;
        turns(3).await;
        assert!(taken.done());
        drop(taken);
        assert_eq!(listener.accept().await?.1, client.local_addr()?);
        Ok(())
    });
}

#[test]
fn many_connections_echo_at_once() {
    const MANY: usize = 300;
    async fn echo(listener: TcpListener) -> Result<()> {
        for _ in 0..MANY {
            let (stream, _) = listener.accept().await?;
            drop(convert_yielded(async move {
                loop {
                    let bytes = stream.read(4096).await?;
                    if bytes.is_empty() {
                        return Result::<()>::Ok(());
                    }
                    stream.write_all(bytes).await?;
                }
            })?);
        }
        Ok(())
    }
    async fn ask(address: std::net::SocketAddr, n: usize) -> Result<()> {
        let stream = TcpStream::connect(address).await?;
        for round in 0..5 {
            let question = format!("{n}.{round}\n");
            stream.write_all(question.clone()).await?;
            assert_eq!(stream.read_until("\n", 100).await?, question);
        }
        Ok(())
    }
    on_both(|| async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let served = convert_yielded(echo(listener))?;
        squall::multi((0..MANY).map(|n| ask(address, n)).collect::<Vec<_>>()).await?;
        served.await
    });
}

#[cfg(target_os = "linux")]
#[test]
fn backlog_holds_connections_that_are_not_accepted_yet() {
    use std::net::TcpStream;

    fn connects(address: std::net::SocketAddr, count: usize, patience: Duration) -> usize {
        let connected = (0..count).map(|_| TcpStream::connect_timeout(&address, patience).ok());
        connected.take_while(Option::is_some).collect::<Vec<_>>().len()
    }

    run(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        assert_eq!(connects(listener.local_addr()?, 500, Duration::from_secs(1)), 500);
        let short = TcpListener::bind_with_backlog("127.0.0.1:0", 3)?;
        assert_eq!(connects(short.local_addr()?, 20, Duration::from_millis(20)), 4);
        Ok(())
    });
}

#[test]
fn refused_connection_names_the_address() {
    on_both(|| async {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let refused = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(kind(&refused), ErrorKind::ConnectionRefused);
        assert!(refused.to_string().contains(&address.to_string()), "{refused}");
        Ok(())
    });
}

#[test]
fn next_address_is_tried_when_one_fails() {
    on_both(|| async {
        let closed = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let open = TcpListener::bind("127.0.0.1:0")?;
        let stream = TcpStream::connect(vec![closed, open.local_addr()?]).await?;
        assert_eq!(stream.peer_addr()?, open.local_addr()?);
        let refused = TcpStream::connect(vec![closed, closed]).await.unwrap_err().to_string();
        assert_eq!(refused.matches(&closed.to_string()).count(), 2, "{refused}");
        assert!(TcpStream::connect(Vec::new()).await.is_err());
        Ok(())
    });
}

#[test]
fn next_address_is_tried_while_one_does_not_answer() {
    run(async {
        // A listener whose backlog is full does not answer.
        let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        full.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
        full.listen(0)?;
        let full = std::net::TcpListener::from(full);
        let silent = full.local_addr()?;
        let mut waiting = Vec::new();
        loop {
            match TcpStream::connect_within(Duration::from_millis(50), silent).await {
                Ok(stream) => waiting.push(stream),
                Err(late) => break assert_eq!(kind(&late), ErrorKind::TimedOut),
            }
        }
        let open = TcpListener::bind("127.0.0.1:0")?;
        let stream = TcpStream::connect(vec![silent, open.local_addr()?]).await?;
        assert_eq!(stream.peer_addr()?, open.local_addr()?);
        Ok(())
    });
}

#[test]
fn name_is_resolved_on_the_executor() {
    on_both(|| async {
        let listener = TcpListener::bind("localhost:0")?;
        let port = listener.local_addr()?.port();
        let stream = TcpStream::connect(("localhost", port)).await?;
        assert_eq!(stream.peer_addr()?.port(), port);
        assert!(lookup_host(format!("localhost:{port}")).await?.iter().all(|it| it.port() == port));
        let unknown = lookup_host("name.invalid:80").await.unwrap_err();
        assert!(unknown.to_string().starts_with("name.invalid cannot be resolved"), "{unknown}");
        Ok(())
    });
}

#[test]
fn addresses_are_read_and_shown() {
    for (text, shown) in
        [("127.0.0.1:80", "127.0.0.1:80"), ("[::1]:80", "[::1]:80"), ("example.com:443", "example.com:443")]
    {
        assert_eq!(Address::from(text).to_string(), shown);
    }
    assert_eq!(Address::from(("[::1]", 1)), Address::from("[::1]:1"));
    on_both(|| async {
        for wrong in ["", "example.com", "example.com:", "example.com:x", ":80", "::1:80", "a:70000"] {
            let error = TcpStream::connect(wrong).await.unwrap_err();
            assert_eq!(kind(&error), ErrorKind::InvalidInput, "{wrong}: {error}");
            assert_eq!(TcpListener::bind(wrong).unwrap_err().kind(), ErrorKind::InvalidInput);
        }
        Ok(())
    });
}

#[test]
fn unix_sockets_have_paths() {
    run(async {
        let directory = std::env::temp_dir().join(format!("squall-{}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        let path = directory.join("socket");
        let missing = UnixStream::connect(&path).await.unwrap_err();
        assert_eq!(kind(&missing), ErrorKind::NotFound);
        let listener = UnixListener::bind(&path)?;
        assert_eq!(listener.local_addr()?.as_pathname(), Some(&*path));
        let client = UnixStream::connect(&path).await?;
        let (server, _) = listener.accept().await?;
        client.write_all("hello").await?;
        assert_eq!(server.read(10).await?, "hello");
        assert_eq!(UnixListener::bind(&path).unwrap_err().kind(), ErrorKind::AddrInUse);
        std::fs::remove_dir_all(directory)?;
        Ok(())
    });
}

#[test]
fn dropped_listener_fails_those_that_wait() {
    on_both(|| async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let accept = listener.accept();
        drop(listener);
        assert_eq!(kind(&accept.await.unwrap_err()), ErrorKind::NotConnected);
        Ok(())
    });
}
