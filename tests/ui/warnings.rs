//! The warnings are the user's own, at the user's lines, and there are no others.
#![deny(warnings)]

use squall::{Future, Result};

#[squall::coroutine]
fn unused(parameter: i32, _hidden: i32, mut mutable: i32) -> Result<i32> {
    let local = yield_!(Future::ready(5))?;
    Ok(mutable)
}

#[squall::coroutine]
fn forgotten() -> Result<()> {
    yield_!(());
    Ok(())
}

#[squall::coroutine]
fn unreachable() -> Result<i32> {
    yield_!(())?;
    return Ok(5);
    yield_!(())?;
}

#[squall::coroutine]
fn plain(parameter: i32) -> Result<i32> {
    Ok(5)
}

#[squall::coroutine]
#[rustfmt::skip]
fn one_line(number: i32) -> Result<i32> { yield_!(plain(number)) }

#[squall::coroutine]
#[rustfmt::skip]
fn one_line_that_never_yields(number: i32) -> Result<i32> { Ok(number) }

fn main() {
    unused(1, 2, 3);
    let _ = (forgotten(), unreachable(), one_line(5), one_line_that_never_yields(5));
}
