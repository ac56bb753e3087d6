struct Mine;

#[squall::coroutine]
fn own_type() -> Mine {
    Mine
}

#[squall::coroutine]
fn other_error() -> std::io::Result<usize> {
    Ok(5)
}

#[squall::coroutine]
fn yields() -> std::fmt::Result {
    let _ = yield_!(());
    Ok(())
}

fn main() {
    let _ = (other_error(), yields());
}
