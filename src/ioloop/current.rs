//! The current loop of a thread.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use squall_runner::ready::ReadyQueue;

use super::run::Running;
use super::{IoLoop, RealClock};

thread_local! {
    static LOOPS: RefCell<Loops> = const { RefCell::new(Loops { own: None, below: None, made: Vec::new() }) };
}

/// The loops of a thread. The last that was made the current one is it.
struct Loops {
    /// The one of the thread, where none was made the current one.
    own: Option<IoLoop>,
    /// The queue below those that were made the current one, if there are any.
    below: Option<Rc<ReadyQueue>>,
    made: Vec<Rc<IoLoop>>,
}

impl IoLoop {
    /// The loop of this thread; one on the real clock is made where there is none.
    pub fn current() -> Self {
        let current = LOOPS.try_with(|loops| {
            let loops = &mut *loops.borrow_mut();
            match loops.made.last() {
                Some(made) => Self::clone(made),
                None => {
                    loops.own.get_or_insert_with(|| Self::on(ReadyQueue::current(), RealClock::new())).clone()
                }
            }
        });
        // While a thread ends there is none any more. What asks for it in its `Drop` gets one that never runs.
        current.unwrap_or_else(|_| Self::new())
    }

    /// Makes this the loop of the thread until the guard goes. Then it is again the one that was made so last of
    /// those whose guards are there still: guards may go in any order.
    ///
    /// ```
    /// use squall::IoLoop;
    ///
    /// let (one, other) = (IoLoop::new(), IoLoop::new());
    /// let here = one.make_current();
    /// let there = other.make_current();
    /// drop(here);                                    // `other` is the current one still
    /// other.close();
    /// assert!(IoLoop::current().is_closed());
    /// drop(there);
    /// assert!(!IoLoop::current().is_closed());       // that of the thread
    /// ```
    pub fn make_current(&self) -> CurrentLoop {
        let made = Rc::new(self.clone());
        let before = self.inner.ready.clone().make_current();
        // While a thread ends nobody can ask for its loop.
        let _ = LOOPS.try_with(|loops| {
            let loops = &mut *loops.borrow_mut();
            if loops.made.is_empty() {
                loops.below = Some(before);
            }
            loops.made.push(made.clone());
        });
        CurrentLoop(Some(made))
    }

    /// Whether the current loop of this thread is running: whoever asks is called by it.
    #[cfg(feature = "trace")]
    pub(crate) fn current_runs() -> bool {
        let runs = |loops: &Loops| {
            let current = loops.made.last().map(|made| &**made).or(loops.own.as_ref());
            current.is_some_and(|current| current.inner.running.get())
        };
        LOOPS.try_with(|loops| runs(&loops.borrow())).unwrap_or(false)
    }

    /// Calls `f` as the loop would: it counts as running meanwhile. For tools that run it by hand.
    pub(crate) fn as_running<R>(&self, f: impl FnOnce() -> R) -> R {
        let running = &self.inner.running;
        let _running = (!running.replace(true)).then(|| Running(running));
        f()
    }
}

/// Returns the queue of the thread's default loop, if that is not running: what was made outside of any run is on it.
pub(super) fn default_queue() -> Option<Rc<ReadyQueue>> {
    let idle = |loops: &Loops| {
        let runs = loops.own.as_ref().is_some_and(|own| own.inner.running.get());
        loops.below.clone().filter(|_| !runs)
    };
    LOOPS.try_with(|loops| idle(&loops.borrow())).ok().flatten()
}

/// A loop that is the current one of its thread, until this is dropped.
#[must_use = "the loop is the current one only while this lives: bind it to a name"]
pub struct CurrentLoop(Option<Rc<IoLoop>>);

impl Drop for CurrentLoop {
    fn drop(&mut self) {
        let Some(gone) = self.0.take() else { return };
        let _ = LOOPS.try_with(|loops| loops.borrow_mut().made.retain(|made| !Rc::ptr_eq(made, &gone)));
        // If this was the last handle, what the loop still holds goes while its queue is the current one.
        drop(gone.inner.ready.clone().make_current());
        drop(gone);
        let ready = LOOPS.try_with(|loops| {
            let loops = &mut *loops.borrow_mut();
            match loops.made.last() {
                Some(made) => Some(made.inner.ready.clone()),
                None => loops.below.take(),
            }
        });
        drop(ready.ok().flatten().map(ReadyQueue::make_current));
    }
}

impl fmt::Debug for CurrentLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentLoop").finish_non_exhaustive()
    }
}
