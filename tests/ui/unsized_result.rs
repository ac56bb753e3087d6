use squall::Result;

#[squall::coroutine]
fn text() -> Result<str> {
    yield_!(())?;
    Ok("text")
}

#[squall::coroutine]
fn list() -> Result<[u8]> {
    Ok([5])
}

#[squall::coroutine]
fn object() -> squall::Result<dyn std::fmt::Debug> {
    Ok(5)
}

fn main() {}
