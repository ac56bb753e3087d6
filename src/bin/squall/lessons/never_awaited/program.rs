//! Nothing of an `async fn` runs until something awaits it.
//! Tornado's guide: Native vs decorated coroutines.

use squall::{IoLoop, Result};

#[squall::coroutine]
fn decorated() -> Result<()> {
    println!("decorated runs");
    Ok(())
}

async fn native() -> Result<()> {
    println!("native runs");
    Ok(())
}

#[squall::coroutine]
fn caller() -> Result<()> {
    drop(decorated());
    println!("decorated was called");
    drop(native());
    println!("native was called");
    yield_!(native())?;
    println!("native was yielded");
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    IoLoop::current().run_sync(caller)
}
