use squall::Result;

#[squall::coroutine(start = "later")]
fn foo() -> Result<()> {
    Ok(())
}

fn main() {
    let _ = foo();
}
