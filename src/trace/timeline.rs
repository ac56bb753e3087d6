//! [`Timeline`]: the state after each entry of a trace, forwards and backwards.

use serde_json::{Map, Value};

use super::state::State;
use super::{Entry, Recorded};

/// The number of entries between two states that are kept.
const EVERY: usize = 256;

/// The state after each entry of a trace. A step forwards applies one entry; any other state applies at most 256.
///
/// ```
/// use squall::trace::Timeline;
///
/// let trace = squall::trace::record(|| squall::coroutine(|co| async move { co.yield_(()).await }));
/// let timeline = Timeline::new(trace.entries());
/// let mut state = timeline.state(0);                         // before the first entry
/// while timeline.forward(&mut state) {}
/// assert_eq!(state.entries, timeline.len());
/// assert_eq!(timeline.state(timeline.len()), state);
/// ```
#[derive(Debug, Clone)]
pub struct Timeline<'a> {
    entries: &'a [Entry],
    /// The states after 0, [`EVERY`], 2 × [`EVERY`] .. entries.
    kept: Vec<State>,
    notes: Vec<usize>,
    reports: Vec<usize>,
    turns: Vec<usize>,
}

impl<'a> Timeline<'a> {
    /// Folds the entries of a trace.
    pub fn new(entries: &'a [Entry]) -> Self {
        let mut kept = vec![State::default()];
        let mut state = State::default();
        for entry in entries {
            state.apply(entry);
            if state.entries % EVERY == 0 {
                kept.push(state.clone());
            }
        }
        let places = |is: fn(&Recorded) -> bool| {
            let found = entries.iter().enumerate().filter(|(_, entry)| is(&entry.event));
            found.map(|(place, _)| place).collect()
        };
        let notes = places(|event| matches!(event, Recorded::Note { .. }));
        let reports = places(|event| matches!(event, Recorded::Report { .. }));
        let turns = places(|event| matches!(event, Recorded::Turn { .. }));
        Self { entries, kept, notes, reports, turns }
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether the trace has no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the entries of the trace.
    pub fn entries(&self) -> &'a [Entry] {
        self.entries
    }

    /// Returns the state after the first `entries` entries, or after the last one if there are fewer.
    pub fn state(&self, entries: usize) -> State {
        let entries = entries.min(self.len());
        let mut state = self.kept[entries / EVERY].clone();
        while state.entries < entries && self.forward(&mut state) {}
        state
    }

    /// Advances a state by one entry. Returns whether there was one.
    pub fn forward(&self, state: &mut State) -> bool {
        let next = self.entries.get(state.entries);
        next.into_iter().for_each(|entry| state.apply(entry));
        next.is_some()
    }

    /// Takes a state back by one entry. Returns whether there was one.
    pub fn back(&self, state: &mut State) -> bool {
        let before = state.entries.checked_sub(1);
        before.into_iter().for_each(|entries| *state = self.state(entries));
        before.is_some()
    }

    /// Returns the entries of the lines that the program has printed up to a state, oldest first.
    pub fn printed(&self, state: &State) -> impl DoubleEndedIterator<Item = &'a Entry> + '_ {
        self.notes.iter().take(state.notes).map(|place| &self.entries[*place])
    }

    /// Returns the entries of the problems that were reported up to a state, oldest first.
    pub fn reported(&self, state: &State) -> impl DoubleEndedIterator<Item = &'a Entry> + '_ {
        self.reports.iter().take(state.reports).map(|place| &self.entries[*place])
    }

    /// Returns the positions of the entries with which a turn begins.
    pub fn turns(&self) -> &[usize] {
        &self.turns
    }

    /// Returns, for each entry, the change from the state before it to the state after it, as a JSON merge patch (RFC
    /// 7396). The state before the first entry is [`State::default`]. A page that applies the patches needs to know
    /// nothing about entries.
    ///
    /// ```
    /// use squall::trace::Timeline;
    ///
    /// let trace = squall::trace::record(|| squall::trace::note("hello"));
    /// let patches = Timeline::new(trace.entries()).patches();
    /// assert_eq!(patches, [serde_json::json!({"entries": 1, "notes": 1})]);
    /// ```
    pub fn patches(&self) -> Vec<Value> {
        let json = |state: &State| serde_json::to_value(state).expect("a state is JSON");
        let mut state = State::default();
        let mut before = json(&state);
        let mut patches = Vec::with_capacity(self.len());
        while self.forward(&mut state) {
            let after = json(&state);
            patches.push(Value::Object(difference(&before, &after)));
            before = after;
        }
        patches
    }
}

/// Returns the merge patch that turns `before` into `after`. Neither contains a `null`.
fn difference(before: &Value, after: &Value) -> Map<String, Value> {
    let empty = Map::new();
    let [before, after] = [before, after].map(|value| value.as_object().unwrap_or(&empty));
    let mut patch = Map::new();
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in after {
        match before.get(key) {
            Some(same) if same == value => {}
            Some(was) if was.is_object() && value.is_object() => {
                patch.insert(key.clone(), Value::Object(difference(was, value)));
            }
            _ => drop(patch.insert(key.clone(), value.clone())),
        }
    }
    patch
}
