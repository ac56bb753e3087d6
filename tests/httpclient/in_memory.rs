//! The client on the in-memory network of tests, in virtual time.

use std::time::Duration;

use squall::httpclient::{AsyncHttpClient, HttpClientError, Request, Stage};
use squall::net::TcpListener;
use squall::{testing, Exception, IoLoop, Result};

use crate::error;

const MINUTE: Duration = Duration::from_secs(60);

/// Answers each request with "hello", a second later.
async fn serve() -> Result<()> {
    let listener = TcpListener::bind("server:80")?;
    loop {
        let (stream, _) = listener.accept().await?;
        IoLoop::current().spawn_callback(move || async move {
            while stream.read_until("\r\n\r\n", 4096).await.is_ok() {
                squall::sleep(Duration::from_secs(1)).await?;
                stream.write_all("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await?;
            }
            Ok::<_, Exception>(())
        });
    }
}

#[squall::test(allow = "waiting")]
fn names_latency_and_limits_are_those_of_the_network() -> Result<()> {
    let net = testing::net();
    net.link("client", "server").latency(Duration::from_millis(40));
    net.host("server", || IoLoop::current().spawn_callback(serve));
    yield_!(())?;
    yield_!(())?;
    let fetch = |limit| {
        net.host("client", || {
            AsyncHttpClient::new().fetch(Request::get("http://server/").request_timeout(limit))
        })
    };
    let start = IoLoop::current().time();
    assert_eq!(yield_!(fetch(MINUTE))?.text()?, "hello");
    let first = IoLoop::current().time().saturating_sub(start);
    assert!(first >= Duration::from_millis(1080) && first < Duration::from_millis(1300), "{first:?}");

    net.cut("client", "server");
    let failed = yield_!(fetch(MINUTE)).unwrap_err();
    let late = matches!(error(&failed), HttpClientError::Timeout { stage: Stage::Receive, .. });
    assert!(late, "{failed:?}");
    Ok(())
}

/// Answers one request.
#[squall::coroutine]
fn serve_one(listener: TcpListener) -> Result<()> {
    let (stream, _) = yield_!(listener.accept())?;
    yield_!(stream.read_until("\r\n\r\n", 4096))?;
    yield_!(stream.write_all("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))?;
    assert!(yield_!(stream.read(1))?.is_empty());
    Ok(())
}

#[squall::test(allow = "waiting")]
fn kept_connection_is_no_timer_that_a_test_leaves_over() -> Result<()> {
    let net = testing::net();
    let served = net.host("server", || TcpListener::bind("server:80").map(serve_one))?;
    let page = net.host("client", || AsyncHttpClient::new().fetch("http://server/"));
    assert_eq!(yield_!(page)?.body(), "hello");
    assert!(!served.done());
    Ok(())
}

#[squall::test]
fn kept_connection_is_closed_after_its_time() -> Result<()> {
    let net = testing::net();
    let served = net.host("server", || TcpListener::bind("server:80").map(serve_one))?;
    let page = net.host("client", || AsyncHttpClient::new().fetch("http://server/"));
    assert_eq!(yield_!(page)?.body(), "hello");
    let start = IoLoop::current().time();
    yield_!(served)?;
    assert_eq!(IoLoop::current().time().saturating_sub(start).as_secs(), 60);
    Ok(())
}
