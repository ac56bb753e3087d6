//! The sentences of locks and queues.

use squall_runner::trace::LockId;

use super::parts::{Part, Parts};
use super::telling::{code, number, Telling};

impl Telling<'_> {
    pub(super) fn lock(&self, lock: LockId) -> (Parts, Parts) {
        let Some(after) = self.after.locks.get(&lock) else { return (self.word("loop"), Vec::new()) };
        let what = match self.before.locks.get(&lock) {
            None => "lock.new",
            Some(before) if after.set != before.set => match after.set {
                Some(true) => "lock.set",
                _ => "lock.cleared",
            },
            Some(before) if after.permits > before.permits => "lock.released",
            Some(before) if after.permits < before.permits => "lock.taken",
            Some(before) if after.holders.len() < before.holders.len() => "lock.released",
            Some(_) => "lock.waiting",
        };
        let why = match (self.holders(lock), after.permits) {
            (Some((_, list)), _) => self.say("lock.held.why", &[("list", list)]),
            (None, Some(1)) if after.kind == "Lock" => self.say("lock.free.why", &[]),
            (None, Some(n)) => self.say("lock.permits.why", &[("n", number(n))]),
            (None, None) => self.say("lock.line.why", &[("n", number(after.waiting.len))]),
        };
        (self.say(what, &[("who", self.who()), ("lock", code(&after.name))]), why)
    }

    pub(super) fn queue(&self, lock: LockId) -> (Parts, Parts) {
        let Some(after) = self.after.queues.get(&lock) else { return (self.word("loop"), Vec::new()) };
        let what = match self.before.queues.get(&lock) {
            None if after.size == 0 => "queue.new",
            Some(before) if after.size < before.size => "queue.taken",
            Some(before) if after.size == before.size && after.unfinished < before.unfinished => {
                "queue.finished"
            }
            Some(before) if after.size == before.size && after.unfinished == before.unfinished => {
                "queue.waiting"
            }
            _ => "queue.put",
        };
        let why = match after.maxsize {
            _ if what == "queue.finished" => {
                self.say("queue.unfinished.why", &[("n", number(after.unfinished))])
            }
            0 => self.say("queue.size.why", &[("n", number(after.size))]),
            max => self.say("queue.room.why", &[("n", number(after.size)), ("max", number(max))]),
        };
        (self.say(what, &[("who", self.who()), ("lock", code(&after.name))]), why)
    }

    /// Returns the name of a lock that is held, and those that hold it.
    pub(super) fn holders(&self, lock: LockId) -> Option<(Parts, Parts)> {
        let lock = self.after.locks.get(&lock)?;
        let holders = lock.holders.iter().filter_map(|holder| match (&holder.call, &holder.name) {
            (Some(call), _) => Some(vec![Part::Call(*call)]),
            (None, Some(name)) => Some(code(name)),
            (None, None) => None,
        });
        let holders: Vec<_> = holders.collect();
        (!holders.is_empty()).then(|| (code(&lock.name), self.list(holders)))
    }
}
