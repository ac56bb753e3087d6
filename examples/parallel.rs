//! Yields arrays, lists, maps and tuples of Futures, which are waited for together.

use std::collections::BTreeMap;
use std::time::Duration;

use squall::{moment, sleep, with_timeout, Error, Exception, Future, IoLoop, Result};

#[squall::coroutine]
fn fetch(url: &'static str) -> Result<String> {
    yield_!(sleep(Duration::from_millis(100)))?;
    Ok(url.to_uppercase())
}

#[squall::coroutine]
fn many() -> Result<()> {
    let [a, b] = yield_!([fetch("a"), fetch("b")])?;
    println!("an array: {a} {b}");
    let list = yield_!(["a", "b", "c"].into_iter().map(fetch).collect::<Vec<_>>())?;
    println!("a Vec: {list:?}");
    let map = yield_!(BTreeMap::from(["a", "b"].map(|url| (url, fetch(url)))))?;
    println!("a map: {map:?}");
    let (n, text) = yield_!((Future::ready(5), fetch("text")))?;
    println!("a tuple: {n} {text}");

    yield_!(())?;
    yield_!(moment())?;
    let x = yield_!(async { Ok::<_, Exception>(1) })?;
    println!("an async block: {x}");

    match yield_!(with_timeout(Duration::from_millis(10), fetch("slow"))) {
        Err(e) if e.downcast_ref() == Some(&Error::Timeout) => println!("too slow"),
        other => println!("{other:?}"),
    }

    let tenths = IoLoop::current().time().as_millis() / 100;
    println!("ten fetches of a tenth of a second took {tenths} tenths");
    Ok(())
}

fn main() -> Result<()> {
    IoLoop::current().run_sync(many)
}
