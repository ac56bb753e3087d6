//! Locks for coroutines. Requests that have to wait are served first come, first served.
//!
//! ```
//! use squall::{coroutine, locks::Lock, moment, IoLoop};
//!
//! fn visit(lock: Lock) -> squall::Future<()> {
//!     coroutine(|co| async move {
//!         let _guard = co.yield_(lock.acquire()).await?;      // released when the guard is dropped
//!         co.yield_(moment()).await?;                         // no other coroutine is in here meanwhile
//!         Ok(())
//!     })
//! }
//! let lock = Lock::new();
//! IoLoop::current().run_sync(|| [visit(lock.clone()), visit(lock.clone())])?;
//! # Ok::<(), squall::Exception>(())
//! ```
//!
//! | | |
//! |---|---|
//! | [`Lock`] | one at a time |
//! | [`Semaphore`], [`BoundedSemaphore`] | at most n at a time |
//! | [`Condition`] | wait until another coroutine notifies |
//! | [`Event`] | wait until a flag is set |
//!
//! Each lock is a handle: clones refer to the same lock. Locks synchronise the coroutines of one thread, yield-style
//! and native ones. Nothing runs inside `release`, `notify` or `set`: the loop resumes the coroutines that are let in.
//!
//! # Time limits
//!
//! Each method that waits has a twin with the suffix `_within` that takes a time limit, here and in
//! [`queues`](crate::queues): Tornado's `lock.acquire(timeout=d)` is `lock.acquire_within(d)`. The limit is always a
//! duration and never a point in time; Tornado accepts either, and its guide warns of confusing the two.
//!
//! # Abandoned requests
//!
//! A request leaves its line when it is served, cancelled or out of time, or when its last handle is dropped. If a
//! request was served, but its coroutine or Future is dropped before it takes the result, the result passes to the next
//! request. A request belongs to the loop on which it was made, and is withdrawn when that loop ends. The table in
//! [`cancellation`](crate::cancellation) lists each case.
//!
//! # Names
//!
//! Traces, [`Error::Deadlock`](crate::Error::Deadlock) and [`IoLoop::dump`](crate::IoLoop::dump) name what a coroutine
//! waits for and the coroutine that holds it: `Lock#2, held by transfer since src/bank.rs:20:31`. `named` sets a name:
//!
//! ```
//! use squall::locks::Lock;
//!
//! let accounts = Lock::new().named("accounts");
//! assert_eq!(&*accounts.name(), "accounts");
//! assert_eq!(&*Lock::new().name(), "Lock#1");             // the first unnamed lock that is mentioned
//! ```
//!
//! Source: `tornado.locks`.

mod condition;
mod event;
mod holders;
pub(crate) mod line;
pub(crate) mod name;
mod permits;
pub(crate) mod request;
mod semaphore;

pub use condition::Condition;
pub use event::Event;
pub use permits::Guard;
pub use semaphore::{BoundedSemaphore, Lock, NotLocked, ReleasedTooOften, Semaphore};
