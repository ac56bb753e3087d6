use squall::Result;

#[squall::coroutine]
async fn native() -> Result<()> {
    std::future::ready(()).await;
    Ok(())
}

#[squall::coroutine]
const fn constant() -> Result<i32> {
    Ok(5)
}

#[squall::coroutine]
unsafe fn dangerous() -> Result<i32> {
    Ok(5)
}

#[squall::coroutine]
extern "C" fn foreign() -> Result<i32> {
    Ok(5)
}

fn main() {
    let _ = (native(), constant(), foreign());
}
