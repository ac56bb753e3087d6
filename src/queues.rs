//! Queues between coroutines. A coroutine that finds a queue empty, or full, waits in line.
//!
//! ```
//! use squall::{coroutine, queues::Queue, IoLoop};
//!
//! let queue = Queue::new(2);
//! let items = queue.clone();
//! let _consumer = coroutine(|co| async move {
//!     loop {
//!         let item: i32 = co.yield_(items.get()).await?;
//!         println!("{item}");
//!         items.task_done()?;
//!     }
//!     #[allow(unreachable_code)]
//!     Ok(())
//! });
//! IoLoop::current().run_sync(|| coroutine(|co| async move {
//!     for item in 0..5 {
//!         co.yield_(queue.put(item)).await?;              // waits while the queue is full
//!     }
//!     co.yield_(queue.join()).await                       // waits until all of them are worked on
//! }))?;
//! # Ok::<(), squall::Exception>(())
//! ```
//!
//! [`Queue`] returns the oldest item first, [`PriorityQueue`] the smallest, [`LifoQueue`] the youngest. Each is a
//! handle: clones refer to the same queue. Queues connect the coroutines of one thread, yield-style and native ones; a
//! native coroutine writes `queue.get().await?`. The twins with the suffix `_within` take a time limit, as those of
//! [locks](crate::locks#time-limits) do.
//!
//! # Untaken items
//!
//! An item may be handed to a coroutine that is dropped before it takes it. The item then goes to the next coroutine in
//! line, or back to its former place in the queue, which may hold more than its limit then. An item that waits for room
//! is dropped only if its Future is cancelled or runs out of time; [`put_nowait`](Queue::put_nowait) and
//! [`try_put_within`](Queue::try_put_within) hand it back. The table in [`cancellation`](crate::cancellation) lists
//! each case.
//!
//! Source: `tornado.queues`, where an item that was handed over and not taken is lost.

mod heap;
mod inner;
mod items;
mod numbered;
mod queue;
mod requests;

pub use queue::{LifoQueue, PriorityQueue, Queue};

/// The error of [`get_nowait`](Queue::get_nowait) on an empty queue. Source: `tornado.queues.QueueEmpty`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the queue is empty")]
pub struct QueueEmpty;

/// The error of a put for which there is no room. It holds the item. Source: `tornado.queues.QueueFull`.
///
/// ```
/// use squall::queues::{Queue, QueueFull};
///
/// let queue = Queue::new(1);
/// queue.put_nowait("a")?;
/// let QueueFull(item) = queue.put_nowait("b").unwrap_err();
/// assert_eq!(item, "b");
/// # Ok::<(), squall::Exception>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the queue is full")]
pub struct QueueFull<T>(pub T);

impl<T> std::fmt::Debug for QueueFull<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("QueueFull(..)")
    }
}

/// The error of [`task_done`](Queue::task_done) when it is called more often than items were put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("task_done() called too many times")]
pub struct TooManyTasksDone;
