use std::time::Duration;

use squall::httpclient::{AsyncHttpClient, Bytes, HttpClientError, Request, Url};
use squall::{sleep, with_timeout, Exception, IoLoop, Result};

use crate::error;
use crate::server::{ok, response, run, send, serve, Do, Server};

/// Answers with the head and the body of the request.
fn mirror() -> Server {
    serve(|asked| ok(format!("{}{}", asked.head, asked.body)))
}

#[squall::coroutine]
fn visit(url: String) -> Result<usize> {
    let response = yield_!(AsyncHttpClient::new().fetch(url))?;
    Ok(response.body().len())
}

#[test]
fn fetch_is_yielded_in_lists_and_with_a_limit() {
    run(|| async {
        let server = serve(|asked| ok(asked.path()));
        let lengths = squall::multi(["/", "/a", "/ab"].map(|path| visit(server.url(path)))).await?;
        assert_eq!(lengths, [1, 2, 3]);
        assert_eq!(with_timeout(Duration::from_secs(5), visit(server.url("/abc"))).await?, 4);
        Ok(())
    });
}

#[test]
fn url_that_is_parsed_already_is_fetched_like_its_text() {
    run(|| async {
        let server = mirror();
        let mut url = Url::parse(&server.url("/a/b"))?.join("../c?d=e")?;
        url.set_username("ann").expect("it has a host");
        let response = AsyncHttpClient::new().fetch(&url).await?;
        assert_eq!(response.url(), server.url("/c?d=e"));
        let asked = server.asked.borrow()[0].clone();
        assert_eq!(asked.line(), "GET /c?d=e HTTP/1.1");
        assert_eq!(asked.header("authorization"), Some("Basic YW5uOg=="));
        assert!(asked
            .head
            .to_lowercase()
            .split("\r\n")
            .nth(1)
            .is_some_and(|line| line.starts_with("host: ")));
        Ok(())
    });
}

#[test]
fn url_alone_is_a_get_with_host_and_user_agent() {
    run(|| async {
        let server = mirror();
        AsyncHttpClient::new().fetch(server.url("/a/b?c=d#e")).await?;
        let asked = server.asked.borrow()[0].clone();
        assert_eq!(asked.line(), "GET /a/b?c=d HTTP/1.1");
        assert_eq!(asked.header("host"), Some(server.address.to_string().as_str()));
        assert_eq!(asked.header("user-agent"), Some(concat!("squall/", env!("CARGO_PKG_VERSION"))));
        assert_eq!(asked.header("accept-encoding"), Some("gzip, deflate, br"));
        assert_eq!(asked.header("authorization"), None);
        Ok(())
    });
}

#[test]
fn every_method_is_sent() {
    run(|| async {
        let server = serve(|_| vec![send("HTTP/1.1 204 No Content\r\n\r\n")]);
        let url = server.url("/");
        let client = AsyncHttpClient::new();
        let requests = [
            Request::get(&url),
            Request::head(&url),
            Request::post(&url),
            Request::put(&url),
            Request::delete(&url),
            Request::patch(&url),
            Request::options(&url),
            Request::new("PROPFIND", &url),
        ];
        for request in requests {
            assert_eq!(client.fetch(request).await?.status(), 204);
        }
        let methods: Vec<_> =
            server.lines().iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(methods, ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"]);
        assert_eq!(server.asked.borrow()[2].header("content-length"), Some("0"));
        Ok(())
    });
}

#[test]
fn bodies_are_sent_with_their_types() {
    run(|| async {
        let server = mirror();
        let client = AsyncHttpClient::new();
        let url = server.url("/");
        client.fetch(Request::post(&url).body("text")).await?;
        client.fetch(Request::post(&url).json(&vec![1, 2])).await?;
        client.fetch(Request::post(&url).form([("a", "1 2"), ("b", "&=")])).await?;
        client.fetch(Request::post(&url).header("Content-Type", "x/y").json(&0)).await?;
        let asked = server.asked.borrow();
        let seen: Vec<_> = asked.iter().map(|asked| (asked.header("content-type"), &*asked.body)).collect();
        let form = Some("application/x-www-form-urlencoded");
        assert_eq!(
            seen,
            [
                (None, "text"),
                (Some("application/json"), "[1,2]"),
                (form, "a=1+2&b=%26%3D"),
                (Some("x/y"), "0")
            ]
        );
        Ok(())
    });
}

/// Returns a stream of these chunks, each after a pause.
fn chunks(chunks: &'static [&'static str]) -> impl FnMut() -> squall::Future<Option<Bytes>> + 'static {
    let mut left = chunks.iter();
    move || {
        let next = left.next().map(|chunk| Bytes::from_static(chunk.as_bytes()));
        squall::coroutine(|co| async move {
            co.yield_(sleep(Duration::from_millis(2))).await?;
            Ok(next)
        })
    }
}

#[test]
fn streamed_body_is_sent_in_chunks_or_by_its_length() {
    run(|| async {
        let server = mirror();
        let client = AsyncHttpClient::new();
        let url = server.url("/");
        client.fetch(Request::post(&url).body_stream(chunks(&["ab", "", "c"]))).await?;
        let by_length = Request::put(&url).header("Content-Length", "3").body_stream(chunks(&["ab", "c"]));
        client.fetch(by_length).await?;
        let asked = server.asked.borrow();
        assert_eq!(asked[0].body, "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
        assert_eq!(asked[1].body, "abc");
        assert_eq!(server.connections.get(), 1);
        Ok(())
    });
}

#[test]
fn exception_of_a_streamed_body_is_the_cause() {
    run(|| async {
        let server = mirror();
        let failing = || async { Err::<Option<Bytes>, _>(Exception::msg("the disk is gone")) };
        let request = Request::post(server.url("/")).body_stream(failing);
        let failed = AsyncHttpClient::new().fetch(request).await.unwrap_err();
        assert!(matches!(error(&failed), HttpClientError::Send { .. }), "{failed}");
        assert!(failed.to_string().ends_with("could not be sent: the disk is gone"), "{failed}");
        Ok(())
    });
}

#[test]
fn credentials_are_sent_from_the_request_or_the_url_and_stay_out_of_messages() {
    run(|| async {
        let server = serve(|_| vec![response("401 Unauthorized", &[], "")]);
        let client = AsyncHttpClient::new();
        let quiet = |request: Request| client.fetch(request.raise_error(false));
        quiet(Request::get(server.url("/")).auth_basic("ann", "a:b")).await?;
        let url = server.url("/").replace("//", "//ann:p%40s+s@");
        let response = quiet(Request::get(&url)).await?;
        assert_eq!(response.url(), server.url("/"));
        let failed = client.fetch(&url).await.unwrap_err();
        assert!(!failed.to_string().contains("ann"), "{failed}");
        let asked = server.asked.borrow();
        assert_eq!(asked[0].header("authorization"), Some("Basic YW5uOmE6Yg=="));
        assert_eq!(asked[1].header("authorization"), Some("Basic YW5uOnBAcytz"));
        Ok(())
    });
}

#[test]
fn user_agent_and_query_are_the_requests() {
    run(|| async {
        let server = mirror();
        let request = Request::get(server.url("/s?x=1")).user_agent("me/1").query([("q", "é &")]);
        AsyncHttpClient::new().fetch(request).await?;
        assert_eq!(server.asked.borrow()[0].header("user-agent"), Some("me/1"));
        assert_eq!(server.lines(), ["GET /s?x=1&q=%C3%A9+%26 HTTP/1.1"]);
        Ok(())
    });
}

#[test]
fn response_has_status_reason_headers_and_body() {
    run(|| async {
        let server =
            serve(|_| vec![response("299 Fine", &["X-One: 1", "X-Two: 2", "X-Two: 3"], r#"{"a": [1]}"#)]);
        let response = AsyncHttpClient::new().fetch(server.url("/p#f")).await?;
        assert_eq!(response.status(), 299);
        assert_eq!(response.reason(), "Fine");
        assert_eq!(response.header("x-one"), Some("1"));
        assert_eq!(response.headers().get_all("x-two").iter().count(), 2);
        assert_eq!(response.text()?, r#"{"a": [1]}"#);
        assert_eq!(response.json::<std::collections::HashMap<String, Vec<u8>>>()?["a"], [1]);
        assert!(matches!(error(&response.json::<u8>().unwrap_err()), HttpClientError::Decode { .. }));
        assert_eq!(response.url(), server.url("/p#f"));
        Ok(())
    });
}

#[test]
fn text_is_read_by_its_charset() {
    run(|| async {
        let server = serve(|asked| {
            let content_type = format!("Content-Type: text/plain{}", asked.path().replace('/', "; charset="));
            vec![response("200 OK", &[&content_type], b"caf\xe9 \xc3\xa9")]
        });
        let client = AsyncHttpClient::new();
        assert_eq!(client.fetch(server.url("/utf-8")).await?.text()?, "caf\u{fffd} é");
        assert_eq!(client.fetch(server.url("/ISO-8859-1")).await?.text()?, "café Ã©");
        let unknown = client.fetch(server.url("/klingon")).await?;
        assert!(unknown.text().unwrap_err().to_string().contains("klingon"));
        assert_eq!(client.fetch(server.url("/'utf-8'")).await?.text()?, "caf\u{fffd} é");
        Ok(())
    });
}

#[test]
fn byte_order_mark_is_no_part_of_text_and_json() {
    run(|| async {
        let server = serve(|_| ok("\u{feff}[1]"));
        let response = AsyncHttpClient::new().fetch(server.url("/")).await?;
        assert_eq!((response.text()?.as_str(), response.json::<[u8; 1]>()?), ("[1]", [1]));
        assert_eq!(response.body().len(), 6);
        Ok(())
    });
}

#[test]
fn error_of_a_url_has_no_credentials() {
    run(|| async {
        for url in ["http://me:secret@a:99999/p?q=a@b", "http://me:sec@ret@a b/", "ftp://me:secret@a/"] {
            let failed = AsyncHttpClient::new().fetch(url).await.unwrap_err();
            let text = format!("{failed} {failed:?}");
            assert!(!text.contains("secret") && !text.contains("ret@"), "{text}");
        }
        let failed = AsyncHttpClient::new().fetch("http://me:secret@a:99999/p?q=a@b").await.unwrap_err();
        assert!(failed.to_string().starts_with("http://a:99999/p?q=a@b cannot be fetched"), "{failed}");
        Ok(())
    });
}

#[test]
fn status_is_raised_unless_the_request_says_otherwise() {
    run(|| async {
        let server = serve(|asked| vec![response(&asked.path()[1..].replace('_', " "), &[], "why")]);
        let client = AsyncHttpClient::new();
        for status in ["404_Not_Found", "500_Oops", "304_Not_Modified", "302_Found"] {
            let failed = client.fetch(server.url(&format!("/{status}"))).await.unwrap_err();
            let Some(response) = error(&failed).response() else { panic!("{failed}") };
            assert_eq!(response.status().as_str(), &status[..3]);
            let request = Request::get(server.url(&format!("/{status}"))).raise_error(false);
            assert_eq!(client.fetch(request).await?.status().as_str(), &status[..3]);
        }
        let failed = client.fetch(server.url("/404_Gone_Fishing")).await.unwrap_err();
        let url = server.url("/404_Gone_Fishing");
        assert_eq!(failed.to_string(), format!("HTTP 404: Gone Fishing ({url})"));
        assert_eq!(error(&failed).response().unwrap().body(), "why");
        Ok(())
    });
}

#[test]
fn responses_without_a_body_have_none_whatever_their_headers_say() {
    run(|| async {
        let server = serve(|asked| {
            let status = if asked.path() == "/304" { "304 Not Modified" } else { "200 OK" };
            vec![Do::Send(
                format!("HTTP/1.1 {status}\r\nContent-Length: 5\r\nContent-Encoding: gzip\r\n\r\n").into(),
            )]
        });
        let client = AsyncHttpClient::new();
        for _ in 0..2 {
            let head = client.fetch(Request::head(server.url("/"))).await?;
            assert!(head.body().is_empty());
            let unmodified = client.fetch(Request::get(server.url("/304")).raise_error(false)).await?;
            assert!(unmodified.body().is_empty());
        }
        assert_eq!(server.connections.get(), 1);
        Ok(())
    });
}

#[test]
fn informational_responses_and_trailers_pass_by() {
    run(|| async {
        let server = serve(|_| {
            vec![
                send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"),
                send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"),
                send("5;ext=1\r\nhello\r\n0\r\nX-Sum: 17\r\n\r\n"),
            ]
        });
        let client = AsyncHttpClient::new();
        for _ in 0..2 {
            assert_eq!(client.fetch(server.url("/")).await?.body(), "hello");
        }
        assert_eq!(server.connections.get(), 1);
        Ok(())
    });
}

#[test]
fn what_is_wrong_with_a_request_is_raised_where_it_is_fetched() {
    run(|| async {
        let client = AsyncHttpClient::new();
        let wrong = [
            (Request::get("no url"), "relative URL without a base"),
            (Request::get("ftp://a/"), "its scheme is not http or https"),
            (Request::from(Url::parse("mailto:a@b")?), "its scheme is not http or https"),
            (Request::get("http://"), "empty host"),
            (Request::get("http://a:99999/"), "invalid port number"),
            (Request::new("G T", "http://a/"), "\"G T\" is not a method"),
            (Request::get("http://a/").header("x y", "1"), "\"x y\" cannot be the name of a header"),
            (
                Request::get("http://a/").header("x", "1\r\ny: 2"),
                "the value of the header x has bytes that cannot be sent",
            ),
        ];
        for (request, cause) in wrong {
            let failed = client.fetch(request).await.unwrap_err();
            assert!(matches!(error(&failed), HttpClientError::Request { .. }));
            assert!(failed.to_string().ends_with(cause), "{failed}");
        }
        Ok(())
    });
}

#[test]
fn each_loop_has_a_client_of_its_own_and_new_returns_it() {
    run(|| async {
        let server = serve(|_| ok("x"));
        for _ in 0..3 {
            AsyncHttpClient::new().fetch(server.url("/")).await?;
        }
        assert_eq!(server.connections.get(), 1);
        let other = AsyncHttpClient::with_config(squall::httpclient::HttpClientConfig::default());
        other.fetch(server.url("/")).await?;
        assert_eq!(server.connections.get(), 2);
        other.make_default();
        AsyncHttpClient::new().fetch(server.url("/")).await?;
        assert_eq!(server.connections.get(), 2);
        Ok(())
    });
}

#[test]
fn client_that_is_used_on_another_loop_makes_connections_there() {
    let client = AsyncHttpClient::with_config(squall::httpclient::HttpClientConfig::default());
    for _ in 0..2 {
        let client = client.clone();
        run(|| async move {
            let server = serve(|_| ok("x"));
            for _ in 0..2 {
                client.fetch(server.url("/")).await?;
            }
            assert_eq!(server.connections.get(), 1);
            Ok(())
        });
    }
    let io_loop = IoLoop::new();
    io_loop.close();
}
