//! The answers to malformed requests, which the table in `docs/web.md` lists.

use std::rc::Rc;

use squall::web::{Application, Request, RequestHandler};
use squall::Result;

use crate::client::{serve, talk};

struct Echo;

impl RequestHandler for Echo {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.write("hello");
        Ok(())
    }

    #[squall::coroutine]
    fn post(self: Rc<Self>, req: Request) -> Result<()> {
        req.write(yield_!(req.body())?);
        Ok(())
    }
}

/// Sends each request, followed by a good one that must not be answered, and expects one answer and the end.
fn refused(requests: &[(&'static str, &'static [u8], &'static str)]) {
    let requests = requests.to_vec();
    serve(&Application::new().route("/", Echo), |address| async move {
        for (name, request, status) in requests {
            let mut bytes = request.to_vec();
            bytes.extend_from_slice(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            let answer = talk(address, bytes).await?;
            assert_eq!(
                answer.lines().next(),
                Some(format!("HTTP/1.1 {status}").as_str()),
                "{name}: {answer}"
            );
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{name}: {answer}");
        }
        Ok(())
    });
}

const BAD: &str = "400 Bad Request";

#[test]
fn first_line() {
    refused(&[
        ("HTTP/0.9", b"GET /\r\n\r\n", BAD),
        ("HTTP/1.2", b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", BAD),
        ("HTTP/2.0", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", BAD),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 HTTP Version Not Supported"),
        ("no path", b"GET  HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
        ("two spaces", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
        ("query alone", b"GET ?a=1 HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
        ("relative path", b"GET path HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
        ("asterisk", b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
        ("NUL in the method", b"G\0T / HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
        ("NUL in the path", b"GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
        ("invalid UTF-8 in the path", b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
        ("a TLS handshake", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", BAD),
        ("CONNECT", b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "405 Method Not Allowed"),
    ]);
}

#[test]
fn headers() {
    refused(&[
        ("no Host", b"GET / HTTP/1.1\r\n\r\n", BAD),
        ("two Hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", BAD),
        ("invalid Host", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", BAD),
        ("obs-fold", b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n", BAD),
        ("space before the colon", b"GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", BAD),
        ("no colon", b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", BAD),
        ("bare CR", b"GET / HTTP/1.1\r\nHost: a\r\nX: y\rz\r\n\r\n", BAD),
        ("NUL", b"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", BAD),
    ]);
}

#[test]
fn lengths() {
    refused(&[
        (
            "two lengths",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            BAD,
        ),
        ("list of lengths", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na", BAD),
        ("negative length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", BAD),
        ("length with a sign", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na", BAD),
        ("length that is no number", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\na", BAD),
        (
            "length beyond 64 bits",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\na",
            BAD,
        ),
        ("unknown coding", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", BAD),
        (
            "another coding below the chunks",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "501 Not Implemented",
        ),
        (
            "chunked twice",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "501 Not Implemented",
        ),
        (
            "chunked, but not last",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
            BAD,
        ),
        (
            "nearly chunked",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            BAD,
        ),
        (
            "chunked in HTTP/1.0",
            b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            BAD,
        ),
    ]);
}

#[test]
fn chunks() {
    refused(&[
        (
            "size that is no number",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\na\r\n0\r\n\r\n",
            BAD,
        ),
        (
            "size beyond 64 bits",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
            BAD,
        ),
        (
            "longer than its size",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
            BAD,
        ),
        ("bare LF", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\na\n0\n\n", BAD),
    ]);
}

#[test]
fn length_beside_chunks_is_ignored_and_the_connection_closed() {
    // RFC 9112, section 6.1.
    let chunked = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
    let reversed = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n2\r\nab\r\n0\r\n\r\n";
    refused(&[("length first", chunked, "200 OK"), ("length last", reversed, "200 OK")]);
}

#[test]
fn what_is_odd_but_allowed_is_answered() {
    serve(&Application::new().route("/", Echo), |address| async move {
        for request in [
            "GET / HTTP/1.1\nHost: a\nConnection: close\n\n",
            "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "GET http://a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "GET http://b/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "GET /?a=%zz&%ff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nhOsT: a\r\ncOnNeCtIoN: cLoSe\r\n\r\n",
            "GET / HTTP/1.0\r\n\r\n",
        ] {
            let answer = talk(address, request).await?;
            assert!(answer.ends_with("\r\n\r\nhello"), "{request}: {answer}");
        }
        Ok(())
    });
}
