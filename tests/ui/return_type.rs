use std::fmt::Display;

use squall::{Future, Result};

#[squall::coroutine]
fn nothing() {
    yield_!(());
}

#[squall::coroutine]
fn unit() -> () {
    yield_!(());
}

#[squall::coroutine]
fn pair() -> (i32, i32) {
    yield_!(());
    (1, 2)
}

#[squall::coroutine]
fn future() -> Future<i32> {
    yield_!(())?;
    Ok(1)
}

#[squall::coroutine]
fn hidden() -> impl Display {
    5
}

#[squall::coroutine]
fn number() -> i32 {
    yield_!(()).unwrap();
    5
}

#[squall::coroutine]
fn option() -> Option<i32> {
    Some(5)
}

fn main() {
    let f = || -> Result<()> { Ok(()) };
    let _ = (nothing(), unit(), pair(), future(), hidden(), number(), option(), f());
}
