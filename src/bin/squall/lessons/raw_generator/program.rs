//! A generator is resumed by hand: `next` starts it, `send` goes on.
//! Tornado's guide: How it works.

use squall::testing::Stepper;
use squall::{Future, Result};

/// Prints what is sent in, twice.
#[squall::coroutine]
fn listener() -> Result<()> {
    println!("the body begins");
    for _ in 0..2 {
        let says = yield_!(Future::<String>::new())?; // says = yield
        println!("it was sent {says}");
    }
    println!("the body ends");
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    let mut generator = Stepper::new(listener);
    println!("nothing of it has run");
    generator.next();
    println!("it stands at its first yield");
    generator.send(String::from("hello"));
    generator.send(String::from("bye"));
    if generator.is_done() {
        println!("it is finished");
    }
    Ok(())
}
