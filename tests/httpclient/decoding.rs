use std::future::poll_fn;
use std::pin::Pin;

use async_compression::futures::bufread::{BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder};
use futures_io::AsyncRead;
use squall::httpclient::{AsyncHttpClient, HttpClientError, Part, Request};

use crate::error;
use crate::server::{response, run, send, serve, Close, Wait};

async fn read(mut encoder: impl AsyncRead + Unpin) -> Vec<u8> {
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match poll_fn(|cx| Pin::new(&mut encoder).poll_read(cx, &mut buffer)).await.unwrap() {
            0 => return all,
            n => all.extend(&buffer[..n]),
        }
    }
}

async fn encoded(path: &str, text: &[u8]) -> Vec<u8> {
    match path {
        "/gzip" | "/x-gzip" => read(GzipEncoder::new(text)).await,
        "/deflate" => read(ZlibEncoder::new(text)).await,
        "/deflate?bare" => read(DeflateEncoder::new(text)).await,
        "/br" => read(BrotliEncoder::new(text)).await,
        _ => text.to_vec(),
    }
}

const PATHS: [&str; 6] = ["/gzip", "/x-gzip", "/deflate", "/deflate?bare", "/br", "/other"];

#[test]
fn bodies_are_decoded_and_the_connection_goes_on() {
    run(|| async {
        let text = "squall ".repeat(20_000);
        let mut bodies = Vec::new();
        for path in PATHS {
            bodies.push((path, encoded(path, text.as_bytes()).await));
        }
        let server = serve(move |asked| {
            let (path, body) = bodies.iter().find(|(path, _)| *path == asked.path()).unwrap();
            let coding = format!("Content-Encoding: {}", path[1..].trim_end_matches("?bare"));
            vec![response("200 OK", &[&coding], body)]
        });
        let client = AsyncHttpClient::new();
        for path in PATHS {
            let response = client.fetch(server.url(path)).await?;
            assert_eq!(response.text()?, text, "{path}");
            assert_eq!(response.header("content-encoding").is_some(), path == "/other");
            assert_eq!(response.header("content-length").is_some(), path == "/other");
        }
        assert_eq!(server.connections.get(), 1);
        Ok(())
    });
}

#[test]
fn body_stays_as_it_is_if_the_request_says_so() {
    run(|| async {
        let body = encoded("/gzip", b"text").await;
        let sent = body.clone();
        let server = serve(move |_| vec![response("200 OK", &["Content-Encoding: gzip"], &sent)]);
        let response = AsyncHttpClient::new().fetch(Request::get(server.url("/")).decompress(false)).await?;
        assert_eq!(response.body(), &body);
        assert_eq!(response.header("content-encoding"), Some("gzip"));
        assert_eq!(server.asked.borrow()[0].header("accept-encoding"), None);
        Ok(())
    });
}

#[test]
fn small_body_that_becomes_huge_stops_at_the_limit() {
    run(|| async {
        let bomb = encoded("/gzip", &vec![0; 8 << 20]).await;
        assert!(bomb.len() < 20_000);
        let server = serve(move |_| vec![response("200 OK", &["Content-Encoding: gzip"], &bomb)]);
        let request = Request::get(server.url("/")).max_body_size(1 << 20);
        let failed = AsyncHttpClient::new().fetch(request).await.unwrap_err();
        assert!(matches!(error(&failed), HttpClientError::TooLarge { part: Part::Body, .. }), "{failed:?}");
        Ok(())
    });
}

#[test]
fn bodies_that_are_not_what_they_say_fail() {
    run(|| async {
        for path in ["/gzip", "/deflate", "/br"] {
            let whole = encoded(path, "squall ".repeat(1000).as_bytes()).await;
            let broken = [b"this is not compressed at all".to_vec(), whole[..whole.len() - 3].to_vec()];
            for body in broken {
                let coding = format!("Content-Encoding: {}", &path[1..]);
                let server = serve(move |_| vec![response("200 OK", &[&coding], &body)]);
                let failed = AsyncHttpClient::new().fetch(server.url("/")).await.unwrap_err();
                assert!(matches!(error(&failed), HttpClientError::Decode { .. }), "{path}: {failed:?}");
            }
        }
        Ok(())
    });
}

#[test]
fn connection_that_breaks_in_a_compressed_body_is_not_its_coding() {
    run(|| async {
        let whole = encoded("/gzip", "squall ".repeat(1000).as_bytes()).await;
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", whole.len());
        let half = [head.as_bytes(), &whole[..whole.len() / 2]].concat();
        let server = serve(move |_| vec![send(half.clone()), Wait(2), Close]);
        let failed = AsyncHttpClient::new().fetch(server.url("/")).await.unwrap_err();
        assert!(matches!(error(&failed), HttpClientError::Receive { .. }), "{failed:?}");
        Ok(())
    });
}
