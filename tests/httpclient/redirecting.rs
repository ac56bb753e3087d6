use squall::httpclient::{AsyncHttpClient, Bytes, HttpClientError, Request};

use crate::error;
use crate::server::{ok, response, run, send, serve, Asked, Do, Server};

/// `/301/x` redirects to `/x` with status 301, and so on.
fn redirects(asked: &Asked) -> Vec<Do> {
    let mut parts = asked.path().splitn(3, '/');
    match (parts.nth(1), parts.next()) {
        (Some(status), Some(rest)) if status.parse::<u16>().is_ok() => {
            vec![response(&format!("{status} Moved"), &[&format!("Location: /{rest}")], "moved")]
        }
        _ => ok(asked.body.clone()),
    }
}

#[test]
fn methods_and_bodies_change_by_the_status() {
    run(|| async {
        let server = serve(redirects);
        let client = AsyncHttpClient::new();
        let rules = [
            ("POST", 301, "GET"),
            ("POST", 302, "GET"),
            ("POST", 303, "GET"),
            ("POST", 307, "POST"),
            ("POST", 308, "POST"),
            ("PUT", 301, "PUT"),
            ("PUT", 302, "PUT"),
            ("PUT", 303, "GET"),
            ("PUT", 307, "PUT"),
            ("HEAD", 301, "HEAD"),
            ("HEAD", 303, "HEAD"),
            ("DELETE", 303, "GET"),
        ];
        for (method, status, becomes) in rules {
            server.asked.take();
            let request = Request::new(method, server.url(&format!("/{status}/x"))).json("body");
            let response = client.fetch(request).await?;
            assert_eq!(server.lines()[1], format!("{becomes} /x HTTP/1.1"), "{method} {status}");
            let asked = server.asked.borrow()[1].clone();
            let kept = method == becomes;
            assert_eq!(asked.body, if kept { "\"body\"" } else { "" }, "{method} {status}");
            assert_eq!(asked.header("content-type").is_some(), kept, "{method} {status}");
            assert_eq!(response.url(), server.url("/x"));
        }
        assert_eq!(server.connections.get(), 1);
        Ok(())
    });
}

#[test]
fn locations_are_relative_to_the_url_and_keep_its_fragment() {
    run(|| async {
        let server = serve(|asked| {
            let to = match asked.path() {
                "/a/b?q" => "c?d",
                "/a/c?d" => "//HOST/e#mine",
                "/e" => "../\u{fc}",
                "/%C3%BC" => "http://HOST",
                _ => return ok("end"),
            };
            let to = to.replace("HOST", asked.header("host").unwrap());
            vec![response("302 Found", &[&format!("Location: {to}")], "")]
        });
        let response = AsyncHttpClient::new().fetch(server.url("/a/b?q#first")).await?;
        let paths: Vec<_> = server.asked.borrow().iter().map(|asked| asked.path().to_owned()).collect();
        assert_eq!(paths, ["/a/b?q", "/a/c?d", "/e", "/%C3%BC", "/"]);
        assert_eq!(response.url(), server.url("/#mine"));
        Ok(())
    });
}

#[test]
fn location_that_is_not_utf_8_keeps_its_bytes() {
    run(|| async {
        let server = serve(|asked| match asked.path() {
            "/" => vec![send(b"HTTP/1.1 302 Found\r\nLocation: /caf\xe9?\xfc\r\nContent-Length: 0\r\n\r\n")],
            _ => ok("end"),
        });
        let response = AsyncHttpClient::new().fetch(server.url("/")).await?;
        assert_eq!(response.url(), server.url("/caf%E9?%FC"));
        Ok(())
    });
}

fn secrets(asked: &Asked) -> (Option<&str>, Option<&str>) {
    (asked.header("authorization"), asked.header("cookie"))
}

fn to(server: &Server, path: &str) -> impl Fn(&Asked) -> Vec<Do> {
    let location = format!("Location: {}", server.url(path));
    move |_| vec![response("307 Elsewhere", &[&location], "")]
}

#[test]
fn credentials_do_not_go_to_another_origin() {
    run(|| async {
        let other = serve(|_| ok("other"));
        let first = serve(to(&other, "/x"));
        let client = AsyncHttpClient::new();
        let request = || {
            Request::post(first.url("/")).auth_basic("ann", "x").header("Cookie", "a=1").header("X-A", "1")
        };
        client.fetch(request().body("text")).await?;
        assert_eq!(secrets(&first.asked.borrow()[0]), (Some("Basic YW5uOng="), Some("a=1")));
        {
            let asked = other.asked.borrow();
            assert_eq!(secrets(&asked[0]), (None, None));
            assert_eq!((asked[0].header("x-a"), &*asked[0].body), (Some("1"), "text"));
            assert_eq!(asked[0].header("host"), Some(other.address.to_string().as_str()));
        }

        let same = serve(redirects);
        client.fetch(Request::get(same.url("/302/x")).auth_basic("ann", "x").header("Cookie", "a=1")).await?;
        assert_eq!(secrets(&same.asked.borrow()[1]), (Some("Basic YW5uOng="), Some("a=1")));
        Ok(())
    });
}

#[test]
fn loops_end_at_the_limit() {
    run(|| async {
        let server = serve(|_| vec![response("302 Found", &["Location: /"], "")]);
        let client = AsyncHttpClient::new();
        let failed = client.fetch(server.url("/")).await.unwrap_err();
        assert!(matches!(error(&failed), HttpClientError::TooManyRedirects { limit: 5, .. }), "{failed}");
        assert_eq!(server.asked.borrow().len(), 6);
        let failed = client.fetch(Request::get(server.url("/")).max_redirects(0)).await.unwrap_err();
        assert!(matches!(error(&failed), HttpClientError::TooManyRedirects { limit: 0, .. }), "{failed}");
        Ok(())
    });
}

#[test]
fn redirect_that_is_not_followed_is_a_status() {
    run(|| async {
        let server = serve(redirects);
        let client = AsyncHttpClient::new();
        let request = || Request::get(server.url("/302/x")).follow_redirects(false);
        let failed = client.fetch(request()).await.unwrap_err();
        assert_eq!(error(&failed).response().unwrap().status(), 302);
        let response = client.fetch(request().raise_error(false)).await?;
        assert_eq!((response.status().as_u16(), response.header("location")), (302, Some("/x")));
        Ok(())
    });
}

#[test]
fn redirects_that_lead_nowhere_are_errors() {
    run(|| async {
        let server = serve(|asked| {
            let location = format!("Location: {}", &asked.path()[1..]);
            vec![response("302 Found", &[&location], "")]
        });
        let client = AsyncHttpClient::new();
        for location in ["ftp://a/", "http://", "file:///etc/passwd"] {
            let failed = client.fetch(server.url(&format!("/{location}"))).await.unwrap_err();
            assert!(matches!(error(&failed), HttpClientError::Redirect { .. }), "{failed}");
            assert!(failed.to_string().contains(location), "{failed}");
        }
        Ok(())
    });
}

#[test]
fn stream_cannot_follow_where_its_body_is_asked_for_again() {
    run(|| async {
        let server = serve(redirects);
        let client = AsyncHttpClient::new();
        let request = |path: &str| {
            let mut left = Some(Bytes::from("x"));
            Request::post(server.url(path)).body_stream(move || squall::Future::ready(left.take()))
        };
        let failed = client.fetch(request("/307/x")).await.unwrap_err();
        assert!(failed.to_string().ends_with("the body is a stream, which cannot be sent again"), "{failed}");
        assert_eq!(client.fetch(request("/303/x")).await?.body(), "");
        Ok(())
    });
}
