//! [`Locks`]: which coroutines hold the locks that a Future is requested of, as far as the entries tell.

use std::collections::{HashMap, HashSet};

use squall_runner::trace::{FutureId, LockId};
use squall_runner::Place;

use super::fields::Holder;
use super::names::Names;
use super::{Recorded, Source};

/// The locks so far: each as its last entry shows it.
#[derive(Debug, Default)]
pub(super) struct Locks {
    /// The lock of each request.
    requests: HashMap<FutureId, LockId>,
    known: HashMap<LockId, Lock>,
    resolved: HashSet<FutureId>,
}

#[derive(Debug)]
struct Lock {
    name: String,
    holders: Vec<Holder>,
}

/// How many holders are shown at most.
const SHOWN: usize = 3;

/// Lists in lists are described up to this depth.
const DEEPEST: usize = 5;

impl Locks {
    /// Takes in an entry.
    pub(super) fn note(&mut self, event: &Recorded) {
        match event {
            Recorded::Made { future, lock: Some(lock), .. } => _ = self.requests.insert(*future, *lock),
            Recorded::Lock { lock, name, holders, .. } => {
                let (name, holders) = (name.clone(), holders.clone());
                self.known.insert(*lock, Lock { name, holders });
            }
            Recorded::Resolve { future, .. } => _ = self.resolved.insert(*future),
            _ => {}
        }
    }

    /// Describes what a Future waits for, if that is a lock that is held, or a list with one. `place` shows a line.
    pub(super) fn held(
        &self,
        future: FutureId,
        names: &Names,
        place: &impl Fn(Place) -> String,
    ) -> Option<String> {
        let (text, is_held) = self.describe(future, names, place, DEEPEST)?;
        is_held.then_some(text)
    }

    /// Returns what a Future waits for, and whether a lock in it is held.
    fn describe(
        &self,
        future: FutureId,
        names: &Names,
        place: &impl Fn(Place) -> String,
        depth: usize,
    ) -> Option<(String, bool)> {
        let deeper = depth.checked_sub(1)?;
        if self.resolved.contains(&future) {
            return None;
        }
        match names.source(future)? {
            Source::Timeout { of, .. } => self.describe(*of, names, place, deeper),
            Source::Multi { of, .. } => {
                let parts = of.iter().filter_map(|child| self.describe(*child, names, place, deeper));
                let (texts, are_held): (Vec<_>, Vec<_>) = parts.unzip();
                (!texts.is_empty())
                    .then(|| (format!("[{}]", texts.join("; ")), are_held.into_iter().any(|is| is)))
            }
            Source::Named(name) => {
                let lock = self.requests.get(&future).and_then(|lock| self.known.get(lock));
                match lock.filter(|lock| !lock.holders.is_empty()) {
                    Some(lock) => Some((lock.described(place), true)),
                    None => Some((name.to_string(), false)),
                }
            }
            Source::Sleep { .. } => None,
        }
    }
}

impl Lock {
    /// Returns such as `Lock#2, held by b since x.rs:20`.
    fn described(&self, place: &impl Fn(Place) -> String) -> String {
        let mut text = format!("{}, held ", self.name);
        for (n, holder) in self.holders.iter().take(SHOWN).enumerate() {
            if n > 0 {
                text.push_str(", ");
            }
            let since = holder.place.map(place).filter(|since| !since.is_empty());
            let by = holder.name.as_ref().map(|name| format!("by {name}"));
            let since = since.map(|since| format!("since {since}"));
            let words: Vec<_> = by.into_iter().chain(since).collect();
            text.push_str(
                if words.is_empty() { "by the program".to_owned() } else { words.join(" ") }.as_str(),
            );
        }
        if let more @ 1.. = self.holders.len().saturating_sub(SHOWN) {
            text = format!("{text} and {more} more");
        }
        text
    }
}
