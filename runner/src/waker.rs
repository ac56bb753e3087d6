//! The wakers of native coroutines, which may be called from any thread.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use crate::ready::{Outside, QueueId, ReadyQueue, RegistrationId, Woken};
use crate::shared::lend;

impl Woken {
    fn new(queue: QueueId, place: RegistrationId, outside: &Arc<Outside>) -> Arc<Self> {
        let [told, away] = [false; 2].map(AtomicBool::new);
        Arc::new(Self { queue, place, outside: outside.clone(), told, away })
    }
}

impl Drop for Woken {
    /// A loop that only waits for this waker has to notice that it is gone. So dropping the last clone notifies the
    /// loop like a call of the waker: the loop finds that nothing can call it any more.
    fn drop(&mut self) {
        if *self.away.get_mut() && ReadyQueue::of_waker(self).is_none() {
            if let Some(tell) = self.outside.get() {
                tell(Self::new(self.queue, self.place, &self.outside));
            }
        }
    }
}

/// The waker of a native coroutine, as the coroutine holds it.
///
/// A suspended coroutine keeps no clone if other clones exist, so that the drop of the last clone is noticed, on
/// whichever thread that happens.
pub(crate) struct OwnWaker {
    kept: Cell<Option<Arc<Woken>>>,
    /// The waker while it is not kept. All of its clones may be gone.
    away: Cell<Weak<Woken>>,
    queue: QueueId,
    place: RegistrationId,
    outside: Arc<Outside>,
}

impl OwnWaker {
    /// Creates the waker of the value that is registered with `ready` under `place`.
    pub(crate) fn new(ready: &ReadyQueue, place: RegistrationId) -> Self {
        let (queue, outside) = (ready.id(), ready.outside.clone());
        let kept = Cell::new(Some(Woken::new(queue, place, &outside)));
        Self { kept, away: Cell::default(), queue, place, outside }
    }

    /// Keeps the waker, and returns a clone. Creates a new waker if all clones of the last one are gone.
    pub(crate) fn keep(&self) -> Waker {
        let kept = self.kept.take().or_else(|| self.away.take().upgrade());
        let kept = kept.unwrap_or_else(|| Woken::new(self.queue, self.place, &self.outside));
        kept.away.store(false, Ordering::Relaxed);
        self.kept.set(Some(kept.clone()));
        kept.into()
    }

    /// Stops keeping the waker if other clones exist, since the coroutine is suspended now.
    pub(crate) fn suspend(&self) {
        let Some(kept) = self.kept.take() else { return };
        if Arc::strong_count(&kept) == 1 {
            return self.kept.set(Some(kept));
        }
        kept.away.store(true, Ordering::Relaxed);
        self.away.set(Arc::downgrade(&kept));
        // If the other clones have gone meanwhile, the waker is dropped here.
        drop(kept);
    }

    /// Returns whether other clones exist.
    pub(crate) fn is_shared(&self) -> bool {
        lend(&self.kept, |kept| match kept {
            Some(kept) => Arc::strong_count(kept) > 1,
            None => lend(&self.away, |away| away.strong_count() > 0),
        })
    }

    /// Returns whether this is the waker at that address, and keeps it from now on.
    pub(crate) fn was_called(&self, address: *const ()) -> bool {
        let is = |woken: *const Woken| std::ptr::eq(woken.cast(), address);
        let is_kept = lend(&self.kept, |kept| kept.as_ref().is_some_and(|kept| is(Arc::as_ptr(kept))));
        let was_called = is_kept || lend(&self.away, |away| is(away.as_ptr()));
        if was_called {
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
        if let Some(queue) = ReadyQueue::of_waker(self) {
            queue.wake(self);
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
