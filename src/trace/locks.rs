//! [`Locks`]: which coroutines hold the locks that a Future is requested of, as far as the entries tell.

use std::collections::{HashMap, HashSet};

use squall_runner::trace::{FutureId, LockId};
use squall_runner::Place;

use super::fields::Holder;
use super::names::Names;
use super::phrases::{Phrase, Phrases};
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
        phrases: Phrases,
        place: &impl Fn(Place) -> String,
    ) -> Option<String> {
        let (text, is_held) = self.describe(future, names, phrases, place, DEEPEST)?;
        is_held.then_some(text)
    }

    /// Returns what a Future waits for, and whether a lock in it is held.
    fn describe(
        &self,
        future: FutureId,
        names: &Names,
        phrases: Phrases,
        place: &impl Fn(Place) -> String,
        depth: usize,
    ) -> Option<(String, bool)> {
        let deeper = depth.checked_sub(1)?;
        if self.resolved.contains(&future) {
            return None;
        }
        match names.source(future)? {
            Source::Timeout { of, .. } => self.describe(*of, names, phrases, place, deeper),
            Source::Multi { of, .. } => {
                let parts =
                    of.iter().filter_map(|child| self.describe(*child, names, phrases, place, deeper));
                let (texts, are_held): (Vec<_>, Vec<_>) = parts.unzip();
                (!texts.is_empty())
                    .then(|| (format!("[{}]", texts.join("; ")), are_held.into_iter().any(|is| is)))
            }
            Source::Named(name) => {
                let lock = self.requests.get(&future).and_then(|lock| self.known.get(lock));
                match lock.filter(|lock| !lock.holders.is_empty()) {
                    Some(lock) => Some((lock.described(phrases, place), true)),
                    None => Some((name.to_string(), false)),
                }
            }
            Source::Sleep { .. } => None,
        }
    }
}

impl Lock {
    /// Returns such as `Lock#2, held by b since x.rs:20`.
    fn described(&self, phrases: Phrases, place: &impl Fn(Place) -> String) -> String {
        let held = |holder: &Holder| {
            let since = holder.place.map(place).filter(|since| !since.is_empty());
            match (&holder.name, since) {
                (Some(name), Some(since)) => phrases.say(Phrase::BySince, &[name, &since]),
                (Some(name), None) => phrases.say(Phrase::By, &[name]),
                (None, Some(since)) => phrases.say(Phrase::Since, &[&since]),
                (None, None) => phrases.word(Phrase::ByProgram).to_owned(),
            }
        };
        let holders: Vec<_> = self.holders.iter().take(SHOWN).map(held).collect();
        let between = phrases.say(Phrase::Comma, &["", ""]);
        let text = phrases.say(Phrase::Held, &[&self.name, &holders.join(&between)]);
        match self.holders.len().saturating_sub(SHOWN) {
            0 => text,
            more => phrases.say(Phrase::HeldAndMore, &[&text, &more.to_string()]),
        }
    }
}
