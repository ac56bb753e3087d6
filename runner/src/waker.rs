//! What wakes native coroutines, from any thread.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Wake, Waker};

use crate::ready::ReadyQueue;
use crate::shared::lend;

/// Tells the loop, on another thread, that a native coroutine was woken there.
pub(crate) type Outside = OnceLock<Box<dyn Fn(Arc<Woken>) + Send + Sync>>;

/// What the waker of a native coroutine is made of, and what is told of it where it was woken.
pub struct Woken {
    /// Its place in the list of its queue; another one may have it after its end.
    pub(crate) place: u32,
    outside: Arc<Outside>,
    /// Whether the loop was told and has not woken the coroutine yet.
    told: AtomicBool,
    /// Whether the coroutine keeps no clone of its own: the last clone is one that was given away.
    away: AtomicBool,
}

impl Woken {
    fn new(place: u32, outside: &Arc<Outside>) -> Arc<Self> {
        let [told, away] = [false; 2].map(AtomicBool::new);
        Arc::new(Self { place, outside: outside.clone(), told, away })
    }
}

impl Drop for Woken {
    /// A loop that waits for nothing but this waker has to see that it is gone. It is told as of a waker that was
    /// called: it looks, and finds that nothing waits for that one.
    fn drop(&mut self) {
        if *self.away.get_mut() && !Arc::ptr_eq(&ReadyQueue::current().outside, &self.outside) {
            if let Some(tell) = self.outside.get() {
                tell(Self::new(self.place, &self.outside));
            }
        }
    }
}

/// The waker of a native coroutine, as the coroutine has it.
///
/// A suspended coroutine keeps no clone if others have some: then the drop of the last clone is noticed, on
/// whichever thread that is.
pub(crate) struct OwnWaker {
    kept: Cell<Option<Arc<Woken>>>,
    /// The waker while it is not kept. All clones of it may be gone.
    away: Cell<Weak<Woken>>,
    place: u32,
    outside: Arc<Outside>,
}

impl OwnWaker {
    pub(crate) fn new(place: u32, outside: Arc<Outside>) -> Self {
        let kept = Cell::new(Some(Woken::new(place, &outside)));
        Self { kept, away: Cell::default(), place, outside }
    }

    /// Keeps the waker, and returns a clone. It is a new one if all clones of the last one are gone.
    pub(crate) fn keep(&self) -> Waker {
        let kept = self.kept.take().or_else(|| self.away.take().upgrade());
        let kept = kept.unwrap_or_else(|| Woken::new(self.place, &self.outside));
        kept.away.store(false, Ordering::Relaxed);
        self.kept.set(Some(kept.clone()));
        kept.into()
    }

    /// Stops keeping the waker if others have clones of it: the coroutine is suspended now.
    pub(crate) fn suspend(&self) {
        let Some(kept) = self.kept.take() else { return };
        if Arc::strong_count(&kept) == 1 {
            return self.kept.set(Some(kept));
        }
        kept.away.store(true, Ordering::Relaxed);
        self.away.set(Arc::downgrade(&kept));
        // If the others have gone meanwhile, the waker is dropped here.
        drop(kept);
    }

    /// Returns whether others have clones of it.
    pub(crate) fn is_shared(&self) -> bool {
        lend(&self.kept, |kept| match kept {
            Some(kept) => Arc::strong_count(kept) > 1,
            None => lend(&self.away, |away| away.strong_count() > 0),
        })
    }

    /// Returns whether it is the one that was called. It is kept from now on.
    pub(crate) fn was_called(&self, woken: &Arc<Woken>) -> bool {
        let address = Arc::as_ptr(woken);
        let is_kept = lend(&self.kept, |kept| kept.as_ref().is_some_and(|kept| Arc::as_ptr(kept) == address));
        let was_called = is_kept || lend(&self.away, |away| away.as_ptr() == address);
        if was_called {
            woken.told.swap(false, Ordering::AcqRel);
            drop(self.keep());
        }
        was_called
    }
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
