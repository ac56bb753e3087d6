//! A crawler: workers that share a queue of pages.
//!
//! ```python
//! from tornado import gen, httpclient, ioloop, queues
//!
//! @gen.coroutine
//! def main():
//!     q = queues.Queue()
//!     seen = set()
//!
//!     @gen.coroutine
//!     def worker():
//!         while True:
//!             url = yield q.get()
//!             try:
//!                 for link in (yield get_links_from_url(url)):
//!                     if link not in seen:
//!                         seen.add(link)
//!                         yield q.put(link)
//!             except Exception as e:
//!                 print("broken:", url, e)
//!             finally:
//!                 q.task_done()
//!
//!     seen.add(base_url)
//!     q.put(base_url)
//!     for _ in range(concurrency):
//!         worker()
//!     yield q.join()
//! ```
//!
//! `cargo run --package squall-guide --bin crawler` crawls a site of 1,000 pages, which it serves itself. The site has
//! links in circles, broken pages and slow pages. A terminal shows a progress bar. Ctrl-C stops the crawler early, with
//! a summary. `--pause MS` makes each page take that many milliseconds longer.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use squall::httpclient::AsyncHttpClient;
use squall::ioloop::signal::SIGINT;
use squall::locks::Event;
use squall::queues::Queue;
use squall::web::{Application, HttpError, Request, RequestHandler};
use squall::{sleep, Exception, IoLoop, Result, WaitIterator};

const PAGES: u64 = 1000;

const WORKERS: usize = 10;

/// The pages that were found, and those that are still to be visited.
struct Crawl {
    site: String,
    queue: Queue<String>,
    /// The paths that are or were in the queue.
    seen: RefCell<HashSet<String>>,
    pages: Cell<u64>,
    bytes: Cell<usize>,
    broken: RefCell<Vec<String>>,
    bar: ProgressBar,
}

impl Crawl {
    fn new(site: String) -> Rc<Self> {
        let bar = ProgressBar::new(1);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} pages, {elapsed}") {
            bar.set_style(style);
        }
        Rc::new(Self {
            site,
            queue: Queue::new(0),
            seen: RefCell::default(),
            pages: Cell::new(0),
            bytes: Cell::new(0),
            broken: RefCell::default(),
            bar,
        })
    }

    /// Puts a page into the queue, unless it is or was there.
    fn found(&self, path: &str) {
        if self.seen.borrow_mut().insert(path.to_owned()) {
            self.bar.set_length(self.seen.borrow().len() as u64);
            drop(self.queue.put(path.to_owned()));
        }
    }

    #[squall::coroutine]
    fn visit(self: Rc<Self>, path: String) -> Result<()> {
        let response = yield_!(AsyncHttpClient::new().fetch(format!("{}{path}", self.site)))?;
        self.bytes.set(self.bytes.get() + response.body().len());
        links(&response.text()?).for_each(|link| self.found(link));
        Ok(())
    }

    #[squall::coroutine]
    fn worker(self: Rc<Self>) -> Result<()> {
        loop {
            let path = yield_!(self.queue.get())?;
            let visited = yield_!(self.clone().visit(path.clone()));
            if visited.is_err() {
                self.broken.borrow_mut().push(path);
            }
            self.visited();
            self.queue.task_done()?;
        }
    }

    /// Counts a visited page. The progress bar shows the count; without a terminal, a line shows it every 250 pages.
    fn visited(&self) {
        self.pages.set(self.pages.get() + 1);
        self.bar.inc(1);
        if self.bar.is_hidden() && self.pages.get().is_multiple_of(250) {
            println!("{} pages", self.pages.get());
        }
    }

    fn print_summary(&self, is_complete: bool) {
        self.bar.finish_and_clear();
        if !is_complete {
            println!("stopped");
        }
        let (pages, broken) = (self.pages.get(), self.broken.borrow());
        println!("{pages} of {} pages visited, {} of them broken", self.seen.borrow().len(), broken.len());
    }
}

/// Returns the paths to which a page links.
fn links(page: &str) -> impl Iterator<Item = &str> {
    page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next())
}

/// Crawls a site until all pages are visited or `stop` is set. Returns whether all pages were visited.
#[squall::coroutine]
fn crawl(crawl: Rc<Crawl>, stop: Rc<Event>) -> Result<bool> {
    crawl.found("/page/1");
    let _workers: Vec<_> = (0..WORKERS).map(|_| crawl.clone().worker()).collect();
    let mut first = WaitIterator::new([crawl.queue.join(), stop.wait()]);
    yield_!(first.next())?;
    Ok(first.current_index() == Some(0))
}

/// The pages of a site. Each links to two later pages, to an earlier one and to itself. Every 70th page is slow; in the
/// second half of the site every 50th is broken.
struct Page {
    pause: Duration,
}

impl RequestHandler for Page {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        let n: u64 = req.path_param("n").and_then(|n| n.parse().ok()).ok_or(HttpError(404))?;
        yield_!(sleep(self.pause))?;
        if n.is_multiple_of(70) {
            yield_!(sleep(Duration::from_millis(50)))?;
        }
        if n.is_multiple_of(50) && n > PAGES / 2 {
            Err(HttpError(500))?;
        }
        let others = [2 * n, 2 * n + 1, n / 2, n].into_iter().filter(|n| (1..=PAGES).contains(n));
        for other in others {
            req.write(format!("<a href=\"/page/{other}\">{other}</a>\n"));
        }
        Ok(())
    }
}

fn app(pause: Duration) -> Application {
    Application::new().route("/page/{n}", Page { pause })
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let pause = match (arguments.next().as_deref(), arguments.next()) {
        (Some("--pause"), Some(ms)) => Duration::from_millis(ms.parse()?),
        (None, _) => Duration::ZERO,
        _ => Err(Exception::msg("usage: crawler [--pause MS]"))?,
    };
    let site = format!("http://{}", app(pause).listen("127.0.0.1:0")?.local_addr()?);
    let (io_loop, stop) = (IoLoop::current(), Rc::new(Event::new()));
    let stopped = stop.clone();
    io_loop.add_signal_handler(SIGINT, move || stopped.set())?;
    println!("crawling {PAGES} pages");
    let this = Crawl::new(site);
    let is_complete = io_loop.run_sync(|| crawl(this.clone(), stop))?;
    this.print_summary(is_complete);
    Ok(())
}

#[cfg(test)]
mod tests {
    use squall::testing;

    use super::*;

    #[squall::test(allow = "waiting", limit = 60)]
    fn every_page_is_visited_once_and_some_at_a_time() -> Result<()> {
        let net = testing::net();
        net.host("site", || app(Duration::from_millis(10)).listen("site:80"))?;
        let this = Crawl::new("http://site".to_owned());
        let start = IoLoop::current().time();
        assert!(yield_!(net.host("client", || crawl(this.clone(), Rc::new(Event::new()))))?);
        let took = IoLoop::current().time().saturating_sub(start);
        assert_eq!((this.pages.get(), this.seen.borrow().len()), (PAGES, 1000));
        assert_eq!(this.broken.borrow().len(), 10);
        // Ten workers share 1,000 times 10 ms and 14 times 50 ms.
        assert!((1_070..1_500).contains(&took.as_millis()), "{took:?}");
        Ok(())
    }

    #[squall::test(allow = "waiting, timers")]
    fn crawl_that_is_stopped_ends_at_once() -> Result<()> {
        let net = testing::net();
        net.host("site", || app(Duration::from_secs(1)).listen("site:80"))?;
        let (this, stop) = (Crawl::new("http://site".to_owned()), Rc::new(Event::new()));
        let crawling = net.host("client", || crawl(this.clone(), stop.clone()));
        yield_!(sleep(Duration::from_millis(2_500)))?;
        stop.set();
        assert!(!yield_!(crawling)?);
        assert_eq!((IoLoop::current().time().as_millis(), this.pages.get()), (2_500, 3));
        Ok(())
    }
}
