//! What wakes native coroutines, from any thread.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::Wake;

use crate::ready::Ready;

/// Where wakers leave word: the part of a ready queue that other threads see.
#[derive(Default)]
pub(crate) struct Mail {
    /// Place and number of the Tasks that were woken from elsewhere, in order. A waker is in it once.
    woken: Mutex<Vec<(u32, u64)>>,
    /// Tells the loop that there is something in it.
    pub(crate) notify: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Mail {
    pub(crate) fn take(&self) -> Vec<(u32, u64)> {
        std::mem::take(&mut *self.woken.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a Task's waker is made of.
pub(crate) struct TaskWaker {
    /// The Task's place in the list of its queue.
    place: u32,
    /// Tells it from those that have the same place after it.
    pub(crate) number: u64,
    mail: Arc<Mail>,
    /// Whether word was left and not taken in yet.
    pub(crate) mailed: AtomicBool,
}

impl TaskWaker {
    pub(crate) fn new(place: u32, mail: Arc<Mail>) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self { place, number: LAST.fetch_add(1, Ordering::Relaxed), mail, mailed: AtomicBool::new(false) }
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let ready = Ready::current();
        if Arc::ptr_eq(&ready.mail, &self.mail) {
            return ready.wake(self.place, self.number);
        }
        if !self.mailed.swap(true, Ordering::AcqRel) {
            let mut woken = self.mail.woken.lock().unwrap_or_else(PoisonError::into_inner);
            woken.push((self.place, self.number));
            drop(woken);
            if let Some(notify) = self.mail.notify.get() {
                notify();
            }
        }
    }
}
