use std::time::Duration;

use squall::httpclient::{AsyncHttpClient, Bytes, HttpClientConfig, HttpClientError, Request, Stage};
use squall::net::TcpListener;
use squall::{multi, sleep, Result};

use crate::error;
use crate::server::{response, run, send, serve, Close, Hang, Wait};

#[squall::coroutine]
fn read(url: String) -> Result<Vec<Bytes>> {
    let response = yield_!(AsyncHttpClient::new().fetch_stream(url))?;
    let (chunks, mut all) = (response.chunks(), Vec::new());
    while let Some(chunk) = yield_!(chunks.next())? {
        all.push(chunk);
    }
    Ok(all)
}

#[test]
fn chunks_come_one_by_one_and_then_the_connection_is_used_again() {
    run(|| async {
        let server = serve(|_| {
            let chunk = |text: &str| send(format!("{:x}\r\n{text}\r\n", text.len()));
            let head = send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            vec![head, chunk("one"), Wait(5), chunk("two"), Wait(5), chunk("three"), send("0\r\n\r\n")]
        });
        for _ in 0..2 {
            assert_eq!(read(server.url("/")).await?, ["one", "two", "three"]);
        }
        assert_eq!(server.connections.get(), 1);
        Ok(())
    });
}

#[test]
fn head_is_there_before_the_body_and_the_end_stays_the_end() {
    run(|| async {
        let server =
            serve(|_| vec![send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), Wait(20), send("ab")]);
        let response = AsyncHttpClient::new().fetch_stream(server.url("/")).await?;
        assert_eq!((response.status().as_u16(), response.header("content-length")), (200, Some("2")));
        let chunks = response.chunks();
        let two = multi([chunks.next(), chunks.next()]).await?;
        assert_eq!(two, [Some(Bytes::from("ab")), None]);
        assert_eq!(chunks.next().await?, None);
        Ok(())
    });
}

#[test]
fn server_is_not_read_faster_than_the_chunks_are() {
    run(|| async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/", listener.local_addr()?);
        let fetched = AsyncHttpClient::new().fetch_stream(url);
        let (stream, _) = listener.accept().await?;
        stream.read_until("\r\n\r\n", 1 << 16).await?;
        const SIZE: usize = 64 << 20;
        stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n")).await?;
        let writing = stream.write_all(vec![0; SIZE]);
        let response = fetched.await?;
        let chunks = response.chunks();
        let mut size = chunks.next().await?.unwrap().len();
        sleep(Duration::from_millis(50)).await?;
        assert!(!writing.done(), "all of it was taken though only {size} bytes were read");
        while let Some(chunk) = chunks.next().await? {
            size += chunk.len();
        }
        assert_eq!(size, SIZE);
        writing.await
    });
}

#[test]
fn response_that_is_dropped_closes_its_connection_and_frees_its_place() {
    run(|| async {
        let server = serve(|_| vec![send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), Hang]);
        let client =
            AsyncHttpClient::with_config(HttpClientConfig { max_clients: 1, ..HttpClientConfig::default() });
        for _ in 0..3 {
            let response = client.fetch_stream(server.url("/")).await?;
            assert_eq!(response.chunks().next().await?.unwrap(), "abc");
        }
        server.until(|server| server.open.get() == 0).await
    });
}

#[test]
fn cancelled_next_takes_no_chunk() {
    run(|| async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let fetched = AsyncHttpClient::new().fetch_stream(format!("http://{}/", listener.local_addr()?));
        let (stream, _) = listener.accept().await?;
        stream.read_until("\r\n\r\n", 1 << 16).await?;
        stream.write_all("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n").await?;
        let response = fetched.await?;
        let chunks = response.chunks();
        let next = chunks.next();
        sleep(Duration::from_millis(5)).await?;
        assert!(next.cancel());
        next.await.unwrap_err();
        stream.write_all("ab").await?;
        assert_eq!(chunks.next().await?.unwrap(), "ab");
        assert_eq!(chunks.next().await?, None);
        Ok(())
    });
}

#[test]
fn failure_in_the_body_is_raised_by_each_next() {
    run(|| async {
        let server = serve(|_| vec![send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), Wait(2), Close]);
        let response = AsyncHttpClient::new().fetch_stream(server.url("/")).await?;
        let chunks = response.chunks();
        assert_eq!(chunks.next().await?.unwrap(), "abc");
        for _ in 0..2 {
            let failed = chunks.next().await.unwrap_err();
            assert!(matches!(error(&failed), HttpClientError::Receive { .. }), "{failed:?}");
        }
        Ok(())
    });
}

#[test]
fn each_chunk_has_the_time_of_the_request() {
    run(|| async {
        let server = serve(|_| {
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
            vec![send(head), Wait(110), send("a"), Wait(110), send("b"), Wait(110), send("c"), Hang]
        });
        let request = Request::get(server.url("/")).request_timeout(Duration::from_millis(300));
        let response = AsyncHttpClient::new().fetch_stream(request).await?;
        let chunks = response.chunks();
        for letter in ["a", "b", "c"] {
            assert_eq!(chunks.next().await?.unwrap(), letter);
        }
        let failed = chunks.next().await.unwrap_err();
        let late = matches!(error(&failed), HttpClientError::Timeout { stage: Stage::Receive, .. });
        assert!(late, "{failed:?}");
        Ok(())
    });
}

#[test]
fn status_is_raised_with_its_body() {
    run(|| async {
        let server = serve(|_| vec![response("503 Busy", &[], "later")]);
        let client = AsyncHttpClient::new();
        let failed = client.fetch_stream(server.url("/")).await.unwrap_err();
        assert_eq!(error(&failed).response().unwrap().body(), "later");
        let response = client.fetch_stream(Request::get(server.url("/")).raise_error(false)).await?;
        assert_eq!(response.status(), 503);
        assert_eq!(response.chunks().next().await?.unwrap(), "later");
        Ok(())
    });
}
