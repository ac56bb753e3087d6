//! Connections that are kept, limits of the pool, redirects.

use std::time::Duration;

use squall::httpclient::{AsyncHttpClient, HttpClientConfig, Request};
use squall::web::HttpServerConfig;
use squall::{sleep, testing, Result};

use crate::{fetch, now, site, Notes};

const PAGE: &str = "http://server/page?ms=1000";

#[squall::test]
fn connection_is_used_again_until_it_has_been_idle_for_too_long() -> Result<()> {
    let (net, notes) = (testing::net(), Notes::default());
    let server = net.host("server", || site(&notes).listen("server:80"))?;
    for _ in 0..3 {
        yield_!(fetch(&net, PAGE))?;
        assert_eq!(server.connections(), 1);
    }
    let ports = notes.take();
    assert!(ports.iter().all(|port| *port == ports[0]), "{ports:?}");

    yield_!(sleep(Duration::from_secs(59)))?;
    assert_eq!(server.connections(), 1);
    yield_!(sleep(Duration::from_secs(2)))?;
    assert_eq!(server.connections(), 0);
    yield_!(fetch(&net, PAGE))?;
    assert_ne!(notes.take(), ports[..1]);
    yield_!(server.stop(Duration::ZERO))
}

#[squall::test]
fn server_closes_an_idle_connection_and_the_next_fetch_makes_another() -> Result<()> {
    let (net, notes) = (testing::net(), Notes::default());
    let config = HttpServerConfig { idle_timeout: Duration::from_secs(10), ..HttpServerConfig::default() };
    let server = net.host("server", || site(&notes).listen_with("server:80", config))?;
    yield_!(fetch(&net, PAGE))?;
    yield_!(sleep(Duration::from_secs(9)))?;
    assert_eq!(server.connections(), 1);
    yield_!(sleep(Duration::from_secs(2)))?;
    assert_eq!(server.connections(), 0);
    yield_!(fetch(&net, PAGE))?;
    let ports = notes.take();
    assert_ne!(ports[0], ports[1]);
    yield_!(server.stop(Duration::ZERO))
}

#[squall::test]
fn fetches_beyond_the_limit_wait_in_line_and_few_connections_are_kept() -> Result<()> {
    let (net, notes) = (testing::net(), Notes::default());
    let server = net.host("server", || site(&notes).listen("server:80"))?;
    let config = HttpClientConfig { max_clients: 2, max_idle_per_host: 1, ..HttpClientConfig::default() };
    let client = AsyncHttpClient::with_config(config);
    let fetches: Vec<_> = (0..6).map(|_| net.host("client", || client.fetch(PAGE))).collect();
    yield_!(sleep(Duration::from_millis(2_500)))?;
    let done: Vec<bool> = fetches.iter().map(squall::Future::done).collect();
    assert_eq!((done, server.connections()), (vec![true, true, true, true, false, false], 2));
    yield_!(fetches)?;
    assert_eq!(now(), 3_000);
    yield_!(sleep(Duration::from_millis(1)))?;
    assert_eq!(server.connections(), 1);
    drop(client);
    yield_!(server.stop(Duration::ZERO))
}

#[squall::test]
fn redirect_to_another_host_takes_no_credentials_along() -> Result<()> {
    let net = testing::net();
    let notes = Notes::default();
    let servers =
        ["one", "two"].map(|host| net.host(host, || site(&notes).listen((host, 80)).expect("it is free")));
    let to = |url: &str| Request::get("http://me:secret@one/to").query([("url", url)]);
    let same = yield_!(fetch(&net, to("/who")))?;
    assert_eq!((same.url(), &*same.text()?), ("http://one/who", "Basic bWU6c2VjcmV0"));
    let other = yield_!(fetch(&net, to("http://two/who")))?;
    assert_eq!((other.url(), &*other.text()?), ("http://two/who", "nobody"));
    for server in servers {
        yield_!(server.stop(Duration::ZERO))?;
    }
    Ok(())
}
