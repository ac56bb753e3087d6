use squall::httpclient::{AsyncHttpClient, HttpClientError, Part, Request};

use crate::error;
use crate::server::{response, run, send, serve, Hang};

#[test]
fn body_over_the_limit_fails_and_its_connection_is_closed() {
    run(|| async {
        let server = serve(|asked| match asked.path() {
            "/length" => vec![response("200 OK", &[], "x".repeat(1001))],
            // It never ends.
            _ => std::iter::once(send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))
                .chain((0..100).map(|_| send(format!("64\r\n{}\r\n", "x".repeat(100)))))
                .chain([Hang])
                .collect(),
        });
        for path in ["/length", "/endless"] {
            let request = Request::get(server.url(path)).max_body_size(1000);
            let failed = AsyncHttpClient::new().fetch(request).await.unwrap_err();
            let too_large =
                matches!(error(&failed), HttpClientError::TooLarge { part: Part::Body, limit: 1000, .. });
            assert!(too_large, "{failed:?}");
            server.until(|server| server.open.get() == 0).await?;
        }
        Ok(())
    });
}

#[test]
fn length_over_the_limit_fails_before_the_body_comes() {
    run(|| async {
        let server = serve(|_| vec![send("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"), Hang]);
        let request = Request::get(server.url("/")).max_body_size(1000);
        let failed = AsyncHttpClient::new().fetch(request).await.unwrap_err();
        assert!(matches!(error(&failed), HttpClientError::TooLarge { part: Part::Body, .. }), "{failed:?}");
        Ok(())
    });
}

#[test]
fn body_of_the_limit_is_whole() {
    run(|| async {
        let server = serve(|_| vec![response("200 OK", &[], "x".repeat(1000))]);
        let request = Request::get(server.url("/")).max_body_size(1000);
        assert_eq!(AsyncHttpClient::new().fetch(request).await?.body().len(), 1000);
        Ok(())
    });
}
