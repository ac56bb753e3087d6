use squall::{Future, Result};

#[squall::coroutine]
fn closure(numbers: Vec<i32>) -> Result<Vec<i32>> {
    numbers.into_iter().map(|n| yield_!(Future::ready(n))).collect()
}

#[squall::coroutine]
fn closure_and_macro(numbers: Vec<i32>) -> Result<()> {
    numbers.into_iter().for_each(|n| println!("{}", yield_!(Future::ready(n)).unwrap()));
    Ok(())
}

#[squall::coroutine]
fn async_block() -> Result<i32> {
    yield_!(async { yield_!(Future::ready(5)) })
}

#[squall::coroutine]
fn function() -> Result<i32> {
    fn inner() -> Result<i32> {
        yield_!(Future::ready(5))
    }
    #[squall::coroutine]
    fn fine() -> Result<i32> {
        yield_!(Future::ready(5))
    }
    yield_!(fine())?;
    inner()
}

macro_rules! hides_a_yield {
    () => {
        yield_!(())?
    };
}

#[squall::coroutine]
fn macro_from_outside() -> Result<()> {
    hides_a_yield!();
    Ok(())
}

fn main() {
    let _ = (closure(vec![]), closure_and_macro(vec![]), async_block(), function(), macro_from_outside());
}
