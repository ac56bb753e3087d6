//! Callbacks that other threads will trigger, such as the results of jobs.

use std::fmt;
use std::sync::Arc;

use squall_runner::ready::{Callback, ShrinkingSlab};

use super::handle::{Mail, Remote};

/// Callbacks that are called when their [`Ticket`]s are dropped.
#[derive(Default)]
pub(crate) struct Expected {
    /// Each callback with its age.
    slab: ShrinkingSlab<(Callback, u64)>,
    /// How many callbacks were ever added; the age of the youngest.
    made: u64,
}

impl Expected {
    /// Creates a [`Ticket`] and passes it to `make`. Keeps the callback that `make` returns, if any.
    pub(super) fn add(&mut self, remote: &Arc<Remote>, make: impl FnOnce(Ticket) -> Option<Callback>) {
        self.made += 1;
        let place = self.slab.vacant_entry();
        if let Some(callback) = make(Ticket { remote: remote.clone(), key: place.key() }) {
            place.insert((callback, self.made));
        }
    }

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

/// Triggers an [expected callback](crate::IoLoop::expect_callback) when it is dropped, on whichever thread that happens.
#[must_use = "the callback is called when this is dropped"]
pub struct Ticket {
    remote: Arc<Remote>,
    key: usize,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.remote.send(Mail::Arrived(self.key));
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").finish_non_exhaustive()
    }
}
