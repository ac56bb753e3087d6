//! [`Held`]: a registration of what the loop withdraws when it ends.

use std::rc::{Rc, Weak};

use crate::callback::Withdraw;
use crate::ready::{ReadyQueue, RegistrationId};

/// Withdraws a value when the loop ends, unless this is dropped before. It is for a Future that holds Futures which
/// hold it in turn: if they are never done, only the end of the loop breaks this cycle.
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use squall_runner::ready::{ReadyQueue, Withdraw};
/// use squall_runner::Held;
///
/// struct Waits(Cell<bool>);
/// impl Withdraw for Waits {
///     fn withdraw(&self) { self.0.set(true) }
/// }
///
/// let waits = Rc::new(Waits(Cell::new(false)));
/// let held = Held::new(Rc::<Waits>::downgrade(&waits));
/// ReadyQueue::current().abandon();               // as the end of a loop does
/// assert!(waits.0.get());
/// # drop(held);
/// ```
#[derive(Debug)]
#[must_use = "what it stands for is withdrawn only while it lives"]
pub struct Held {
    id: RegistrationId,
    /// The address of the value, which identifies it.
    it: *const (),
    ready: Weak<ReadyQueue>,
}

impl Held {
    /// Registers `it` with the current ready queue of this thread.
    pub fn new(it: Weak<dyn Withdraw>) -> Self {
        let ready = ReadyQueue::current();
        let address = it.as_ptr().cast();
        Self { id: ready.register(it), it: address, ready: Rc::downgrade(&ready) }
    }

    /// Returns whether the loop has ended, or is just ending.
    pub fn has_ended(&self) -> bool {
        self.ready.upgrade().is_none_or(|ready| !ready.is_registered(self.id, self.it))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(ready) = self.ready.upgrade() {
            ready.unregister(self.id, self.it);
        }
    }
}
