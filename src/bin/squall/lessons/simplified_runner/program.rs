//! The Runner in ten lines: send, wait for the Future, send again.
//! Tornado's guide: How it works.

use std::time::Duration;

use squall::testing::Stepper;
use squall::{Future, IoLoop, Result};

#[squall::coroutine]
fn add(first: Future<i32>, second: Future<i32>) -> Result<()> {
    let a = yield_!(first)?;
    println!("the first is {a}");
    let b = yield_!(second)?;
    println!("the second is {b}, the sum {}", a + b);
    Ok(())
}

/// Sends `next` in, waits for the Future that is yielded, and runs again.
fn run(mut generator: Stepper, next: Option<i32>) {
    match next {
        None => generator.next(),
        Some(value) => generator.send(value),
    };
    if generator.is_done() {
        println!("the generator is finished");
    } else {
        let yielded = generator.yielded();
        let future = yielded.future().expect("a Future").clone();
        let done = future.clone();
        let again = move || run(generator, done.into_result().ok());
        future.add_callback(again);
    }
}

pub(crate) fn main() -> Result<()> {
    let io_loop = IoLoop::current();
    let (first, second) = (Future::new(), Future::new());
    let (one, two) = (first.promise(), second.promise());
    io_loop.call_later(Duration::from_millis(100), move || {
        one.set_result(1);
        println!("set_result(1) has returned");
    });
    io_loop.call_later(Duration::from_millis(200), || two.set_result(2));
    let stop = io_loop.clone();
    io_loop.call_later(Duration::from_millis(300), move || stop.stop());

    run(Stepper::new(|| add(first, second)), None);
    println!("run has returned");
    io_loop.start();
    Ok(())
}
