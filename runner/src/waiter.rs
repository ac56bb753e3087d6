//! [`Waiter`]: an entry in the list of waiters of a Future; and which waiters are no longer needed.

use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::task::{RawWakerVTable, Waker};

use crate::callback::Callback;
use crate::foreign::{discard, Guarded};
use crate::problem::Problem;
use crate::ready::{call_soon_on, QueueId, ReadyQueue};
use crate::report::guard;

/// An entry in the list of waiters of a Future.
pub(crate) enum Waiter {
    /// A callback for the ready queue on which it began to wait.
    Soon(QueueId, Callback),
    /// Such a callback that may be in the list twice, and runs once.
    Once(QueueId, Callback),
    /// The waker of a foreign executor, or of one within a native coroutine.
    Wake(Guarded<Waker>),
}

impl Waiter {
    /// Creates a waiter that is put on the current ready queue.
    #[inline]
    pub(crate) fn soon(callback: Callback) -> Self {
        Self::Soon(ReadyQueue::current_id(), callback)
    }

    /// Creates a waiter that is put on the current ready queue once, however often it is in the list.
    #[inline]
    pub(crate) fn once(callback: Callback) -> Self {
        Self::Once(ReadyQueue::current_id(), callback)
    }

    #[inline]
    pub(crate) fn wake(self) {
        match self {
            Self::Soon(queue, callback) | Self::Once(queue, callback) => wake_on(queue, callback),
            Self::Wake(waker) => wake(waker),
        }
    }

    /// Returns the identity of a waiter that may come again.
    pub(crate) fn key(&self) -> Option<(*const (), Option<*const RawWakerVTable>)> {
        match self {
            Self::Soon(..) => None,
            Self::Once(_, callback) => Some((Rc::as_ptr(callback).cast(), None)),
            Self::Wake(waker) => Some((waker.data(), Some(std::ptr::from_ref(waker.vtable())))),
        }
    }

    fn is_waker(&self) -> bool {
        matches!(self, Self::Wake(_))
    }

    pub(crate) fn is_report(&self) -> bool {
        self.callback().is_some_and(|(_, callback)| callback.is_report())
    }

    pub(crate) fn is_over(&self) -> bool {
        self.callback().is_some_and(|(queue, callback)| {
            ReadyQueue::is_gone(queue) || callback.is_over(Rc::strong_count(callback))
        })
    }

    /// Returns whether it waits on a loop that has not ended, and is still needed.
    pub(crate) fn is_on_open_loop(&self) -> bool {
        self.callback().is_some_and(|(queue, callback)| {
            ReadyQueue::is_open(queue) && !callback.is_over(Rc::strong_count(callback))
        })
    }

    /// Returns the callback and the number of its ready queue.
    pub(crate) fn callback(&self) -> Option<(QueueId, &Callback)> {
        match self {
            Self::Soon(queue, callback) | Self::Once(queue, callback) => Some((*queue, callback)),
            Self::Wake(_) => None,
        }
    }

    /// Returns the type of the callback. Only callbacks of one type can be merged.
    fn type_id(&self) -> Option<TypeId> {
        self.callback().map(|(_, callback)| (&**callback as &dyn Any).type_id())
    }

    /// Takes over the work of `later`, and returns whether it did.
    fn merge(&self, later: &Self) -> bool {
        match (self.callback(), later.callback()) {
            (Some((queue, callback)), Some((of_later, later))) => {
                queue == of_later && callback.merge(&**later)
            }
            _ => false,
        }
    }
}

/// Puts a callback on the ready queue on which it began to wait, if it is due.
#[inline]
pub(crate) fn wake_on(queue: QueueId, callback: Callback) {
    if callback.is_due() {
        call_soon_on(queue, callback);
    }
}

#[inline(never)]
fn wake(waker: Guarded<Waker>) {
    guard(Problem::Callback, || waker.into_inner().wake());
}

/// A list of at most this length is not searched for waiters that are no longer needed.
pub(crate) const FEW: usize = 32;

/// The number of wakers from which on they are checked for being left over.
const WAKERS: usize = 64;

/// The longest list in which wakers that come again after being woken get additional room.
const LONGEST: usize = 1024;

/// Removes the waiters that are no longer needed from a full list, and makes room, so that the list can double before
/// it is full again. `handles` is the number of handles of the Future.
pub(crate) fn compact(waiters: &mut Vec<Waiter>, handles: usize) -> Left {
    let full = waiters.len();
    let (mut seen, mut first) = (HashSet::new(), HashMap::new());
    let (mut kept, mut left) = (Vec::<Waiter>::new(), Left::default());
    for waiter in waiters.drain(..) {
        let is_double = waiter.key().is_some_and(|key| !seen.insert(key));
        let mut is_merged = || {
            let index = *first.entry(waiter.type_id()).or_insert(kept.len());
            kept.get(index).is_some_and(|first| first.merge(&waiter))
        };
        if is_double || waiter.is_over() || is_merged() {
            left.in_vain.push(waiter);
        } else {
            kept.push(waiter);
        }
    }
    // A handle is awaited in one place, so most of these wakers are left over, but it is unknown which. Those that are
    // woken and not left over come again: without room for them, they would be woken for ever.
    let wakers = kept.iter().filter(|waiter| waiter.is_waker()).count();
    let mut room = FEW;
    if wakers > WAKERS && wakers / 4 > handles {
        room = LONGEST.min(2 * full);
        (left.perhaps, kept) = kept.into_iter().partition(Waiter::is_waker);
    }
    kept.reserve_exact(room.max(2 * kept.len()) - kept.len());
    *waiters = kept;
    left
}

/// Waiters that were removed from their list. Letting them go may run foreign code.
#[derive(Default)]
pub(crate) struct Left {
    in_vain: Vec<Waiter>,
    /// Wakers that may still be needed. Waking them is always allowed: those that are needed come again.
    perhaps: Vec<Waiter>,
}

impl Left {
    pub(crate) fn let_go(self) {
        self.in_vain.into_iter().for_each(discard);
        self.perhaps.into_iter().for_each(Waiter::wake);
    }
}
