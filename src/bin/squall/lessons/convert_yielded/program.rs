//! `convert_yielded` makes a Future of whatever can be yielded.
//! Tornado's guide: Native vs decorated coroutines.

use std::time::Duration;

use squall::{convert_yielded, sleep, Future, IoLoop, Result};

#[squall::coroutine]
fn number(n: i32) -> Result<i32> {
    yield_!(sleep(Duration::from_millis(100)))?;
    Ok(n)
}

async fn native() -> Result<i32> {
    println!("native begins");
    number(3).await
}

#[squall::coroutine]
fn converts() -> Result<()> {
    // A list becomes one Future, an async fn a Task, a Future itself.
    let list = convert_yielded([number(1), number(2)])?;
    let task = convert_yielded(native())?;
    let same = convert_yielded(Future::ready(4))?;
    println!("converted");
    yield_!(())?; // yield None: one turn of the loop
    println!("one turn later");
    println!("{}", yield_!(same)?);
    println!("{:?}", yield_!(list)?);
    println!("{}", yield_!(task)?);
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    IoLoop::current().run_sync(converts)
}
