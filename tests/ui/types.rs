use squall::{Future, Result};

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
fn wrong_argument(number: Future<i32>) -> Result<u64> {
    Ok(u64::pow(yield_!(number)?, 2))
}

fn main() {
    let _ = (wrong_value(Future::ready(5)), never_yields(), wrong_argument(Future::ready(5)));
}
