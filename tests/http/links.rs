//! A slow link, a link that is cut and mended, a client that leaves.

use std::time::Duration;

use squall::httpclient::{AsyncHttpClient, Request};
use squall::{sleep, testing, Result};

use crate::{fetch, milliseconds, now, site, Notes};

#[squall::test]
fn page_takes_the_time_that_the_link_takes() -> Result<()> {
    let (net, notes) = (testing::net(), Notes::default());
    net.link("client", "server").latency(milliseconds(40)).bandwidth(64_000);
    let server = net.host("server", || site(&notes).listen("server:80"))?;
    yield_!(fetch(&net, "http://server/page?bytes=128000"))?;
    // Two seconds for the bytes, twice there and back, and a little for the heads.
    assert!((2_160..2_200).contains(&now()), "{}", now());

    // A connection that is kept costs no way there and back.
    let start = now();
    yield_!(fetch(&net, "http://server/page"))?;
    assert!((80..100).contains(&(now() - start)), "{}", now() - start);
    yield_!(server.stop(Duration::ZERO))
}

#[squall::test]
fn response_goes_on_when_a_link_that_was_cut_is_healed() -> Result<()> {
    let (net, notes) = (testing::net(), Notes::default());
    let server = net.host("server", || site(&notes).listen("server:80"))?;
    let stream = Request::get("http://server/stream?n=5");
    let response = yield_!(net.host("client", || AsyncHttpClient::new().fetch_stream(stream)))?;
    let chunks = response.chunks();
    assert_eq!(yield_!(chunks.next())?.as_deref(), Some(&b"0 "[..]));
    yield_!(sleep(milliseconds(500)))?;
    net.cut("client", "server");
    let chunk = chunks.next();
    yield_!(sleep(Duration::from_secs(10)))?;
    assert!(!chunk.done());
    net.heal("client", "server");
    let mut rest = yield_!(chunk)?.unwrap_or_default().to_vec();
    while let Some(chunk) = yield_!(chunks.next())? {
        rest.extend_from_slice(&chunk);
    }
    assert_eq!(String::from_utf8_lossy(&rest), "1 2 3 4 ");
    assert!(notes.take().is_empty());
    yield_!(server.stop(Duration::ZERO))
}

#[squall::test]
fn client_that_leaves_between_two_flushes_is_told_of_and_a_later_flush_fails() -> Result<()> {
    let (net, notes) = (testing::net(), Notes::default());
    let server = net.host("server", || site(&notes).listen("server:80"))?;
    let fetched = fetch(&net, "http://server/stream?n=100");
    yield_!(sleep(milliseconds(2_500)))?;
    assert!(fetched.cancel());
    yield_!(sleep(Duration::from_secs(2)))?;
    let notes = notes.take();
    assert_eq!(notes[0], "closed at 2500 ms");
    // It may have closed its half only: what the server sends at 3 s is answered by a reset.
    assert!(notes[1].starts_with("flush 4: "), "{notes:?}");
    assert_eq!((notes.len(), server.connections()), (2, 0));
    yield_!(server.stop(Duration::ZERO))
}

#[squall::test]
fn server_that_stops_finishes_what_it_began_within_its_grace() -> Result<()> {
    let (net, notes) = (testing::net(), Notes::default());
    let server = net.host("server", || site(&notes).listen("server:80"))?;
    let short = fetch(&net, "http://server/stream?n=2");
    let long = fetch(&net, "http://server/page?ms=15000");
    yield_!(sleep(milliseconds(500)))?;
    let stopped = server.stop(Duration::from_secs(10));
    assert_eq!(yield_!(short)?.text()?, "0 1 ");
    assert!(yield_!(fetch(&net, "http://server/page")).is_err());
    yield_!(stopped)?;
    assert_eq!(now(), 10_500);
    assert!(yield_!(long).is_err());
    // The handler runs on to its end.
    yield_!(sleep(Duration::from_secs(5)))?;
    Ok(())
}
