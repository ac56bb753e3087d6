//! A periodic job beside a web server: it runs, and `delta` after its end it runs again. A failure is logged, and the
//! job runs again all the same.
//!
//! ```python
//! import datetime, functools, logging
//! from tornado import gen, ioloop
//!
//! def sync_loop_call(delta=60 * 1000):
//!     def wrap_loop(func):
//!         @functools.wraps(func)
//!         @gen.coroutine
//!         def wrap_func(*args, **kwargs):
//!             logging.info("%s starts", func.__name__)
//!             try:
//!                 yield func(*args, **kwargs)
//!             except Exception as e:
//!                 logging.error("%s: %s", func.__name__, e)
//!             logging.info("%s has ended", func.__name__)
//!             ioloop.IOLoop.current().add_timeout(
//!                 datetime.timedelta(milliseconds=delta), wrap_func, *args, **kwargs)
//!         return wrap_func
//!     return wrap_loop
//!
//! @sync_loop_call(delta=10 * 1000)
//! @gen.coroutine
//! def worker(): ...
//!
//! worker()
//! ```
//!
//! The decorator becomes a function that takes a closure. `cargo run --package squall-guide --bin sync_loop_call`
//! fetches a page of its own server every 100 ms, four times; the page counts its visits.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use squall::httpclient::AsyncHttpClient;
use squall::locks::Event;
use squall::web::{Application, HttpError, Request, RequestHandler};
use squall::{Future, IoLoop, Result};

/// Calls `func`, waits for its end, then waits `delta`, and so on for ever. A failure is only logged.
fn sync_loop_call(delta: Duration, name: &'static str, func: impl Fn() -> Future<()> + 'static) {
    drop(wrap_func(delta, name, Rc::new(func)));
}

#[squall::coroutine]
fn wrap_func(delta: Duration, name: &'static str, func: Rc<dyn Fn() -> Future<()>>) -> Result<()> {
    log::info!("{name} starts");
    if let Err(e) = yield_!(func()) {
        log::error!("{name}: {e}");
    }
    log::info!("{name} has ended");
    IoLoop::current().call_later(delta, move || drop(wrap_func(delta, name, func)));
    Ok(())
}

/// A page that counts its visits. Every third visit fails.
struct Counter {
    visits: Cell<u32>,
}

impl RequestHandler for Counter {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        self.visits.set(self.visits.get() + 1);
        if self.visits.get().is_multiple_of(3) {
            Err(HttpError(500))?;
        }
        req.write(format!("visit {}", self.visits.get()));
        Ok(())
    }
}

#[squall::coroutine]
fn worker(url: String, rounds: Rc<Cell<u32>>, enough: Rc<Event>) -> Result<()> {
    rounds.set(rounds.get() + 1);
    if rounds.get() == 4 {
        enough.set();
    }
    let response = yield_!(AsyncHttpClient::new().fetch(url))?;
    println!("{}", response.text()?);
    Ok(())
}

#[squall::coroutine]
fn program() -> Result<()> {
    let app = Application::new().route("/", Counter { visits: Cell::new(0) });
    let url = format!("http://{}/", app.listen("127.0.0.1:0")?.local_addr()?);
    let (rounds, enough) = (Rc::new(Cell::new(0)), Rc::new(Event::new()));
    let until = enough.clone();
    let visit = url.clone();
    sync_loop_call(Duration::from_millis(100), "worker", move || {
        worker(visit.clone(), rounds.clone(), enough.clone())
    });
    yield_!(until.wait())?;
    // The server has answered meanwhile, and has counted the visits.
    let last = yield_!(AsyncHttpClient::new().fetch(url))?;
    println!("the server says: {}", last.text()?);
    Ok(())
}

fn main() -> Result<()> {
    env_logger::builder().filter_level(log::LevelFilter::Info).format_timestamp(None).init();
    IoLoop::current().run_sync(program)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use squall::{sleep, Exception};

    use super::*;

    /// Works for two seconds. The second call fails.
    #[squall::coroutine]
    fn work(began: Rc<RefCell<Vec<u64>>>) -> Result<()> {
        began.borrow_mut().push(IoLoop::current().time().as_secs());
        let nth = began.borrow().len();
        yield_!(sleep(Duration::from_secs(2)))?;
        match nth {
            2 => Err(Exception::msg("not this time")),
            _ => Ok(()),
        }
    }

    #[squall::test(allow = "waiting, timers")]
    fn pause_begins_at_the_end_of_the_work_also_if_that_fails() -> Result<()> {
        let began = Rc::new(RefCell::new(Vec::new()));
        let noted = began.clone();
        sync_loop_call(Duration::from_secs(10), "work", move || work(noted.clone()));
        yield_!(sleep(Duration::from_secs(30)))?;
        assert_eq!(*began.borrow(), [0, 12, 24]);
        Ok(())
    }
}
