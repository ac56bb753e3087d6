//! [`Held`]: a registration of what the loop withdraws when it ends.

use std::rc::{Rc, Weak};

use squall_runner::ready::{ReadyQueue, RegistrationId, Withdraw};

/// Withdraws a value when the loop ends, unless this is dropped before. It is for values that hold a Future which holds
/// them in turn: if that Future is never done, only the end of the loop breaks the cycle.
#[derive(Debug)]
#[must_use = "what it stands for is withdrawn only while it lives"]
pub(crate) struct Held {
    place: RegistrationId,
    /// The address of the value, which identifies it.
    it: *const (),
    ready: Weak<ReadyQueue>,
}

impl Held {
    /// Registers `it` with the ready queue of this thread.
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
