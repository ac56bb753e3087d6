//! What wakes native coroutines, from any thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Wake;

use crate::ready::ReadyQueue;

/// Who is told, on another thread, that a native coroutine was woken there.
pub(crate) type Outside = OnceLock<Box<dyn Fn(Arc<Woken>) + Send + Sync>>;

/// What the waker of a native coroutine is made of, and what is told of it where it was woken.
pub struct Woken {
    /// Its place in the list of its queue; another one may have it after its end.
    pub(crate) place: u32,
    pub(crate) outside: Arc<Outside>,
    /// Whether that was told and has not come to anything yet.
    pub(crate) told: AtomicBool,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let ready = ReadyQueue::current();
        if Arc::ptr_eq(&ready.outside, &self.outside) {
            ready.wake(self);
        } else if let Some(tell) = self.outside.get() {
            if !self.told.swap(true, Ordering::AcqRel) {
                tell(self.clone());
            }
        }
    }
}

impl std::fmt::Debug for Woken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Woken").field("place", &self.place).finish_non_exhaustive()
    }
}
