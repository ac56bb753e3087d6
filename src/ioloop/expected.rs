//! What is to come from other threads: the results of jobs.

use std::sync::Arc;

use slab::Slab;
use squall_runner::ready::Callback;

use super::handle::{Mail, Remote};
use super::IoLoop;

/// Callbacks that wait for their [`Ticket`]s to be dropped.
#[derive(Default)]
pub(crate) struct Expected(Slab<Callback>);

impl Expected {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes what has come.
    pub(super) fn take(&mut self, key: usize) -> Option<Callback> {
        self.0.try_remove(key)
    }

    /// None of them is going to run.
    pub(super) fn withdraw(self) {
        self.0.into_iter().for_each(|(_, callback)| callback.withdraw());
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
        let mut expected = self.inner.expected.borrow_mut();
        let place = expected.0.vacant_entry();
        let callback = make(Ticket { remote: self.inner.inbox.remote().clone(), key: place.key() });
        if !self.is_closed() {
            place.insert(callback);
        }
    }
}
