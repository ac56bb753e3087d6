use squall::{Future, Result};

#[squall::coroutine]
fn nothing() -> Result<()> {
    yield_!();
    Ok(())
}

#[squall::coroutine]
fn two(a: Future<i32>, b: Future<i32>) -> Result<()> {
    yield_!(a, b)?;
    Ok(())
}

fn main() {
    let _ = (nothing(), two(Future::ready(1), Future::ready(2)));
}
