//! Each limit of time of the client and of the server, to the millisecond.

use std::time::Duration;

use squall::httpclient::{AsyncHttpClient, HttpClientConfig, HttpClientError, Request, Stage};
use squall::net::TcpStream;
use squall::{sleep, testing, Exception, Result};

use crate::{error, fetch, milliseconds, now, site, Notes};

/// The stage in which a fetch ran out of time, and the setting.
fn late(result: Result<squall::httpclient::Response>) -> (Stage, &'static str) {
    match error(&result.expect_err("it is too late")) {
        HttpClientError::Timeout { stage, setting, .. } => (*stage, *setting),
        other => panic!("{other:?}"),
    }
}

#[squall::test]
fn fetch_that_waits_in_line_runs_out_of_time() -> Result<()> {
    let (net, notes) = (testing::net(), Notes::default());
    let server = net.host("server", || site(&notes).listen("server:80"))?;
    let config = HttpClientConfig { max_clients: 1, ..HttpClientConfig::default() };
    let client = AsyncHttpClient::with_config(config);
    let first = net.host("client", || client.fetch("http://server/page?ms=10000"));
    let request = Request::get("http://server/page").request_timeout(Duration::from_secs(5));
    let second = net.host("client", || client.fetch(request));
    assert_eq!((late(yield_!(second)), now()), ((Stage::Queue, "request_timeout"), 5_000));
    yield_!(first)?;
    yield_!(server.stop(Duration::ZERO))
}

// A lookup goes on, as `getaddrinfo` does.
#[squall::test(allow = "waiting, timers")]
fn name_that_is_not_resolved_runs_out_of_time() -> Result<()> {
    let (net, notes) = (testing::net(), Notes::default());
    net.host("server", || site(&notes).listen("server:80"))?;
    net.lookup_time("server", Duration::from_secs(60));
    let request = || Request::get("http://server/page");
    let late_to_connect = fetch(&net, request().connect_timeout(Duration::from_secs(4)));
    assert_eq!((late(yield_!(late_to_connect)), now()), ((Stage::Resolve, "connect_timeout"), 4_000));
    let all_too_late = fetch(&net, request().request_timeout(Duration::from_secs(3)));
    assert_eq!((late(yield_!(all_too_late)), now()), ((Stage::Resolve, "request_timeout"), 7_000));
    net.lookup_time("server", Duration::from_secs(2));
    let in_time = fetch(&net, request().connect_timeout(Duration::from_secs(4)));
    assert_eq!((yield_!(in_time)?.status().as_u16(), now()), (200, 9_000));
    Ok(())
}

#[squall::test]
fn connection_that_does_not_come_runs_out_of_time() -> Result<()> {
    let net = testing::net();
    net.cut("client", "server");
    let request = Request::get("http://server/page").connect_timeout(Duration::from_secs(7));
    assert_eq!((late(yield_!(fetch(&net, request))), now()), ((Stage::Connect, "connect_timeout"), 7_000));
    Ok(())
}

#[squall::test(allow = "waiting, timers")]
fn request_that_is_not_taken_and_response_that_does_not_come_run_out_of_time() -> Result<()> {
    let (net, notes) = (testing::net(), Notes::default());
    net.host("server", || site(&notes).listen("server:80"))?;
    let large = Request::put("http://server/page").body(vec![0; 1 << 20]);
    assert_eq!((late(yield_!(fetch(&net, large))), now()), ((Stage::Send, "request_timeout"), 20_000));
    let slow = Request::get("http://server/page?ms=60000").request_timeout(Duration::from_secs(3));
    assert_eq!((late(yield_!(fetch(&net, slow))), now()), ((Stage::Receive, "request_timeout"), 23_000));
    Ok(())
}

/// Sends a text, and reads until the server closes.
async fn talk(text: &'static str) -> Result<(String, u128)> {
    let stream = TcpStream::connect("server:80").await?;
    stream.write_all(text).await?;
    let answer = stream.read_to_end(1 << 20).await?;
    Ok((String::from_utf8_lossy(&answer).into_owned(), now()))
}

#[squall::test]
fn server_waits_thirty_seconds_for_a_head_and_sixty_for_a_body() -> Result<()> {
    let (net, notes) = (testing::net(), Notes::default());
    let server = net.host("server", || site(&notes).listen("server:80"))?;
    let silent = net.spawn("client", || talk(""));
    let head = net.spawn("client", || talk("GET /page HTTP/1.1\r\nHost: server\r\n"));
    let body =
        net.spawn("client", || talk("POST /page HTTP/1.1\r\nHost: server\r\nContent-Length: 5\r\n\r\nabc"));
    let (answer, at) = yield_!(silent)?;
    assert_eq!((&*answer, at), ("", 30_000));
    let (answer, at) = yield_!(head)?;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(at, 30_000);
    let (answer, at) = yield_!(body)?;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(at, 60_000);
    assert_eq!(notes.take().len(), 1);
    yield_!(server.stop(Duration::ZERO))
}

#[squall::test]
fn client_that_takes_nothing_of_a_response_is_cut_off_after_a_minute() -> Result<()> {
    let (net, notes) = (testing::net(), Notes::default());
    let server = net.host("server", || site(&notes).listen("server:80"))?;
    let deaf = net.spawn("client", || async {
        let stream = TcpStream::connect("server:80").await?;
        stream.write_all("GET /page?bytes=1000000 HTTP/1.1\r\nHost: server\r\n\r\n").await?;
        sleep(Duration::from_secs(100)).await?;
        Ok::<_, Exception>(stream)
    });
    yield_!(sleep(milliseconds(59_990)))?;
    assert_eq!(server.connections(), 1);
    // A connection that is cut lingers for a while, so that the client may see the end.
    yield_!(sleep(milliseconds(20_000)))?;
    assert_eq!(server.connections(), 0);
    drop(yield_!(deaf)?);
    yield_!(server.stop(Duration::ZERO))
}

#[cfg(all(feature = "http-client", feature = "tls"))]
mod tls {
    use squall::httpclient::ClientTls;
    use squall::net::TcpListener;
    use squall::web::{HttpServerConfig, TlsConfig};

    use super::*;

    const CERTIFICATE: &[u8] = include_bytes!("../httpclient/tls/cert.pem");
    const KEY: &[u8] = include_bytes!("../httpclient/tls/key.pem");

    #[squall::test]
    fn handshake_that_a_server_does_not_answer_runs_out_of_time() -> Result<()> {
        let net = testing::net();
        let listener = net.host("server", || TcpListener::bind("server:443"))?;
        let silent = listener.accept();
        let tls = ClientTls::from_ca_pem(CERTIFICATE)?;
        let client = AsyncHttpClient::with_config(HttpClientConfig { tls, ..HttpClientConfig::default() });
        let request = || Request::get("https://server/");
        let first = request().connect_timeout(Duration::from_secs(7));
        let first = net.host("client", || client.fetch(first));
        assert_eq!((late(yield_!(first)), now()), ((Stage::Tls, "connect_timeout"), 7_000));
        let second = request().connect_timeout(Duration::MAX).request_timeout(Duration::from_secs(9));
        let second = net.host("client", || client.fetch(second));
        assert_eq!((late(yield_!(second)), now()), ((Stage::Tls, "request_timeout"), 16_000));
        drop(yield_!(silent)?);
        Ok(())
    }

    #[squall::test]
    fn server_waits_thirty_seconds_for_a_handshake() -> Result<()> {
        let (net, notes) = (testing::net(), Notes::default());
        let tls = TlsConfig::from_pem(CERTIFICATE, KEY)?;
        let listen = || site(&notes).listen_tls("server:443", tls, HttpServerConfig::default());
        let server = net.host("server", listen)?;
        let silent = net.spawn("client", || async {
            let stream = TcpStream::connect("server:443").await?;
            let answer = stream.read_to_end(1 << 20).await?;
            Ok::<_, Exception>((answer.len(), now()))
        });
        assert_eq!(yield_!(silent)?, (0, 30_000));
        yield_!(server.stop(Duration::ZERO))
    }
}
