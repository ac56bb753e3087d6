//! Between reading and writing is a yield: an update is lost.
//! Tornado's locks and queues.

use std::cell::Cell;
use std::rc::Rc;

use squall::locks::Lock;
use squall::{moment, IoLoop, Result};

type Balance = Rc<Cell<i32>>;

#[squall::coroutine]
fn deposit(balance: Balance, amount: i32) -> Result<()> {
    let read = balance.get();
    yield_!(moment())?; // a query, a log, anything that waits
    balance.set(read + amount);
    Ok(())
}

#[squall::coroutine]
fn careful(balance: Balance, amount: i32, lock: Lock) -> Result<()> {
    let _held = yield_!(lock.acquire())?;
    yield_!(deposit(balance, amount))
}

#[squall::coroutine]
fn deposits() -> Result<()> {
    let balance = Balance::default();
    let both = [10, 20].map(|amount| deposit(balance.clone(), amount));
    yield_!(both)?;
    println!("without a lock: {}", balance.get());

    let (balance, lock) = (Balance::default(), Lock::new());
    let careful = |amount| careful(balance.clone(), amount, lock.clone());
    yield_!([10, 20].map(careful))?;
    println!("with a lock: {}", balance.get());
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    IoLoop::current().run_sync(deposits)
}
