//! [`ReadyLine`]: a ready queue as a state has it.

use serde::{Serialize, Serializer};
use squall_runner::trace::CallId;

use super::fields::{Reason, Standing};
use super::persistent::PersistentMap;

/// An entry of a ready queue, with the reason why it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ready {
    /// The coroutine or callback that runs when its turn comes.
    pub queued: Standing,
    /// The reason why it was put on the queue.
    pub why: Reason,
    /// The call that was running when it was put on the queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<CallId>,
}

/// The entries of a ready queue, in order. A clone shares them with its origin.
#[derive(Debug, Clone, Default)]
pub struct ReadyLine {
    /// By their numbers, which count the entries that were ever put on the queue, from 1.
    entries: PersistentMap<u64, Ready>,
    /// The number of the last entry that was put on the queue.
    pushed: u64,
}

impl ReadyLine {
    /// Returns the entry that is taken next.
    pub fn front(&self) -> Option<&Ready> {
        self.entries.first().map(|(_, ready)| ready)
    }

    /// Returns the entries, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Ready> {
        self.entries.values()
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether nothing is ready.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the number of the last of the first `count` entries, or one below all numbers if `count` is 0.
    pub(super) fn last_of(&self, count: usize) -> u64 {
        let first = self.entries.first().map_or(self.pushed + 1, |(first, _)| *first);
        let is_whole = first + self.len() as u64 == self.pushed + 1;
        match count {
            0 => first - 1,
            // Unless an entry was taken from the middle, the numbers follow each other.
            count if is_whole => first + count as u64 - 1,
            count => self.entries.keys().nth(count - 1).copied().unwrap_or(self.pushed),
        }
    }

    /// Returns the entries by their numbers.
    pub(super) fn entries(&self) -> &PersistentMap<u64, Ready> {
        &self.entries
    }

    pub(super) fn push_back(&mut self, ready: Ready) {
        self.pushed += 1;
        self.entries.insert(self.pushed, ready);
    }

    /// Removes the first entry for that, and returns how many entries were before it.
    pub(super) fn take(&mut self, queued: &Standing) -> Option<usize> {
        let is = |(_, (_, ready)): &(usize, (&u64, &Ready))| ready.queued == *queued;
        let (at, key) = self.entries.iter().enumerate().find(is).map(|(at, (key, _))| (at, *key))?;
        self.entries.remove(&key);
        Some(at)
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// Compares the entries.
impl PartialEq for ReadyLine {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for ReadyLine {}

impl Serialize for ReadyLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}
