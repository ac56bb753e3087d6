//! [`Queued`] and [`Why`]: the entries of a ready queue, and why they are there, as a trace reports them.

use std::cell::Cell;

use crate::numbers::{CallId, FutureId};

/// An entry of a ready queue, as tools name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Queued {
    /// A coroutine that is to be resumed, or started.
    Call(CallId),
    /// A callback that settles a Future or helps to: a timer, a list one of whose children is done, a time limit.
    Future(FutureId),
    /// Anything else, by the name of its type. The type of a closure names the function in which it was written.
    Callback(&'static str),
}

/// Why something goes on a ready queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// A native coroutine was called, or a coroutine that a tool starts in a separate step.
    Called,
    /// The Future that a coroutine or callback waited for is done.
    Done(FutureId),
    /// A coroutine has yielded the `moment`.
    Moment,
    /// A native coroutine was woken by its waker.
    Woken,
    /// The timer is due. Each loop numbers its timers from 1, in the order in which they are set.
    Timer(u64),
    /// A callback was added by `add_callback`.
    Added,
    /// Another thread has added a callback.
    Outside,
    /// The result of an executor job has come back.
    Job,
    /// A descriptor or socket is ready.
    Io,
    /// A Future of squall's internal work is done.
    Internal,
}

thread_local! {
    /// Why something goes on a queue now, where that is known.
    static WHY: Cell<Option<Why>> = const { Cell::new(None) };
    /// The coroutine that yields the `moment` now, whose generator is not in its place yet.
    static AT_MOMENT: Cell<Option<CallId>> = const { Cell::new(None) };
}

/// Calls `f`, and records `why` as the reason of whatever `f` puts on a queue.
pub fn because<R>(why: Why, f: impl FnOnce() -> R) -> R {
    /// Restores the reason from before, also after a panic.
    struct Before(Option<Why>);
    impl Drop for Before {
        fn drop(&mut self) {
            WHY.set(self.0);
        }
    }
    let _before = Before(WHY.replace(Some(why)));
    f()
}

/// Records that the next entry of a queue is a coroutine that has yielded the `moment`.
pub(crate) fn moment_is_next(call: CallId) {
    AT_MOMENT.set(Some(call));
}

/// Returns a new entry of a queue as a trace reports it, and why it is there.
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
