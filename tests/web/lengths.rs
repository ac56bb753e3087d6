//! Responses whose `Content-Length` is set by the handler: what follows on the connection stays a response of its own.

use std::rc::Rc;

use squall::web::{Application, Request, RequestHandler};
use squall::Result;

use crate::client::{serve, talk};

/// Sets the header `Content-Length` to each argument `said`, and writes each argument `part`, with a flush in between.
struct Says;

impl RequestHandler for Says {
    async fn get(self: Rc<Self>, req: Request) -> Result<()> {
        for said in req.query_arguments("said") {
            req.add_header("content-length", said)?;
        }
        if let Some(coding) = req.query_argument("coding") {
            req.set_header("transfer-encoding", coding)?;
        }
        let parts = req.query_arguments("part");
        for (n, part) in parts.iter().enumerate() {
            req.write(part.clone());
            if n + 1 < parts.len() {
                req.flush().await?;
            }
        }
        Ok(())
    }

    /// Is wrong as well.
    fn write_error(&self, req: &Request, status: u16, _: &squall::Exception) {
        let _ = req.set_header("content-length", 1);
        req.write(format!("error {status}"));
    }
}

/// Answers "second".
struct Second;

impl RequestHandler for Second {
    async fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.write("second");
        Ok(())
    }
}

/// Returns the bytes that answer a request, and whether another one on the connection is answered.
async fn asked(address: std::net::SocketAddr, method: &str, query: &str) -> Result<(String, bool)> {
    let second = "GET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let all = talk(address, format!("{method} /?{query} HTTP/1.1\r\nHost: a\r\n\r\n{second}")).await?;
    let all = all.to_ascii_lowercase();
    let end = all.rfind("http/1.1").filter(|_| all.ends_with("\r\n\r\nsecond"));
    Ok((all[..end.unwrap_or(all.len())].to_owned(), end.is_some()))
}

fn app() -> Application {
    Application::new().route("/", Says).route("/second", Second)
}

#[test]
fn whole_response_of_another_length_is_500() {
    serve(&app(), |address| async move {
        for query in [
            "said=3&part=hello",
            "said=10&part=hello",
            "said=10",
            "said=abc&part=hello",
            "said=%2B5&part=hello",
            "said=5&said=6&part=hello",
            "said=5&said=5&part=hello",
            "said=5&coding=chunked&part=hello",
            // Nothing is sent by the flush either.
            "said=abc&part=hello&part=there",
        ] {
            let (answer, goes_on) = asked(address, "GET", query).await?;
            assert!(answer.starts_with("http/1.1 500 ") && goes_on, "{query}: {answer}");
            assert!(!answer.contains("hello") && answer.ends_with("</html>"), "{query}: {answer}");
        }
        let (answer, _) = asked(address, "HEAD", "said=3&part=hello").await?;
        assert!(answer.starts_with("http/1.1 500 "), "{answer}");
        Ok(())
    });
}

#[test]
fn right_length_is_sent() {
    serve(&app(), |address| async move {
        for (method, query, body) in [
            ("GET", "said=5&part=hello", "hello"),
            ("GET", "said=0", ""),
            ("GET", "said=10&part=hello&part=there", "hellothere"),
            ("HEAD", "said=10&part=hello&part=there", ""),
            ("HEAD", "said=5&part=hello", ""),
            ("HEAD", "said=5", ""),
        ] {
            let (answer, goes_on) = asked(address, method, query).await?;
            let length = query[5..].split('&').next().unwrap();
            assert!(answer.contains(&format!("content-length: {length}\r\n")), "{method} {query}: {answer}");
            assert!(answer.ends_with(&format!("\r\n\r\n{body}")) && goes_on, "{method} {query}: {answer}");
        }
        Ok(())
    });
}

#[test]
fn stream_of_another_length_is_cut_off() {
    serve(&app(), |address| async move {
        for (query, sent) in [
            ("said=8&part=hello&part=there", "hello"),
            ("said=20&part=hello&part=there", "hello"),
            ("said=8&part=hello&part=there&part=x", "hello"),
        ] {
            let (answer, goes_on) = asked(address, "GET", query).await?;
            assert!(answer.ends_with(&format!("\r\n\r\n{sent}")) && !goes_on, "{query}: {answer}");
        }
        Ok(())
    });
}
