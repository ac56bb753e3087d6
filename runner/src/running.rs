//! The body that is running on this thread, to detect a yield from anywhere else.

use std::cell::Cell;
use std::num::NonZeroU32;

/// The number of a body. A [`Co`](crate::Co) uses it to check whether its own body is the running one.
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

/// Interrupts the running body and returns its number, if there is one. No body runs until another one begins, or until
/// this one [goes on](go_on).
#[inline]
pub(crate) fn interrupt() -> Option<BodyNumber> {
    RUNNING.replace(None)
}

/// Lets an interrupted body go on.
#[inline]
pub(crate) fn go_on(interrupted: Option<BodyNumber>) {
    RUNNING.set(interrupted);
}
