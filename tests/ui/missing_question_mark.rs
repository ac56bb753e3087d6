use squall::{Future, Result};

#[squall::coroutine]
fn adds(number: Future<i32>) -> Result<i32> {
    let n = yield_!(number) + 1;
    Ok(n)
}

#[squall::coroutine]
fn returns(number: Future<i32>) -> Result<i32> {
    let n = yield_!(number);
    Ok(n)
}

#[squall::coroutine]
fn calls_a_method(text: Future<String>) -> Result<usize> {
    Ok(yield_!(text).len())
}

#[squall::coroutine]
fn passes_on(text: Future<String>) -> Result<usize> {
    fn len(text: &str) -> usize {
        text.len()
    }
    let text = yield_!(text);
    Ok(len(&text))
}

#[squall::coroutine]
fn destructures(pair: (Future<i32>, Future<i32>)) -> Result<i32> {
    let (a, b) = yield_!(pair);
    Ok(a + b)
}

#[squall::coroutine]
fn has_a_type(number: Future<i32>) -> Result<()> {
    let _n: i32 = yield_!(number);
    Ok(())
}

#[squall::coroutine]
fn prints(number: Future<i32>) -> Result<()> {
    println!("{}", yield_!(number));
    Ok(())
}

fn main() {}
