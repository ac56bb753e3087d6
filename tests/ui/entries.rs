use squall::Result;

#[squall::test]
fn takes_something(n: i32) -> Result<()> {
    assert_eq!(n, 5);
    Ok(())
}

#[squall::test]
fn returns_nothing() {
    yield_!(()).unwrap();
}

#[squall::test]
async fn native_returns_nothing() {
    squall::moment().await.unwrap();
}

#[squall::main(flavor = "multi_thread")]
struct NoFunction;

#[squall::main]
async fn main() -> Result<()> {
    yield_!(squall::moment())
}
