//! TCP and Unix sockets over loopback, on the real clock.

use std::future::Future;
use std::io::ErrorKind;

use squall::net::{TcpListener, TcpStream, UnixStream};
use squall::{Exception, IoLoop, Result};

fn kind(exception: &Exception) -> ErrorKind {
    exception.downcast_ref::<std::io::Error>().expect("an io::Error").kind()
}

fn run(test: impl Future<Output = Result<()>> + 'static) {
    IoLoop::current().run_sync(|| test).unwrap();
}

/// A connection over loopback.
async fn pair() -> Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?).await?;
    let (server, _) = listener.accept().await?;
    Ok((client, server))
}

#[test]
fn bytes_arrive_in_order_and_the_end_is_empty() {
    run(async {
        let (client, server) = pair().await?;
        client.write_all("hello ").await?;
        client.write_all(b"world".to_vec()).await?;
        client.shutdown().await?;
        let mut all = Vec::new();
        loop {
            let bytes = server.read(4).await?;
            assert!(bytes.len() <= 4);
            if bytes.is_empty() {
                break;
            }
            all.extend_from_slice(&bytes);
        }
        assert_eq!(all, b"hello world");
        server.write_all("still open").await?;
        drop(server);
        assert_eq!(client.read_to_end(100).await?, "still open");
        Ok(())
    });
}

#[test]
fn read_that_waits_is_resumed_when_bytes_come() {
    run(async {
        let (client, server) = pair().await?;
        let read = server.read(100);
        assert!(!read.done());
        client.write_all("x").await?;
        assert_eq!(read.await?, "x");
        Ok(())
    });
}

#[test]
fn lines_come_one_by_one_and_the_last_needs_no_end() {
    run(async {
        let (client, server) = pair().await?;
        client.write_all("one\r\ntwo\n\nlast").await?;
        drop(client);
        let lines = server.lines();
        let mut all = Vec::new();
        while let Some(line) = lines.next_line().await? {
            all.push(line);
        }
        assert_eq!(all, ["one", "two", "", "last"]);
        Ok(())
    });
}

#[test]
fn refused_connection_names_the_address() {
    run(async {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let refused = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(kind(&refused), ErrorKind::ConnectionRefused);
        assert!(refused.to_string().contains(&address.to_string()), "{refused}");
        Ok(())
    });
}

#[test]
fn big_transfer_passes_both_ways_at_once() {
    const SIZE: usize = 20_000_000;
    run(async {
        let (one, other) = UnixStream::pair()?;
        let (a, b) = (one.write_all(vec![1; SIZE]), other.write_all(vec![2; SIZE]));
        let (at_one, at_other) = (one.read_exact(SIZE), other.read_exact(SIZE));
        let (at_one, at_other) = (at_one.await?, at_other.await?);
        assert!(at_one.iter().all(|byte| *byte == 2) && at_other.iter().all(|byte| *byte == 1));
        a.await?;
        b.await
    });
}
