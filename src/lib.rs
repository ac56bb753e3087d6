//! Tornado's coroutine machinery in Rust: generators `yield` [`Future`] handles to a [`Runner`](gen::Runner),
//! which waits for each and sends the result back in, on a real event loop.

pub mod gen;
pub mod ioloop;
pub mod testing;

pub use gen::*;
pub use ioloop::{IoLoop, LoopHandle};
pub use squall_runner::{
    AnyFuture, Context, ContextVar, Error, Exception, Frame, Future, Misuse, Promise, Resolvable, Result,
    Shared, Waiting,
};

#[cfg(feature = "macros")]
pub use squall_macros::coroutine;

/// What the attribute macros expand to. Not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use squall_runner::runner::{call, call_plain};
}
