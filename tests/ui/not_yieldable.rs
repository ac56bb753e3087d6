use squall::Result;

#[squall::coroutine]
fn number() -> Result<i32> {
    yield_!(5)?;
    Ok(5)
}

#[squall::coroutine]
fn no_result() -> Result<i32> {
    let five = yield_!(std::future::ready(5))?;
    Ok(five)
}

fn main() {
    let _ = (number(), no_result());
}
