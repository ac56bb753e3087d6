use squall::{Future, Result};

#[squall::coroutine]
fn nine(n: Future<i32>) -> Result<()> {
    let f = || Future::ready(5);
    yield_!((n, f(), f(), f(), f(), f(), f(), f(), f()))?;
    Ok(())
}

fn main() {}
