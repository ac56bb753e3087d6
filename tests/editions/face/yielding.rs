//! Yielding things.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use squall::locks::Lock;
use squall::queues::Queue;
use squall::testing::VirtualClock;
use squall::{Error, Exception, IoLoop, Result, ThreadPoolExecutor, WaitIterator};
use squall::{moment, sleep, task, with_timeout};

struct Client;

impl Client {
    #[squall::coroutine]
    fn fetch(self: Rc<Self>, url: String) -> Result<usize> {
        yield_!(sleep(Duration::from_millis(10)))?;
        Ok(url.len())
    }
}

#[squall::coroutine]
fn number() -> Result<i32> {
    yield_!(())?;
    Ok(5)
}

async fn words() -> Result<&'static str> {
    sleep(Duration::from_millis(1)).await?;
    Ok("five")
}

#[squall::coroutine]
fn slow() -> Result<()> {
    yield_!(sleep(Duration::from_secs(3600)))
}

fn old_style(n: i32, callback: impl FnOnce(i32)) {
    callback(n + 1);
}

#[squall::coroutine]
fn everything() -> Result<()> {
    let client = Rc::new(Client);
    let fetch = |url: &str| client.clone().fetch(url.to_owned());
    let [a, b] = yield_!([fetch("a"), fetch("bb")])?;
    assert_eq!((a, b), (1, 2));
    let urls = ["a", "bb", "ccc"];
    let many: Vec<usize> = yield_!(urls.iter().map(|u| fetch(u)).collect::<Vec<_>>())?;
    assert_eq!(many, [1, 2, 3]);
    let by_url: HashMap<String, usize> =
        yield_!(urls.map(|u| (u.to_owned(), fetch(u))).into_iter().collect::<HashMap<_, _>>())?;
    assert_eq!(by_url["ccc"], 3);
    let sorted: BTreeMap<i32, [usize; 1]> = yield_!(BTreeMap::from([(1, [fetch("a")])]))?;
    assert_eq!(sorted[&1], [1]);
    let (n, text) = yield_!((number(), words()))?;
    assert_eq!((n, text), (5, "five"));
    yield_!(())?;
    yield_!(moment())?;
    yield_!(sleep(Duration::from_millis(500)))?;

    let before = IoLoop::current().time();
    let r = yield_!(with_timeout(Duration::from_secs(1), slow()));
    assert_eq!(r.unwrap_err().downcast_ref(), Some(&Error::Timeout));
    assert_eq!(IoLoop::current().time() - before, Duration::from_secs(1));

    let x = yield_!(async { Ok::<_, Exception>(1) })?;
    assert_eq!(x, 1);
    let v = yield_!(task(|callback| old_style(1, callback)))?;
    assert_eq!(v, 2);
    Ok(())
}

fn blocking(n: i32) -> i32 {
    n * 2
}

#[squall::coroutine]
fn from_threads() -> Result<()> {
    let d = yield_!(IoLoop::current().run_in_executor(|| blocking(1)))?;
    assert_eq!(d, 2);
    let pool = ThreadPoolExecutor::new(4);
    let e = yield_!(pool.submit(|| blocking(2)))?;
    assert_eq!(e, 4);
    Ok(())
}

#[squall::coroutine]
fn as_they_finish() -> Result<()> {
    let later = |milliseconds| squall::coroutine(move |co| async move {
        co.yield_(sleep(Duration::from_millis(milliseconds))).await?;
        if milliseconds == 20 { Err(Error::Timeout.into()) } else { Ok(milliseconds) }
    });
    let (mut seen, mut failed) = (Vec::new(), 0);
    let mut it = WaitIterator::new([later(30), later(20), later(10)]);
    while !it.done() {
        match yield_!(it.next()) {
            Ok(v) => seen.push((it.current_index(), v)),
            Err(_) => failed += 1,
        }
    }
    assert_eq!(seen, [(Some(2), 10), (Some(0), 30)]);
    assert_eq!(failed, 1);
    Ok(())
}

#[squall::coroutine]
fn producer(queue: Rc<Queue<i32>>, lock: Rc<Lock>) -> Result<()> {
    for n in 0..3 {
        let _guard = yield_!(lock.acquire())?;
        yield_!(queue.put(n))?;
    }
    Ok(())
}

#[squall::coroutine]
fn consumer(queue: Rc<Queue<i32>>) -> Result<i32> {
    let mut sum = 0;
    for _ in 0..3 {
        sum += yield_!(queue.get())?;
    }
    Ok(sum)
}

#[squall::coroutine]
fn together() -> Result<()> {
    let queue = Rc::new(Queue::new(1));
    let ((), sum) = yield_!((producer(queue.clone(), Rc::new(Lock::new())), consumer(queue)))?;
    assert_eq!(sum, 3);
    Ok(())
}

/// The loops of Tornado's guide.
struct Source {
    chunks: RefCell<VecDeque<&'static str>>,
    written: RefCell<Vec<&'static str>>,
    next: Cell<i32>,
}

impl Source {
    #[squall::coroutine]
    fn fetch_next_chunk(self: Rc<Self>) -> Result<Option<&'static str>> {
        yield_!(sleep(Duration::from_millis(10)))?;
        Ok(self.chunks.borrow_mut().pop_front())
    }

    fn write(&self, chunk: &'static str) {
        self.written.borrow_mut().push(chunk);
    }

    #[squall::coroutine]
    fn flush(self: Rc<Self>) -> Result<()> {
        yield_!(sleep(Duration::from_millis(5)))
    }

    #[squall::coroutine]
    fn get(self: Rc<Self>) -> Result<()> {
        let mut chunk_future = self.clone().fetch_next_chunk();
        while let Some(chunk) = yield_!(chunk_future)? {
            self.write(chunk);
            chunk_future = self.clone().fetch_next_chunk();
            yield_!(self.clone().flush())?;
        }
        Ok(())
    }

    #[squall::coroutine]
    fn fetch_next(self: Rc<Self>) -> Result<bool> {
        yield_!(())?;
        self.next.set(self.next.get() + 1);
        Ok(self.next.get() <= 3)
    }

    #[squall::coroutine]
    fn motor(self: Rc<Self>) -> Result<Vec<i32>> {
        let mut documents = Vec::new();
        while yield_!(self.clone().fetch_next())? {
            let document = self.next.get();
            documents.push(document);
        }
        Ok(documents)
    }
}

#[squall::coroutine]
fn do_something() -> Result<()> {
    yield_!(sleep(Duration::from_secs(7)))
}

#[squall::coroutine]
fn minute_loop2(minutes: u32) -> Result<()> {
    for _ in 0..minutes {
        let nxt = sleep(Duration::from_secs(60));
        yield_!(do_something())?;
        yield_!(nxt)?;
    }
    Ok(())
}

pub fn all() {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    io_loop.run_sync(everything).unwrap();
    io_loop.run_sync(as_they_finish).unwrap();
    io_loop.run_sync(together).unwrap();
    IoLoop::current().run_sync(from_threads).unwrap();

    let source = Rc::new(Source {
        chunks: RefCell::new(["one", "two"].into()),
        written: RefCell::default(),
        next: Cell::new(0),
    });
    io_loop.run_sync(|| source.clone().get()).unwrap();
    assert_eq!(*source.written.borrow(), ["one", "two"]);
    assert_eq!(io_loop.run_sync(|| source.motor()).unwrap(), [1, 2, 3]);

    let before = io_loop.time();
    io_loop.run_sync(|| minute_loop2(3)).unwrap();
    assert_eq!(io_loop.time() - before, Duration::from_secs(180));
}
