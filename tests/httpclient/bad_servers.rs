use std::time::Duration;

use squall::httpclient::{AsyncHttpClient, HttpClientError, Part, Request, Stage};
use squall::net::TcpListener;

use crate::error;
use crate::server::{run, send, serve, Close, Do, Hang, Reset, Wait};

/// Checks the error of a fetch from a server that answers with these bytes and closes.
fn failing(bytes: &'static str, check: impl Fn(&HttpClientError) -> bool + 'static) {
    run(move || async move {
        let server = serve(move |_| vec![send(bytes), Wait(2), Close]);
        let failed = AsyncHttpClient::new().fetch(server.url("/")).await.unwrap_err();
        assert!(check(error(&failed)), "{bytes:?}: {failed:?}");
        assert!(failed.to_string().contains(&server.url("/")), "{failed}");
        server.until(|server| server.open.get() == 0).await
    });
}

fn receive(error: &HttpClientError) -> bool {
    matches!(error, HttpClientError::Receive { .. })
}

#[test]
fn responses_that_end_early_fail() {
    for bytes in [
        "",
        "HTTP/1.1",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
    ] {
        failing(bytes, receive);
    }
}

#[test]
fn responses_that_are_not_http_fail() {
    for bytes in [
        "SSH-2.0-OpenSSH_9.6\r\n",
        "<html>hello</html>\r\n\r\n",
        "HTTP/1.1 OK\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nab\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nab\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
    ] {
        failing(bytes, receive);
    }
}

#[test]
fn heads_that_are_too_large_fail_however_they_come() {
    run(|| async {
        let large = |asked: &crate::server::Asked| match asked.path() {
            "/one" => vec![send(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(70_000)))],
            "/many" => vec![send(format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(20_000)))],
            "/101" => vec![send(format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(101)))],
            // It never ends.
            _ => std::iter::once(send("HTTP/1.1 200 OK\r\nX: "))
                .chain((0..200).map(|_| send("x".repeat(10_000))))
                .chain([Hang])
                .collect(),
        };
        let server = serve(large);
        for path in ["/one", "/many", "/101", "/endless"] {
            let failed = AsyncHttpClient::new().fetch(server.url(path)).await.unwrap_err();
            let too_large = matches!(error(&failed), HttpClientError::TooLarge { part: Part::Head, .. });
            assert!(too_large, "{path}: {failed:?}");
            assert!(failed.to_string().contains("or has more than 100 headers"), "{failed}");
        }
        Ok(())
    });
}

#[test]
fn large_heads_within_the_limit_are_taken() {
    run(|| async {
        let server = serve(|_| {
            vec![send(format!("HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(60_000)))]
        });
        let response = AsyncHttpClient::new().fetch(server.url("/")).await?;
        assert_eq!(response.header("x").unwrap().len(), 60_000);
        Ok(())
    });
}

#[test]
fn reset_in_each_phase_fails() {
    run(|| async {
        let server = serve(|asked| match asked.path() {
            "/before" => vec![Reset],
            "/head" => vec![send("HTTP/1.1 200 OK\r\n"), Wait(2), Reset],
            _ => vec![send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), Wait(2), Reset],
        });
        for path in ["/before", "/head", "/body"] {
            let failed = AsyncHttpClient::new().fetch(server.url(path)).await.unwrap_err();
            assert!(receive(error(&failed)), "{path}: {failed:?}");
        }
        Ok(())
    });
}

#[test]
fn response_that_comes_byte_by_byte_is_whole() {
    run(|| async {
        let bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let server = serve(move |_| bytes.bytes().flat_map(|byte| [send([byte]), Wait(0)]).collect());
        for _ in 0..2 {
            assert_eq!(AsyncHttpClient::new().fetch(server.url("/")).await?.body(), "abcde");
        }
        assert_eq!(server.connections.get(), 1);
        Ok(())
    });
}

fn late(error: &HttpClientError, of: &str, at: Stage) -> bool {
    matches!(error, HttpClientError::Timeout { setting, stage, .. } if *setting == of && *stage == at)
}

#[test]
fn silence_in_each_phase_ends_at_the_limit() {
    run(|| async {
        let slow: fn(&crate::server::Asked) -> Vec<Do> = |asked| match asked.path() {
            "/silent" => vec![Hang],
            "/head" => vec![send("HTTP/1.1 200 OK\r\n"), Hang],
            _ => vec![send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), Hang],
        };
        let server = serve(slow);
        for path in ["/silent", "/head", "/body"] {
            let request = Request::get(server.url(path)).request_timeout(Duration::from_millis(30));
            let failed = AsyncHttpClient::new().fetch(request).await.unwrap_err();
            assert!(late(error(&failed), "request_timeout", Stage::Receive), "{path}: {failed:?}");
        }
        server.until(|server| server.open.get() == 0).await
    });
}

#[test]
fn server_that_does_not_read_is_a_timeout_of_sending() {
    run(|| async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let request = Request::post(format!("http://{}/", listener.local_addr()?))
            .body(vec![0; 64 << 20])
            .request_timeout(Duration::from_millis(300));
        let failed = AsyncHttpClient::new().fetch(request).await.unwrap_err();
        assert!(late(error(&failed), "request_timeout", Stage::Send), "{failed:?}");
        Ok(())
    });
}

#[test]
fn nothing_listens() {
    run(|| async {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let failed = AsyncHttpClient::new().fetch(format!("http://{address}/")).await.unwrap_err();
        assert!(matches!(error(&failed), HttpClientError::Connect { .. }), "{failed:?}");
        Ok(())
    });
}

#[test]
fn host_without_an_address() {
    run(|| async {
        let failed = AsyncHttpClient::new().fetch("http://no-such-host.invalid/").await.unwrap_err();
        assert!(matches!(error(&failed), HttpClientError::Resolve { .. }), "{failed:?}");
        Ok(())
    });
}

#[test]
fn answer_before_the_body_was_read_is_the_response() {
    run(|| async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/", listener.local_addr()?);
        let request = Request::post(url).body(vec![0; 16 << 20]).raise_error(false);
        let fetched = AsyncHttpClient::new().fetch(request);
        let (stream, _) = listener.accept().await?;
        stream.read_until("\r\n\r\n", 1 << 16).await?;
        stream.write_all("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno").await?;
        let response = fetched.await?;
        assert_eq!((response.status().as_u16(), &response.body()[..]), (413, &b"no"[..]));
        Ok(())
    });
}
