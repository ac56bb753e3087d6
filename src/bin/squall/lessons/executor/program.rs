//! Code that blocks runs on another thread, and the loop goes on.
//! Tornado's guide: Calling blocking functions.

use std::sync::mpsc;

use squall::{IoLoop, Result, ThreadPoolExecutor};

/// Stands for a function that blocks: it waits for a message.
fn blocking(messages: mpsc::Receiver<u64>) -> u64 {
    let number = messages.recv().unwrap_or_default();
    (1..=number).sum()
}

#[squall::coroutine]
fn sums() -> Result<()> {
    let pool = ThreadPoolExecutor::new(1);
    let (send, messages) = mpsc::channel();
    let sum = pool.submit(|| blocking(messages));
    println!("the job is handed over");
    IoLoop::current().add_callback(move || {
        println!("the loop goes on meanwhile");
        let _ = send.send(1000);
    });
    println!("the job returned {}", yield_!(sum)?);
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    IoLoop::current().run_sync(sums)
}
