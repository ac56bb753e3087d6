//! [`Entry`]: one thing that happened, as a [`Trace`](crate::trace::Trace) keeps it: owned, and without addresses.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::time::Duration;

use squall_runner::trace::{Body, CallId, Event, FutureId, Kind, Origin, Problem, State};
use squall_runner::{Error, Exception, Place};

use super::Printed;

/// The version of the list of entries: it grows when one of them changes its meaning.
pub const VERSION: u32 = 1;

/// Texts are cut after so many characters, so that the memory of a trace is bounded by the number of entries.
const TEXT: usize = 400;

/// Of a list that is waited for, so many Futures are kept by number.
const CHILDREN: usize = 32;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When, by the loop's clock, since the first entry.
    pub time: Duration,
    /// What.
    pub event: Recorded,
}

/// What happened: an [`Event`] as text and numbers. Each variant stands with the event of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recorded {
    /// [`Event::Call`].
    Call {
        /// This call.
        runner: CallId,
        /// The Future that the call gives.
        future: FutureId,
        /// The name of the coroutine.
        name: Cow<'static, str>,
        /// How its body runs.
        body: Body,
    },
    /// [`Event::Start`].
    Start {
        /// Who.
        runner: CallId,
    },
    /// [`Event::Send`].
    Send {
        /// To whom.
        runner: CallId,
        /// What.
        value: String,
    },
    /// [`Event::Throw`].
    Throw {
        /// At whom.
        runner: CallId,
        /// What.
        exception: Raised,
    },
    /// [`Event::Wake`].
    Wake {
        /// Who.
        runner: CallId,
    },
    /// [`Event::Yield`].
    Yield {
        /// Who.
        runner: CallId,
        /// What kind of thing.
        kind: Kind,
        /// The Future, where it was one.
        future: Option<FutureId>,
        /// The line of the yield.
        place: Place,
    },
    /// [`Event::Wait`].
    Wait {
        /// Who.
        runner: CallId,
        /// For what; `None`: for the next turn of the loop.
        future: Option<FutureId>,
        /// The line of the await of a native coroutine.
        place: Option<Place>,
        /// Describes what is waited for, as a lock with what holds it.
        on: Option<String>,
    },
    /// [`Event::Return`].
    Return {
        /// Whose.
        runner: CallId,
        /// What.
        value: String,
        /// Whether it left by raising `Return`.
        raised: bool,
    },
    /// [`Event::Raise`].
    Raise {
        /// Whose.
        runner: CallId,
        /// What.
        exception: Raised,
    },
    /// [`Event::Made`].
    Made {
        /// Which.
        future: FutureId,
        /// Where its result is to come from.
        source: Source,
    },
    /// [`Event::Resolve`].
    Resolve {
        /// Which.
        future: FutureId,
        /// How.
        state: State,
    },
    /// [`Event::Report`].
    Report {
        /// What.
        problem: Problem,
        /// Why.
        exception: Raised,
    },
    /// [`Event::Note`].
    Note {
        /// What.
        text: String,
    },
    /// [`Event::Run`].
    Run {
        /// The function that was called for it.
        by: Cow<'static, str>,
    },
    /// [`Event::Turn`].
    Turn,
    /// [`Event::Stop`].
    Stop {
        /// What the function gives, if it gives something.
        outcome: Option<Result<String, Raised>>,
    },
    /// What came before the entries that follow was not kept.
    LeftOut {
        /// How many entries that was.
        events: usize,
        /// How many of them were turns of the loop.
        turns: usize,
        /// Those calls among them that the entries after this name.
        calls: Vec<Earlier>,
        /// How often each coroutine was called in them.
        counts: BTreeMap<Cow<'static, str>, usize>,
        /// Those Futures among them that the entries after this name, and that are not the results of calls.
        made: Vec<(FutureId, Source)>,
    },
}

/// A call that came before the entries that were kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// This call.
    pub runner: CallId,
    /// The Future that the call gives.
    pub future: FutureId,
    /// The name of the coroutine.
    pub name: Cow<'static, str>,
    /// Which call of that name it is, from 1.
    pub nth: usize,
    /// How its body runs.
    pub body: Body,
    /// Whether something is told of it later, and not only of its Future.
    pub acts: bool,
}

/// Where the result of a Future comes from: an [`Origin`]. Times are like those of the entries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// `sleep`.
    Sleep {
        /// When it ends.
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
        until: Duration,
    },
    /// Something else.
    Named(Cow<'static, str>),
}

/// An exception, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
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
                // Who waits, and where, is in the trace.
                Some(Error::Deadlock { .. }) => text(Error::Deadlock { waiting: Vec::new() }),
                _ => text(exception),
            },
            traceback,
            elided: exception.elided(),
        }
    }
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

/// What something prints, cut after [`TEXT`] characters.
fn text(shown: impl fmt::Display) -> String {
    let mut text = Cut { text: String::new(), room: Some(TEXT) };
    // It fails where the text is cut.
    let _ = write!(text, "{shown}");
    text.text
}

/// Takes so many characters, then an ellipsis, then nothing more.
struct Cut {
    text: String,
    /// `None` once it was cut.
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
