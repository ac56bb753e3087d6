//! [`Waking`]: wakes the polling task, for operations that are awaited and are not squall Futures.

use std::fmt;
use std::ptr::addr_eq;
use std::rc::{Rc, Weak};
use std::task::{Context, Waker};

use crate::callback::Run;
use crate::foreign::Guarded;
use crate::polled::polling;
use crate::ready::{QueueId, ReadyQueue};
use crate::waiter::{wake_on, Waiter};

/// Wakes the task that polls. Unlike a clone of its [`Waker`](std::task::Waker), it stays on its thread. So if all
/// coroutines of a loop wait by it, the loop knows that nothing outside can wake them.
///
/// ```
/// use std::cell::{Cell, RefCell};
/// use std::future::poll_fn;
/// use std::rc::Rc;
/// use std::task::Poll;
/// use squall_runner::{convert_yielded, native, native::Waking, ready::ReadyQueue};
///
/// let (waiting, open) = (Rc::new(RefCell::new(None)), Rc::new(Cell::new(false)));
/// let (waits, is_open) = (waiting.clone(), open.clone());
/// let passes = convert_yielded(native(poll_fn(move |cx| match is_open.get() {
///     true => Poll::Ready(()),
///     false => {
///         waits.replace(Some(Waking::of(cx, "the gate")));
///         Poll::Pending
///     }
/// }))).unwrap();
/// ReadyQueue::current().pop().unwrap().run();
/// assert!(!ReadyQueue::current().suspended()[0].wakeable);
/// open.set(true);
/// waiting.take().unwrap().wake();
/// ReadyQueue::current().pop().unwrap().run();
/// assert!(passes.done());
/// ```
pub struct Waking(Wakes);

enum Wakes {
    /// A native coroutine, and the queue on which it began to wait. Weak, so that a coroutine that has ended is
    /// dropped.
    Task(QueueId, Weak<dyn Run>),
    /// The waker of a foreign executor, or of one within a native coroutine.
    Foreign(Guarded<Waker>),
}

impl Waking {
    /// Records the task that polls with `cx`. `what` describes what it waits for.
    pub fn of(cx: &Context<'_>, what: &'static str) -> Self {
        let task = polling(cx.waker(), |polled| {
            polled.on = Some(what);
            Wakes::Task(ReadyQueue::current_id(), Rc::downgrade(&polled.task))
        });
        Self(task.unwrap_or_else(|| Wakes::Foreign(Guarded::new(cx.waker().clone()))))
    }

    /// Returns whether both wake the same task.
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Wakes::Task(_, one), Wakes::Task(_, other)) => addr_eq(one.as_ptr(), other.as_ptr()),
            (Wakes::Foreign(one), Wakes::Foreign(other)) => one.will_wake(other),
            _ => false,
        }
    }

    /// Returns whether the task has ended, so that there is nothing to wake.
    pub fn is_over(&self) -> bool {
        match &self.0 {
            Wakes::Task(_, task) => task.upgrade().is_none_or(|task| task.is_over(Rc::strong_count(&task))),
            Wakes::Foreign(_) => false,
        }
    }

    /// Wakes the task, if it still exists. A panic of a foreign waker is reported.
    #[inline]
    pub fn wake(self) {
        match self.0 {
            Wakes::Task(queue, task) => {
                if let Some(task) = task.upgrade() {
                    wake_on(queue, task);
                }
            }
            Wakes::Foreign(waker) => Waiter::Wake(waker).wake(),
        }
    }
}

impl fmt::Debug for Waking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waking").finish_non_exhaustive()
    }
}
