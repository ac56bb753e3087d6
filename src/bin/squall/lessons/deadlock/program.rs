//! Two coroutines take two locks in opposite order, and wait for ever.
//! Tornado's locks and queues.

use squall::locks::Lock;
use squall::{moment, IoLoop, Result};

#[squall::coroutine]
fn transfer(name: &'static str, from: Lock, to: Lock) -> Result<()> {
    let _from = yield_!(from.acquire())?;
    println!("{name} holds its first lock");
    yield_!(moment())?;
    let _to = yield_!(to.acquire())?;
    println!("{name} holds both locks");
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    let [a, b] = ["a", "b"].map(|name| Lock::new().named(name));
    let (c, d) = (a.clone(), b.clone());
    let both = || [transfer("one", a, b), transfer("two", d, c)];
    // Raises Deadlock.
    if IoLoop::current().run_sync(both).is_err() {
        println!("they wait for each other for ever");
    }
    Ok(())
}
