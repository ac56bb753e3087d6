//! Which body is running on this thread, so that a yield from anywhere else is noticed.

use std::cell::Cell;
use std::num::NonZeroU32;

/// The number of a body. A [`Co`](crate::Co) knows by it whether the body that it was made for is the one that runs.
pub(crate) type BodyNumber = NonZeroU32;

thread_local! {
    static RUNNING: Cell<Option<BodyNumber>> = const { Cell::new(None) };
    static LAST_BODY: Cell<u32> = const { Cell::new(0) };
}

/// Returns a number that no other body on this thread has.
#[inline]
pub(crate) fn next_body() -> BodyNumber {
    let number = LAST_BODY.get().checked_add(1).and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
    LAST_BODY.set(number.get());
    number
}

/// Begins the run of a body.
#[inline]
pub(crate) fn run_body(number: BodyNumber) {
    RUNNING.set(Some(number));
}

/// Returns the body that is running, if one is.
#[inline]
pub(crate) fn running_body() -> Option<BodyNumber> {
    RUNNING.get()
}

/// Interrupts the body that is running, if one is, and returns it: no body runs until another one begins or this one
/// [goes on](go_on).
#[inline]
pub(crate) fn interrupt() -> Option<BodyNumber> {
    RUNNING.replace(None)
}

/// Lets a body go on that was interrupted.
#[inline]
pub(crate) fn go_on(interrupted: Option<BodyNumber>) {
    RUNNING.set(interrupted);
}
