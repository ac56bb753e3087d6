use std::time::Duration;

use squall::httpclient::{AsyncHttpClient, HttpClientConfig, Request};
use squall::locks::Event;
use squall::{sleep, with_timeout_quiet, Error, Exception, IoLoop};

use crate::server::{ok, run, send, serve, Hang, Wait};

fn one_at_a_time() -> AsyncHttpClient {
    AsyncHttpClient::with_config(HttpClientConfig { max_clients: 1, ..HttpClientConfig::default() })
}

#[test]
fn cancelled_fetch_closes_its_connection_and_frees_its_place() {
    run(|| async {
        let server = serve(|asked| match asked.path() {
            "/silent" => vec![Hang],
            "/head" => vec![send("HTTP/1.1 200 OK\r\n"), Hang],
            "/body" => vec![send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), Hang],
            _ => ok("x"),
        });
        let client = one_at_a_time();
        for path in ["/silent", "/head", "/body"] {
            let fetched = client.fetch(server.url(path));
            let asked = server.asked.borrow().len();
            server.until(|server| server.asked.borrow().len() > asked).await?;
            sleep(Duration::from_millis(5)).await?;
            assert!(fetched.cancel());
            assert_eq!(fetched.await.unwrap_err().downcast_ref(), Some(&Error::Cancelled));
            server.until(|server| server.open.get() == 0).await?;
            client.fetch(server.url("/")).await?;
            server.until(|server| server.open.get() == 1).await?;
            // The next fetch uses a connection of its own.
            let last = client.fetch(Request::get(server.url("/")).header("Connection", "close"));
            last.await?;
            server.until(|server| server.open.get() == 0).await?;
        }
        Ok(())
    });
}

#[test]
fn fetch_that_is_cancelled_in_line_or_before_it_begins_sends_nothing() {
    run(|| async {
        let server = serve(|_| vec![Wait(20), send("HTTP/1.1 204 No\r\n\r\n")]);
        let client = one_at_a_time();
        let first = client.fetch(server.url("/"));
        let (second, third) = (client.fetch(server.url("/second")), client.fetch(server.url("/third")));
        assert!(third.cancel());
        sleep(Duration::from_millis(5)).await?;
        assert!(second.cancel());
        first.await?;
        client.fetch(server.url("/last")).await?;
        assert_eq!(server.lines(), ["GET / HTTP/1.1", "GET /last HTTP/1.1"]);
        Ok(())
    });
}

#[test]
fn fetch_that_is_cancelled_while_its_body_is_produced_is_cancelled() {
    run(|| async {
        let server = serve(|_| ok("x"));
        let asked = Event::new();
        let set = asked.clone();
        let request = Request::post(server.url("/")).body_stream(move || {
            set.set();
            async {
                sleep(Duration::from_secs(3600)).await?;
                Ok::<_, Exception>(None)
            }
        });
        let fetched = AsyncHttpClient::new().fetch(request);
        asked.wait().await?;
        assert!(fetched.cancel());
        assert_eq!(fetched.await.unwrap_err().downcast_ref(), Some(&Error::Cancelled));
        server.until(|server| server.open.get() == 0).await
    });
}

#[test]
fn dropped_fetch_runs_on() {
    run(|| async {
        let server = serve(|_| ok("x"));
        drop(AsyncHttpClient::new().fetch(Request::post(server.url("/"))));
        server.until(|server| server.asked.borrow().len() == 1).await
    });
}

#[test]
fn with_timeout_fails_and_the_fetch_runs_on() {
    run(|| async {
        let server = serve(|_| vec![Wait(30), send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]);
        let client = one_at_a_time();
        let limited = with_timeout_quiet(Duration::from_millis(5), client.fetch(server.url("/")), |_| true);
        assert_eq!(limited.await.unwrap_err().downcast_ref(), Some(&Error::Timeout));
        client.fetch(server.url("/")).await?;
        assert_eq!(server.connections.get(), 1);
        Ok(())
    });
}

#[test]
fn end_of_the_loop_closes_what_is_under_way_and_what_is_kept() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", server.local_addr().unwrap());
    let answering = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut first, _) = server.accept().unwrap();
        let mut bytes = [0; 4096];
        let _ = first.read(&mut bytes).unwrap();
        first.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        let _ = first.read(&mut bytes).unwrap();
        // The second request is never answered: the client leaves.
        assert!(matches!(first.read(&mut bytes), Ok(0) | Err(_)));
    });
    let io_loop = IoLoop::new();
    let current = io_loop.make_current();
    io_loop
        .run_sync(|| async move {
            AsyncHttpClient::new().fetch(&url).await?;
            drop(AsyncHttpClient::new().fetch(&url));
            sleep(Duration::from_millis(20)).await
        })
        .unwrap();
    io_loop.close();
    drop((current, io_loop));
    answering.join().unwrap();
}
