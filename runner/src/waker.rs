//! What wakes native coroutines, from any thread.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Wake;

use crate::ready::Ready;

/// Who is told, on another thread, that a native coroutine was woken there.
pub(crate) type Outside = OnceLock<Box<dyn Fn(Woken) + Send + Sync>>;

/// A native coroutine that was woken: its place in the list of its queue, and a number which tells it from those
/// that have the same place after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Woken {
    pub(crate) place: u32,
    number: u64,
}

/// What a Task's waker is made of.
pub(crate) struct TaskWaker {
    pub(crate) task: Woken,
    outside: Arc<Outside>,
    /// Whether that was told and has not come to anything yet.
    pub(crate) told: AtomicBool,
}

impl TaskWaker {
    pub(crate) fn new(place: u32, outside: Arc<Outside>) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let task = Woken { place, number: LAST.fetch_add(1, Ordering::Relaxed) };
        Self { task, outside, told: AtomicBool::new(false) }
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let ready = Ready::current();
        if Arc::ptr_eq(&ready.outside, &self.outside) {
            ready.wake(self.task);
        } else if let Some(tell) = self.outside.get() {
            if !self.told.swap(true, Ordering::AcqRel) {
                tell(self.task);
            }
        }
    }
}
