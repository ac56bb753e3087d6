//! The event of a step in a few words.

use squall_runner::trace::{Body, State as Resolved};

use super::parts::{fill, text, Filled, Part};
use super::sentences::BRIEF;
use super::telling::{cut, number, standing, Telling};
use crate::trace::{Recorded, Source, Thing};

impl Telling<'_> {
    pub(super) fn brief(&self) -> String {
        use Recorded as R;
        let one = |name: &'static str, filled: Filled<'_>| {
            self.narrator.text(&fill(text(BRIEF, name, self.lang), filled))
        };
        match &self.head.event {
            R::Run { by, .. } => by.to_string(),
            R::Turn { io_loop } => {
                one("turn", &[("n", number(self.after.loops.get(io_loop).map_or(0, |it| it.turn)))])
            }
            R::Sleep { .. } => one("sleep", &[]),
            R::Pop { queued, .. } => one("pop", &[("callback", standing(queued))]),
            R::Push { queued, .. } => one("push", &[("callback", standing(queued))]),
            R::Timer { until, .. } => one("timer", &[("time", self.time(*until))]),
            R::Stop { .. } => one("stop", &[]),
            R::Call { runner, .. } => one("call", &[("call", vec![Part::Call(*runner)])]),
            R::Enter { name, .. } => one("call", &[("call", vec![Part::Code(name.clone().into_owned())])]),
            R::Leave { value: Some(value), .. } | R::Return { value, .. } => format!("return {}", cut(value)),
            R::Leave { exception, .. } => {
                format!("raise {}", exception.as_ref().map_or("", |exception| &exception.name))
            }
            R::Start { .. } => one("start", &[]),
            R::Send { value, .. } => format!("send {}", cut(value)),
            R::Throw { exception, .. } => format!("throw {}", exception.name),
            R::Wake { .. } => one("wake", &[]),
            R::Yield { kind, future, .. } => match (kind, future) {
                (_, Some(future)) => format!("yield {}", self.narrator.names.future(*future)),
                (Thing::List(n), None) => format!("yield [{n}]"),
                (Thing::Dict(n), None) => format!("yield {{{n}}}"),
                (Thing::Moment, None) => "yield moment".to_owned(),
                (Thing::Other(name), None) => format!("yield {name}"),
                _ => "yield".to_owned(),
            },
            R::Already { state: Resolved::Failed, .. } => one("already.failed", &[]),
            R::Already { .. } => one("already", &[]),
            R::Wait { runner, future: None, .. } if self.body(*runner) != Body::Native => {
                one("wait.moment", &[])
            }
            R::Wait { .. } => one("wait", &[]),
            R::Raise { exception, .. } => format!("raise {}", exception.name),
            R::Abandon { .. } => one("abandon", &[]),
            R::Made { future, source: Source::Sleep { until } | Source::Timeout { until, .. }, .. } => {
                format!("{} → {}", self.narrator.names.future(*future), self.narrator.unit.tell(*until))
            }
            R::Made { future, .. } => self.narrator.names.future(*future),
            R::Resolve { future, state, .. } => {
                let name = match state {
                    Resolved::Done => "resolve.done",
                    Resolved::Failed => "resolve.failed",
                    Resolved::Cancelled => "resolve.cancelled",
                    Resolved::Pending => "resolve.pending",
                };
                one(name, &[("future", vec![Part::Future(*future)])])
            }
            R::Lock { name, .. } | R::Queue { name, .. } => name.clone(),
            R::Job { thread, .. } => thread.clone(),
            R::Note { text, .. } => format!("“{}”", cut(text)),
            R::Report { .. } => one("report", &[]),
            R::LeftOut { events, .. } => one("left_out", &[("n", number(*events))]),
            R::Retrieved { future } | R::Dropped { future } | R::Until { future, .. } => {
                self.narrator.names.future(*future)
            }
            R::Batch { .. }
            | R::Retract { .. }
            | R::TimerRemoved { .. }
            | R::Close { .. }
            | R::Variables { .. } => String::new(),
        }
    }
}
