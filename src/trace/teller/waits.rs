//! The rows of yields: what a coroutine yields or awaits, and what it waits for.

use std::time::Duration;

use squall_runner::trace::{FutureId, State};

use super::{Teller, Until, Yielding};
use crate::trace::phrases::Phrase;
use crate::trace::story::{Life, Tone};
use crate::trace::{Source, Thing};

impl Teller<'_> {
    /// Makes the row of the last yield, if it has none yet: with what is waited for and until when, if it waits.
    pub(super) fn yielded(&mut self, wait: Option<Until>) {
        let Some(Yielding { runner, time, kind, future, place }) = self.yielding.take() else { return };
        let name = future.map(|future| self.names.future(future));
        let what = match kind {
            Thing::None => "()".to_owned(),
            Thing::Moment => "moment".to_owned(),
            Thing::Future(_) => name.unwrap_or_else(|| self.phrases.word(Phrase::Future).to_owned()),
            Thing::Awaitable => name.unwrap_or_else(|| self.phrases.word(Phrase::Native).to_owned()),
            Thing::List(n) => name.unwrap_or_else(|| self.phrases.count(Phrase::List, n)),
            Thing::Dict(n) => match name {
                Some(list) => list.replace('[', "{").replace(']', "}"),
                None => self.phrases.count(Phrase::Map, n),
            },
            Thing::Other(ref name) => name.to_string(),
            Thing::Bad => self.phrases.word(Phrase::Bad).to_owned(),
        };
        if wait.is_none() {
            self.leave(runner);
        }
        let already = match kind {
            Thing::Future(State::Done) => Some(Phrase::DoneAlready),
            Thing::Future(State::Failed) => Some(Phrase::FailedAlready),
            Thing::Future(State::Cancelled) => Some(Phrase::CancelledAlready),
            Thing::List(_) | Thing::Dict(_) if future.is_some() => Some(Phrase::AllDoneAlready),
            _ => None,
        };
        let (text, life) = match (wait, already) {
            (Some(until), _) => (self.waits("yield", &what, &until, &place), Life::Waiting),
            (None, Some(already)) => {
                let text = self.phrases.word(already).to_owned();
                (self.waits("yield", &what, &Until { text, is_time: false }, &place), Life::Running)
            }
            (None, None) => (format!("yield {what}{place}"), Life::Running),
        };
        self.act(time, runner, text, Tone::Out, life);
    }

    /// Returns what a coroutine yields or awaits, what it waits for, and the line.
    pub(super) fn waits(
        &self,
        word: &str,
        what: &str,
        Until { text, is_time }: &Until,
        place: &str,
    ) -> String {
        let text = match is_time {
            true => format!("{word} {what} {text}"),
            false => self.phrases.say(Phrase::Comma, &[&format!("{word} {what}"), text]),
        };
        text + place
    }

    /// Returns what a coroutine waits for, in words.
    pub(super) fn until(&self, future: Option<FutureId>, on: Option<&str>) -> Until {
        let Some(future) = future else {
            return Until { text: self.phrases.word(Phrase::WaitOneTurn).to_owned(), is_time: false };
        };
        let place = |place| self.place(place).trim_start().to_owned();
        let held = self.locks.held(future, self.names, self.phrases, &place);
        // A Future that was made before the trace is known only by its description.
        let is_unknown = self.names.source(future).is_none() && self.names.call_of(future).is_none();
        let described = held.as_deref().or(on.filter(|_| is_unknown));
        match (self.until_done(future), described) {
            (Some(until), None) => until,
            (Some(Until { text, .. }), Some(described)) => {
                Until { text: self.phrases.say(Phrase::Colon, &[&text, described]), is_time: false }
            }
            (None, Some(described)) => {
                Until { text: self.phrases.say(Phrase::WaitFor, &[described]), is_time: false }
            }
            (None, None) => Until { text: self.phrases.word(Phrase::WaitForIt).to_owned(), is_time: false },
        }
    }

    /// Returns when a Future is done, as far as its source says.
    fn until_done(&self, future: FutureId) -> Option<Until> {
        let time = |phrase, until: &Duration| self.phrases.say(phrase, &[&self.story.unit.tell(*until)]);
        let (text, is_time) = match self.names.source(future)? {
            Source::Sleep { until } => (time(Phrase::Until, until), true),
            Source::Multi { len: 2, .. } => (self.phrases.word(Phrase::WaitForBoth).to_owned(), false),
            Source::Multi { len, .. } if *len > 2 => (self.phrases.count(Phrase::WaitForAll, *len), false),
            Source::Timeout { until, .. } => (time(Phrase::UntilAtMost, until), false),
            Source::Multi { .. } | Source::Named(_) => return None,
        };
        Some(Until { text, is_time })
    }
}
