//! TCP: clients and a server that echoes, on one thread, over loopback.

use std::time::Duration;

use async_io::Async;
use cpu_time::ThreadTime;
use squall::net::{TcpListener, TcpStream};
use squall::{Co, Result};

use super::{all, on_squall};
use crate::executors::{Executor, Smol, Tokio};
use crate::measure::{Contestant, Row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new("tcp-echo-1", 10_000, "messages of 64 bytes echoed over one TCP connection")
            .target(1.0)
            .with(Contestant::Squall, squall::<1>)
            .with(Contestant::Tokio, tokio::<1>)
            .with(Contestant::AsyncExecutor, smol::<1>),
        Row::new("tcp-echo-1000", 100_000, "the same, over 1,000 connections at once")
            .target(1.0)
            .with(Contestant::Squall, squall::<1000>)
            .with(Contestant::Tokio, tokio::<1000>)
            .with(Contestant::AsyncExecutor, smol::<1000>),
    ]
}

const MESSAGE: &[u8; 64] = &[b'x'; 64];

/// How many messages each of the connections sends.
fn each<const CONNECTIONS: usize>(n: usize) -> usize {
    n.div_ceil(CONNECTIONS)
}

fn squall<const CONNECTIONS: usize>(n: usize) -> Duration {
    async fn serve(co: Co, stream: TcpStream) -> Result<()> {
        loop {
            let bytes = co.yield_(stream.read(4096)).await?;
            if bytes.is_empty() {
                return Ok(());
            }
            co.yield_(stream.write_all(bytes)).await?;
        }
    }
    async fn ask(co: Co, stream: TcpStream, times: usize) -> Result<()> {
        for _ in 0..times {
            co.yield_(stream.write_all(&MESSAGE[..])).await?;
            co.yield_(stream.read_exact(MESSAGE.len())).await?;
        }
        Ok(())
    }
    on_squall(move |co| async move {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (mut clients, mut served) = (Vec::new(), Vec::new());
        for _ in 0..CONNECTIONS {
            clients.push(co.yield_(TcpStream::connect(address)).await?);
            let (stream, _) = co.yield_(listener.accept()).await?;
            served.push(squall::coroutine(|co| serve(co, stream)));
        }
        let start = ThreadTime::now();
        let asked = clients.iter().cloned();
        let asked = asked.map(|stream| squall::coroutine(move |co| ask(co, stream, each::<CONNECTIONS>(n))));
        co.yield_(asked.collect::<Vec<_>>()).await?;
        let time = start.elapsed();
        drop(clients);
        co.yield_(served).await?;
        Ok(time)
    })
}

fn tokio<const CONNECTIONS: usize>(n: usize) -> Duration {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    async fn serve(mut stream: TcpStream) {
        let mut buffer = [0; 4096];
        loop {
            let len = stream.read(&mut buffer).await.expect("loopback");
            if len == 0 {
                return;
            }
            stream.write_all(&buffer[..len]).await.expect("loopback");
        }
    }
    async fn ask(mut stream: TcpStream, times: usize) -> TcpStream {
        let mut buffer = [0; MESSAGE.len()];
        for _ in 0..times {
            stream.write_all(MESSAGE).await.expect("loopback");
            stream.read_exact(&mut buffer).await.expect("loopback");
        }
        stream
    }
    Tokio::run(async |executor| {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let address = listener.local_addr().expect("loopback");
        let (mut clients, mut served) = (Vec::new(), Vec::new());
        for _ in 0..CONNECTIONS {
            clients.push(TcpStream::connect(address).await.expect("loopback"));
            let (stream, _) = listener.accept().await.expect("loopback");
            served.push(executor.spawn(serve(stream)));
        }
        let start = ThreadTime::now();
        let asked = clients.into_iter().map(|stream| executor.spawn(ask(stream, each::<CONNECTIONS>(n))));
        let clients = all(asked.collect::<Vec<_>>()).await;
        let time = start.elapsed();
        drop(clients);
        all(served).await;
        time
    })
}

fn smol<const CONNECTIONS: usize>(n: usize) -> Duration {
    use std::net::{TcpListener, TcpStream};

    use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};

    async fn serve(mut stream: Async<TcpStream>) {
        let mut buffer = [0; 4096];
        loop {
            let len = stream.read(&mut buffer).await.expect("loopback");
            if len == 0 {
                return;
            }
            stream.write_all(&buffer[..len]).await.expect("loopback");
        }
    }
    async fn ask(mut stream: Async<TcpStream>, times: usize) -> Async<TcpStream> {
        let mut buffer = [0; MESSAGE.len()];
        for _ in 0..times {
            stream.write_all(MESSAGE).await.expect("loopback");
            stream.read_exact(&mut buffer).await.expect("loopback");
        }
        stream
    }
    Smol::run(async |executor| {
        let listener = Async::<TcpListener>::bind(([127, 0, 0, 1], 0)).expect("loopback");
        let address = listener.get_ref().local_addr().expect("loopback");
        let (mut clients, mut served) = (Vec::new(), Vec::new());
        for _ in 0..CONNECTIONS {
            clients.push(Async::<TcpStream>::connect(address).await.expect("loopback"));
            let (stream, _) = listener.accept().await.expect("loopback");
            served.push(executor.spawn(serve(stream)));
        }
        let start = ThreadTime::now();
        let asked = clients.into_iter().map(|stream| executor.spawn(ask(stream, each::<CONNECTIONS>(n))));
        let clients = all(asked.collect::<Vec<_>>()).await;
        let time = start.elapsed();
        drop(clients);
        all(served).await;
        time
    })
}
