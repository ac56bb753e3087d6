//! What the entries of a trace are made of: lines, exceptions, what is yielded, what is ready.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use squall_runner::trace::{CallId, FutureId, Kind, State};
use squall_runner::Place;

/// The number of a loop, from 1, in the order in which they are first mentioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LoopId(pub NonZeroU32);

/// The number of a timer, from 1, in the order in which they are first mentioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TimerId(pub NonZeroU32);

/// An exception, as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// The type of the error, without its path.
    pub name: Cow<'static, str>,
    /// Its message.
    pub message: String,
    /// The coroutines that it had left by then, outermost first, as in a traceback: where each was, and its name.
    pub traceback: Vec<(Place, Cow<'static, str>)>,
    /// How many more frames the traceback had than were kept.
    pub elided: usize,
}

/// Its name and message, in one line.
impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.as_str() {
            "" => f.write_str(&self.name),
            message => write!(f, "{}: {message}", self.name),
        }
    }
}

/// What was yielded: a [`Kind`], without borrowing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Thing {
    /// `()`.
    None,
    /// `moment()`.
    Moment,
    /// A Future, and its state at that moment.
    Future(State),
    /// A native coroutine, or any other `std::future::Future`.
    Awaitable,
    /// That many things, all waited for.
    List(usize),
    /// That many things by key.
    Dict(usize),
    /// A type that its author made yieldable.
    Other(Cow<'static, str>),
    /// Something that cannot be waited for.
    Bad,
}

impl Thing {
    pub(super) fn of(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::None => Self::None,
            Kind::Moment => Self::Moment,
            Kind::Future(state) => Self::Future(state),
            Kind::Awaitable => Self::Awaitable,
            Kind::List(len) => Self::List(len),
            Kind::Dict(len) => Self::Dict(len),
            Kind::Other(name) => Self::Other(name.into()),
            Kind::Bad => Self::Bad,
            _ => return None,
        })
    }
}

/// Where the result of a Future comes from, if not from a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Source {
    /// `sleep`.
    Sleep {
        /// When it ends.
        #[serde(with = "nanoseconds")]
        until: Duration,
    },
    /// A list, tuple or map of Futures.
    Multi {
        /// The first of them; at most 32 are kept.
        of: Vec<FutureId>,
        /// How many there are.
        len: usize,
    },
    /// `with_timeout`.
    Timeout {
        /// What it waits for.
        of: FutureId,
        /// When it fails.
        #[serde(with = "nanoseconds")]
        until: Duration,
    },
    /// Something else.
    Named(Cow<'static, str>),
}

/// What stands on a ready queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standing {
    /// A coroutine that is to be resumed, or started.
    Call(CallId),
    /// What settles a Future or is a part of that: a timer, a list one of whose children is done, a limit.
    Future(FutureId),
    /// Anything else, by the name of the function in which it was written.
    Callback(Cow<'static, str>),
}

/// Why something goes on a ready queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// A native coroutine was called, or a coroutine that a tool starts in a step of its own.
    Called,
    /// It waited for that Future, which is done.
    Done(FutureId),
    /// It has yielded the `moment`.
    Moment,
    /// A native coroutine was woken by its waker.
    Woken,
    /// That timer is due.
    Timer(TimerId),
    /// It was added by `add_callback`.
    Added,
    /// Another thread has added it.
    Outside,
    /// The result of an executor job is there.
    Job,
    /// A descriptor or socket is ready.
    Io,
    /// It waited for a Future of squall's own work.
    Internal,
}

/// A coroutine that holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The call, if it was observed.
    pub call: Option<CallId>,
    /// The name of the coroutine; `None` where the lock was taken outside of coroutines.
    pub name: Option<Cow<'static, str>>,
    /// The line where it asked for the lock.
    pub place: Option<Place>,
}

/// Those that wait at a lock or queue, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The Futures that they wait for; at most 32.
    pub first: Vec<FutureId>,
    /// How many there are.
    pub len: usize,
}

/// Times as integers.
pub(super) mod nanoseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    fn of(time: Duration) -> u64 {
        u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
    }

    #[allow(clippy::trivially_copy_pass_by_ref)] // As serde calls it.
    pub(in super::super) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(of(*time))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_nanos)
    }

    /// Times that may be absent.
    pub(in super::super) mod optional {
        use super::{of, Deserialize, Deserializer, Duration, Serializer};

        #[allow(clippy::ref_option)] // As serde calls it.
        pub(in super::super::super) fn serialize<S: Serializer>(
            time: &Option<Duration>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            match time {
                Some(time) => to.serialize_some(&of(*time)),
                None => to.serialize_none(),
            }
        }

        pub(in super::super::super) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<Duration>, D::Error> {
            Option::<u64>::deserialize(from).map(|time| time.map(Duration::from_nanos))
        }
    }
}

/// What a run of a loop came to, as `{"returned": text}` or `{"raised": exception}`.
pub(super) mod outcome {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Raised;

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Outcome<S, R> {
        Returned(S),
        Raised(R),
    }

    #[allow(clippy::ref_option)] // As serde calls it.
    pub(in super::super) fn serialize<S: Serializer>(
        outcome: &Option<Result<String, Raised>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let outcome = outcome.as_ref().map(|outcome| match outcome {
            Ok(value) => Outcome::Returned(value),
            Err(exception) => Outcome::Raised(exception),
        });
        outcome.serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Result<String, Raised>>, D::Error> {
        let outcome = Option::<Outcome<String, Raised>>::deserialize(from)?;
        Ok(outcome.map(|outcome| match outcome {
            Outcome::Returned(value) => Ok(value),
            Outcome::Raised(exception) => Err(exception),
        }))
    }
}
