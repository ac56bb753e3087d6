//! The changes of the state that a page shows, from one step to the next: a JSON merge patch (RFC 7396).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{json, Map, Value};
use squall_runner::trace::{FutureId, State as Resolved};
use squall_runner::Place;

use super::sources::Files;
use crate::trace::names::Unit;
use crate::trace::state::{
    Call, Function, Future, Job, Key, Lock, Loop, PersistentMap, Queue, Ready, State, Status, Timer,
};
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
    /// The jobs of executors, by the number of their Future: where and when each ran, if it comes back.
    pub(super) jobs: BTreeMap<FutureId, Option<Job>>,
}

impl View<'_> {
    /// Returns the state before the first step.
    pub(super) fn nothing(&self) -> Value {
        json!({
            "time": self.unit.tell(std::time::Duration::ZERO), "turn": 0, "stack": [], "this_turn": 0,
            "functions": [], "variables": [], "coroutines": {}, "ready": {}, "timers": {}, "futures": {}, "locks": {}, "queues": {}, "jobs": {}, "printed": 0,
        })
    }

    /// Returns the patch that makes the state before a step the one after it.
    pub(super) fn patch(&self, before: &State, after: &State) -> Map<String, Value> {
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
        put("coroutines", changes(&before.calls, &after.calls, |call| self.call(call)));
        put("futures", changes(&before.futures, &after.futures, Self::future));
        put("locks", changes(&before.locks, &after.locks, Self::lock));
        put("queues", changes(&before.queues, &after.queues, Self::queue));
        put("jobs", self.jobs_changed(before, after));
        let none = Loop::default();
        let [was, is] = [before, after].map(|state| state.io_loop().map_or(&none, |(_, it)| it));
        put("timers", changes(&was.timers, &is.timers, |timer| self.timer(timer)));
        put("ready", changes(was.ready.entries(), is.ready.entries(), Self::ready));
        // This turn runs what is ready up to that number.
        let [was_last, is_last] = [was, is].map(|it| it.ready.last_of(it.batch));
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

    /// Returns a line as the number of its file and its own.
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

    /// Returns the changes of the jobs that are under way or whose Future is still there, by the number of the Future.
    fn jobs_changed(&self, before: &State, after: &State) -> Map<String, Value> {
        // What is told of a job depends on its Future and on the time.
        let touched: Vec<_> = match before.time == after.time {
            true => after.futures.changed_since(&before.futures).collect(),
            false => self.jobs.keys().copied().collect(),
        };
        let mut patch = Map::new();
        for future in touched {
            let [was, is] = [before, after].map(|state| self.job(future, state));
            match (was, is) {
                (Some(was), Some(is)) => drop(difference(was, is).map(|is| patch.insert(key(future), is))),
                (None, Some(is)) => drop(patch.insert(key(future), is)),
                (Some(_), None) => drop(patch.insert(key(future), Value::Null)),
                (None, None) => {}
            }
        }
        patch
    }

    /// Returns a job, while it is there. When it began and ended is told only once it is back, but holds before.
    fn job(&self, id: FutureId, state: &State) -> Option<Value> {
        let job = self.jobs.get(&id)?;
        state.futures.get(&id).filter(|future| future.state == Resolved::Pending || future.job.is_some())?;
        let mut shown = json!({"future": id});
        match job {
            None => {}
            Some(Job { thread, started: Some(started), ended: Some(ended) }) => {
                if *started <= state.time {
                    shown["thread"] = thread.as_str().into();
                    shown["from"] = self.unit.tell(*started).into();
                }
                if *ended <= state.time {
                    shown["to"] = self.unit.tell(*ended).into();
                }
            }
            Some(Job { thread, .. }) => shown["thread"] = thread.as_str().into(),
        }
        Some(shown)
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

/// Pairs of a name and a value.
fn variables(all: &[(Cow<'static, str>, String)]) -> Value {
    all.iter().map(|(name, value)| json!([name, value.chars().take(VALUE).collect::<String>()])).collect()
}

/// Returns the Futures of those that stand in line.
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
fn key(key: impl Key) -> String {
    key.number().to_string()
}

/// Returns the patch of a map: what is new or different as it is now, `null` for what is gone. A value that changed is
/// replaced by fields: a field that it lost is `null`, too.
fn changes<K: Key, V: PartialEq>(
    before: &PersistentMap<K, V>,
    after: &PersistentMap<K, V>,
    show: impl Fn(&V) -> Value,
) -> Map<String, Value> {
    let mut patch = Map::new();
    for changed in after.changed_since(before) {
        let shown = match (before.get(&changed), after.get(&changed)) {
            (Some(same), Some(value)) if same == value => continue,
            (Some(was), Some(value)) => difference(show(was), show(value)),
            (None, Some(value)) => Some(show(value)),
            (_, None) => Some(Value::Null),
        };
        if let Some(shown) = shown {
            patch.insert(key(changed), shown);
        }
    }
    patch
}

/// Returns the fields of an object that are different, and `null` for those that are gone.
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
