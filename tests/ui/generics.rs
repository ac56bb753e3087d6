use squall::Result;

#[squall::coroutine]
fn may_not_be_kept<T: ToString>(of: T) -> Result<String> {
    yield_!(())?;
    Ok(of.to_string())
}

#[squall::coroutine]
fn argument(of: impl ToString) -> Result<String> {
    yield_!(())?;
    Ok(of.to_string())
}

fn main() {
    let _ = (may_not_be_kept(5), argument(5));
}
