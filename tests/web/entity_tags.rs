//! The header `ETag` of responses that handlers write, and `If-None-Match`.

use std::rc::Rc;

use squall::net::TcpStream;
use squall::web::{Application, HttpError, Request, RequestHandler};
use squall::Result;

use crate::client::{ask, get, response, serve, talk, Response};

/// Writes the argument `text` in two parts, after the headers that the arguments name.
struct Text;

impl Text {
    async fn write(req: Request) -> Result<()> {
        req.set_status(req.query_argument("status").and_then(|status| status.parse().ok()).unwrap_or(200))?;
        if let Some(tag) = req.query_argument("tag") {
            req.set_header("etag", tag)?;
        }
        req.set_header("content-language", "en")?;
        let text = req.query_argument("text").unwrap_or_default();
        let (first, rest) = text.split_at(text.len() / 2);
        req.write(first.to_owned());
        if req.query_argument("flush").is_some() {
            req.flush().await?;
        }
        req.write(rest.to_owned());
        if req.query_argument("fail").is_some() {
            Err(HttpError(404))?;
        }
        Ok(())
    }
}

impl RequestHandler for Text {
    async fn get(self: Rc<Self>, req: Request) -> Result<()> {
        Self::write(req).await
    }

    async fn post(self: Rc<Self>, req: Request) -> Result<()> {
        Self::write(req).await
    }
}

fn app() -> Application {
    Application::new().route("/", Text)
}

fn tag(response: &Response) -> Option<&str> {
    response.header("etag")
}

#[test]
fn equal_bodies_have_equal_tags_and_others_do_not() {
    serve(&app(), |address| async move {
        let one = get(address, "/?text=abcd").await?;
        let again = get(address, "/?text=abcd&x=1").await?;
        let other = get(address, "/?text=abce").await?;
        let empty = get(address, "/?text=").await?;
        let one = tag(&one).unwrap();
        assert!(one.len() == 18 && one.starts_with('"') && one.ends_with('"'), "{one}");
        assert_eq!(tag(&again), Some(one));
        assert!(tag(&other).is_some_and(|other| other != one));
        assert!(tag(&empty).is_some_and(|empty| empty != one));
        // XXH3 of 64 bits, which must not change from one version to the next: clients keep tags for long.
        assert_eq!(one, "\"6497a96f53a89890\"");
        Ok(())
    });
}

#[test]
fn request_that_names_the_tag_is_answered_with_304_and_no_body() {
    serve(&app(), |address| async move {
        let first = get(address, "/?text=abcd").await?;
        let known = tag(&first).unwrap();
        let stream = TcpStream::connect(address).await?;
        for (named, status) in [
            (known.to_owned(), 304),
            (format!("W/{known}"), 304),
            (format!("\"a,b\", {known}"), 304),
            (format!("\"a\",W/\"b\",{known},\"c\""), 304),
            (format!("\"a\"\r\nIf-None-Match: {known}"), 304),
            ("*".to_owned(), 304),
            ("\"a\"".to_owned(), 200),
            (known.trim_matches('"').to_owned(), 200),
            (format!("x{}", known.trim_end_matches('"')), 200),
            (String::new(), 200),
        ] {
            // On one connection, so that a body that should not be there would be seen.
            let request = format!("GET /?text=abcd HTTP/1.1\r\nHost: a\r\nIf-None-Match: {named}\r\n\r\n");
            stream.write_all(request).await?;
            let head = match status {
                304 => String::from_utf8(stream.read_until("\r\n\r\n", 10_000).await?.to_vec())?,
                _ => response(&stream).await?.head,
            };
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{named}: {head}");
            assert!(head.contains(&format!("etag: {known}\r\n")), "{named}: {head}");
            assert_eq!(head.contains("content-type: "), status == 200, "{named}: {head}");
            assert_eq!(head.contains("content-language: "), status == 200, "{named}: {head}");
            assert_eq!(head.contains("content-length: "), status == 200, "{named}: {head}");
        }
        Ok(())
    });
}

#[test]
fn head_has_the_tag_and_the_length_of_get() {
    serve(&app(), |address| async move {
        let got = get(address, "/?text=abcd").await?;
        let head = talk(address, "HEAD /?text=abcd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await?;
        assert!(head.contains(&format!("etag: {}\r\n", tag(&got).unwrap())), "{head}");
        assert!(head.contains("content-length: 4\r\n") && head.ends_with("\r\n\r\n"), "{head}");
        Ok(())
    });
}

#[test]
fn own_tag_of_a_response_is_kept_and_looked_at() {
    serve(&app(), |address| async move {
        let path = "/?text=abcd&tag=W/%22v,1%22";
        assert_eq!(tag(&get(address, path).await?), Some("W/\"v,1\""));
        let named =
            format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nIf-None-Match: \"v,1\"\r\n\r\n");
        assert!(talk(address, named).await?.starts_with("HTTP/1.1 304 "));
        Ok(())
    });
}

#[test]
fn other_statuses_other_methods_and_streams_have_no_tag() {
    serve(&app(), |address| async move {
        let asked = |line: &str| format!("{line} HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n");
        for (line, status) in [
            ("POST /?text=abcd", 200),
            ("GET /?text=abcd&status=201", 201),
            ("GET /?text=abcd&fail", 404),
            ("GET /?text=abcd&flush", 200),
            ("GET /nothing", 404),
        ] {
            let answer = ask(address, &asked(line)).await?;
            assert_eq!((answer.status, tag(&answer)), (status, None), "{line}");
        }
        Ok(())
    });
}

/// A handler with tags of its own, chosen by the argument.
struct Own;

impl RequestHandler for Own {
    async fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.write("abcd");
        Ok(())
    }

    fn compute_etag(&self, req: &Request, body: &[u8]) -> Option<String> {
        assert_eq!(body, b"abcd");
        match req.query_argument("kind").as_deref() {
            Some("length") => Some(format!("\"{}\"", body.len())),
            Some("line end") => Some("\"a\r\nb\"".to_owned()),
            Some("panic") => panic!("no tag"),
            _ => None,
        }
    }
}

#[test]
fn handler_computes_its_own_tag_or_none() {
    serve(&Application::new().route("/", Own), |address| async move {
        for (kind, expected) in [
            ("length", Some("\"4\"")),
            ("none", None),
            // The response is sent all the same.
            ("line%20end", None),
            ("panic", None),
        ] {
            let answer = get(address, &format!("/?kind={kind}")).await?;
            assert_eq!((answer.status, answer.text(), tag(&answer)), (200, "abcd", expected), "{kind}");
        }
        Ok(())
    });
}
