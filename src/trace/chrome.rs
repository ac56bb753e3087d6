//! A trace in the Trace Event Format of Chrome, which Perfetto reads.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::{json, Value};
use squall_runner::trace::CallId;

use super::names::Names;
use super::state::State;
use super::{Entry, Reason, Recorded, Standing, Trace, VERSION};

/// The track of the loop. That of a call is its number and this.
const LOOP: u64 = 1;

impl<R> Trace<R> {
    /// Returns the trace in Chrome's Trace Event Format, for <https://ui.perfetto.dev> or `chrome://tracing`. Each call has a
    /// track: what it does from one resume to the next is a slice there, each wait an asynchronous one, and an arrow leads
    /// from what wakes it to its resume.
    ///
    /// Each entry takes a microsecond at least, so that what happens at one moment of a virtual clock stands side by side.
    ///
    /// ```
    /// let trace = squall::trace::record(|| squall::coroutine(|_co| async { Ok(5) }));
    /// let chrome: serde_json::Value = serde_json::from_str(&trace.to_chrome()).unwrap();
    /// assert!(!chrome["traceEvents"].as_array().unwrap().is_empty());
    /// ```
    pub fn to_chrome(&self) -> String {
        let events = events(self.entries());
        let chrome =
            json!({"traceEvents": events, "displayTimeUnit": "ms", "otherData": {"squall_trace": VERSION}});
        let mut text = serde_json::to_string(&chrome).expect("it is JSON");
        text.push('\n');
        text
    }
}

fn events(entries: &[Entry]) -> Vec<Value> {
    let mut chart = Chart { names: Names::of(entries), ..Chart::default() };
    chart
        .events
        .push(json!({"ph": "M", "name": "process_name", "pid": 1, "tid": LOOP, "args": {"name": "squall"}}));
    chart.track(LOOP, "loop");
    let mut state = State::default();
    for entry in entries {
        chart.tick(entry.time);
        let before = state.clone();
        state.apply(entry);
        chart.add(&before, entry, &state);
    }
    chart.tick(Duration::ZERO);
    chart.turn_ends();
    let open: Vec<CallId> = chart.slices.keys().copied().collect();
    open.into_iter().for_each(|call| chart.leaves(call, "goes on"));
    let open: Vec<CallId> = chart.waits.keys().copied().collect();
    open.into_iter().for_each(|call| chart.waited(call));
    chart.events
}

#[derive(Default)]
struct Chart {
    names: Names,
    events: Vec<Value>,
    /// The time of the entry, in microseconds.
    now: u64,
    /// Since when each call runs, and what resumed it.
    slices: BTreeMap<CallId, (u64, String)>,
    /// The number of the wait of each call that waits, and what it waits for.
    waits: BTreeMap<CallId, (u64, String)>,
    /// The number of the arrow that leads to the next resume of each call.
    arrows: BTreeMap<CallId, u64>,
    /// Since when the turn runs, and its number.
    turn: Option<(u64, usize)>,
    /// How many waits and arrows there were.
    ids: u64,
}

fn track(call: CallId) -> u64 {
    let CallId(number): CallId = call;
    u64::from(NonZeroU32::get(number)) + LOOP
}

impl Chart {
    fn tick(&mut self, time: Duration) {
        self.now = (self.now + 1).max(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    fn track(&mut self, tid: u64, name: &str) {
        self.events
            .push(json!({"ph": "M", "name": "thread_name", "pid": 1, "tid": tid, "args": {"name": name}}));
        self.events.push(json!({"ph": "M", "name": "thread_sort_index", "pid": 1, "tid": tid, "args": {"sort_index": tid}}));
    }

    fn add(&mut self, before: &State, entry: &Entry, after: &State) {
        match &entry.event {
            Recorded::Call { runner, .. } => {
                let name = self.names.call(*runner);
                self.track(track(*runner), &name);
                if after.actor() == Some(*runner) {
                    self.resumed(*runner, "call".to_owned());
                }
            }
            Recorded::Start { runner } => self.resumed(*runner, "start".to_owned()),
            Recorded::Wake { runner } => self.resumed(*runner, "wake".to_owned()),
            Recorded::Send { runner, value, .. } => self.resumed(*runner, format!("send {value}")),
            Recorded::Throw { runner, exception, .. } => self.resumed(*runner, format!("throw {exception}")),
            Recorded::Wait { runner, future, .. } => {
                self.leaves(*runner, "yields");
                let what = future.map_or("its turn".to_owned(), |future| self.names.future(future));
                self.wait(*runner, format!("wait for {what}"));
            }
            Recorded::Return { runner, value, .. } => self.leaves(*runner, &format!("returns {value}")),
            Recorded::Raise { runner, exception, .. } => self.leaves(*runner, &format!("raises {exception}")),
            Recorded::Abandon { runner } => {
                self.waited(*runner);
                self.leaves(*runner, "is dropped");
            }
            Recorded::Push { queued: Standing::Call(call), why, .. } if *why != Reason::Moment => {
                let from = before.actor().map_or(LOOP, track);
                self.ids += 1;
                self.arrows.insert(*call, self.ids);
                let (id, ts) = (self.ids, self.now);
                self.events.push(json!({"ph": "s", "name": "wakes", "cat": "wake", "id": id, "pid": 1, "tid": from, "ts": ts}));
            }
            Recorded::Note { text, .. } => {
                let (tid, ts) = (before.actor().map_or(LOOP, track), self.now);
                self.events.push(
                    json!({"ph": "i", "name": text, "cat": "note", "s": "t", "pid": 1, "tid": tid, "ts": ts}),
                );
            }
            Recorded::Report { problem, exception, .. } => {
                let (name, ts) = (format!("{}: {exception}", problem.text()), self.now);
                self.events.push(
                    json!({"ph": "i", "name": name, "cat": "log", "s": "g", "pid": 1, "tid": LOOP, "ts": ts}),
                );
            }
            Recorded::Turn { io_loop } => {
                self.turn_ends();
                self.turn = after.loops.get(io_loop).map(|it| (self.now, it.turn));
            }
            Recorded::Sleep { .. } | Recorded::Stop { .. } => self.turn_ends(),
            _ => {}
        }
    }

    fn turn_ends(&mut self) {
        if let Some((ts, turn)) = self.turn.take() {
            self.slice(LOOP, ts, "turn", &format!("turn {turn}"), "");
        }
    }

    fn slice(&mut self, tid: u64, ts: u64, cat: &str, name: &str, end: &str) {
        let dur = self.now - ts;
        self.events.push(json!({
            "ph": "X", "name": name, "cat": cat, "pid": 1, "tid": tid, "ts": ts, "dur": dur, "args": {"end": end}
        }));
    }

    fn resumed(&mut self, call: CallId, how: String) {
        self.waited(call);
        // It goes on at once, or was called and is started now.
        self.leaves(call, "goes on");
        if let Some(id) = self.arrows.remove(&call) {
            let (tid, ts) = (track(call), self.now);
            self.events.push(json!({
                "ph": "f", "bp": "e", "name": "wakes", "cat": "wake", "id": id, "pid": 1, "tid": tid, "ts": ts
            }));
        }
        self.slices.insert(call, (self.now, how));
    }

    fn leaves(&mut self, call: CallId, end: &str) {
        if let Some((ts, how)) = self.slices.remove(&call) {
            self.slice(track(call), ts, "resume", &how, end);
        }
    }

    fn wait(&mut self, call: CallId, what: String) {
        self.ids += 1;
        let (id, tid, ts) = (self.ids, track(call), self.now);
        self.events
            .push(json!({"ph": "b", "name": what, "cat": "wait", "id": id, "pid": 1, "tid": tid, "ts": ts}));
        self.waits.insert(call, (id, what));
    }

    fn waited(&mut self, call: CallId) {
        if let Some((id, what)) = self.waits.remove(&call) {
            let (tid, ts) = (track(call), self.now);
            self.events.push(
                json!({"ph": "e", "name": what, "cat": "wait", "id": id, "pid": 1, "tid": tid, "ts": ts}),
            );
        }
    }
}
