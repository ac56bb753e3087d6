use squall::{Future, Result};

#[squall::coroutine]
fn ends_with_a_semicolon(number: Future<i32>) -> Result<i32> {
    let n = yield_!(number)?;
    Ok(n + 1);
}

#[squall::coroutine]
fn plain_that_ends_with_a_semicolon() -> Result<i32> {
    Ok(5);
}

#[squall::coroutine]
fn ends_with_nothing(number: Future<()>) -> Result<()> {
    yield_!(number)?;
}

#[squall::coroutine]
fn ends_with_a_statement(number: Future<i32>) -> Result<i32> {
    let _n = yield_!(number)?;
}

#[squall::coroutine]
fn ends_with_a_loop(number: Future<i32>) -> Result<i32> {
    for _ in 0..3 {
        yield_!(())?;
    }
}

#[squall::coroutine]
fn ends_with_the_value(number: Future<i32>) -> Result<i32> {
    let n = yield_!(number)?;
    n
}

fn main() {}
