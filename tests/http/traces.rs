//! Tests of what a trace shows of fetches and requests: the coroutines of the program, and none of squall's own.

use std::rc::Rc;

use squall::httpclient::{self, AsyncHttpClient};
use squall::testing::{self, VirtualClock};
use squall::trace::{self, Recorded};
use squall::web::{Application, Request, RequestHandler};
use squall::{Future, IoLoop, Result};

use crate::{site, Notes};

#[squall::coroutine]
fn visit() -> Result<usize> {
    let page = yield_!(AsyncHttpClient::new().fetch("http://me:secret@server/page?ms=100&bytes=5"))?;
    Ok(page.body().len())
}

/// Records a client that talks to a server: what it returned, the names of the calls, and the trace as text.
fn record<T: 'static>(app: &Application, client: fn() -> Future<T>) -> (T, Vec<String>, String) {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let current = io_loop.make_current();
    let net = testing::net();
    let server = net.host("server", || app.listen("server:80")).unwrap();
    let trace = trace::record(|| net.host("client", || io_loop.run_sync(client)));
    let calls = trace.entries().iter().filter_map(|entry| match &entry.event {
        Recorded::Call { name, .. } => Some(name.to_string()),
        _ => None,
    });
    let calls = calls.collect();
    let text = trace.text().width(160).without_lines().to_string();
    drop((server, current));
    (trace.result.unwrap(), calls, text)
}

#[test]
fn trace_has_the_handler_and_the_future_of_the_fetch_and_no_step_between_them() {
    let (len, calls, text) = record(&site(&Notes::default()), visit);
    assert_eq!((len, calls), (5, vec!["visit".to_owned(), "get".to_owned()]));
    assert!(text.contains("yield fetch http://server/page?ms=100&bytes=5, wait for it"), "{text}");
    assert!(text.contains("yield sleep until 100"), "{text}");
    assert!(text.contains("&bytes=5 done, visit ready"), "{text}");
    assert!(!text.contains("future ") && !text.contains("secret"), "{text}");
}

/// Adds numbers, and says the sum in two parts.
struct Sum;

impl RequestHandler for Sum {
    #[squall::coroutine]
    fn post(self: Rc<Self>, req: Request) -> Result<()> {
        let numbers: Vec<u64> = yield_!(req.json())?;
        req.write("the sum is ");
        yield_!(req.flush())?;
        req.write(numbers.iter().sum::<u64>().to_string());
        Ok(())
    }
}

#[squall::coroutine]
fn add() -> Result<String> {
    let request = httpclient::Request::post("http://server/").json(&[1, 2, 3]);
    yield_!(AsyncHttpClient::new().fetch(request))?.text()
}

#[test]
fn trace_of_a_handler_that_receives_and_flushes_has_only_that_handler() {
    let (sum, calls, text) = record(&Application::new().route("/", Sum), add);
    assert_eq!((&*sum, calls), ("the sum is 6", vec!["add".to_owned(), "post".to_owned()]));
    assert!(text.contains("yield fetch POST http://server/, wait for it"), "{text}");
    assert!(text.contains("yield Request.json, wait for it"), "{text}");
    assert!(text.contains("Request.json done, post ready"), "{text}");
}
