//! [`Line`]: requests in the order in which they came.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use squall_runner::ready::{QueueId, ReadyQueue, Withdraw};
use squall_runner::trace::{self, FutureId};
use squall_runner::Held;

/// A request that waits in a line.
pub(crate) trait InLine {
    fn is_pending(&self) -> bool;

    /// Returns the number of its Future in the trace.
    fn future(&self) -> FutureId;

    /// Forgets the waiters of the request, since the loop on which it was made has ended.
    fn withdraw(&self);

    /// Called when the line is dropped, so that no request in it will be served.
    fn line_is_gone(&self);
}

/// Requests in the order in which they came. The line does not hold them: a request whose last handle was dropped is
/// skipped.
///
/// Each request belongs to the loop on which it was made. When that loop ends, only its requests are removed.
pub(crate) struct Line<W: InLine + ?Sized> {
    positions: RefCell<VecDeque<Position<W>>>,
    /// A lower bound of how many requests in the line are not pending: those that called `leave`.
    left: Cell<usize>,
    /// The loop on which the last request was made, unless it has ended.
    last: Cell<Option<QueueId>>,
    /// The loops on which the requests were made, without those that have ended.
    loops: RefCell<Vec<(QueueId, Held)>>,
}

/// A line as a trace tells it.
#[derive(Default)]
pub(crate) struct Told {
    first: Vec<FutureId>,
    len: usize,
}

/// How many requests of a line a trace tells by number.
const TOLD: usize = 32;

impl Told {
    pub(crate) fn line(&self) -> trace::Line<'_> {
        trace::Line { first: &self.first, len: self.len }
    }
}

struct Position<W: ?Sized> {
    request: Weak<W>,
    /// The loop on which the request was made.
    home: QueueId,
}

/// How many requests that are not pending may stay in the middle of a line.
const LEFT: usize = 100;

impl<W: InLine + ?Sized> Position<W> {
    fn pending(&self) -> Option<Rc<W>> {
        self.request.upgrade().filter(|request| request.is_pending())
    }

    fn is_pending(&self) -> bool {
        self.pending().is_some()
    }
}

impl<W: InLine + ?Sized> Line<W> {
    /// Returns whether the line is empty, also of requests that are no longer pending.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.positions.borrow().is_empty()
    }

    /// Counts the pending requests, for display.
    pub(crate) fn count(&self) -> usize {
        self.positions.borrow().iter().filter(|position| position.is_pending()).count()
    }

    /// Counts the positions in the line, also those of requests that are no longer pending.
    pub(crate) fn positions(&self) -> usize {
        self.positions.borrow().len()
    }

    /// Returns those that are pending, for a trace: the first of them, and how many there are.
    pub(crate) fn told(&self) -> Told {
        let mut told = Told::default();
        for request in self.positions.borrow().iter().filter_map(Position::pending) {
            if told.len < TOLD {
                told.first.push(request.future());
            }
            told.len += 1;
        }
        told
    }

    /// Adds a request at the end of the line. It belongs to the current loop.
    ///
    /// `whole` returns the value that contains this line. It is withdrawn when a loop ends, and then has to call
    /// [`withdraw`](Self::withdraw).
    #[inline]
    pub(crate) fn join(&self, request: Weak<W>, whole: impl FnOnce() -> Weak<dyn Withdraw>) {
        let home = ReadyQueue::current_id();
        if self.last.get() != Some(home) {
            self.register(home, whole());
        }
        self.positions.borrow_mut().push_back(Position { request, home });
    }

    /// Registers the line with `home`, the current loop, to be withdrawn when that loop ends.
    #[cold]
    fn register(&self, home: QueueId, whole: Weak<dyn Withdraw>) {
        self.last.set(Some(home));
        if !self.loops.borrow().iter().any(|(other, _)| *other == home) {
            let held = Held::new(whole);
            self.loops.borrow_mut().push((home, held));
        }
    }

    /// Removes and returns the first pending request.
    #[inline]
    pub(crate) fn next(&self) -> Option<Rc<W>> {
        let first = self.positions.borrow_mut().pop_front()?;
        first.pending().or_else(|| self.next_pending())
    }

    /// Removes and returns the first pending request, after one that was not pending.
    #[cold]
    fn next_pending(&self) -> Option<Rc<W>> {
        loop {
            self.left.set(self.left.get().saturating_sub(1));
            let first = self.positions.borrow_mut().pop_front()?;
            if let Some(request) = first.pending() {
                return Some(request);
            }
        }
    }

    /// Removes and returns all requests that are pending now.
    pub(crate) fn take(&self) -> impl Iterator<Item = Rc<W>> {
        self.left.set(0);
        let requests: Vec<_> = self.positions.take().iter().filter_map(Position::pending).collect();
        requests.into_iter().filter(|request| request.is_pending())
    }

    /// Called by a request in the line that is no longer pending.
    ///
    /// Such requests are removed from the ends of the line at once. In the middle they are removed when they are many
    /// and more than half of the line. So each costs O(1), and a line that is never served does not grow. Source:
    /// `_TimeoutGarbageCollector`.
    pub(crate) fn leave(&self) {
        self.left.set(self.left.get() + 1);
        let mut positions = self.positions.borrow_mut();
        let mut left = self.left.get();
        while positions.back().is_some_and(|last| !last.is_pending()) {
            positions.pop_back();
            left = left.saturating_sub(1);
        }
        while positions.front().is_some_and(|first| !first.is_pending()) {
            positions.pop_front();
            left = left.saturating_sub(1);
        }
        if left > LEFT && left > positions.len() / 2 {
            positions.retain(Position::is_pending);
            left = 0;
        }
        self.left.set(left);
    }

    /// Removes the requests whose loop has ended: the coroutines that wait for them never go on.
    pub(crate) fn withdraw(&self) {
        self.last.set(None);
        let (ended, going_on): (Vec<_>, _) =
            self.loops.take().into_iter().partition(|(_, held)| held.has_ended());
        self.loops.replace(going_on);
        let has_ended = |position: &Position<W>| ended.iter().any(|(home, _)| *home == position.home);
        let (gone, staying) = self.positions.take().into_iter().partition(has_ended);
        self.positions.replace(staying);
        let gone: VecDeque<Position<W>> = gone;
        gone.iter().filter_map(Position::pending).for_each(|request| request.withdraw());
    }
}

impl<W: InLine + ?Sized> Default for Line<W> {
    fn default() -> Self {
        Self {
            positions: RefCell::default(),
            left: Cell::default(),
            last: Cell::default(),
            loops: RefCell::default(),
        }
    }
}

impl<W: InLine + ?Sized> Drop for Line<W> {
    fn drop(&mut self) {
        self.take().for_each(|request| request.line_is_gone());
    }
}
