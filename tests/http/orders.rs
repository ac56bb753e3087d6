//! Races between a handler and its client, in every order of the deliveries.

use std::cell::Cell;
use std::rc::Rc;

use squall::httpclient::AsyncHttpClient;
use squall::testing::{self, replay, Explore, TestLoop};
use squall::web::{Application, Request, RequestHandler};
use squall::{moment, Result};

/// A page in parts, which counts its viewers.
struct Watched {
    viewers: Rc<Cell<i32>>,
    /// `true` if the handler expects that a client may leave.
    careful: bool,
}

impl RequestHandler for Watched {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        self.viewers.set(self.viewers.get() + 1);
        for part in ["one", "two", "three"] {
            req.write(part);
            let flushed = yield_!(req.flush());
            if self.careful && flushed.is_err() {
                break;
            }
            flushed?;
            yield_!(moment())?;
        }
        self.viewers.set(self.viewers.get() - 1);
        Ok(())
    }
}

/// Reads the first part, and leaves.
#[squall::coroutine]
fn visit() -> Result<()> {
    let response = yield_!(AsyncHttpClient::new().fetch_stream("http://server/"))?;
    yield_!(response.chunks().next())?;
    Ok(())
}

/// One visitor. At the end there is none.
fn world(t: &mut TestLoop, careful: bool) {
    let (net, viewers) = (testing::net(), Rc::new(Cell::new(0)));
    let watched = Watched { viewers: viewers.clone(), careful };
    let server = net.host("server", || Application::new().route("/", watched).listen("server:80")).unwrap();
    let visited = net.host("client", || t.spawn(visit));
    t.run_until_idle();
    assert!(visited.done());
    assert_eq!(viewers.get(), 0, "a viewer that has left is still counted");
    drop(server);
}

#[test]
fn client_that_leaves_between_two_flushes_is_found_in_some_orders_only() {
    let failure = Explore::new().check(|t| world(t, false)).unwrap_err();
    assert!(failure.tried() > 1, "the usual order is good: {failure}");
    assert!(failure.schedule().contains("server->client#1"), "{failure}");
    let schedule = failure.schedule().to_owned();
    let replayed = std::panic::catch_unwind(|| replay(&schedule, |t| world(t, false)));
    assert!(replayed.is_err(), "it does not fail again: {schedule}");
    let explored = Explore::new().check(|t| world(t, true)).unwrap();
    assert!(explored.complete() && explored.orders() > failure.tried(), "{explored:?}");
}
