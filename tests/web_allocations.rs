//! How often the web server allocates for a request of a connection that is kept, and how much memory the connection holds
//! between its requests, counted by the allocator.

use std::alloc::System;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use std::thread;

use squall::net::TcpStream as Stream;
use squall::testing;
use squall::web::{Application, Request, RequestHandler};
use squall::{IoLoop, Result};
use stats_alloc::{StatsAlloc, INSTRUMENTED_SYSTEM};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Held by the test whose allocations are counted.
static COUNTED: Mutex<()> = Mutex::new(());

const REQUEST: &[u8] = b"GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
const REQUESTS: usize = 1000;

struct Hello;

impl RequestHandler for Hello {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.write("Hello");
        Ok(())
    }
}

/// Answers like [`Hello`], without an entity tag.
struct Untagged;

impl RequestHandler for Untagged {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.write("Hello");
        Ok(())
    }

    fn compute_etag(&self, _: &Request, _: &[u8]) -> Option<String> {
        None
    }
}

struct NativeHello;

impl RequestHandler for NativeHello {
    async fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.write("Hello");
        Ok(())
    }
}

/// Sends requests, one after the other, and allocates nothing itself.
fn ask(stream: &mut TcpStream, requests: usize) {
    let mut buffer = [0; 1024];
    for _ in 0..requests {
        stream.write_all(REQUEST).unwrap();
        let mut received = 0;
        while !buffer[..received].ends_with(b"\r\n\r\nHello") {
            received += stream.read(&mut buffer[received..]).unwrap();
        }
    }
}

/// Returns the allocations of one request.
#[allow(clippy::cast_precision_loss)] // Both are small.
fn allocations(address: SocketAddr) -> f64 {
    let mut stream = TcpStream::connect(address).unwrap();
    ask(&mut stream, 200);
    let before = ALLOCATOR.stats();
    ask(&mut stream, REQUESTS);
    let after = ALLOCATOR.stats() - before;
    (after.allocations + after.reallocations) as f64 / REQUESTS as f64
}

#[test]
fn request_allocates_the_future_of_its_handler_its_tag_and_little_else() {
    let _alone = COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    let io_loop = IoLoop::current();
    let server =
        |app: Application| app.listen("127.0.0.1:0").and_then(|server| Ok(server.local_addr()?)).unwrap();
    let yield_style = server(Application::new().route("/hello", Hello));
    let untagged = server(Application::new().route("/hello", Untagged));
    let native = server(Application::new().route("/hello", NativeHello));
    let handle = io_loop.handle();
    let client = thread::spawn(move || {
        let counted = (allocations(yield_style), allocations(untagged), allocations(native));
        handle.add_callback(|| IoLoop::current().stop());
        counted
    });
    io_loop.start();
    let (yield_style, untagged, native) = client.join().unwrap();
    // Once in a while hyper takes another buffer for reading.
    assert!((2.0..2.1).contains(&yield_style), "yield-style: {yield_style}");
    assert!((1.0..1.1).contains(&untagged), "untagged: {untagged}");
    assert!((4.0..4.1).contains(&native), "native: {native}");
}

/// Sends a request on each of the streams, all of them before the first answer is read.
#[squall::coroutine]
fn ask_all(streams: Rc<Vec<Stream>>) -> Result<()> {
    yield_!(streams.iter().map(|stream| stream.write_all(REQUEST)).collect::<Vec<_>>())?;
    for stream in &*streams {
        let head = yield_!(stream.read_until("\r\n\r\n", 1000))?;
        assert!(head.starts_with(b"HTTP/1.1 200"));
        yield_!(stream.read_exact(5))?;
    }
    Ok(())
}

/// hyper needs 16 KiB for a connection. Most connections have to do without that between their requests.
#[test]
fn connections_hold_little_memory_after_requests_on_all_of_them_at_once() {
    const CONNECTIONS: usize = 1000;
    const EACH: isize = 12_000; // a part of it is the in-memory network's

    let _alone = COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    let io_loop = IoLoop::current();
    let net = testing::net();
    let app = Application::new().route("/hello", Hello);
    let _server = net.host("server", || app.listen("server:80")).unwrap();
    let before = ALLOCATOR.stats();
    let connect = || (0..CONNECTIONS).map(|_| Stream::connect("server:80")).collect::<Vec<_>>();
    let streams = Rc::new(io_loop.run_sync(|| net.host("client", connect)).unwrap());
    for _ in 0..2 {
        io_loop.run_sync(|| ask_all(streams.clone())).unwrap();
        let held = ALLOCATOR.stats() - before;
        let held = held.bytes_allocated.cast_signed() - held.bytes_deallocated.cast_signed();
        let each = held / CONNECTIONS.cast_signed();
        assert!(each < EACH, "{each} bytes for each");
    }
}
