//! [`Polled`]: the native coroutine that is being polled, as the Futures that it awaits see it.

use std::cell::Cell;
use std::mem::{take, ManuallyDrop};
use std::task::Waker;

use crate::any_future::AnyFuture;
use crate::callback::Callback;
use crate::place::Place;

thread_local! {
    /// The Task that is being polled. Without a destructor: nothing is left in it when none is.
    static POLLED: ManuallyDrop<Cell<Option<Polled>>> = const { ManuallyDrop::new(Cell::new(None)) };
}

/// A Task that is being polled, to the Futures that it awaits.
pub(crate) struct Polled {
    /// Itself, as somebody who waits.
    pub(crate) task: Callback,
    pub(crate) waker: Waker,
    /// What it awaits, once it does.
    pub(crate) awaits: Option<AnyFuture>,
    /// In words, what it awaits that is no squall Future but known to squall: `a socket`.
    pub(crate) on: Option<&'static str>,
    /// The line of the last await of a squall Future: that of the caller of its poll, unless it was given.
    pub(crate) awaited_at: Option<Place>,
    /// Whether its first await is to raise `Cancelled`.
    pub(crate) throw_cancel: bool,
}

/// Does something with the Task that polls with this waker: not with one whose body polls with a waker of its own
/// making, as `join_all` may do.
pub(crate) fn polling<R>(waker: &Waker, f: impl FnOnce(&mut Polled) -> R) -> Option<R> {
    POLLED.with(|cell| {
        let mut polled = cell.take();
        let result = polled.as_mut().filter(|polled| polled.waker.will_wake(waker)).map(f);
        cell.set(polled);
        result
    })
}

/// Tells the Task that polls with this waker that it awaits at the caller's line, and returns whether `Cancelled` is to
/// be raised there.
#[track_caller]
pub(crate) fn is_cancelled(waker: &Waker) -> bool {
    awaits_at(waker, Place::caller())
}

/// Tells the Task that polls with this waker that it awaits at that place, and returns whether `Cancelled` is to be raised
/// there.
pub(crate) fn awaits_at(waker: &Waker, place: Place) -> bool {
    let awaits = |polled: &mut Polled| {
        polled.awaited_at = Some(place);
        take(&mut polled.throw_cancel)
    };
    polling(waker, awaits).unwrap_or_default()
}

/// Makes `polled` the Task that is being polled, and returns the one that was.
pub(crate) fn exchange(polled: Option<Polled>) -> Option<Polled> {
    POLLED.with(|cell| cell.replace(polled))
}
