//! The numbers of calls, Futures and other things in a trace.
//!
//! They are small, given out in order of first mention, and never reused. So a program has the same numbers on every
//! machine.

use std::cell::{Cell, RefCell};
use std::num::NonZeroU32;
use std::rc::Rc;
use std::thread::LocalKey;

/// The number of one call of a coroutine, which is also that of its Runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CallId(pub NonZeroU32);

/// The number of a Future.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FutureId(pub NonZeroU32);

/// The number of a ready queue among all that the thread has had. It is never given to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueId(pub(crate) NonZeroU32);

/// The number of a lock or a queue of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LockId(pub NonZeroU32);

/// For each kind of thing, how many of them have a number.
#[derive(Debug, Default)]
pub struct Names(RefCell<Vec<(&'static str, u32)>>);

impl Names {
    fn next(&self, kind: &'static str) -> u32 {
        let mut numbers = self.0.borrow_mut();
        let index = numbers.iter().position(|(other, _)| *other == kind).unwrap_or_else(|| {
            numbers.push((kind, 0));
            numbers.len() - 1
        });
        numbers[index].1 += 1;
        numbers[index].1
    }
}

/// The last numbers that a thread gave out.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    /// The number of the last call.
    pub calls: u32,
    /// The number of the last Future.
    pub futures: u32,
    /// The numbers of locks and other things that are named by kind and number; created with the first of them.
    pub names: Option<Rc<Names>>,
}

thread_local! {
    static CALLS: Cell<u32> = const { Cell::new(0) };
    static FUTURES: Cell<u32> = const { Cell::new(0) };
    static NAMES: RefCell<Option<Rc<Names>>> = const { RefCell::new(None) };
}

impl Numbers {
    /// Goes on with these numbers on this thread, and returns the last numbers before.
    pub(crate) fn exchange(with: Self) -> Self {
        Self {
            calls: CALLS.replace(with.calls),
            futures: FUTURES.replace(with.futures),
            names: NAMES.try_with(|names| names.replace(with.names)).unwrap_or_default(),
        }
    }
}

pub(crate) fn next_call() -> CallId {
    CallId(next(&CALLS))
}

/// Returns the next number of a thing of that kind, from 1. A thing gets its number when it is first mentioned, so that
/// it is the same in every run. A new observation begins to count anew.
pub fn next_number(kind: &'static str) -> u32 {
    NAMES.try_with(|names| names.borrow_mut().get_or_insert_default().next(kind)).unwrap_or(1)
}

/// Returns the next number of a lock or a queue of items.
pub fn next_lock() -> LockId {
    LockId(NonZeroU32::new(next_number("lock or queue")).unwrap_or(NonZeroU32::MIN))
}

pub(crate) fn next_future() -> FutureId {
    FutureId(next(&FUTURES))
}

fn next(last: &'static LocalKey<Cell<u32>>) -> NonZeroU32 {
    let next = NonZeroU32::MIN.saturating_add(last.get());
    last.set(next.get());
    next
}
