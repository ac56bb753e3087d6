//! [`Kind`]: the kind of a yielded thing.

use std::fmt;

use crate::state::State;

/// The kind of a yielded thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// `()`.
    None,
    /// `moment()`.
    Moment,
    /// A Future, and its state at the yield.
    Future(State),
    /// A native coroutine, or any other `std::future::Future`.
    Awaitable,
    /// A list of this many things, which are waited for together.
    List(usize),
    /// A map of this many things, which are waited for together.
    Dict(usize),
    /// A type whose author made it yieldable.
    Other(&'static str),
    /// Something that cannot be waited for.
    Bad,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Moment => f.write_str("moment"),
            Self::Future(state) => f.write_str(&format!("future:{state:?}").to_lowercase()),
            Self::Awaitable => f.write_str("awaitable"),
            Self::List(n) => write!(f, "list:{n}"),
            Self::Dict(n) => write!(f, "dict:{n}"),
            Self::Other(name) => f.write_str(name),
            Self::Bad => f.write_str("bad"),
        }
    }
}
