//! Callbacks that other threads will trigger, such as the results of jobs.

use std::sync::Arc;

use squall_runner::ready::{Callback, ShrinkingSlab};

use super::handle::{Mail, Remote};
use super::IoLoop;

/// Callbacks that are called when their [`Ticket`]s are dropped.
#[derive(Default)]
pub(crate) struct Expected {
    /// Each callback with its age.
    slab: ShrinkingSlab<(Callback, u64)>,
    /// How many callbacks were ever added; the age of the youngest.
    made: u64,
}

impl Expected {
    pub(super) fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }

    /// Returns memory that a burst of jobs has left unused.
    pub(super) fn give_back_room(&mut self) {
        self.slab.give_back_room();
    }

    /// Takes out the callback under `key`, whose ticket was dropped.
    pub(super) fn take(&mut self, key: usize) -> Option<Callback> {
        self.take_with_age(key).map(|(callback, _)| callback)
    }

    /// Takes out the callback under `key`, with its age.
    pub(super) fn take_with_age(&mut self, key: usize) -> Option<(Callback, u64)> {
        self.slab.try_remove(key)
    }

    /// Withdraws all callbacks, since none of them will run.
    pub(super) fn withdraw(self) {
        self.slab.into_inner().into_iter().for_each(|(_, (callback, _))| callback.withdraw());
    }
}

/// Triggers an expected callback when it is dropped, on whichever thread that happens.
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
    /// Creates a [`Ticket`], passes it to `make`, and runs the callback that `make` returns once the ticket is dropped.
    /// The loop keeps running until then.
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
