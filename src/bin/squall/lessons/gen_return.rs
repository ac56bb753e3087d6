//! `raise gen.Return(value)` ends a coroutine from anywhere in it.
//! Tornado's guide: Decorated coroutines.

use std::time::Duration;

use squall::{sleep, IoLoop, Result, Return};

/// A plain function: it cannot return from the coroutine that calls it,
/// but it can raise.
fn answer_if_known(question: &str) -> Result<()> {
    if question == "6 * 7" {
        Err(Return(42))?;
    }
    Ok(())
}

#[squall::coroutine]
fn ask(question: &'static str) -> Result<i32> {
    answer_if_known(question)?;
    println!("I have to think about {question}");
    yield_!(sleep(Duration::from_millis(100)))?;
    Ok(0)
}

#[squall::coroutine]
fn quiz() -> Result<i32> {
    Ok(yield_!(ask("6 * 7"))? + yield_!(ask("0 * 7"))?)
}

pub(crate) fn main() -> Result<()> {
    println!("{}", IoLoop::current().run_sync(quiz)?);
    Ok(())
}
