//! A queue with a size lets a fast producer wait for a slow consumer.
//! Tornado's locks and queues.

use std::time::Duration;

use squall::queues::Queue;
use squall::{sleep, IoLoop, Result};

#[squall::coroutine]
fn producer(queue: Queue<i32>) -> Result<()> {
    for item in 0..5 {
        yield_!(queue.put(item))?;
        println!("put {item}");
    }
    Ok(())
}

#[squall::coroutine]
fn consumer(queue: Queue<i32>) -> Result<()> {
    for _ in 0..5 {
        let item = yield_!(queue.get())?;
        println!("got {item}");
        yield_!(sleep(Duration::from_secs(1)))?;
    }
    Ok(())
}

pub(crate) fn main() -> Result<()> {
    let queue = Queue::new(2).named("jobs");
    let queues = (queue.clone(), queue);
    let both = || [consumer(queues.0), producer(queues.1)];
    IoLoop::current().run_sync(both)?;
    Ok(())
}
