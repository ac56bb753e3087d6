//! The sentences of calls: how a coroutine is called, resumed, yields and waits.

use std::borrow::Cow;

use squall_runner::trace::{Body, CallId, FutureId, State as Resolved};

use super::of_runner;
use super::parts::{Part, Parts};
use super::telling::{code, cut, number, raised, value_of, Telling};
use crate::trace::state::State;
use crate::trace::{Recorded, Thing};

impl Telling<'_> {
    pub(super) fn called(
        &self,
        runner: CallId,
        body: Body,
        caller: Option<CallId>,
        arguments: Option<&[(Cow<'static, str>, String)]>,
    ) -> (Parts, Parts) {
        let who = match (self.before.function(), caller) {
            (Some(function), _) => code(&function.name),
            (None, Some(caller)) => vec![Part::Call(caller)],
            (None, None) => self.nobody(),
        };
        let pushed = self.entries.iter().any(|entry| matches!(entry.event, Recorded::Push { .. }));
        let (what, why) = match body {
            Body::Generator => ("call", "call.why"),
            Body::Plain => ("call.plain", "call.plain.why"),
            Body::Native if pushed => ("call.native", "call.native.why"),
            Body::Native => ("call.idle", "call.idle.why"),
        };
        let what = self.say(what, &[("who", who), ("call", vec![Part::Call(runner)])]);
        (what, [self.arguments(arguments.unwrap_or_default()), self.say(why, &[])].concat())
    }

    /// Tells that a function that is not a coroutine is called, or ends.
    pub(super) fn function(&self) -> (Parts, Parts) {
        let name = |state: &State| {
            state.functions.last().map_or_else(|| self.nobody(), |function| code(&function.name))
        };
        match &self.head.event {
            Recorded::Leave { value, exception: None, .. } => {
                let value = value_of(value.as_deref().unwrap_or_default());
                (self.say("leave", &[("function", name(self.before)), ("value", value)]), Vec::new())
            }
            Recorded::Leave { exception: Some(exception), .. } => {
                let filled = [("function", name(self.before)), ("exception", raised(exception))];
                (self.say("leave.raises", &filled), self.say("leave.raises.why", &[]))
            }
            event => {
                let arguments = match event {
                    Recorded::Enter { arguments, .. } => self.arguments(arguments),
                    _ => Parts::new(),
                };
                let what = self.say("enter", &[("who", self.who()), ("function", name(self.after))]);
                (what, [arguments, self.say("enter.why", &[])].concat())
            }
        }
    }

    /// Returns the sentence of the arguments, if there are any, with the space after it.
    fn arguments(&self, arguments: &[(Cow<'static, str>, String)]) -> Parts {
        if arguments.is_empty() {
            return Parts::new();
        }
        let list = arguments.iter().map(|(name, value)| code(&format!("{name} = {}", cut(value)))).collect();
        let space = vec![Part::Text(self.space().into())];
        [self.say("arguments", &[("list", self.list(list))]), space].concat()
    }

    /// Tells that a coroutine is started or goes on.
    pub(super) fn resumed(&self) -> (Parts, Parts) {
        let line = |runner: &CallId| {
            let place = self.before.calls.get(runner).and_then(|call| call.place);
            place.map(|place| number(place.line() as usize))
        };
        let call = |runner: &CallId| ("call", vec![Part::Call(*runner)]);
        match &self.head.event {
            Recorded::Start { runner } if self.body(*runner) == Body::Native => {
                (self.say("start.native", &[call(runner)]), self.say("start.native.why", &[]))
            }
            Recorded::Start { runner } => {
                (self.say("start", &[call(runner), ("code", code("next(gen)"))]), self.say("start.why", &[]))
            }
            Recorded::Send { runner, value, future } => {
                let what = self.say("send", &[call(runner), ("value", value_of(value))]);
                let why = match (future, line(runner)) {
                    (None, _) => self.say("send.moment.why", &[]),
                    (Some(future), Some(line)) => {
                        self.say("send.why", &[("future", vec![Part::Future(*future)]), ("line", line)])
                    }
                    (Some(future), None) => {
                        self.say("send.nowhere.why", &[("future", vec![Part::Future(*future)])])
                    }
                };
                (what, why)
            }
            Recorded::Throw { runner, exception, future } => {
                let what = self.say("throw", &[call(runner), ("exception", raised(exception))]);
                let why = match (future, line(runner)) {
                    (Some(future), Some(line)) => {
                        self.say("throw.why", &[("future", vec![Part::Future(*future)]), ("line", line)])
                    }
                    _ => self.say("throw.nowhere.why", &[]),
                };
                (what, why)
            }
            Recorded::Already { future, state, .. } => {
                let what = match state {
                    Resolved::Failed => "already.failed",
                    Resolved::Cancelled => "already.cancelled",
                    _ => "already",
                };
                let filled = [("future", vec![Part::Future(*future)])];
                (self.say(what, &filled), self.say("already.why", &[]))
            }
            event => {
                let runner = of_runner(event).expect("what is resumed is a call");
                (self.say("wake", &[call(&runner)]), self.say("wake.why", &[]))
            }
        }
    }

    pub(super) fn yields(&self, runner: CallId, kind: &Thing, future: Option<FutureId>) -> (Parts, Parts) {
        let call = ("call", vec![Part::Call(runner)]);
        let (what, why, extra) = match kind {
            Thing::Future(_) => match future {
                Some(future) => ("yield", "yield.why", ("future", vec![Part::Future(future)])),
                None => ("yield.other", "yield.why", ("code", code("Future"))),
            },
            Thing::Moment => ("yield.moment", "yield.moment.why", ("code", code("moment"))),
            Thing::None => ("yield.none", "yield.none.why", ("code", code("()"))),
            Thing::List(n) => ("yield.list", "yield.many.why", ("n", number(*n))),
            Thing::Dict(n) => ("yield.dict", "yield.many.why", ("n", number(*n))),
            Thing::Awaitable => ("yield.awaitable", "yield.converted.why", ("n", Vec::new())),
            Thing::Other(name) => ("yield.other", "yield.converted.why", ("code", code(name))),
            Thing::Bad => ("yield.bad", "yield.bad.why", ("n", Vec::new())),
        };
        (self.say(what, &[call, extra]), self.say(why, &[]))
    }

    pub(super) fn waits(&self, runner: CallId, future: Option<FutureId>) -> (Parts, Parts) {
        let call = ("call", vec![Part::Call(runner)]);
        let Some(future) = future else {
            let native = self.body(runner) == Body::Native;
            let (what, why) = match native {
                true => ("wait.waker", "wait.waker.why"),
                false => ("wait.moment", "wait.moment.why"),
            };
            return (self.say(what, &[call]), self.say(why, &[]));
        };
        let what = self.say("wait", &[call, ("future", vec![Part::Future(future)])]);
        let mut why = match self.after.actor() {
            Some(up) => self.say("wait.up.why", &[("up", vec![Part::Call(up)])]),
            None => self.say("wait.loop.why", &[]),
        };
        let lock = self.after.futures.get(&future).and_then(|future| future.lock);
        if let Some((name, holders)) = lock.and_then(|lock| self.holders(lock)) {
            let held = self.say("wait.held.why", &[("lock", name), ("list", holders)]);
            why = [held, vec![Part::Text(self.space().into())], why].concat();
        }
        (what, why)
    }
}
