use squall::{Future, Result};

#[squall::coroutine]
fn forgets_ok(number: Future<i32>) -> Result<i32> {
    let n = yield_!(number)?;
    n
}

#[squall::coroutine]
fn wrong_value(number: Future<i32>) -> Result<String> {
    let n = yield_!(number)?;
    if n == 0 {
        return Ok(n);
    }
    Ok(n)
}

#[squall::coroutine]
fn never_yields() -> Result<String> {
    Ok(5)
}

#[squall::coroutine]
fn forgets_the_question_mark(number: Future<i32>) -> Result<i32> {
    Ok(yield_!(number))
}

#[squall::coroutine]
fn forgets_the_value() -> Result<()> {
    yield_!(())?;
}

#[squall::coroutine]
fn empty() -> Result<()> {}

#[squall::coroutine]
fn no_error() -> Result<()> {
    yield_!(())?;
    Err("a text is no error")?;
    Ok(())
}

fn main() {
    let _ = (forgets_ok(Future::ready(5)), wrong_value(Future::ready(5)), never_yields(), no_error());
}
