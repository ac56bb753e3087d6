//! The timers of a loop, in the order in which they are due.

use std::collections::btree_map::{BTreeMap, Entry};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use squall_runner::ready::Callback;

/// Names a timer, to take it back with [`IoLoop::remove_timeout`](crate::IoLoop::remove_timeout).
#[derive(Clone)]
pub struct Timeout {
    key: Key,
    callback: Callback,
}

/// When it is due, then its age: equal deadlines are served oldest first.
type Key = (Duration, u64);

impl Timeout {
    /// When it is due, since the loop was made.
    pub fn deadline(&self) -> Duration {
        self.key.0
    }

    /// It is not going to run.
    pub(crate) fn withdraw(&self) {
        self.callback.withdraw();
    }
}

impl fmt::Debug for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("deadline", &self.key.0).finish_non_exhaustive()
    }
}

#[derive(Default)]
pub(crate) struct Timers {
    by_deadline: BTreeMap<Key, Callback>,
    /// How many there have been.
    made: u64,
}

impl Timers {
    pub(crate) fn add(&mut self, deadline: Duration, callback: Callback) -> Timeout {
        self.made += 1;
        let key = (deadline, self.made);
        self.by_deadline.insert(key, callback.clone());
        Timeout { key, callback }
    }

    /// Takes a timer out. The timer of another loop may have the same key: it stays.
    pub(crate) fn remove(&mut self, timeout: &Timeout) -> Option<Callback> {
        let Entry::Occupied(entry) = self.by_deadline.entry(timeout.key) else { return None };
        Rc::ptr_eq(entry.get(), &timeout.callback).then(|| entry.remove())
    }

    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.by_deadline.first_key_value().map(|(&(deadline, _), _)| deadline)
    }

    /// Takes the first timer if it is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Duration) -> Option<Callback> {
        let entry = self.by_deadline.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    /// None of them is going to run.
    pub(crate) fn withdraw(self) {
        self.by_deadline.into_values().for_each(|callback| callback.withdraw());
    }
}
