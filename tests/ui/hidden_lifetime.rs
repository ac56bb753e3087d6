use std::cell::{Ref, RefCell};

use squall::Result;

#[squall::coroutine]
fn hidden(cell: Ref<i32>) -> Result<i32> {
    yield_!(())?;
    Ok(*cell)
}

fn main() {
    let cell = RefCell::new(5);
    let _ = hidden(cell.borrow());
}
