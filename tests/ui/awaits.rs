use squall::{sleep, Future, Result};
use std::time::Duration;

#[squall::coroutine]
fn instead_of_yield(number: Future<i32>) -> Result<i32> {
    let n = number.await?;
    Ok(n)
}

#[squall::coroutine]
fn beside_a_yield(number: Future<i32>) -> Result<i32> {
    yield_!(())?;
    println!("{}", number.await?);
    let native = async { sleep(Duration::ZERO).await };
    yield_!(native)?;
    Ok(5)
}

fn main() {
    let _ = (instead_of_yield(Future::ready(5)), beside_a_yield(Future::ready(5)));
}
