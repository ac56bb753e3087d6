use squall::Result;

#[squall::coroutine]
fn no_such_type(of: NoSuchType) -> Result<NoSuchType> {
    yield_!(())?;
    Ok(of)
}

fn main() {
    let _ = no_such_type(5);
}
