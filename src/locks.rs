//! Locks for coroutines: who has to wait waits in line, first come first served.
//!
//! ```
//! use squall::{coroutine, locks::Lock, moment, IoLoop};
//!
//! fn visit(lock: Lock) -> squall::Future<()> {
//!     coroutine(|co| async move {
//!         let _guard = co.yield_(lock.acquire()).await?;      // released when the guard is dropped
//!         co.yield_(moment()).await?;                         // nobody else is in here meanwhile
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
//! | [`Semaphore`], [`BoundedSemaphore`] | so many at a time |
//! | [`Condition`] | wait until somebody notifies |
//! | [`Event`] | wait until a flag is set |
//!
//! Each is a handle: clones mean the same lock. They are for the coroutines of one thread, yield-style and
//! native. Nothing runs inside `release`, `notify` or `set`: whoever is let in is resumed by the loop.
//!
//! # Time limits
//!
//! What waits has a twin whose name ends in `_within`, here and in [`queues`](crate::queues), that takes how long to
//! wait at most: `lock.acquire_within(d)` for Tornado's `lock.acquire(timeout=d)`. It is always a length of time
//! and never a time of day; in Tornado it may be either, and the guide has to warn of mixing them up. The twin is
//! better than `with_timeout(d, lock.acquire())`, which gives up waiting but does not leave the line.
//!
//! # Who does not come
//!
//! Who was cancelled or has run out of time is passed over. Whoever is let in but does not take it, since
//! the coroutine or the Future was dropped meanwhile, lets in the next one. The table in
//! [`cancellation`](crate::cancellation) has it all.
//!
//! Source: `tornado.locks`.

mod condition;
mod event;
pub(crate) mod line;
pub(crate) mod request;
mod semaphore;

pub use condition::Condition;
pub use event::Event;
pub use semaphore::{BoundedSemaphore, Guard, Lock, NotLocked, ReleasedTooOften, Semaphore};
