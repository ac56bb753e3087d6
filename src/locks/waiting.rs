//! Waiting in line: a Future with a place, perhaps a time limit, and the line itself.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::panic::Location;
use std::rc::{Rc, Weak};
use std::time::Duration;

use squall_runner::ready::Run;
use squall_runner::trace::{self, Event, Origin, State};
use squall_runner::{Error, Exception, Future, Resolvable, Result, Shared};

use crate::ioloop::Held;
use crate::ioloop::{IoLoop, Timeout, WeakLoop};

/// How long to wait at most, and the line of the call that says so.
pub(crate) type Limit = Option<(Duration, &'static Location<'static>)>;

/// How long to wait at most, by a call at the caller's line.
#[track_caller]
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn within(time: Duration) -> Limit {
    Some((time, Location::caller()))
}

/// What one waits for.
pub(crate) trait Place: 'static {
    /// What the Future gives.
    type Output: 'static;
    /// What stands in a trace.
    const NAME: &'static str;

    /// What the Future gives when its time is over.
    fn timed_out(&self, limit: &'static Location<'static>) -> Result<Self::Output> {
        Err(Exception::new(Error::Timeout).at(limit))
    }

    /// It was cancelled or has run out of time, and is of no use in the line.
    fn left(&self);

    /// The last handle is gone. The value, if it was there and nobody has taken it.
    fn untaken(&self, value: Self::Output) {
        drop(value);
    }
}

/// The Future of one who waits, its place in line and its timer, in one.
pub(crate) struct Waiter<P: Place> {
    shared: Shared<P::Output>,
    pub(crate) place: P,
    /// There while it is pending, if it waits for a limited time only.
    timer: Cell<Option<Box<Timer>>>,
}

struct Timer {
    /// The loop that has it, which need not be the current one when it is stopped.
    io_loop: WeakLoop,
    timeout: Timeout,
    limit: &'static Location<'static>,
}

impl<P: Place> Waiter<P> {
    /// One who has to wait.
    pub(crate) fn pending(place: P) -> Rc<Self> {
        Self::new(place, Shared::new())
    }

    /// One who is served at once, and may not take it.
    pub(crate) fn served(place: P, value: P::Output) -> Rc<Self> {
        Self::new(place, Shared::settled(Ok(value)))
    }

    fn new(place: P, shared: Shared<P::Output>) -> Rc<Self> {
        trace::emit(|| Event::Made { future: shared.id(), origin: Origin::Named(P::NAME) });
        Rc::new(Self { shared, place, timer: Cell::new(None) })
    }

    /// Begins to count the time.
    pub(crate) fn limit(self: &Rc<Self>, limit: Limit) {
        if let Some((time, limit)) = limit {
            let io_loop = IoLoop::current();
            let timeout = io_loop.add_timer(io_loop.time().saturating_add(time), self.clone());
            self.timer.set(Some(Box::new(Timer { io_loop: io_loop.downgrade(), timeout, limit })));
        }
    }

    /// It is its turn.
    pub(crate) fn serve(&self, value: P::Output) {
        self.shared.set_result(value);
        self.stop_timer();
    }

    /// Once it is done: a timer that is removed from one who still waits has those forgotten who wait for that one.
    fn stop_timer(&self) {
        if let Some(timer) = self.timer.take() {
            if let Some(io_loop) = timer.io_loop.upgrade() {
                io_loop.remove_timeout(&timer.timeout);
            }
        }
    }
}

impl<P: Place> Resolvable for Waiter<P> {
    type Output = P::Output;

    fn shared(&self) -> &Shared<P::Output> {
        &self.shared
    }

    fn cancel(&self) -> bool {
        let cancelled = self.shared.cancel();
        if cancelled {
            self.stop_timer();
            self.place.left();
        }
        cancelled
    }
}

impl<P: Place> Run for Waiter<P> {
    /// The time is over.
    fn run(self: Rc<Self>) {
        if let Some(timer) = self.timer.take() {
            if self.is_pending() {
                self.shared.set(self.place.timed_out(timer.limit));
                self.place.left();
            }
        }
    }

    fn withdraw(&self) {
        drop(self.timer.take());
        self.shared.forget_waiters();
    }
}

impl<P: Place> Drop for Waiter<P> {
    fn drop(&mut self) {
        if let Some(value) = self.shared.reclaim() {
            self.place.untaken(value);
        }
    }
}

/// The Future of one who need not wait. `name` is what stands in a trace.
pub(crate) fn at_once<T: 'static>(name: &'static str, value: T) -> Future<T> {
    let future = Future::ready(value);
    trace::emit(|| Event::Made { future: future.id(), origin: Origin::Named(name) });
    future
}

/// The same for one who is given nothing: unless somebody observes, who could tell them from each other, it is one
/// Future for all.
pub(crate) fn nothing_at_once(name: &'static str) -> Future<()> {
    thread_local! {
        static NOTHING: OnceCell<Future<()>> = const { OnceCell::new() };
    }
    if trace::observed() {
        return at_once(name, ());
    }
    let nothing = NOTHING.try_with(|nothing| nothing.get_or_init(|| Future::ready(())).clone());
    nothing.unwrap_or_else(|_| Future::ready(()))
}

/// Somebody in a line.
pub(crate) trait InLine {
    fn is_pending(&self) -> bool;
    fn forget(&self);
}

impl<P: Place> InLine for Waiter<P> {
    fn is_pending(&self) -> bool {
        self.shared.state() == State::Pending
    }

    fn forget(&self) {
        self.withdraw();
    }
}

/// Those who wait, in the order in which they came.
pub(crate) struct Line<W: ?Sized> {
    waiters: RefCell<VecDeque<Rc<W>>>,
    /// How many of them were cancelled or have run out of time. They are passed over.
    left: Cell<usize>,
    /// There once somebody has waited: each waiter holds coroutines, which hold the lock, which holds the waiter.
    held: RefCell<Option<Held>>,
}

/// So many who have left may stay in a line.
const LEFT: usize = 100;

impl<W: InLine + ?Sized> Line<W> {
    pub(crate) fn len(&self) -> usize {
        self.waiters.borrow().len()
    }

    /// Adds one at the end. `whole` is what the line is part of: it is to [`clear`](Self::clear) the line when it is
    /// withdrawn.
    pub(crate) fn join(&self, waiter: Rc<W>, whole: impl FnOnce() -> Weak<dyn Run>) {
        self.held.borrow_mut().get_or_insert_with(|| Held::new(whole()));
        self.waiters.borrow_mut().push_back(waiter);
    }

    /// Takes the first one who still waits.
    pub(crate) fn next(&self) -> Option<Rc<W>> {
        loop {
            let first = self.waiters.borrow_mut().pop_front()?;
            if first.is_pending() {
                return Some(first);
            }
            self.left.set(self.left.get().saturating_sub(1));
        }
    }

    /// Takes everybody who still waits.
    pub(crate) fn take(&self) -> impl Iterator<Item = Rc<W>> {
        self.left.set(0);
        self.waiters.take().into_iter().filter(|waiter| waiter.is_pending())
    }

    /// One of them has left. Once they are many, and more than those who still wait, they are dropped, so that
    /// a line that nobody ever serves does not grow. Source: `_TimeoutGarbageCollector`.
    pub(crate) fn leave(&self) {
        self.left.set(self.left.get() + 1);
        if self.left.get() > LEFT && self.left.get() > self.len() / 2 {
            self.left.set(0);
            let all = self.waiters.take();
            let (waiting, gone): (_, VecDeque<_>) = all.into_iter().partition(|waiter| waiter.is_pending());
            self.waiters.replace(waiting);
            drop(gone);
        }
    }

    /// Those who have left and are in front of all others are dropped.
    pub(crate) fn drop_front(&self) {
        while self.left.get() > 0 {
            let gone = {
                let mut waiters = self.waiters.borrow_mut();
                if waiters.front().is_none_or(|first| first.is_pending()) {
                    return;
                }
                waiters.pop_front()
            };
            self.left.set(self.left.get() - 1);
            drop(gone);
        }
    }

    /// The end of the loop: nobody in the line is going to be served.
    pub(crate) fn clear(&self) {
        drop(self.held.take());
        for waiter in self.take() {
            waiter.forget();
        }
    }
}

impl<W: ?Sized> Default for Line<W> {
    fn default() -> Self {
        Self { waiters: RefCell::default(), left: Cell::default(), held: RefCell::default() }
    }
}
