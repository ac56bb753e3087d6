//! [`Polled`]: the native coroutine that is being polled, as the Futures that it awaits see it.

use std::cell::RefCell;
use std::mem::{take, ManuallyDrop};
use std::ptr;
use std::task::{Context, RawWakerVTable, Waker};

use crate::any_future::AnyFuture;
use crate::callback::Callback;
use crate::place::Place;

thread_local! {
    /// The Task that is being polled. It has no destructor: it is empty when none is.
    static POLLED: ManuallyDrop<RefCell<Option<Polled>>> = const { ManuallyDrop::new(RefCell::new(None)) };
}

/// A Task that is being polled.
pub(crate) struct Polled {
    /// The Task itself, to be registered as a waiter.
    pub(crate) task: Callback,
    /// The identity of the waker with which it is polled. The waker lives longer than this.
    pub(crate) waker: (*const (), &'static RawWakerVTable),
    /// The Future that it awaits, once it does.
    pub(crate) awaits: Option<AnyFuture>,
    /// A description of what it awaits, if that is not a squall Future but known to squall: `a socket`.
    pub(crate) on: Option<&'static str>,
    /// The line at which it last awaited a squall Future: that of the poll's caller, unless the line was passed.
    pub(crate) awaited_at: Option<Place>,
    /// `true` if its first await has to raise `Cancelled`.
    pub(crate) throw_cancel: bool,
}

impl Polled {
    /// Describes the Task before it is polled with `waker`.
    pub(crate) fn new(task: Callback, waker: &Waker, throw_cancel: bool) -> Self {
        let waker = (waker.data(), waker.vtable());
        Self { task, waker, awaits: None, on: None, awaited_at: None, throw_cancel }
    }
}

/// Calls `f` with the Task that polls with `waker`. `f` must not run foreign code, and so must not drop a Future. Ignores a
/// Task whose body polls with a waker of its own, as `join_all` may do.
#[inline]
pub(crate) fn polling<R>(waker: &Waker, f: impl FnOnce(&mut Polled) -> R) -> Option<R> {
    let is_same =
        |polled: &&mut Polled| polled.waker.0 == waker.data() && ptr::eq(polled.waker.1, waker.vtable());
    // The cell always exists, but only `try_with` is sure to be inlined.
    POLLED.try_with(|cell| cell.borrow_mut().as_mut().filter(is_same).map(f)).unwrap_or_default()
}

/// Lets the native coroutine that polls with `cx` be resumed in the next turn of the loop, and tells that it waits for that.
pub(crate) fn wait_one_turn(cx: &Context<'_>) {
    polling(cx.waker(), |polled| polled.on = Some("moment"));
    cx.waker().wake_by_ref();
}

/// Records that the Task that polls with `waker` awaits `future`, and returns the Task.
#[inline]
pub(crate) fn awaits(waker: &Waker, future: impl FnOnce() -> AnyFuture) -> Option<Callback> {
    let awaits = |polled: &mut Polled| (polled.awaits.replace(future()), polled.task.clone());
    // The Future that was awaited before may be dropped here, after the borrow.
    polling(waker, awaits).map(|(_before, task)| task)
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

/// Makes `polled` the Task that is being polled, and returns the one before, if a Task polls another one.
#[inline]
pub(crate) fn begin(polled: Polled) -> Option<Box<Polled>> {
    let begin = |cell: &ManuallyDrop<RefCell<Option<Polled>>>| {
        let cell = &mut *cell.borrow_mut();
        // Moving a Task that is not there would take as long as moving one.
        let before = if cell.is_some() { cell.take().map(Box::new) } else { None };
        *cell = Some(polled);
        before
    };
    POLLED.try_with(begin).unwrap_or_default()
}

/// Returns the Task that was polled, and makes `before` the Task that is being polled.
#[inline]
pub(crate) fn end(before: Option<Box<Polled>>) -> Option<Polled> {
    let end = |cell: &ManuallyDrop<RefCell<Option<Polled>>>| {
        let cell = &mut *cell.borrow_mut();
        let polled = cell.take();
        if let Some(before) = before {
            *cell = Some(*before);
        }
        polled
    };
    POLLED.try_with(end).unwrap_or_default()
}
