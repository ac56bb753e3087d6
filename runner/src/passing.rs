//! What passes between a body that is running and the Runner that resumes it.
//!
//! It lies in thread-local cells, and only the turn to run goes through `genawaiter`: so a mistake in a body is seen
//! before the turn passes, and a suspended coroutine holds no room for what was sent to it. A cell says which of the
//! others is filled:
//!
//! ```text
//!                resume(Next)                     resume(Send or Throw)
//!                     |                                     |
//!                     v          the yield takes it         v
//!    +----------> Nothing  <---------------------------   Sent        SENT is filled
//!    |                |                                     |
//!    |                +--------- co.yield_(x) --------------+         (SENT is dropped if no yield took it)
//!    |                               |
//!    |                               v
//!    |                            Yielded                             YIELDED is filled
//!    |                               |  .await
//!    |                               v
//!    +--- the Runner takes x ---- Awaited                             YIELDED is filled
//!
//!     a mistake, in any state --> Misused                             MISUSE is filled, the body is ended
//! ```
//!
//! The body may return in the states `Nothing` and `Sent`, and may pass the turn in the state `Awaited`. Whatever else
//! it does is a [`Misuse`].

use std::cell::{Cell, RefCell};
use std::mem::{forget, ManuallyDrop};
use std::task::Poll;
use std::thread::LocalKey;

use crate::error::{Error, Misuse};
use crate::exception::{Exception, Result};
use crate::foreign::discard;
use crate::generator::Resume;
use crate::place::Place;
use crate::running::{go_on, interrupt, running_body, BodyNumber};
use crate::yielded::Yielded;

/// Which of the cells is filled; the diagram at the top of this file shows how it changes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Passing {
    Nothing,
    /// What is sent or thrown in, until the yield takes it.
    Sent,
    /// What was yielded and is not awaited yet.
    Yielded,
    /// What was yielded and is awaited.
    Awaited,
    /// What is wrong with the body.
    Misused,
}

// These have no destructors: nothing is left in them when no body runs, and bodies run to the end of a thread.
thread_local! {
    static PASSING: Cell<Passing> = const { Cell::new(Passing::Nothing) };
    static SENT: Slot<Resume> = const { ManuallyDrop::new(Cell::new(None)) };
    static YIELDED: Slot<Yielded> = const { ManuallyDrop::new(Cell::new(None)) };
    static MISUSE: Slot<Misuse> = const { ManuallyDrop::new(Cell::new(None)) };

    /// What was passing in the bodies that called other bodies, outermost first.
    static OUTER: ManuallyDrop<RefCell<Vec<Outer>>> = const { ManuallyDrop::new(RefCell::new(Vec::new())) };
}

struct Outer(Passing, Option<Resume>, Option<Yielded>, Option<Misuse>);

type Slot<T> = ManuallyDrop<Cell<Option<T>>>;

#[inline]
fn take<T>(slot: &'static LocalKey<Slot<T>>) -> Option<T> {
    // The slot is always there; but only `try_with` is sure to be inlined.
    slot.try_with(|slot| slot.take()).unwrap_or_default()
}

/// Fills an empty slot.
#[inline]
fn put<T>(slot: &'static LocalKey<Slot<T>>, value: Option<T>) {
    // Nothing is there to be dropped; the compiler cannot know that.
    let _ = slot.try_with(|slot| forget(slot.replace(value)));
}

/// Leaves what is sent or thrown in for the yield that waits for it.
#[inline]
pub(crate) fn send(resume: Resume) {
    PASSING.set(Passing::Sent);
    put(&SENT, Some(resume));
}

/// Takes what was sent or thrown in, if it is still there.
#[inline]
pub(crate) fn take_sent() -> Option<Resume> {
    if PASSING.get() == Passing::Sent {
        PASSING.set(Passing::Nothing);
    }
    take(&SENT)
}

/// Notes that what was yielded is awaited.
#[inline]
pub(crate) fn await_yielded() {
    if PASSING.get() == Passing::Yielded {
        PASSING.set(Passing::Awaited);
    }
}

/// Takes what the body has yielded and awaits.
#[inline]
pub(crate) fn take_yielded() -> Yielded {
    PASSING.set(Passing::Nothing);
    take(&YIELDED).expect("the body was allowed to stop, so it has yielded")
}

/// Returns whether the body may stop where it is: `over` if it has returned.
#[inline(always)]
pub(crate) fn may_stop(over: bool) -> bool {
    matches!((PASSING.get(), over), (Passing::Awaited, false) | (Passing::Nothing | Passing::Sent, true))
}

/// Takes what a Co yields, if it is the Co of the body that is running, and that body yields nothing else just now.
#[inline(always)]
pub(crate) fn accept(body: BodyNumber, yielded: Yielded) -> bool {
    let passing = PASSING.get();
    if running_body() != Some(body) || !matches!(passing, Passing::Nothing | Passing::Sent) {
        reject(body, yielded.place());
        return false;
    }
    if passing == Passing::Sent {
        drop(take(&SENT));
    }
    PASSING.set(Passing::Yielded);
    put(&YIELDED, Some(yielded));
    true
}

#[cold]
fn reject(body: BodyNumber, second: Option<Place>) {
    if running_body().is_none() || PASSING.get() == Passing::Misused {
        return;
    }
    drop(take(&SENT));
    let first = take(&YIELDED).and_then(|yielded| yielded.place());
    let misuse = match (first, second) {
        (Some(first), Some(second)) if running_body() == Some(body) => Misuse::Twice { first, second },
        _ => Misuse::Escaped,
    };
    PASSING.set(Passing::Misused);
    put(&MISUSE, Some(misuse));
}

/// Returns the result of a yield that was not accepted, or that is over: none where that ends the body.
#[cold]
pub(crate) fn refuse<T>() -> Poll<Result<T>> {
    match running_body() {
        None => Poll::Ready(Err(Error::Misuse(Misuse::Escaped).into())),
        Some(_) => Poll::Pending,
    }
}

/// Returns what is wrong with a body that stopped where it may not.
#[cold]
pub(crate) fn misuse() -> Exception {
    let yielded = take(&YIELDED).and_then(|yielded| yielded.place());
    let not_awaited = yielded.map(Misuse::NotAwaited);
    let misuse = take(&MISUSE).or(not_awaited).unwrap_or(Misuse::ForeignAwait);
    Error::Misuse(misuse).into()
}

/// A body in the middle of which another one is resumed. It goes on when this is dropped.
pub(crate) struct Interrupted {
    body: Option<BodyNumber>,
    /// Whether something was passing, which lies in `OUTER`.
    passing: bool,
}

impl Interrupted {
    /// Interrupts the body that is running, if one is, and empties the cells for another one.
    #[inline]
    pub(crate) fn new() -> Self {
        let passing = PASSING.get() != Passing::Nothing;
        if passing {
            put_by();
        }
        Self { body: interrupt(), passing }
    }
}

impl Drop for Interrupted {
    #[inline(always)]
    fn drop(&mut self) {
        if PASSING.get() != Passing::Nothing {
            discard_leftover();
        }
        go_on(self.body);
        if self.passing {
            restore();
        }
    }
}

#[cold]
fn put_by() {
    let outer = Outer(PASSING.replace(Passing::Nothing), take(&SENT), take(&YIELDED), take(&MISUSE));
    OUTER.with(|outers| outers.borrow_mut().push(outer));
}

/// Drops what the body that ran last has left in the cells.
#[cold]
fn discard_leftover() {
    PASSING.set(Passing::Nothing);
    take(&MISUSE);
    discard(take(&SENT));
    discard(take(&YIELDED));
}

#[cold]
fn restore() {
    if let Some(Outer(passing, sent, yielded, misuse)) = OUTER.with(|outers| outers.borrow_mut().pop()) {
        PASSING.set(passing);
        put(&SENT, sent);
        put(&YIELDED, yielded);
        put(&MISUSE, misuse);
    }
}
