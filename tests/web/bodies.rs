//! Bodies of requests.

use std::rc::Rc;

use squall::net::TcpStream;
use squall::web::{Application, HttpServerConfig, Request, RequestHandler};
use squall::Result;

use crate::client::{ask, response, serve, serve_with, Notes};

struct Echo;

impl RequestHandler for Echo {
    #[squall::coroutine]
    fn post(self: Rc<Self>, req: Request) -> Result<()> {
        let body = yield_!(req.body())?;
        assert_eq!(yield_!(req.body())?, body);
        req.write(body);
        Ok(())
    }

    async fn put(self: Rc<Self>, req: Request) -> Result<()> {
        while let Some(chunk) = req.chunk().await? {
            req.write(chunk);
            req.flush().await?;
        }
        Ok(())
    }

    #[squall::coroutine]
    fn patch(self: Rc<Self>, req: Request) -> Result<()> {
        let sum: Vec<i32> = yield_!(req.json())?;
        req.write(sum.iter().sum::<i32>().to_string());
        Ok(())
    }

    #[squall::coroutine]
    fn delete(self: Rc<Self>, req: Request) -> Result<()> {
        req.write(format!("{:?}", yield_!(req.form())?));
        Ok(())
    }

    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.write("unread");
        Ok(())
    }
}

fn app() -> Application {
    Application::new().route("/", Echo)
}

#[test]
fn body_with_a_length_and_in_chunks() {
    serve(&app(), |address| async move {
        for method in ["POST", "PUT"] {
            let whole =
                ask(address, &format!("{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"))
                    .await?;
            assert_eq!(whole.text(), "hello");
            let chunked = "3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: 1\r\n\r\n";
            let head =
                format!("{method} / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}");
            assert_eq!(ask(address, &head).await?.text(), "hello");
            let none = ask(address, &format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n")).await?;
            assert_eq!((none.status, none.text()), (200, ""));
        }
        Ok(())
    });
}

#[test]
fn json_and_forms_are_read_or_refused() {
    serve(&app(), |address| async move {
        let json = |body: &str| {
            format!("PATCH / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        };
        assert_eq!(ask(address, &json("[1, 2, 3]")).await?.text(), "6");
        assert_eq!(ask(address, &json("[1, 2,")).await?.status, 400);
        assert_eq!(ask(address, &json("{}")).await?.status, 400);
        let form = |kind: &str| {
            let body = "a=1&b=x+%C3%A9";
            format!(
                "DELETE / HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let read = ask(address, &form("application/x-www-form-urlencoded; charset=utf-8")).await?;
        assert_eq!(read.text(), "[(\"a\", \"1\"), (\"b\", \"x é\")]");
        assert_eq!(ask(address, &form("text/plain")).await?.status, 415);
        Ok(())
    });
}

#[test]
fn continue_is_said_when_the_body_is_wanted_and_only_then() {
    serve(&app(), |address| async move {
        let stream = TcpStream::connect(address).await?;
        stream
            .write_all("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            .await?;
        assert_eq!(stream.read_until("\r\n\r\n", 1000).await?, "HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all("ab").await?;
        assert_eq!(response(&stream).await?.text(), "ab");
        stream
            .write_all("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            .await?;
        assert_eq!(response(&stream).await?.text(), "unread");
        assert!(stream.read(1).await?.is_empty());
        Ok(())
    });
}

#[test]
fn body_that_is_too_large_is_413_whether_its_length_is_known_or_not() {
    let config = HttpServerConfig { max_body_size: 10, ..HttpServerConfig::default() };
    serve_with(&app(), config, |server| async move {
        let address = server.local_addr()?;
        let known =
            ask(address, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n")
                .await?;
        assert_eq!((known.status, known.header("connection")), (413, Some("close")));
        let sent =
            ask(address, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world").await?;
        assert_eq!(sent.status, 413);
        let chunked =
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n5\r\nworld\r\n";
        assert_eq!(ask(address, chunked).await?.status, 413);
        let fits = ask(address, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhelloworld").await?;
        assert_eq!(fits.text(), "helloworld");
        Ok(())
    });
}

#[test]
fn unread_body_does_not_become_a_request() {
    serve(&app(), |address| async move {
        let hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
        let stream = TcpStream::connect(address).await?;
        let request =
            format!("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{hidden}", hidden.len());
        stream.write_all(request.repeat(2)).await?;
        assert_eq!(response(&stream).await?.text(), "unread");
        assert_eq!(response(&stream).await?.text(), "unread");
        Ok(())
    });
}

#[test]
fn large_body_is_streamed_both_ways() {
    serve(&app(), |address| async move {
        const SIZE: usize = 8 * 1024 * 1024;
        let body: Vec<u8> = (0..=250).cycle().take(SIZE).collect();
        let stream = TcpStream::connect(address).await?;
        let sender = stream.clone();
        sender.write_all(format!("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {SIZE}\r\n\r\n")).await?;
        let sent = sender.write_all(body.clone());
        let answer = response(&stream).await?;
        sent.await?;
        assert!(answer.body == body);
        Ok(())
    });
}

struct Twice(Notes);

impl RequestHandler for Twice {
    #[squall::coroutine]
    fn post(self: Rc<Self>, req: Request) -> Result<()> {
        let first = req.body();
        let second = yield_!(req.body()).unwrap_err();
        self.0.add(second.to_string());
        req.write(yield_!(first)?);
        Ok(())
    }
}

#[test]
fn body_is_read_by_one_at_a_time() {
    let notes = Notes::default();
    serve(&Application::new().route("/", Twice(notes.clone())), |address| async move {
        let answer = ask(address, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab").await?;
        assert_eq!(answer.text(), "ab");
        assert_eq!(notes.take(), ["the body is already being read: wait for that first"]);
        Ok(())
    });
}
