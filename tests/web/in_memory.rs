//! The server on the in-memory network of tests: what is left behind at the end of a test, and what is a Deadlock.

use std::rc::Rc;
use std::time::Duration;

use squall::net::TcpStream;
use squall::testing::{self, VirtualClock};
use squall::web::{Application, Request, RequestHandler};
use squall::{sleep, Error, Future, IoLoop, Result};

struct Hello;

impl RequestHandler for Hello {
    async fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.write("Hello");
        Ok(())
    }
}

/// Waits for ever.
struct Stuck(Future<()>);

impl RequestHandler for Stuck {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        drop(req);
        yield_!(self.0.clone())
    }
}

fn app() -> Application {
    Application::new().route("/", Hello).route("/stuck", Stuck(Future::new()))
}

#[cfg(feature = "http-client-plain")]
#[squall::test]
fn a_slow_link() -> Result<()> {
    use squall::httpclient::AsyncHttpClient;

    let net = testing::net();
    net.link("client", "server").latency(Duration::from_millis(40)).bandwidth(64_000);
    let server = net.host("server", || app().listen("server:80"))?;
    let page = yield_!(net.host("client", || AsyncHttpClient::new().fetch("http://server/")))?;
    assert_eq!(page.text()?, "Hello");
    assert_eq!(server.connections(), 1);
    net.cut("client", "server");
    Ok(())
}

#[squall::test]
fn server_that_is_never_asked_is_not_left_over() -> Result<()> {
    let net = testing::net();
    let server = net.host("server", || app().listen("server:80"))?;
    yield_!(sleep(Duration::from_secs(3600)))?;
    assert_eq!(server.connections(), 0);
    Ok(())
}

#[squall::test]
fn connection_that_has_sent_half_a_head_is_not_left_over() -> Result<()> {
    let net = testing::net();
    let server = net.host("server", || app().listen("server:80"))?;
    let client = yield_!(net.host("client", || TcpStream::connect("server:80")))?;
    yield_!(client.write_all("GET / HT"))?;
    yield_!(sleep(Duration::from_secs(1)))?;
    assert_eq!(server.connections(), 1);
    Ok(())
}

async fn ask_the_stuck() -> Result<()> {
    let client = TcpStream::connect("server:80").await?;
    client.write_all("GET /stuck HTTP/1.1\r\nHost: server\r\n\r\n").await?;
    sleep(Duration::from_secs(1)).await
}

#[squall::test]
#[should_panic(expected = "get waits at tests/web/in_memory.rs")]
fn handler_that_waits_is_left_over() -> Result<()> {
    let net = testing::net();
    net.host("server", || app().listen("server:80"))?;
    yield_!(net.spawn("client", ask_the_stuck))
}

#[test]
fn waiting_for_something_beside_a_server_without_clients_is_a_deadlock() {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let net = {
        let _here = io_loop.make_current();
        testing::net()
    };
    let never = Future::<()>::new();
    let _promise = never.promise();
    let raised = io_loop.run_sync(|| {
        drop(net.host("server", || app().listen("server:80")).unwrap());
        never
    });
    let raised = raised.unwrap_err();
    assert!(matches!(raised.downcast_ref(), Some(Error::Deadlock { .. })), "{raised}");
    // Also while a connection is idle, until it is closed.
    let never = Future::<()>::new();
    let _promise = never.promise();
    let raised = io_loop.run_sync(|| {
        drop(net.spawn("client", ask_the_stuck));
        never
    });
    let raised = raised.unwrap_err();
    assert!(matches!(raised.downcast_ref(), Some(Error::Deadlock { .. })), "{raised}");
    assert!(raised.to_string().contains("get waits at tests/web/in_memory.rs:"), "{raised}");
}

#[squall::test]
#[should_panic(expected = "nothing is left that could wake it")]
fn test_that_waits_beside_an_idle_server_fails_at_once() -> Result<()> {
    let net = testing::net();
    net.host("server", || app().listen("server:80"))?;
    let client = yield_!(net.host("client", || TcpStream::connect("server:80")))?;
    yield_!(client.write_all("GET / HTTP/1.1\r\nHost: server\r\n\r\n"))?;
    yield_!(client.read_until("Hello", 4096))?;
    let never = Future::<()>::new();
    let _promise = never.promise();
    yield_!(never)
}
