//! A decorator that times a coroutine has to yield it.
//! Tornado's guide: Decorated coroutines.

use std::time::Duration;

use squall::{sleep, Future, IoLoop, Result};

#[squall::coroutine]
fn work() -> Result<i32> {
    yield_!(sleep(Duration::from_secs(2)))?;
    Ok(42)
}

fn seconds_since(start: Duration) -> u64 {
    (IoLoop::current().time() - start).as_secs()
}

/// A decorator for functions: it times the call alone.
fn time_call<T>(f: impl FnOnce() -> Future<T>) -> Future<T> {
    let start = IoLoop::current().time();
    let future = f();
    println!("time_call: {} s", seconds_since(start));
    future
}

/// A decorator for coroutines: it is one, and waits for the result.
#[squall::coroutine]
fn timer<T: 'static>(f: fn() -> Future<T>) -> Result<T> {
    let start = IoLoop::current().time();
    let result = yield_!(f())?;
    println!("timer: {} s", seconds_since(start));
    Ok(result)
}

#[squall::coroutine]
fn both() -> Result<()> {
    println!("work returned {}", yield_!(time_call(work))?);
    println!("work returned {}", yield_!(timer(work))?);
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    IoLoop::current().run_sync(both)
}
