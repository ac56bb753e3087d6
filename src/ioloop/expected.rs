//! What is to come from other threads: the results of jobs.

use std::sync::Arc;

use slab::Slab;
use squall_runner::ready::{is_mostly_empty, Callback};

use super::handle::{Mail, Remote};
use super::IoLoop;

/// Callbacks that wait for their [`Ticket`]s to be dropped.
#[derive(Default)]
pub(crate) struct Expected {
    /// Each with its age.
    slab: Slab<(Callback, u64)>,
    /// How many there have been.
    made: u64,
}

impl Expected {
    pub(super) fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }

    /// Gives the memory of many jobs back that are over.
    pub(super) fn give_back_room(&mut self) {
        if is_mostly_empty(self.slab.len(), self.slab.capacity()) {
            self.slab.shrink_to_fit();
        }
    }

    /// Takes what has come.
    pub(super) fn take(&mut self, key: usize) -> Option<Callback> {
        self.take_with_age(key).map(|(callback, _)| callback)
    }

    /// The same, and how many there were when it was asked for, with it.
    pub(super) fn take_with_age(&mut self, key: usize) -> Option<(Callback, u64)> {
        self.slab.try_remove(key)
    }

    /// None of them is going to run.
    pub(super) fn withdraw(self) {
        self.slab.into_iter().for_each(|(_, (callback, _))| callback.withdraw());
    }
}

/// Has what is expected put on the ready queue of its loop when this is dropped, on whichever thread.
pub(crate) struct Ticket {
    remote: Arc<Remote>,
    key: usize,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.remote.send(Mail::Arrived(self.key));
    }
}

impl IoLoop {
    /// Has the callback that `make` gives put on the ready queue when the ticket is dropped that `make` gets. Until
    /// then the loop waits for it.
    pub(crate) fn expect(&self, make: impl FnOnce(Ticket) -> Callback) {
        let expected = &mut *self.inner.expected.borrow_mut();
        expected.made += 1;
        let place = expected.slab.vacant_entry();
        let callback = make(Ticket { remote: self.inner.inbox.remote().clone(), key: place.key() });
        if !self.is_closed() {
            place.insert((callback, expected.made));
        }
    }
}
