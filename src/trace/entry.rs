//! [`Entry`]: an event as a [`Trace`](crate::trace::Trace) keeps it, owned and without addresses.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::time::Duration;

use squall_runner::trace::{Body, CallId, Event, FutureId, Kind, Origin, Problem, State};
use squall_runner::{Error, Exception, Place};

use super::Printed;

/// The version of the list of entries. It increases when the meaning of an entry changes.
pub const VERSION: u32 = 1;

/// The number of characters after which texts are cut, which bounds the memory of an entry.
const TEXT: usize = 400;

/// How many Futures of a list that is waited for are kept.
const CHILDREN: usize = 32;

/// An event with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The time on the loop's clock, since the first entry.
    pub time: Duration,
    /// The event.
    pub event: Recorded,
}

/// An [`Event`] as text and numbers. Each variant corresponds to the event of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recorded {
    /// A coroutine was called.
    Call {
        /// The call.
        runner: CallId,
        /// The Future that the call returned.
        future: FutureId,
        /// The name of the coroutine.
        name: Cow<'static, str>,
        /// How its body runs.
        body: Body,
    },
    /// A generator was resumed, or a native coroutine polled, for the first time.
    Start {
        /// The call.
        runner: CallId,
    },
    /// The Runner sent a value into a generator.
    Send {
        /// The call.
        runner: CallId,
        /// The value.
        value: String,
    },
    /// The Runner threw an exception into a generator.
    Throw {
        /// The call.
        runner: CallId,
        /// The exception.
        exception: Raised,
    },
    /// A native coroutine was polled again.
    Wake {
        /// The call.
        runner: CallId,
    },
    /// A generator yielded.
    Yield {
        /// The call.
        runner: CallId,
        /// The kind of the yielded thing.
        kind: Kind,
        /// The yielded Future, if it was one.
        future: Option<FutureId>,
        /// The line of the yield.
        place: Place,
    },
    /// A coroutine was suspended.
    Wait {
        /// The call.
        runner: CallId,
        /// The Future that it waits for; `None` until the next turn of the loop.
        future: Option<FutureId>,
        /// The line of a native coroutine's await.
        place: Option<Place>,
        /// A description of what it waits for, such as a lock with its holder.
        on: Option<String>,
    },
    /// A coroutine returned.
    Return {
        /// The call.
        runner: CallId,
        /// The value.
        value: String,
        /// `true` if it returned by raising `Return`.
        raised: bool,
    },
    /// A coroutine raised an exception, which is trapped in its Future.
    Raise {
        /// The call.
        runner: CallId,
        /// The exception.
        exception: Raised,
    },
    /// A Future was created that is not the result of a call.
    Made {
        /// The Future.
        future: FutureId,
        /// The source of its result.
        source: Source,
    },
    /// A Future was resolved.
    Resolve {
        /// The Future.
        future: FutureId,
        /// The state in which it ended.
        state: State,
    },
    /// A problem was logged that no exception could report.
    Report {
        /// The kind of problem.
        problem: Problem,
        /// The exception that was logged.
        exception: Raised,
    },
    /// The program printed something or called [`note`](crate::trace::note).
    Note {
        /// The text.
        text: String,
    },
    /// A loop began to run.
    Run {
        /// The method that runs it: `run_sync` or `start`.
        by: Cow<'static, str>,
    },
    /// A turn of the loop began.
    Turn,
    /// A loop stopped running.
    Stop {
        /// The outcome that `run_sync` returns; `None` for `start`.
        outcome: Option<Result<String, Raised>>,
    },
    /// Earlier entries were not kept.
    LeftOut {
        /// How many entries were not kept.
        events: usize,
        /// How many of those were turns of the loop.
        turns: usize,
        /// The calls in those that later entries mention.
        calls: Vec<Earlier>,
        /// How many calls of each coroutine were in those.
        counts: BTreeMap<Cow<'static, str>, usize>,
        /// The Futures in those that later entries mention and that are not the results of calls.
        made: Vec<(FutureId, Source)>,
    },
}

/// A call from before the entries that were kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// The call.
    pub runner: CallId,
    /// The Future that the call returned.
    pub future: FutureId,
    /// The name of the coroutine.
    pub name: Cow<'static, str>,
    /// The number of the call among those of this name, from 1.
    pub nth: usize,
    /// How its body runs.
    pub body: Body,
    /// `true` if later entries concern the call itself, and not only its Future.
    pub acts: bool,
}

/// The source of a Future's result: an [`Origin`]. Times are measured like those of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// `sleep`.
    Sleep {
        /// When the sleep ends.
        until: Duration,
    },
    /// `multi`, or a yielded list, tuple or map.
    Multi {
        /// The first Futures in it, at most 32.
        of: Vec<FutureId>,
        /// How many Futures are in it.
        len: usize,
    },
    /// `with_timeout`.
    Timeout {
        /// The Future that is waited for.
        of: FutureId,
        /// When the time limit is reached.
        until: Duration,
    },
    /// Something else that has a name, such as `Lock#2.acquire`.
    Named(Cow<'static, str>),
}

/// An exception, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// The type of the error, without its path.
    pub name: Cow<'static, str>,
    /// The message of the error.
    pub message: String,
    /// The coroutines that the exception had left, outermost first, as in a traceback: the place and name of each.
    pub traceback: Vec<(Place, Cow<'static, str>)>,
    /// How many frames of the traceback were not kept.
    pub elided: usize,
}

impl From<&Exception> for Raised {
    fn from(exception: &Exception) -> Self {
        let frames = exception.traceback().iter().rev();
        let mut traceback: Vec<(Place, Cow<'static, str>)> =
            frames.map(|frame| (frame.place, frame.name.into())).collect();
        if let Some((innermost, _)) = traceback.last_mut() {
            *innermost = exception.raised_at();
        }
        Self {
            name: exception.name().into(),
            message: match exception.downcast_ref() {
                // The trace itself shows which coroutines wait, and where.
                Some(Error::Deadlock { .. }) => text(Error::Deadlock { waiting: Vec::new() }),
                _ => text(exception),
            },
            traceback,
            elided: exception.elided(),
        }
    }
}

/// Prints name and message on one line.
impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.as_str() {
            "" => f.write_str(&self.name),
            message => write!(f, "{}: {message}", self.name),
        }
    }
}

impl Recorded {
    /// The event, kept. `start` is taken off times. `None` for events that this version does not know.
    pub(crate) fn of(event: &Event<'_>, start: Duration) -> Option<Self> {
        Some(match *event {
            Event::Call { runner, future, coroutine, body } => {
                Self::Call { runner, future, name: coroutine.name().into(), body }
            }
            Event::Start { runner } => Self::Start { runner },
            Event::Send { runner, value } => Self::Send { runner, value: text(Printed(value)) },
            Event::Throw { runner, exception } => Self::Throw { runner, exception: exception.into() },
            Event::Wake { runner } => Self::Wake { runner },
            Event::Yield { runner, kind, future, place } => Self::Yield { runner, kind, future, place },
            Event::Wait { runner, future, place, ref on } => {
                Self::Wait { runner, future, place, on: on.as_deref().map(text) }
            }
            Event::Return { runner, value, raised } => {
                Self::Return { runner, value: text(Printed(value)), raised }
            }
            Event::Raise { runner, exception } => Self::Raise { runner, exception: exception.into() },
            Event::Made { future, origin } => Self::Made { future, source: Source::of(origin, start)? },
            Event::Resolve { future, state } => Self::Resolve { future, state },
            Event::Report { problem, exception } => Self::Report { problem, exception: exception.into() },
            Event::Note { text: note } => Self::Note { text: text(note) },
            Event::Run { by } => Self::Run { by: by.into() },
            Event::Turn { .. } => Self::Turn,
            Event::Stop { outcome } => Self::Stop {
                outcome: outcome.map(|result| result.map(|value| text(Printed(value))).map_err(Raised::from)),
            },
            _ => return None,
        })
    }
}

impl Source {
    fn of(origin: Origin<'_>, start: Duration) -> Option<Self> {
        Some(match origin {
            Origin::Sleep { until } => Self::Sleep { until: until.saturating_sub(start) },
            Origin::Multi(of) => {
                Self::Multi { of: of.iter().take(CHILDREN).copied().collect(), len: of.len() }
            }
            Origin::Timeout { of, until } => Self::Timeout { of, until: until.saturating_sub(start) },
            Origin::Named(name) => Self::Named(name.to_owned().into()),
            _ => return None,
        })
    }
}

/// Returns what a value prints, cut after [`TEXT`] characters.
fn text(shown: impl fmt::Display) -> String {
    let mut text = Cut { text: String::new(), room: Some(TEXT) };
    // Fails where the text is cut.
    let _ = write!(text, "{shown}");
    text.text
}

/// Writes a number of characters, then an ellipsis, then nothing more.
struct Cut {
    text: String,
    /// How many characters may follow; `None` once the text was cut.
    room: Option<usize>,
}

impl Write for Cut {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        for c in s.chars() {
            self.room = match self.room.ok_or(fmt::Error)?.checked_sub(1) {
                Some(room) => {
                    self.text.push(c);
                    Some(room)
                }
                None => {
                    self.text.push('…');
                    None
                }
            };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use squall_runner::trace::Shown;

    use super::*;

    #[test]
    fn a_long_text_is_cut_without_being_made_in_full() {
        struct Endless;
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("字")?;
                }
            }
        }
        assert_eq!(text(Endless).chars().count(), TEXT + 1);
        assert_eq!(text("short"), "short");
    }

    #[test]
    fn a_text_that_panics_is_kept_as_far_as_it_came() {
        let panics = Shown::new(
            &(),
            Some(|_, f| {
                f.write_str("Panics(")?;
                std::panic::resume_unwind(Box::new("expected"))
            }),
        );
        assert_eq!(text(Printed(panics)), "Panics(<panicked: expected>");
    }
}
