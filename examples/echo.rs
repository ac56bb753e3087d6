//! A server that sends back what it receives, and two clients, in one program. It ends by itself.

use std::net::SocketAddr;

use squall::net::{TcpListener, TcpStream};
use squall::{Future, IoLoop, Result};

/// Serves one connection until the other end closes it.
#[squall::coroutine]
fn echo(stream: TcpStream) -> Result<()> {
    loop {
        let bytes = yield_!(stream.read(4096))?;
        if bytes.is_empty() {
            return Ok(());
        }
        yield_!(stream.write_all(bytes))?;
    }
}

/// Serves each connection in a coroutine of its own.
#[squall::coroutine]
fn serve(listener: TcpListener) -> Result<()> {
    loop {
        let (stream, peer) = yield_!(listener.accept())?;
        println!("a client has come from {}", peer.ip());
        IoLoop::current().spawn_callback(move || echo(stream));
    }
}

/// A yield-style client.
#[squall::coroutine]
fn ask(address: SocketAddr, words: Vec<&'static str>) -> Result<Vec<String>> {
    let stream = yield_!(TcpStream::connect(address))?;
    let (lines, mut answers) = (stream.lines(), Vec::new());
    for word in words {
        yield_!(stream.write_all(format!("{word}\n")))?;
        answers.extend(yield_!(lines.next_line())?);
    }
    Ok(answers)
}

/// A native client.
async fn ask_once(address: SocketAddr, text: &'static str) -> Result<String> {
    let stream = TcpStream::connect(address).await?;
    stream.write_all(text).await?;
    stream.shutdown().await?;
    let answer = stream.read_to_end(1024).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[squall::coroutine]
fn program() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    // The server is never waited for: it is dropped when the loop ends.
    let _server: Future<()> = serve(listener);
    let answers = yield_!(ask(address, vec!["one", "two", "three"]))?;
    println!("lines: {}", answers.join(", "));
    println!("all at once: {}", yield_!(ask_once(address, "hello, world"))?);
    Ok(())
}

fn main() -> Result<()> {
    IoLoop::current().run_sync(program)
}
