//! Sockets over loopback, on the real clock, without a sleep of the thread; and, where nothing needs the system, on the
//! network in memory as well, which is to behave in the same way.

#![cfg(all(unix, feature = "net"))]

mod ends;
mod listeners;
mod loops;
mod streams;

use std::future::Future;
use std::io::ErrorKind;

use squall::net::{IoStream, TcpListener, TcpStream};
use squall::testing::{self, VirtualClock};
use squall::{moment, Exception, IoLoop, Result};

fn kind(exception: &Exception) -> ErrorKind {
    exception.downcast_ref::<std::io::Error>().unwrap_or_else(|| panic!("{exception:?}")).kind()
}

fn run<T: 'static>(test: impl Future<Output = Result<T>> + 'static) -> T {
    IoLoop::current().run_sync(|| test).unwrap()
}

/// Runs a test over loopback and on the network in memory.
fn on_both<F: Future<Output = Result<()>> + 'static>(test: impl Fn() -> F) {
    println!("over loopback:");
    run(test());
    println!("in memory:");
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let current = io_loop.make_current();
    testing::net().host("host", || io_loop.run_sync(&test)).unwrap();
    drop(current);
    #[cfg(feature = "trace")]
    {
        println!("in memory, step by step:");
        let mut t = testing::TestLoop::new();
        let tested = testing::net().host("host", || t.spawn(&test));
        t.run_until_idle();
        tested.into_result().unwrap();
    }
}

/// Returns a connection: client and server.
async fn pair() -> Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?).await?;
    let (server, _) = listener.accept().await?;
    Ok((client, server))
}

/// Lets the loop turn, so that written bytes arrive.
async fn turns(n: usize) {
    for _ in 0..n {
        moment().await.unwrap();
    }
}

/// Writes zeros until there is no room left, and returns their number.
async fn filled(stream: &IoStream) -> usize {
    let mut len = 0;
    loop {
        let write = stream.write(vec![0; 1 << 20]);
        turns(3).await;
        if !write.done() {
            write.cancel();
            return len;
        }
        len += write.await.unwrap();
    }
}
