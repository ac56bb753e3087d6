//! Connections between requests. What is needed only while a request is near is dropped then, and no client can tell.

use std::rc::Rc;
use std::time::Duration;

use squall::net::TcpStream;
use squall::web::{Application, Request, RequestHandler, Server};
use squall::{sleep, testing, IoLoop, Result};

use crate::client::{response, Response};

/// Longer than hyper's side of a connection is kept.
const A_WHILE: Duration = Duration::from_secs(1);

/// Answers a GET with as many bytes as the path says, and a POST without a look at its body.
struct Sizes;

impl Sizes {
    fn text(size: usize) -> String {
        "0123456789".chars().cycle().take(size).collect()
    }
}

impl RequestHandler for Sizes {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        let size: usize = req.path_param("size").unwrap().parse()?;
        req.set_header("x-asked", req.path().to_owned())?;
        if req.query_argument("stream").is_some() {
            req.write(Self::text(size / 2));
            yield_!(req.flush())?;
            req.write(Self::text(size).split_off(size / 2));
        } else {
            req.write(Self::text(size));
        }
        Ok(())
    }

    #[squall::coroutine]
    fn post(self: Rc<Self>, req: Request) -> Result<()> {
        req.write("unread");
        Ok(())
    }
}

/// A server on the in-memory network, and a connection to it.
async fn connect() -> Result<(Server, TcpStream)> {
    let net = testing::net();
    let server = net.host("server", || Application::new().route("/{size}", Sizes).listen("server:80"))?;
    let stream = net.host("client", || TcpStream::connect("server:80")).await?;
    Ok((server, stream))
}

async fn ask(stream: &TcpStream, path: &str) -> Result<Response> {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await?;
    response(stream).await
}

#[squall::test(allow = "waiting, timers")]
async fn request_after_a_while_is_answered() -> Result<()> {
    let (_, stream) = connect().await?;
    for size in [5, 50_000, 6] {
        assert_eq!(ask(&stream, &format!("/{size}")).await?.text(), Sizes::text(size));
        sleep(A_WHILE).await?;
    }
    Ok(())
}

#[squall::test(allow = "waiting, timers")]
async fn head_that_comes_in_two_parts_is_one_whatever_is_dropped_meanwhile() -> Result<()> {
    let (_, stream) = connect().await?;
    stream.write_all("GET /3 HT").await?;
    sleep(A_WHILE).await?;
    // The second one's first part comes along with the first one's rest.
    stream.write_all("TP/1.1\r\nHost: a\r\n\r\nGET /4 HTTP/1.1\r\nHo").await?;
    assert_eq!(response(&stream).await?.text(), "012");
    sleep(A_WHILE).await?;
    stream.write_all("st: a\r\n\r\n").await?;
    let second = response(&stream).await?;
    assert_eq!((second.text(), second.header("x-asked")), ("0123", Some("/4")));
    Ok(())
}

#[squall::test(allow = "waiting, timers")]
async fn responses_of_any_size_follow_each_other() -> Result<()> {
    let (_, stream) = connect().await?;
    let many_small = [4; 20];
    let sizes =
        many_small.into_iter().chain([100_000, 7, 9, 4096, 4097, 0, 1]).chain(many_small).chain([300_000; 2]);
    for (n, size) in sizes.enumerate() {
        for path in [format!("/{size}"), format!("/{size}?stream=yes")] {
            if path.ends_with("yes") && n % 5 != 0 {
                continue;
            }
            let answer = ask(&stream, &path).await?;
            assert!(answer.text() == Sizes::text(size), "{n}: {path}");
        }
    }
    Ok(())
}

#[squall::test(allow = "waiting, timers")]
async fn pipelined_requests_of_any_size_are_answered_in_order() -> Result<()> {
    let (_, stream) = connect().await?;
    let sizes: Vec<usize> = (0..60).map(|n| if n % 17 == 16 { 50_000 } else { n }).collect();
    let requests = sizes.iter().map(|size| format!("GET /{size} HTTP/1.1\r\nHost: a\r\n\r\n"));
    let all = requests.collect::<Vec<_>>().concat();
    stream.write_all(all).await?;
    for size in sizes {
        assert_eq!(response(&stream).await?.body.len(), size);
    }
    Ok(())
}

#[squall::test(allow = "waiting, timers")]
async fn unread_body_is_never_taken_for_a_request() -> Result<()> {
    let (_, stream) = connect().await?;
    for _ in 0..20 {
        ask(&stream, "/5").await?;
    }
    let hidden = "GET /6 HTTP/1.1\r\nHost: a\r\n\r\n";
    stream
        .write_all(format!("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", 2 * hidden.len()))
        .await?;
    assert_eq!(response(&stream).await?.text(), "unread");
    sleep(A_WHILE).await?;
    // The server may have closed the connection.
    let _ = stream.write_all(hidden).await;
    sleep(A_WHILE).await?;
    let _ = stream.write_all(hidden).await;
    let rest = stream.read_to_end(1 << 20).await.unwrap_or_default();
    assert_eq!(String::from_utf8_lossy(&rest), "");
    Ok(())
}

#[squall::test(allow = "waiting, timers")]
async fn idle_connection_is_closed_when_its_time_is_over() -> Result<()> {
    let (server, stream) = connect().await?;
    ask(&stream, "/5").await?;
    let began = IoLoop::current().time();
    assert!(stream.read(1).await?.is_empty());
    assert_eq!(IoLoop::current().time().saturating_sub(began), Duration::from_secs(75));
    sleep(A_WHILE).await?;
    assert_eq!(server.connections(), 0);
    Ok(())
}

#[squall::test(allow = "waiting, timers")]
async fn stop_closes_idle_connections_at_once() -> Result<()> {
    let (server, stream) = connect().await?;
    sleep(A_WHILE).await?;
    ask(&stream, "/5").await?;
    sleep(A_WHILE).await?;
    let began = IoLoop::current().time();
    server.stop(Duration::from_secs(100)).await?;
    assert_eq!(IoLoop::current().time(), began);
    assert!(stream.read(1).await?.is_empty());
    Ok(())
}

#[squall::test(allow = "waiting, timers")]
async fn client_that_leaves_an_idle_connection_ends_it() -> Result<()> {
    let (server, stream) = connect().await?;
    ask(&stream, "/5").await?;
    sleep(A_WHILE).await?;
    assert_eq!(server.connections(), 1);
    drop(stream);
    sleep(A_WHILE).await?;
    assert_eq!(server.connections(), 0);
    Ok(())
}
