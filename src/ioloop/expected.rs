//! Callbacks that other threads will trigger, such as the results of jobs.

use std::fmt;
use std::sync::Arc;

use squall_runner::ready::{callback, Callback, ShrinkingSlab};

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

/// Triggers an [expected callback](IoLoop::expect_callback) when it is dropped, on whichever thread that happens.
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

impl IoLoop {
    /// Calls `f` in the next turn of the loop after the returned ticket is dropped, on whichever thread that happens: for
    /// results that come from other threads. The loop waits until then, and a virtual clock stands still.
    ///
    /// ```
    /// use squall::{Future, IoLoop};
    ///
    /// let io_loop = IoLoop::current();
    /// let future = Future::<i32>::new();
    /// let promise = future.promise();
    /// let ticket = io_loop.expect_callback(move || promise.set_result(5));
    /// std::thread::spawn(move || drop(ticket));
    /// assert_eq!(io_loop.run_sync(|| future)?, 5);
    /// # Ok::<(), squall::Exception>(())
    /// ```
    pub fn expect_callback(&self, f: impl FnOnce() + 'static) -> Ticket {
        let mut made = None;
        self.expect(|ticket| {
            made = Some(ticket);
            callback(f)
        });
        made.expect("it was made just now")
    }

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
