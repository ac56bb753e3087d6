//! [`Held`]: what a loop frees when it ends.

use std::rc::{Rc, Weak};

use squall_runner::ready::{ReadyQueue, RegistrationId, Withdraw};

/// Has something withdrawn when the loop ends, unless this is dropped before. For whatever holds Futures that
/// hold it in turn: that is a circle, which only the end of the loop breaks if they are never done.
#[derive(Debug)]
#[must_use = "what it stands for is withdrawn only while it lives"]
pub(crate) struct Held {
    place: RegistrationId,
    /// Its address, to know it again.
    it: *const (),
    ready: Weak<ReadyQueue>,
}

impl Held {
    /// For `it`, by the queue of this thread.
    pub(crate) fn new(it: Weak<dyn Withdraw>) -> Self {
        let ready = ReadyQueue::current();
        let address = it.as_ptr().cast();
        Self { place: ready.register(it), it: address, ready: Rc::downgrade(&ready) }
    }

    /// Returns whether the loop has ended, or is just ending.
    pub(crate) fn has_ended(&self) -> bool {
        self.ready.upgrade().is_none_or(|ready| !ready.is_registered(self.place, self.it))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(ready) = self.ready.upgrade() {
            ready.unregister(self.place, self.it);
        }
    }
}
