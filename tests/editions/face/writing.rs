//! Writing coroutines.

use std::cell::Cell;
use std::fmt::Display;
use std::rc::Rc;

use squall::{Exception, Future, IoLoop, Result, Return, moment, sleep};

use crate::logged::Logged;

#[squall::coroutine]
fn fetch(url: String) -> Result<String> {
    yield_!(sleep(std::time::Duration::from_millis(1)))?;
    Ok(format!("<{url}>"))
}

#[squall::coroutine]
fn coroutine_visit(url: String) -> Result<usize> {
    let response = yield_!(fetch(url))?;
    println!("{response}");
    Ok(response.len())
}

#[squall::coroutine]
fn outer_coroutine(url: String) -> Result<()> {
    println!("start call coroutine_visit");
    yield_!(coroutine_visit(url))?;
    println!("end call coroutine_visit");
    Ok(())
}

async fn fetch_coroutine(url: String) -> Result<usize> {
    Ok(fetch(url).await?.len())
}

fn visits() -> Result<()> {
    let url = "/index".to_owned();
    IoLoop::current().run_sync(|| outer_coroutine(url.clone()))?;
    assert_eq!(IoLoop::current().run_sync(|| fetch_coroutine(url))?, 8);
    Ok(())
}

#[derive(Debug, thiserror::Error)]
#[error("division by zero")]
struct ZeroDivision;

#[squall::coroutine]
fn divide(x: i32, y: i32) -> Result<i32> {
    if y == 0 {
        Err(ZeroDivision)?
    }
    Ok(x / y)
}

#[allow(unused_must_use)]
fn bad_call() {
    divide(1, 0);
}

#[squall::coroutine]
fn good_call() -> Result<i32> {
    match yield_!(divide(1, 0)) {
        Err(e) if e.is::<ZeroDivision>() => Ok(0),
        other => other,
    }
}

#[squall::coroutine]
fn worse_call() -> Result<i32> {
    let n = yield_!(divide(1, 0))?;
    Ok(n + 1)
}

fn exceptions(logged: &Logged) -> Result<()> {
    bad_call();
    let lines = logged.take();
    assert!(lines[0].starts_with("ERROR squall::"), "{lines:?}");
    assert!(lines[0].ends_with("in divide\nZeroDivision: division by zero"), "{lines:?}");

    assert_eq!(IoLoop::current().run_sync(good_call)?, 0);
    assert!(logged.take().is_empty());

    let io_loop = IoLoop::current();
    io_loop.spawn_callback(worse_call);
    io_loop.run_sync(|| sleep(std::time::Duration::from_millis(1)))?;
    let lines = logged.take();
    let lines: Vec<_> = lines[0].lines().collect();
    assert_eq!(lines[0], "ERROR squall::ioloop: exception in callback");
    assert_eq!(lines[1], "Traceback (most recent call last):");
    assert!(lines[2].starts_with("  ") && lines[2].ends_with("writing.rs:70:13 in worse_call"), "{lines:?}");
    assert!(lines[3].ends_with("writing.rs:50:9 in divide"), "{lines:?}");
    assert_eq!(lines[4], "ZeroDivision: division by zero");
    Ok(())
}

#[squall::coroutine]
fn returns() -> Result<i32> {
    yield_!(moment())?;
    Err(Return(42))?
}

struct Counter {
    count: Cell<u32>,
}

trait Counts {
    fn count(self: Rc<Self>, by: u32) -> Future<u32>;
}

impl Counts for Counter {
    #[squall::coroutine]
    fn count(self: Rc<Self>, by: u32) -> Result<u32> {
        yield_!(())?;
        self.count.set(self.count.get() + by);
        Ok(self.count.get())
    }
}

impl Counter {
    /// A method with documentation and another attribute.
    #[squall::coroutine]
    #[inline]
    pub fn twice(self: Rc<Self>) -> Result<u32> {
        yield_!(self.clone().count(1))?;
        yield_!(self.count(1))
    }
}

#[squall::coroutine]
fn generic<T>(future: Future<T>, suffix: impl Display + 'static) -> Result<String>
where
    T: Display + 'static,
{
    Ok(format!("{}{suffix}", yield_!(future)?))
}

#[squall::coroutine]
fn everywhere(n: i32) -> Result<Vec<i32>> {
    println!("{} and {}", yield_!(divide(n, 1))?, yield_!(divide(n, 2))?);
    let mut all = vec![yield_!(divide(n, 1))?, yield_!(divide(n, 2))?];
    if let Ok(third) = yield_!(divide(n, 3)) {
        all.push(third);
    }
    if all.len() == 3 {
        return Ok(all);
    }
    Err(Exception::msg("not reached"))
}

pub fn all(logged: &Logged) {
    visits().unwrap();
    exceptions(logged).unwrap();
    let io_loop = IoLoop::current();
    assert_eq!(io_loop.run_sync(returns).unwrap(), 42);
    let counter = Rc::new(Counter { count: Cell::new(0) });
    assert_eq!(io_loop.run_sync(|| counter.twice()).unwrap(), 2);
    assert_eq!(io_loop.run_sync(|| generic(Future::ready(5), '!')).unwrap(), "5!");
    assert_eq!(io_loop.run_sync(|| everywhere(6)).unwrap(), [6, 3, 2]);

    let by_hand = || squall::coroutine(|co| async move {
        let x = co.yield_(divide(4, 2)).await?;
        Ok(x)
    });
    assert_eq!(io_loop.run_sync(by_hand).unwrap(), 2);
    // Tornado's module keeps its name, and everything in it is at the root too.
    assert_eq!(io_loop.run_sync(|| squall::r#gen::multi([divide(4, 2)])).unwrap(), [2]);
}
