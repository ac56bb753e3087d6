//! Locks for coroutines: requests that have to wait stand in a line, first come, first served.
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
//! Each is a handle: clones mean the same lock. They are for the coroutines of one thread, yield-style and
//! native. Nothing runs inside `release`, `notify` or `set`: the loop resumes the coroutines that are let in.
//!
//! # Time limits
//!
//! Each method that waits has a twin whose name ends in `_within`, here and in [`queues`](crate::queues), that takes how
//! long to wait at most: `lock.acquire_within(d)` for Tornado's `lock.acquire(timeout=d)`. It is always a length of time
//! and never a time of day; in Tornado it may be either, and the guide has to warn of mixing them up.
//!
//! # Requests that nobody wants
//!
//! A request is in its line until it is served, cancelled or out of time, or until its last handle is dropped. One that
//! was served and whose result nobody takes, because the coroutine or the Future was dropped meanwhile, passes on to the
//! next one. A request belongs to the loop on which it was made, and goes when that loop ends. The table in
//! [`cancellation`](crate::cancellation) has each case.
//!
//! # Names
//!
//! Traces, [`Error::Deadlock`](crate::Error::Deadlock) and [`IoLoop::dump`](crate::IoLoop::dump) name what a coroutine
//! waits for, and what holds it: `Lock#2, held by transfer since src/bank.rs:20:31`. A name of your own is set by `named`:
//!
//! ```
//! use squall::locks::Lock;
//!
//! let accounts = Lock::new().named("accounts");
//! assert_eq!(&*accounts.name(), "accounts");
//! assert_eq!(&*Lock::new().name(), "Lock#1");             // the first lock without one that is mentioned
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
