//! Tornado's coroutine machinery in Rust: generators `yield` [`Future`] handles to a [`Runner`],
//! which waits for each and sends the result back in, on a real event loop.
//!
//! What nobody can be told by an exception is logged, by the crate `log`, with its traceback: a callback that
//! failed, an exception that nobody retrieved. A program that installs no logger does not see it.

#[cfg(feature = "macros")]
mod attributes;
pub mod context;
pub mod executor;
pub mod gen;
pub mod ioloop;
pub mod locks;
#[cfg(feature = "program")]
pub mod program;
pub mod queues;
pub mod testing;
pub mod trace;

#[cfg(all(feature = "macros", feature = "trace"))]
pub use attributes::test;
#[cfg(feature = "macros")]
pub use attributes::{coroutine, main};
pub use context::ContextVar;
pub use executor::{ExecutorError, ThreadPoolExecutor};
pub use gen::*;
pub use ioloop::{IoLoop, LoopHandle, PeriodicCallback};
pub use squall_runner::{
    AnyFuture, Context, Error, Exception, Frame, Future, Misuse, Promise, Resolvable, Result, Shared, Waiting,
};

#[doc = include_str!("../docs/cancellation.md")]
pub mod cancellation {}
#[doc(hidden)]
pub mod __private;
