//! The current loop of a thread.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem::ManuallyDrop;
use std::rc::Rc;

use squall_runner::ready::ReadyQueue;

use super::run::Running;
use super::{IoLoop, RealClock};

thread_local! {
    static LOOPS: RefCell<Loops> = const { RefCell::new(NONE) };
    /// The loops of a thread that is ending and has lost its `LOOPS`, for use by the `Drop` of other thread-locals. It
    /// has no destructor, so a loop that is left in it is leaked.
    static ENDING: ManuallyDrop<RefCell<Loops>> = const { ManuallyDrop::new(RefCell::new(NONE)) };
}

const NONE: Loops = Loops { own: None, below: None, made: Vec::new() };

fn with_loops<R>(f: impl FnOnce(&mut Loops) -> R) -> R {
    let f = Cell::new(Some(f));
    let call = |loops: &RefCell<Loops>| f.take().map(|f| f(&mut loops.borrow_mut()));
    let result = LOOPS.try_with(call).unwrap_or_else(|_| ENDING.with(|loops| call(loops)));
    result.expect("it is called once")
}

/// The loops of one thread. The current one is the loop that was made current last.
struct Loops {
    /// The thread's default loop, which is current while no other was made so.
    own: Option<IoLoop>,
    /// The ready queue that was current before any loop was made current.
    below: Option<Rc<ReadyQueue>>,
    made: Vec<Rc<IoLoop>>,
}

impl IoLoop {
    /// Returns the current loop of this thread, and creates one on the real clock if there is none.
    pub fn current() -> Self {
        with_loops(|loops| match loops.made.last() {
            Some(made) => Self::clone(made),
            None => {
                loops.own.get_or_insert_with(|| Self::on(ReadyQueue::current(), RealClock::new())).clone()
            }
        })
    }

    /// Makes this the current loop of the thread until the returned guard is dropped. Guards may be dropped in any
    /// order: the current loop is always the one made current last among those whose guards remain.
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
    /// assert!(!IoLoop::current().is_closed());       // the thread's own loop
    /// ```
    pub fn make_current(&self) -> CurrentLoop {
        let made = Rc::new(self.clone());
        let before = self.inner.ready.clone().make_current();
        with_loops(|loops| {
            if loops.made.is_empty() {
                loops.below = Some(before);
            }
            loops.made.push(made.clone());
        });
        CurrentLoop(Some(made))
    }

    /// Returns whether the current loop of this thread is running, so that the caller runs inside one of its callbacks.
    #[cfg(feature = "trace")]
    pub(crate) fn current_runs() -> bool {
        with_loops(|loops| {
            let current = loops.made.last().map(|made| &**made).or(loops.own.as_ref());
            current.is_some_and(|current| current.inner.running.get())
        })
    }

    /// Calls `f` as one of the loop's callbacks: the loop counts as running meanwhile. For tools that drive a loop by
    /// hand.
    pub(crate) fn as_running<R>(&self, f: impl FnOnce() -> R) -> R {
        let running = &self.inner.running;
        let _running = (!running.replace(true)).then(|| Running(running));
        f()
    }
}

/// Returns the ready queue of the thread's default loop, unless that loop is running. It holds what was created outside
/// of any run.
pub(super) fn default_queue() -> Option<Rc<ReadyQueue>> {
    let idle = |loops: &Loops| {
        let runs = loops.own.as_ref().is_some_and(|own| own.inner.running.get());
        loops.below.clone().filter(|_| !runs)
    };
    LOOPS.try_with(|loops| idle(&loops.borrow())).ok().flatten()
}

/// A guard of [`IoLoop::make_current`]: the loop is the current one of its thread until the guard is dropped.
#[must_use = "the loop is the current one only while this lives: bind it to a name"]
pub struct CurrentLoop(Option<Rc<IoLoop>>);

impl Drop for CurrentLoop {
    fn drop(&mut self) {
        let Some(gone) = self.0.take() else { return };
        with_loops(|loops| loops.made.retain(|made| !Rc::ptr_eq(made, &gone)));
        // If this was the last handle, the loop's contents are dropped while its ready queue is the current one.
        drop(gone.inner.ready.clone().make_current());
        drop(gone);
        let ready = with_loops(|loops| match loops.made.last() {
            Some(made) => Some(made.inner.ready.clone()),
            None => loops.below.take(),
        });
        drop(ready.map(ReadyQueue::make_current));
    }
}

impl fmt::Debug for CurrentLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentLoop").finish_non_exhaustive()
    }
}
