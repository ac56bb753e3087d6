//! `with_timeout` stops waiting; what it waited for goes on.
//! Tornado's `gen.with_timeout`.

use std::time::Duration;

use squall::{sleep, with_timeout, Error, IoLoop, Result};

#[derive(Debug, thiserror::Error)]
#[error("no answer")]
struct NoAnswer;

#[squall::coroutine]
fn slow() -> Result<i32> {
    yield_!(sleep(Duration::from_secs(2)))?;
    println!("slow fails");
    Err(NoAnswer)?
}

#[squall::coroutine]
fn impatient() -> Result<()> {
    let limit = Duration::from_secs(1);
    match yield_!(with_timeout(limit, slow())) {
        Err(e) if e.downcast_ref() == Some(&Error::Timeout) => {
            println!("given up");
        }
        other => println!("{:?}", other?),
    }
    yield_!(sleep(Duration::from_secs(2)))?;
    println!("impatient ends");
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    IoLoop::current().run_sync(impatient)
}
