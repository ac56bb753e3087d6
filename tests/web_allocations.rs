//! How often the web server allocates for a request of a connection that is kept, counted by the allocator.

use std::alloc::System;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::thread;

use squall::web::{Application, Request, RequestHandler};
use squall::{IoLoop, Result};
use stats_alloc::{StatsAlloc, INSTRUMENTED_SYSTEM};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

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
