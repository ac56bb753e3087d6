//! The types of the fields of a trace's entries: lines, exceptions, yielded things, ready callbacks.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use squall_runner::trace::{CallId, FutureId, Kind, State};
use squall_runner::Place;

/// The number of a loop. Loops are numbered from 1, in order of first mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LoopId(pub NonZeroU32);

/// The number of a timer. Timers are numbered from 1, in order of first mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TimerId(pub NonZeroU32);

/// An exception, as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// The type of the error, without its path.
    pub name: Cow<'static, str>,
    /// The message of the error.
    pub message: String,
    /// The traceback at the time of the entry, outermost frame first: the place and the name of each coroutine that the
    /// exception had left.
    pub traceback: Vec<(Place, Cow<'static, str>)>,
    /// The number of frames that were left out of the traceback.
    pub elided: usize,
}

/// Writes the name and the message, in one line.
impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.as_str() {
            "" => f.write_str(&self.name),
            message => write!(f, "{}: {message}", self.name),
        }
    }
}

/// The kind of a yielded thing: a [`Kind`] that borrows nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Thing {
    /// `()`.
    None,
    /// `moment()`.
    Moment,
    /// A Future, with its state when it was yielded.
    Future(State),
    /// A native coroutine, or any other `std::future::Future`.
    Awaitable,
    /// A list or tuple of that many things, all of which are waited for.
    List(usize),
    /// A map of that many things, all of which are waited for.
    Dict(usize),
    /// A type with its own implementation of `Yieldable`, by its name.
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

/// The source of a Future's result, if it is not a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Source {
    /// `sleep`.
    Sleep {
        /// The time at which the sleep is over.
        #[serde(with = "nanoseconds")]
        until: Duration,
    },
    /// A list, tuple or map of Futures.
    Multi {
        /// The first Futures of the list; at most 32 are kept.
        of: Vec<FutureId>,
        /// The number of Futures in the list.
        len: usize,
    },
    /// `with_timeout`.
    Timeout {
        /// The Future that it waits for.
        of: FutureId,
        /// The time at which it fails.
        #[serde(with = "nanoseconds")]
        until: Duration,
    },
    /// Anything else that has a name, such as `Lock#2.acquire`.
    Named(Cow<'static, str>),
}

/// Names of variables, and their values as text.
pub type Variables = Vec<(Cow<'static, str>, String)>;

/// The scope of variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scope {
    /// A call of a coroutine.
    Call(CallId),
    /// The function that runs: the last one that was entered and not left.
    Function,
    /// The whole program: its global variables.
    Program,
}

/// An entry of a ready queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standing {
    /// A coroutine that is to be resumed, or started.
    Call(CallId),
    /// A callback that settles a Future or helps to: a timer, a list one of whose children is done, a time limit.
    Future(FutureId),
    /// Anything else, by the name of the function in which it was written.
    Callback(Cow<'static, str>),
}

/// Why something goes on a ready queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// A native coroutine was called, or a coroutine that a tool starts in a separate step.
    Called,
    /// The Future that a coroutine or callback waited for is done.
    Done(FutureId),
    /// A coroutine has yielded the `moment`.
    Moment,
    /// A native coroutine was woken by its waker.
    Woken,
    /// The timer is due.
    Timer(TimerId),
    /// A callback was added by `add_callback`.
    Added,
    /// Another thread has added a callback.
    Outside,
    /// The result of an executor job has come back.
    Job,
    /// A descriptor or socket is ready.
    Io,
    /// A Future of squall's internal work is done.
    Internal,
}

/// A coroutine that holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The call, if it was observed.
    pub call: Option<CallId>,
    /// The name of the coroutine; `None` if the lock was taken outside of coroutines.
    pub name: Option<Cow<'static, str>>,
    /// The line at which the coroutine requested the lock.
    pub place: Option<Place>,
}

/// The requests that wait at a lock or queue, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The Futures of the oldest requests; at most 32.
    pub first: Vec<FutureId>,
    /// The number of all requests that wait.
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

/// The outcome of a run of a loop, as `{"returned": text}` or `{"raised": exception}`.
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
