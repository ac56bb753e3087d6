struct Mine;

#[squall::coroutine]
fn own_type() -> Mine {
    Mine
}

#[squall::coroutine]
fn other_error() -> std::io::Result<usize> {
    yield_!(())?;
    Ok(5)
}

fn main() {
    let _ = (own_type(), other_error());
}
