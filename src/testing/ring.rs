//! [`Ring`]: the last entries of a trace, and the number of those before them.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use crate::trace::{Entry, Recorded};

/// How many entries are kept.
pub(super) const ENTRIES: usize = 100_000;

/// The last [`ENTRIES`] entries.
#[derive(Debug, Default)]
pub(super) struct Ring {
    pub(super) entries: VecDeque<Entry>,
    /// How many entries came before them, and how many of those were turns.
    pub(super) left_out: usize,
    pub(super) turns: usize,
    /// How many calls of each coroutine came before them.
    pub(super) calls: BTreeMap<Cow<'static, str>, usize>,
}

impl Ring {
    pub(super) fn push(&mut self, entry: Entry) {
        if self.entries.len() >= ENTRIES {
            let first = self.entries.pop_front();
            self.left_out += 1;
            match first.map(|first| first.event) {
                Some(Recorded::Turn { .. }) => self.turns += 1,
                Some(Recorded::Call { name, .. }) => *self.calls.entry(name).or_default() += 1,
                _ => {}
            }
        }
        self.entries.push_back(entry);
    }

    /// Returns how many entries came before those that are kept.
    pub(super) fn left_out(&self) -> usize {
        self.left_out
    }
}
