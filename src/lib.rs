//! Tornado's coroutine machinery in Rust: generators `yield` [`Future`] handles to a [`Runner`](gen::Runner),
//! which waits for each and sends the result back in, on a real event loop.
#![cfg_attr(docsrs, feature(doc_cfg))]

/// What coroutines yield, and what drives them. (`gen` is a keyword in edition 2024: everything in here is also
/// found at the root of the crate.)
pub mod gen {
    pub use squall_runner::{
        convert_yielded, coroutine, moment, native, Co, Coroutine, Generator, GeneratorState, Moment, Resume,
        Return, Runner, Sent, Yieldable, Yielded,
    };
}

pub use gen::*;
pub use squall_runner::{
    marker, AnyFuture, Context, ContextVar, Error, Exception, Frame, Future, Misuse, Promise, Resolvable,
    Result, Shared, Waiting,
};

#[cfg(feature = "macros")]
pub use squall_macros::coroutine;

/// What the attribute macros expand to. Not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use squall_runner::runner::{call, call_plain};
}
