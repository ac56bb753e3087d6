//! [`Polled`]: the native coroutine that is being polled, as the Futures that it awaits see it.

use std::cell::Cell;
use std::mem::{take, ManuallyDrop};
use std::task::Waker;

use crate::any_future::AnyFuture;
use crate::callback::Callback;
use crate::place::Place;

thread_local! {
    /// The Task that is being polled. It has no destructor: it is empty when none is.
    static POLLED: ManuallyDrop<Cell<Option<Polled>>> = const { ManuallyDrop::new(Cell::new(None)) };
}

/// A Task that is being polled.
pub(crate) struct Polled {
    /// The Task itself, to be registered as a waiter.
    pub(crate) task: Callback,
    pub(crate) waker: Waker,
    /// The Future that it awaits, once it does.
    pub(crate) awaits: Option<AnyFuture>,
    /// A description of what it awaits, if that is not a squall Future but known to squall: `a socket`.
    pub(crate) on: Option<&'static str>,
    /// The line at which it last awaited a squall Future: that of the poll's caller, unless the line was passed.
    pub(crate) awaited_at: Option<Place>,
    /// `true` if its first await has to raise `Cancelled`.
    pub(crate) throw_cancel: bool,
}

/// Calls `f` with the Task that polls with `waker`. Ignores a Task whose body polls with a waker of its own, as
/// `join_all` may do.
pub(crate) fn polling<R>(waker: &Waker, f: impl FnOnce(&mut Polled) -> R) -> Option<R> {
    POLLED.with(|cell| {
        let mut polled = cell.take();
        let result = polled.as_mut().filter(|polled| polled.waker.will_wake(waker)).map(f);
        cell.set(polled);
        result
    })
}

/// Records the caller's line as an await of the Task that polls with `waker`, and returns whether `Cancelled` has to be
/// raised there.
#[track_caller]
pub(crate) fn is_cancelled(waker: &Waker) -> bool {
    awaits_at(waker, Place::caller())
}

/// Records `place` as an await of the Task that polls with `waker`, and returns whether `Cancelled` has to be raised
/// there.
pub(crate) fn awaits_at(waker: &Waker, place: Place) -> bool {
    let awaits = |polled: &mut Polled| {
        polled.awaited_at = Some(place);
        take(&mut polled.throw_cancel)
    };
    polling(waker, awaits).unwrap_or_default()
}

/// Makes `polled` the Task that is being polled, and returns the one before.
pub(crate) fn exchange(polled: Option<Polled>) -> Option<Polled> {
    POLLED.with(|cell| cell.replace(polled))
}
