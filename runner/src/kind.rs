//! [`Kind`]: what kind of thing a coroutine yielded.

use std::fmt;

use crate::state::State;

/// What kind of thing was yielded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// `()`.
    None,
    /// `moment()`.
    Moment,
    /// A Future, and its state at that moment.
    Future(State),
    /// A native coroutine, or any other `std::future::Future`.
    Awaitable,
    /// So many things, all waited for.
    List(usize),
    /// So many things by key.
    Dict(usize),
    /// A type that its author made yieldable.
    Other(&'static str),
    /// Nothing that can be waited for.
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
