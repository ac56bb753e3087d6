//! The sentences of the event loop: turns, what it takes off the ready queue, and how it stops.

use super::parts::{Part, Parts};
use super::telling::{code, number, raised, standing, value_of, Telling};
use crate::trace::state::{Loop, Ready};
use crate::trace::{LoopId, Raised, Reason, Recorded, Source, Standing};

impl Telling<'_> {
    pub(super) fn turn(&self, io_loop: LoopId) -> (Parts, Parts) {
        let it = self.after.loops.get(&io_loop);
        let n = it.map_or(0, |it| it.turn);
        let ready: Vec<&Ready> = it.into_iter().flat_map(|it| it.ready.iter()).collect();
        let list = self.list(ready.iter().map(|ready| standing(&ready.queued)).collect());
        let slept = self.entries.iter().find_map(|entry| match entry.event {
            Recorded::Sleep { until, .. } => Some(until),
            _ => None,
        });
        let due = ready.iter().any(|ready| matches!(ready.why, Reason::Timer(_)));
        let why = match slept {
            _ if ready.is_empty() => "turn.empty.why",
            Some(Some(_)) if due => "turn.timer.why",
            Some(_) => "turn.outside.why",
            None => "turn.batch.why",
        };
        let why = self.say(why, &[("list", list), ("time", self.time(self.head.time))]);
        (self.say("turn", &[("n", number(n))]), why)
    }

    pub(super) fn pop(&self, io_loop: LoopId, queued: &Standing) -> (Parts, Parts) {
        let it = self.before.loops.get(&io_loop);
        let front = it.and_then(|it| it.ready.iter().find(|ready| ready.queued == *queued));
        match queued {
            Standing::Callback(_) => {
                let until = it.and_then(|it| it.until);
                let first = it.is_some_and(|it| it.turn <= 1 && it.until.is_none());
                let what = self.say("pop.callback", &[("callback", standing(queued))]);
                let why = match front.map(|front| &front.why) {
                    Some(Reason::Done(future)) if until == Some(*future) => self.say("pop.until.why", &[]),
                    Some(Reason::Done(future)) => {
                        self.say("pop.done.why", &[("future", vec![Part::Future(*future)])])
                    }
                    Some(Reason::Timer(_)) => self.say("pop.timer.why", &[]),
                    Some(Reason::Outside | Reason::Job) => self.say("pop.outside.why", &[]),
                    Some(Reason::Io) => self.say("pop.io.why", &[]),
                    Some(Reason::Added) if first && by_run_sync(it) => self.say("pop.first.why", &[]),
                    Some(_) => self.say("pop.added.why", &[]),
                    None => Vec::new(),
                };
                (what, why)
            }
            Standing::Future(future) => {
                let filled = [("future", vec![Part::Future(*future)])];
                match self.narrator.names.source(*future) {
                    Some(Source::Multi { .. }) => {
                        (self.say("pop.multi", &filled), self.say("pop.multi.why", &[]))
                    }
                    _ => (self.say("pop.future", &filled), Vec::new()),
                }
            }
            Standing::Call(call) => (self.say("pop.call", &[("call", vec![Part::Call(*call)])]), Vec::new()),
        }
    }

    pub(super) fn stop(&self, io_loop: LoopId, outcome: Option<&Result<String, Raised>>) -> (Parts, Parts) {
        let by = self.before.loops.get(&io_loop).and_then(|it| it.by.as_deref()).unwrap_or("run_sync");
        match outcome {
            Some(Ok(value)) => {
                let what = self.say("stop.returned", &[("by", code(by)), ("value", value_of(value))]);
                (what, self.say("stop.returned.why", &[]))
            }
            Some(Err(exception)) => {
                let what = self.say("stop.raised", &[("by", code(by)), ("exception", raised(exception))]);
                let deadlock = exception.name == "Deadlock" || exception.message.starts_with("deadlock");
                let why = if deadlock { "stop.deadlock.why" } else { "stop.raised.why" };
                (what, self.say(why, &[]))
            }
            None => (self.say("stop", &[]), self.say("stop.why", &[])),
        }
    }
}

fn by_run_sync(it: Option<&Loop>) -> bool {
    it.is_some_and(|it| it.by.as_deref() == Some("run_sync"))
}
