//! The changes of the state that a page shows, from one step to the next: a JSON merge patch (RFC 7396).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{json, Map, Value};
use squall_runner::trace::{CallId, FutureId, LockId, State as Resolved};
use squall_runner::Place;

use super::sources::Files;
use crate::trace::names::Unit;
use crate::trace::state::{Call, Function, Future, Job, Lock, Loop, Queue, Ready, State, Status, Timer};
use crate::trace::{Reason, Standing};

/// The largest number of waiters that are shown in one place.
const WAITERS: usize = 8;

/// The largest number of calls on the stack that are shown: the last ones.
const STACK: usize = 8;

/// Longer values are cut.
const VALUE: usize = 200;

/// Makes patches of states.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) unit: Unit,
    pub(super) files: &'a Files,
    /// The jobs that come back, by the number of their Future.
    pub(super) jobs: BTreeMap<FutureId, Job>,
}

impl View<'_> {
    /// The state before the first step.
    pub(super) fn nothing(&self) -> Value {
        json!({
            "time": self.unit.tell(std::time::Duration::ZERO), "turn": 0, "stack": [], "this_turn": 0,
            "functions": [], "variables": [], "coroutines": {}, "ready": {}, "timers": {}, "futures": {}, "locks": {}, "queues": {}, "jobs": {}, "printed": {},
        })
    }

    /// The patch that makes the state before a step the one after it. `pushed` is how many things were put on the ready queue
    /// of the loop that runs, before and after.
    pub(super) fn patch(&self, before: &State, after: &State, pushed: &Pushed) -> Map<String, Value> {
        let mut patch = Map::new();
        if before.time != after.time {
            patch.insert("time".into(), self.unit.tell(after.time).into());
        }
        if before.stack != after.stack {
            let from = after.stack.len().saturating_sub(STACK);
            patch.insert("stack".into(), json!(after.stack[from..]));
        }
        let mut put = |key: &str, changes: Map<String, Value>| {
            if !changes.is_empty() {
                patch.insert(key.into(), changes.into());
            }
        };
        put("coroutines", changes(&before.calls, &after.calls, |_, call| self.call(call)));
        put("futures", changes(&before.futures, &after.futures, |_, future| Self::future(future)));
        put("locks", changes(&before.locks, &after.locks, |_, lock| Self::lock(lock)));
        put("queues", changes(&before.queues, &after.queues, |_, queue| Self::queue(queue)));
        put("jobs", changes(&self.jobs(before), &self.jobs(after), |_, job| job.clone()));
        let none = Loop::default();
        let [was, is] = [before, after].map(|state| state.io_loop().map_or(&none, |(_, it)| it));
        let timers = |it: &Loop| {
            it.timers.iter().map(|timer| (timer.timer, timer.clone())).collect::<BTreeMap<_, _>>()
        };
        if was.timers != is.timers {
            put("timers", changes(&timers(was), &timers(is), |_, timer| self.timer(timer)));
        }
        let ready = |it: &Loop, last: u64| {
            let first = (last + 1).saturating_sub(it.ready.len() as u64);
            (first..).zip(it.ready.iter().cloned()).collect::<BTreeMap<_, _>>()
        };
        if was.ready != is.ready {
            let [was, is] = [ready(was, pushed.before), ready(is, pushed.after)];
            put("ready", changes(&was, &is, |_, ready| Self::ready(ready)));
        }
        // What is ready has consecutive numbers: this turn runs those up to that one.
        let last = |it: &Loop, pushed: u64| (pushed + it.batch as u64).saturating_sub(it.ready.len() as u64);
        let (was_last, is_last) = (last(was, pushed.before), last(is, pushed.after));
        if was_last != is_last {
            patch.insert("this_turn".into(), is_last.into());
        }
        if was.turn != is.turn {
            patch.insert("turn".into(), is.turn.into());
        }
        if before.functions != after.functions {
            let functions: Vec<_> = after.functions.iter().map(|function| self.function(function)).collect();
            patch.insert("functions".into(), functions.into());
        }
        if before.variables != after.variables {
            patch.insert("variables".into(), variables(&after.variables));
        }
        patch
    }

    /// A line as the number of its file and its own.
    pub(super) fn place(&self, place: Place) -> Option<Value> {
        self.files.number(place.file()).map(|file| json!([file, place.line()]))
    }

    fn call(&self, call: &Call) -> Value {
        let mut shown = json!({"status": status(call.status)});
        if let Some(place) = call.place.and_then(|place| self.place(place)) {
            shown["at"] = place;
        }
        if !call.variables.is_empty() {
            shown["variables"] = variables(&call.variables);
        }
        shown
    }

    fn function(&self, function: &Function) -> Value {
        let mut shown = json!({"name": function.name});
        if let Some(place) = function.place.and_then(|place| self.place(place)) {
            shown["at"] = place;
        }
        if !function.variables.is_empty() {
            shown["variables"] = variables(&function.variables);
        }
        shown
    }

    /// The jobs of executors that are under way or whose Future is still there, by the number of the Future. When they began and
    /// ended is told only once they are back, but holds before.
    fn jobs(&self, state: &State) -> BTreeMap<FutureId, Value> {
        let shown = |future: FutureId| match self.jobs.get(&future) {
            None => json!({"future": future}),
            Some(Job { thread, started: Some(started), ended: Some(ended) }) => {
                let mut shown = json!({"future": future});
                if *started <= state.time {
                    shown["thread"] = thread.as_str().into();
                    shown["from"] = self.unit.tell(*started).into();
                }
                if *ended <= state.time {
                    shown["to"] = self.unit.tell(*ended).into();
                }
                shown
            }
            Some(Job { thread, .. }) => json!({"future": future, "thread": thread}),
        };
        let under_way = state.jobs().map(|(id, _)| id);
        let back = state.futures.iter().filter(|(_, future)| future.job.is_some()).map(|(id, _)| *id);
        under_way.chain(back).map(|id| (id, shown(id))).collect()
    }

    fn future(future: &Future) -> Value {
        let mut shown = json!({"state": future.state});
        if !future.waiters.is_empty() {
            shown["waits"] = json!(future.waiters.iter().take(WAITERS).collect::<Vec<_>>());
        }
        // What a call returns is told before its Future is done.
        if let (Some(value), true) = (&future.value, future.state != Resolved::Pending) {
            shown["value"] = value.chars().take(VALUE).collect::<String>().into();
        }
        if future.retrieved {
            shown["taken"] = true.into();
        }
        shown
    }

    fn ready(ready: &Ready) -> Value {
        let mut shown = Self::standing(&ready.queued);
        let why = match ready.why {
            Reason::Called => "called",
            Reason::Done(_) => "done",
            Reason::Moment => "moment",
            Reason::Woken => "woken",
            Reason::Timer(_) => "timer",
            Reason::Added => "added",
            Reason::Outside => "outside",
            Reason::Job => "job",
            Reason::Io => "io",
            Reason::Internal => "internal",
        };
        shown["why"] = why.into();
        if let (Reason::Done(_), Some(by)) = (&ready.why, ready.by) {
            shown["by"] = json!(by);
        }
        shown
    }

    fn timer(&self, timer: &Timer) -> Value {
        let mut shown = Self::standing(&timer.queued);
        shown["at"] = u64::try_from(timer.until.as_nanos()).unwrap_or(u64::MAX).into();
        shown["time"] = self.unit.tell(timer.until).into();
        shown
    }

    fn standing(standing: &Standing) -> Value {
        match standing {
            Standing::Call(call) => json!({"call": call}),
            Standing::Future(future) => json!({"future": future}),
            Standing::Callback(name) => json!({"name": name}),
        }
    }

    fn lock(lock: &Lock) -> Value {
        let holders = lock.holders.iter().map(|holder| match (holder.call, &holder.name) {
            (Some(call), _) => json!(call),
            (None, name) => json!(name.as_deref().unwrap_or("?")),
        });
        let holders: Vec<_> = holders.take(WAITERS).collect();
        let mut shown = json!({"name": lock.name, "holders": holders, "waits": line(&lock.waiting)});
        if let Some(permits) = lock.permits {
            shown["permits"] = permits.into();
        }
        if let Some(set) = lock.set {
            shown["set"] = set.into();
        }
        shown
    }

    fn queue(queue: &Queue) -> Value {
        json!({
            "name": queue.name, "size": queue.size, "max": queue.maxsize, "unfinished": queue.unfinished,
            "gets": line(&queue.getters), "puts": line(&queue.putters), "joins": line(&queue.joiners),
        })
    }
}

/// How many things were put on the ready queue of the loop that runs, before a step and after it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pushed {
    pub(super) before: u64,
    pub(super) after: u64,
}

/// Pairs of a name and a value.
fn variables(all: &[(Cow<'static, str>, String)]) -> Value {
    all.iter().map(|(name, value)| json!([name, value.chars().take(VALUE).collect::<String>()])).collect()
}

/// The Futures of those that stand in line.
fn line(line: &crate::trace::Line) -> Value {
    json!(line.first.iter().take(WAITERS).collect::<Vec<_>>())
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Called => "called",
        Status::Running => "running",
        Status::Calling => "calling",
        Status::Waiting => "waiting",
        Status::Ready => "ready",
        Status::Returned => "done",
        Status::Raised => "failed",
        Status::Cancelled => "cancelled",
    }
}

/// Numbers as they stand in the keys of a patch.
trait Key: Ord + Copy {
    fn key(self) -> String;
}

macro_rules! keys {
    ($($id:ty: $number:expr),+) => {
        $(impl Key for $id {
            fn key(self) -> String {
                let number: fn($id) -> _ = $number;
                number(self).to_string()
            }
        })+
    };
}
keys!(CallId: |id| id.0, FutureId: |id| id.0, LockId: |id| id.0, crate::trace::TimerId: |id| id.0, u64: |n| n);

/// The patch of a map: what is new or different as it is now, `null` for what is gone. A value that changed is replaced by
/// fields: a field that it lost is `null`, too.
fn changes<K: Key, V: PartialEq>(
    before: &BTreeMap<K, V>,
    after: &BTreeMap<K, V>,
    show: impl Fn(&K, &V) -> Value,
) -> Map<String, Value> {
    let mut patch = Map::new();
    for key in before.keys().filter(|key| !after.contains_key(key)) {
        patch.insert(key.key(), Value::Null);
    }
    for (key, value) in after {
        let shown = match before.get(key) {
            Some(same) if same == value => continue,
            Some(was) => difference(show(key, was), show(key, value)),
            None => Some(show(key, value)),
        };
        if let Some(shown) = shown {
            patch.insert(key.key(), shown);
        }
    }
    patch
}

/// The fields of an object that are different, and `null` for those that are gone.
fn difference(was: Value, is: Value) -> Option<Value> {
    let (Value::Object(was), Value::Object(is)) = (was, is) else { return None };
    let mut patch = Map::new();
    for key in was.keys().filter(|key| !is.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in is {
        if was.get(&key) != Some(&value) {
            patch.insert(key, value);
        }
    }
    (!patch.is_empty()).then(|| patch.into())
}
