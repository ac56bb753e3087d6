//! [`Telling`]: one step while it is told.

use std::time::Duration;

use squall_runner::trace::{Body, CallId};

use super::parts::{fill, text, Filled, Part, Parts};
use super::sentences::SENTENCES;
use super::{Narrator, Said};
use crate::trace::state::State;
use crate::trace::{Entry, Lang, Raised, Recorded, Standing, Step};

/// As many names are told one by one; the others are counted.
const LISTED: usize = 4;

/// Longer values are cut in a sentence.
const VALUE: usize = 80;

/// One step while it is told.
pub(super) struct Telling<'a> {
    pub(super) narrator: &'a Narrator<'a>,
    pub(super) entries: &'a [Entry],
    pub(super) head: &'a Entry,
    pub(super) before: &'a State,
    pub(super) after: &'a State,
    pub(super) lang: Lang,
}

impl Narrator<'_> {
    /// Returns the sentences about a step. `before` and `after` are the states before its first entry and after its
    /// last.
    ///
    /// [`Narrator`] has an example.
    pub fn tell(&self, step: &Step, before: &State, after: &State, lang: Lang) -> Said {
        let entries = &self.entries[step.entries.clone()];
        let head = &self.entries[step.head];
        let telling = Telling { narrator: self, entries, head, before, after, lang };
        let (what, why) = telling.sentences();
        Said { what, why, brief: telling.brief() }
    }
}

impl Telling<'_> {
    pub(super) fn sentences(&self) -> (Parts, Parts) {
        use Recorded as R;
        match &self.head.event {
            R::Run { by, .. } => {
                let why = if by == "run_sync" { "run.run_sync.why" } else { "run.why" };
                (self.say("run", &[("by", code(by))]), self.say(why, &[]))
            }
            R::Turn { io_loop } => self.turn(*io_loop),
            R::Sleep { until: Some(until), .. } => {
                (self.say("sleep", &[("time", self.time(*until))]), self.say("sleep.why", &[]))
            }
            R::Sleep { until: None, .. } => (self.say("sleep.outside", &[]), self.say("sleep.why", &[])),
            R::Pop { io_loop, queued } => self.pop(*io_loop, queued),
            R::Push { queued: Standing::Call(call), .. } => {
                (self.say("push.call", &[("call", vec![Part::Call(*call)])]), self.say("push.why", &[]))
            }
            R::Push { io_loop, queued: Standing::Callback(name), .. }
                if self.after.loops.get(io_loop).is_some_and(|it| it.by.as_ref() == Some(name)) =>
            {
                (self.say("push.stops", &[("by", code(name))]), self.say("push.why", &[]))
            }
            R::Push { queued, .. } => {
                let filled = [("who", self.who()), ("callback", standing(queued))];
                (self.say("push", &filled), self.say("push.why", &[]))
            }
            R::Timer { until, queued, .. } => {
                let filled =
                    [("who", self.who()), ("time", self.time(*until)), ("callback", standing(queued))];
                (self.say("timer", &filled), self.say("timer.why", &[]))
            }
            R::Stop { io_loop, outcome } => self.stop(*io_loop, outcome.as_ref()),
            R::Call { runner, body, caller, arguments, .. } => {
                self.called(*runner, *body, *caller, arguments.as_deref())
            }
            R::Enter { .. } | R::Leave { .. } => self.function(),
            R::Yield { runner, kind, future, .. } => self.yields(*runner, kind, *future),
            R::Wait { runner, future, .. } => self.waits(*runner, *future),
            R::Made { future, source, lock, .. } => self.made(*future, source, *lock),
            R::Resolve { future, state, .. } => self.resolved(*future, *state),
            R::Lock { lock, .. } => self.lock(*lock),
            R::Queue { lock, .. } => self.queue(*lock),
            R::Start { .. } | R::Send { .. } | R::Throw { .. } | R::Wake { .. } | R::Already { .. } => {
                self.resumed()
            }
            R::Return { runner, value, raised, .. } => {
                let filled = [("call", vec![Part::Call(*runner)]), ("value", value_of(value))];
                let plain = self.body(*runner) != Body::Generator;
                let why = if plain { "return.plain.why" } else { "return.why" };
                (self.say(if *raised { "return.raised" } else { "return" }, &filled), self.say(why, &[]))
            }
            R::Raise { runner, exception, .. } => {
                let filled = [("call", vec![Part::Call(*runner)]), ("exception", raised(exception))];
                (self.say("raise", &filled), self.say("raise.why", &[]))
            }
            R::Abandon { runner } => {
                (self.say("abandon", &[("call", vec![Part::Call(*runner)])]), self.say("abandon.why", &[]))
            }
            R::Job { thread, started: Some(started), ended: Some(ended), .. } => {
                let filled = [("started", self.time(*started)), ("ended", self.time(*ended))];
                (self.say("job", &[("thread", code(thread))]), self.say("job.why", &filled))
            }
            R::Job { thread, .. } => (self.say("job", &[("thread", code(thread))]), Vec::new()),
            R::Note { text, .. } => {
                (self.say("note", &[("who", self.who()), ("text", value_of(text))]), Vec::new())
            }
            R::Report { problem, exception, .. } => self.report(*problem, exception),
            R::LeftOut { events, .. } => (self.say("left_out", &[("n", number(*events))]), Vec::new()),
            // These follow others, and stand alone only where the trace begins with them.
            R::Retrieved { future } | R::Dropped { future } | R::Until { future, .. } => {
                (vec![Part::Future(*future)], Vec::new())
            }
            R::Variables { .. } => (self.who(), Vec::new()),
            R::Batch { .. } | R::Retract { .. } | R::TimerRemoved { .. } | R::Close { .. } => {
                (self.word("loop"), Vec::new())
            }
        }
    }

    pub(super) fn say(&self, name: &'static str, filled: Filled<'_>) -> Parts {
        fill(text(SENTENCES, name, self.lang), filled)
    }

    pub(super) fn word(&self, name: &'static str) -> Parts {
        self.say(name, &[])
    }

    /// Returns the acting coroutine, or what acts instead, as the subject of a sentence.
    pub(super) fn who(&self) -> Parts {
        match (self.before.function(), self.before.actor()) {
            (Some(function), _) => code(&function.name),
            (None, Some(call)) => vec![Part::Call(call)],
            (None, None) => self.nobody(),
        }
    }

    /// Returns the subject of a sentence where no coroutine acts.
    pub(super) fn nobody(&self) -> Parts {
        self.word("program")
    }

    pub(super) fn time(&self, time: Duration) -> Parts {
        vec![Part::Text(self.narrator.unit.tell(time).into())]
    }

    /// Returns what stands between two sentences: a space, except in Chinese.
    pub(super) fn space(&self) -> &'static str {
        match self.lang {
            Lang::En => " ",
            Lang::Zh => "",
        }
    }

    pub(super) fn body(&self, runner: CallId) -> Body {
        let call = self.after.calls.get(&runner).or_else(|| self.before.calls.get(&runner));
        call.map_or(Body::Generator, |call| call.body)
    }

    /// Returns a list of the first ones, and the number of the others.
    pub(super) fn list(&self, all: Vec<Parts>) -> Parts {
        let left = all.len().saturating_sub(LISTED);
        let mut list = Parts::new();
        for one in all.into_iter().take(LISTED) {
            if !list.is_empty() {
                list.extend(self.word("comma"));
            }
            list.extend(one);
        }
        if left > 0 {
            list.extend(self.say("and_more", &[("n", number(left))]));
        }
        list
    }
}

/// Returns the words for an entry of a ready queue.
pub(super) fn standing(queued: &Standing) -> Parts {
    match queued {
        Standing::Call(call) => vec![Part::Call(*call)],
        Standing::Future(future) => vec![Part::Future(*future)],
        Standing::Callback(name) => code(name),
    }
}

pub(super) fn code(code: &str) -> Parts {
    vec![Part::Code(code.to_owned())]
}

pub(super) fn number(n: usize) -> Parts {
    vec![Part::Text(n.to_string().into())]
}

pub(super) fn value_of(value: &str) -> Parts {
    vec![Part::Code(cut(value))]
}

pub(super) fn raised(exception: &Raised) -> Parts {
    value_of(&exception.to_string())
}

/// Returns a value that fits into a sentence.
pub(super) fn cut(value: &str) -> String {
    match value.char_indices().nth(VALUE) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}
