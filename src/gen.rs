//! Things that coroutines yield, and the Runner that drives coroutines: Tornado's module `gen`.
//!
//! `gen` is a keyword in edition 2024, where this module is spelled `squall::r#gen`. Everything in it is also exported
//! at the root of the crate, whose [first page](crate#yielding) shows how to use it.

mod chain_future;
mod late_failure;
mod multi;
mod sleep;
mod task;
mod wait_iterator;
mod with_timeout;

pub use chain_future::chain_future;
#[cfg(feature = "program")]
pub(crate) use multi::Futures;
pub use multi::{multi, multi_quiet, Children};
pub use sleep::sleep;
pub use squall_runner::runner::coroutine;
pub use squall_runner::{
    convert_yielded, moment, native, Co, Coroutine, Generator, GeneratorState, Moment, Resume, Return,
    Runner, Yieldable, Yielded,
};
pub use task::{maybe_future, task, MaybeFuture};
pub use wait_iterator::WaitIterator;
pub(crate) use with_timeout::timed_out;
pub use with_timeout::{with_timeout, with_timeout_erased, with_timeout_erased_quiet, with_timeout_quiet};

/// Markers for authors of yieldable types, who implement `Yieldable<marker::Custom>`.
///
/// A marker is the type parameter of [`Yieldable`]: one for each kind of yieldable thing, so that the implementations
/// for these kinds do not overlap. Everywhere else the compiler infers it.
pub mod marker {
    pub use super::multi::{Erased, List, Map, Tuple};
    pub use squall_runner::marker::{Custom, Moment, Native};
}
