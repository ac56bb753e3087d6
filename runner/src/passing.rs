//! The state between a running body and the Runner that resumes it.
//!
//! Values pass through thread-local cells, and only control passes through `genawaiter`. So mistakes in a body are
//! detected before control passes, and a suspended coroutine needs no room for sent values. One cell says which of the
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
//! The body may return in the states `Nothing` and `Sent`, and may give up control in the state `Awaited`. Everything
//! else is a [`Misuse`].

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

/// Which of the cells is filled. The diagram at the top of this file shows the transitions.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Passing {
    Nothing,
    /// A value or an exception was sent or thrown in, and no yield has taken it yet.
    Sent,
    /// Something was yielded, but not awaited yet.
    Yielded,
    /// Something was yielded and is awaited.
    Awaited,
    /// The body made a mistake.
    Misused,
}

// They have no destructors: they are empty when no body runs, and bodies run until their thread ends.
thread_local! {
    static PASSING: Cell<Passing> = const { Cell::new(Passing::Nothing) };
    static SENT: Slot<Resume> = const { ManuallyDrop::new(Cell::new(None)) };
    static YIELDED: Slot<Yielded> = const { ManuallyDrop::new(Cell::new(None)) };
    static MISUSE: Slot<Misuse> = const { ManuallyDrop::new(Cell::new(None)) };

    /// The states of bodies that called other bodies, outermost first.
    static OUTER: ManuallyDrop<RefCell<Vec<Outer>>> = const { ManuallyDrop::new(RefCell::new(Vec::new())) };
}

struct Outer(Passing, Option<Resume>, Option<Yielded>, Option<Misuse>);

type Slot<T> = ManuallyDrop<Cell<Option<T>>>;

#[inline]
fn take<T>(slot: &'static LocalKey<Slot<T>>) -> Option<T> {
    // The slot always exists, but only `try_with` is sure to be inlined.
    slot.try_with(|slot| slot.take()).unwrap_or_default()
}

/// Fills an empty slot.
#[inline]
fn put<T>(slot: &'static LocalKey<Slot<T>>, value: Option<T>) {
    // The slot held nothing to be dropped, which the compiler cannot know.
    let _ = slot.try_with(|slot| forget(slot.replace(value)));
}

/// Stores what is sent or thrown in, for the yield that waits for it.
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

/// Records that the yielded thing is awaited.
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

/// Returns whether the body may stop in the current state. `over` says that it has returned.
#[inline(always)]
pub(crate) fn may_stop(over: bool) -> bool {
    matches!((PASSING.get(), over), (Passing::Awaited, false) | (Passing::Nothing | Passing::Sent, true))
}

/// Stores a yielded thing, if it comes from the `Co` of the running body, which must not be yielding anything else.
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

/// Returns the result of a yield that was not accepted, or that has ended; pending if that ends the body.
#[cold]
pub(crate) fn refuse<T>() -> Poll<Result<T>> {
    match running_body() {
        None => Poll::Ready(Err(Error::Misuse(Misuse::Escaped).into())),
        Some(_) => Poll::Pending,
    }
}

/// Returns the mistake of a body that stopped where it may not.
#[cold]
pub(crate) fn misuse() -> Exception {
    let yielded = take(&YIELDED).and_then(|yielded| yielded.place());
    let not_awaited = yielded.map(Misuse::NotAwaited);
    let misuse = take(&MISUSE).or(not_awaited).unwrap_or(Misuse::ForeignAwait);
    Error::Misuse(misuse).into()
}

/// Interrupts a body while another one is resumed. Dropping it lets the body go on.
pub(crate) struct Interrupted {
    body: Option<BodyNumber>,
    /// `true` if the body's state is stored in `OUTER`.
    passing: bool,
}

impl Interrupted {
    /// Interrupts the running body, if there is one, and empties the cells for another one.
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
