//! What the log says about a request that is answered with an error.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Once;

use squall::web::{Application, HttpError, Request, RequestHandler};
use squall::{Exception, Result};

use crate::client::{ask, serve};

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Keeps the records of each thread apart, since each test has a thread.
struct Logger;

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target() == "squall::web"
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            LINES.with_borrow_mut(|lines| lines.push(format!("{} {}", record.level(), record.args())));
        }
    }

    fn flush(&self) {}
}

/// Returns what was logged on this thread since the last call, without the lines of responses.
fn reasons() -> Vec<String> {
    static INSTALLED: Once = Once::new();

    INSTALLED.call_once(|| {
        log::set_logger(&Logger).unwrap();
        log::set_max_level(log::LevelFilter::Info);
    });
    LINES.take().into_iter().filter(|line| !line.ends_with("ms")).collect()
}

struct Sum;

impl RequestHandler for Sum {
    #[squall::coroutine]
    fn prepare(self: Rc<Self>, req: Request) -> Result<()> {
        match req.query_argument("page") {
            Some(_) => Err(HttpError(404).with_note("there is one page only")),
            None => Ok(()),
        }
    }

    #[squall::coroutine]
    fn post(self: Rc<Self>, req: Request) -> Result<()> {
        req.set_max_body_size(20);
        let numbers: Vec<i32> = yield_!(req.json())?;
        req.write_json(&numbers.iter().sum::<i32>())
    }

    #[squall::coroutine]
    fn put(self: Rc<Self>, req: Request) -> Result<()> {
        drop(yield_!(req.form())?);
        Err(HttpError(409).into())
    }

    fn write_error(&self, req: &Request, status: u16, exception: &Exception) {
        let notes: Vec<&str> = exception.notes().collect();
        req.write(format!("{status}: {}", notes.join("; ")));
    }
}

#[test]
fn reason_of_an_error_is_logged_and_can_be_written() {
    reasons();
    serve(&Application::new().route("/", Sum), |address| async move {
        let cases = [
            (
                "POST",
                "/",
                "",
                "[1, 2",
                "400",
                "the body is not the JSON that is expected: EOF while parsing a list",
            ),
            (
                "POST",
                "/",
                "",
                "[\"x\"]",
                "400",
                "the body is not the JSON that is expected: invalid type: string \"x\"",
            ),
            ("POST", "/", "", "[1, 2, 3, 4, 5, 6, 7]", "413", "the body exceeds the limit"),
            (
                "PUT",
                "/",
                "Content-Type: text/plain\r\n",
                "a=1",
                "415",
                "the body is not a form: its type is \"text/plain\"",
            ),
            ("PUT", "/?page=2", "", "", "404", "there is one page only"),
        ];
        for (method, path, headers, body, status, reason) in cases {
            let head = format!(
                "{method} {path} HTTP/1.1\r\nHost: a\r\n{headers}Content-Length: {}\r\n\r\n",
                body.len()
            );
            let answer = ask(address, &(head + body)).await?;
            assert!(answer.text().starts_with(&format!("{status}: {reason}")), "{}", answer.text());
            let lines = reasons();
            let start = format!("WARN {status} {method} {path} (127.0.0.1): {reason}");
            assert!(lines.len() == 1 && lines[0].starts_with(&start), "{lines:?}");
        }
        Ok(())
    });
}

#[test]
fn error_without_a_reason_is_not_explained() {
    reasons();
    serve(&Application::new().route("/", Sum), |address| async move {
        let head = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n";
        assert_eq!(ask(address, head).await?.text(), "409: ");
        assert!(reasons().is_empty());
        Ok(())
    });
}
