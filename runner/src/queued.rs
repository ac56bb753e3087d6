//! [`Queued`] and [`Why`]: what stands on a ready queue, and why, as a trace tells it.

use std::cell::Cell;

use crate::numbers::{CallId, FutureId};

/// What stands on a ready queue, as tools name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Queued {
    /// A coroutine that is to be resumed, or started.
    Call(CallId),
    /// What settles a Future or is a part of that: a timer, a list one of whose children is done, a limit.
    Future(FutureId),
    /// Anything else, by the name of its type. That of a closure holds the name of the function in which it was written.
    Callback(&'static str),
}

/// Why something goes on a ready queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// A native coroutine was called, or a coroutine that a tool starts in a step of its own.
    Called,
    /// It waited for that Future, which is done.
    Done(FutureId),
    /// It has yielded the `moment`.
    Moment,
    /// A native coroutine was woken by its waker.
    Woken,
    /// That timer of the loop is due: timers are numbered by each loop, from 1, in the order in which they are set.
    Timer(u64),
    /// It was added by `add_callback`.
    Added,
    /// Another thread has added it.
    Outside,
    /// The result of an executor job is there.
    Job,
    /// A descriptor or socket is ready.
    Io,
    /// It waited for a Future of squall's own work.
    Internal,
}

thread_local! {
    /// Why something goes on a queue now, where that is known.
    static WHY: Cell<Option<Why>> = const { Cell::new(None) };
    /// The coroutine that yields the `moment` now, whose generator is not in its place yet.
    static AT_MOMENT: Cell<Option<CallId>> = const { Cell::new(None) };
}

/// Calls `f`, which puts something on a queue for that reason, if it puts anything there.
pub fn because<R>(why: Why, f: impl FnOnce() -> R) -> R {
    /// Puts the reason back that was there, also when a panic passes.
    struct Before(Option<Why>);
    impl Drop for Before {
        fn drop(&mut self) {
            WHY.set(self.0);
        }
    }
    let _before = Before(WHY.replace(Some(why)));
    f()
}

/// The next to go on a queue is that coroutine, which has yielded the `moment`.
pub(crate) fn moment_is_next(call: CallId) {
    AT_MOMENT.set(Some(call));
}

/// Returns what goes on a queue now, and why.
pub(crate) fn told(queued: impl FnOnce() -> Queued) -> (Queued, Why) {
    if let Some(call) = AT_MOMENT.take() {
        return (Queued::Call(call), Why::Moment);
    }
    let queued = queued();
    let why = WHY.get().unwrap_or(match queued {
        // Of all coroutines only a native one comes by itself.
        Queued::Call(_) => Why::Woken,
        _ => Why::Added,
    });
    (queued, why)
}
