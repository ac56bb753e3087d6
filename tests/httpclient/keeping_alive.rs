use std::io::{Read, Write};
use std::time::Duration;

use squall::httpclient::{AsyncHttpClient, Bytes, HttpClientConfig, HttpClientError, Request};
use squall::{multi, sleep, Result};

use crate::error;
use crate::server::{ok, response, run, send, serve, Close, Reset, Wait};

fn client(config: impl FnOnce(&mut HttpClientConfig)) -> AsyncHttpClient {
    let mut made = HttpClientConfig::default();
    config(&mut made);
    AsyncHttpClient::with_config(made)
}

#[test]
fn one_after_the_other_share_a_connection() {
    run(|| async {
        let server = serve(|asked| ok(asked.path()));
        let client = AsyncHttpClient::new();
        for n in 0..20 {
            assert_eq!(client.fetch(server.url(&format!("/{n}"))).await?.body(), &format!("/{n}"));
        }
        assert_eq!(server.connections.get(), 1);
        Ok(())
    });
}

#[test]
fn max_clients_run_and_the_others_wait_in_line() {
    run(|| async {
        let server = serve(|_| vec![Wait(5), response("200 OK", &[], "x")]);
        let client = client(|config| config.max_clients = 3);
        multi((0..12).map(|_| client.fetch(server.url("/"))).collect::<Vec<_>>()).await?;
        assert_eq!(server.connections.get(), 3);
        assert_eq!(server.asked.borrow().len(), 12);
        Ok(())
    });
}

#[test]
fn time_in_line_counts() {
    run(|| async {
        let server = serve(|_| vec![Wait(200), response("200 OK", &[], "x")]);
        let client = client(|config| config.max_clients = 1);
        let first = client.fetch(server.url("/"));
        let second = client.fetch(Request::get(server.url("/")).request_timeout(Duration::from_millis(20)));
        let failed = second.await.unwrap_err();
        assert!(failed.to_string().ends_with("it was waiting for other fetches (max_clients)"), "{failed}");
        first.await?;
        assert_eq!(server.asked.borrow().len(), 1);
        Ok(())
    });
}

#[test]
fn idle_connections_are_closed_after_their_time_and_beyond_their_number() {
    run(|| async {
        let server = serve(|_| vec![Wait(5), response("200 OK", &[], "x")]);
        let client = client(|config| {
            config.max_idle_per_host = 2;
            config.idle_timeout = Duration::from_millis(250);
        });
        multi((0..5).map(|_| client.fetch(server.url("/"))).collect::<Vec<_>>()).await?;
        assert_eq!(server.connections.get(), 5);
        server.until(|server| server.open.get() == 2).await?;
        client.fetch(server.url("/")).await?;
        assert_eq!(server.connections.get(), 5);
        server.until(|server| server.open.get() == 0).await
    });
}

#[test]
fn server_that_closes_gets_a_new_connection_each_time() {
    run(|| async {
        let server = serve(|asked| match asked.path() {
            "/said" => vec![response("200 OK", &["Connection: close"], "x"), Close],
            "/old" => vec![send("HTTP/1.0 200 OK\r\n\r\nx"), Close],
            _ => vec![response("200 OK", &[], "x"), Close],
        });
        let client = AsyncHttpClient::new();
        for path in ["/said", "/said", "/old", "/old", "/silent"] {
            assert_eq!(client.fetch(server.url(path)).await?.body(), "x");
            sleep(Duration::from_millis(5)).await?;
        }
        assert_eq!(server.connections.get(), 5);
        Ok(())
    });
}

/// The second request of a connection finds it closed: the server has read it and goes.
fn stale(reset: bool) -> impl Fn(&crate::server::Asked) -> Vec<crate::server::Do> {
    move |asked| match asked.n {
        1 => vec![if reset { Reset } else { Close }],
        _ => ok(asked.body.clone()),
    }
}

#[test]
fn request_that_does_no_harm_is_sent_again_if_its_connection_was_stale() {
    run(|| async {
        for reset in [false, true] {
            for method in ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"] {
                let server = serve(stale(reset));
                let client = client(|_| ());
                client.fetch(server.url("/")).await?;
                let again = client.fetch(Request::new(method, server.url("/")).body("text")).await?;
                assert_eq!(again.body(), if method == "HEAD" { "" } else { "text" });
                assert_eq!(server.asked.borrow().len(), 3, "{method}");
            }
        }
        Ok(())
    });
}

#[test]
fn request_that_may_do_harm_twice_is_not_sent_again() {
    run(|| async {
        let once = || {
            let mut left = Some(Bytes::from("x"));
            move || squall::Future::ready(left.take())
        };
        let requests: [fn(String, _) -> Request; 2] =
            [|url, _| Request::post(url).body("x"), |url, stream| Request::put(url).body_stream(stream)];
        for request in requests {
            let server = serve(stale(false));
            let client = client(|_| ());
            client.fetch(server.url("/")).await?;
            let failed = client.fetch(request(server.url("/"), once())).await.unwrap_err();
            assert!(matches!(error(&failed), HttpClientError::Receive { .. }), "{failed}");
            assert_eq!(server.asked.borrow().len(), 2);
        }
        Ok(())
    });
}

#[test]
fn new_connection_that_is_closed_is_not_tried_again() {
    run(|| async {
        let server = serve(|_| vec![Close]);
        let failed = AsyncHttpClient::new().fetch(server.url("/")).await.unwrap_err();
        assert!(matches!(error(&failed), HttpClientError::Receive { .. }), "{failed}");
        assert_eq!(server.asked.borrow().len(), 1);
        Ok(())
    });
}

#[test]
fn stale_connection_that_has_answered_in_part_is_not_tried_again() {
    run(|| async {
        let server = serve(|asked| match asked.n {
            0 => ok("x"),
            _ => vec![send("HTTP/1.1 2"), Close],
        });
        let client = AsyncHttpClient::new();
        client.fetch(server.url("/")).await?;
        client.fetch(server.url("/")).await.unwrap_err();
        assert_eq!(server.asked.borrow().len(), 2);
        Ok(())
    });
}

#[test]
fn unrequested_bytes_are_not_a_response_to_the_next_request() {
    run(|| async {
        let server = serve(|asked| match asked.n {
            0 => vec![response("200 OK", &[], "first"), response("200 OK", &[], "forged")],
            _ => ok("second"),
        });
        let client = AsyncHttpClient::new();
        assert_eq!(client.fetch(server.url("/")).await?.body(), "first");
        sleep(Duration::from_millis(5)).await?;
        assert_eq!(client.fetch(server.url("/")).await?.body(), "second");
        assert_eq!(server.connections.get(), 2);
        Ok(())
    });
}

#[squall::test]
fn idle_connection_of_the_system_does_not_stop_a_virtual_clock() -> Result<()> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/", listener.local_addr()?);
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 1024];
        assert!(stream.read(&mut head).unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx").unwrap();
        // Until the client closes it, after the hour.
        assert_eq!(stream.read(&mut head).unwrap(), 0);
    });
    let client = client(|config| config.idle_timeout = Duration::from_secs(3 * 3600));
    yield_!(client.fetch(url))?;
    yield_!(sleep(Duration::from_secs(3600)))?;
    drop(client);
    server.join().unwrap();
    Ok(())
}
