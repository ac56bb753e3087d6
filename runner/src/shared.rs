//! [`Shared`]: the common state of all Futures: their result, and their waiters.

use std::any::Any;
use std::cell::Cell;
use std::mem::{forget, needs_drop, take, ManuallyDrop};
use std::rc::Rc;

use crate::any_future::{AnyFuture, Holding, Waitable};
use crate::callback::Callback;
#[cfg(doc)]
use crate::callback::Run;
use crate::coroutine::Coroutine;
use crate::error::Error;
use crate::exception::{Exception, Result};
use crate::foreign::discard;
use crate::numbers::{FutureId, LockId};
use crate::place::Place;
use crate::problem::Problem;
use crate::queued::{because, Queued, Why};
use crate::report::report_of;
use crate::shown::Shown;
use crate::state::{Asked, Header, State};
use crate::trace::{self, Event, Origin};
use crate::waiter::{compact, Left, Waiter, FEW};

/// The common state of all Futures. To make a Future with more state, such as a timer or a list, put a `Shared` into a
/// type and implement [`Resolvable`] for that: then both parts are one allocation.
#[repr(C)] // What settling touches comes first, beside the counts of the handles.
pub struct Shared<T: 'static> {
    header: Header,
    /// Emptied by `drop`.
    slot: ManuallyDrop<Cell<Slot<T>>>,
    /// Clones the value; set when a second handle is made.
    copy: Cell<Option<fn(&T) -> T>>,
}

/// The waiters while the Future is pending, and then its result.
#[derive(Default)]
enum Slot<T> {
    /// No waiter yet; or the Future was cancelled, or its value was moved out or is being looked at.
    #[default]
    Empty,
    /// One waiter, the usual case, which costs no allocation.
    One(Waiter),
    /// Several waiters, boxed so that the slot is no larger than one waiter.
    #[allow(clippy::box_collection)]
    Many(Box<Vec<Waiter>>),
    Value(T),
    Raised(Exception),
}

/// A Future with state of its own, such as the result of a coroutine, a timer, or a list of children.
///
/// ```
/// use std::rc::Rc;
/// use squall_runner::{Future, Resolvable, Shared};
///
/// struct Doorbell { label: &'static str, shared: Shared<()> }
/// impl Resolvable for Doorbell {
///     type Output = ();
///     fn shared(&self) -> &Shared<()> { &self.shared }
/// }
///
/// let bell = Rc::new(Doorbell { label: "front", shared: Shared::new() });
/// let rung = Future::from_core(bell.clone());
/// bell.shared.set_result(());
/// assert!(rung.done());
/// ```
pub trait Resolvable: Waitable + 'static {
    /// The type of the result.
    type Output: 'static;

    /// Returns the common state.
    fn shared(&self) -> &Shared<Self::Output>;

    /// Cancels the Future if it is pending, and returns whether it was.
    fn cancel(&self) -> bool {
        let was_pending = self.shared().cancel();
        if was_pending {
            self.on_cancel();
        }
        was_pending
    }

    /// Releases what only a pending Future needs. [`cancel`](Self::cancel) calls this once the Future is cancelled.
    fn on_cancel(&self) {}

    /// Returns the coroutine whose result this is, if there is one.
    fn coroutine(&self) -> Option<&'static Coroutine> {
        None
    }

    /// Keeps the Future alive until it is done, for the sake of a done callback, which holds no handle. Needed by a
    /// Future that only its handles hold.
    #[doc(hidden)]
    fn keep(self: Rc<Self>) {}

    /// Returns a description of what is waited for, such as a lock by name, with its holder. Called only when it is
    /// shown: in a Deadlock, a dump, a trace.
    fn describe(&self) -> Option<String> {
        None
    }

    /// Returns the Future to cancel in place of this one, while this one is pending.
    #[doc(hidden)]
    fn passes_on(&self) -> Option<AnyFuture> {
        None
    }

    /// Returns the Futures that this one waits for while it is pending. When it is given up, only their failures matter.
    #[doc(hidden)]
    fn parts(&self) -> Vec<AnyFuture> {
        Vec::new()
    }

    /// Takes out what would produce the result, to drive it by hand; the Future is then never done. For a coroutine
    /// this is a `Box<dyn Generator<Return = Self::Output>>`.
    #[doc(hidden)]
    fn take_origin(&self) -> Option<Box<dyn Any>> {
        None
    }
}

/// A Future that has no other state.
impl<T> Resolvable for Shared<T> {
    type Output = T;

    fn shared(&self) -> &Shared<T> {
        self
    }
}

impl<T> Slot<T> {
    /// Splits a result into the state and the slot.
    fn of(result: Result<T>) -> (State, Self) {
        match result {
            Ok(value) => (State::Done, Self::Value(value)),
            Err(exception) => (State::Failed, Self::Raised(exception)),
        }
    }
}

impl<T> Shared<T> {
    /// Creates the state of a pending Future.
    pub const fn new() -> Self {
        Self::with(State::Pending, Slot::Empty, Asked::No)
    }

    /// Creates the state of a Future that is done or has failed.
    #[inline]
    pub fn settled(result: Result<T>) -> Self {
        let (state, slot) = Slot::of(result);
        Self::with(state, slot, Asked::No)
    }

    /// Creates the state of a Future that is done but takes one turn of the loop nevertheless.
    pub fn moment(value: T) -> Self {
        Self::with(State::Done, Slot::Value(value), Asked::Moment)
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the state.
    #[inline]
    pub fn state(&self) -> State {
        self.header.state()
    }

    /// Returns whether the Future has a result or an exception, or was cancelled.
    #[inline]
    pub fn done(&self) -> bool {
        self.header.done()
    }

    /// Returns the number in the trace.
    pub fn id(&self) -> FutureId {
        self.header.id()
    }

    /// Makes this an alias of another Future with the same [number](Self::set_id): traces report that one from now on.
    pub fn become_alias(&self) {
        self.header.become_alias();
    }

    /// Reports to the observer, if there is one, that the Future was created, and its name in traces.
    #[track_caller]
    pub fn announce(&self, name: &str) {
        let place = Place::caller();
        self.announce_as(|| (Origin::Named(name), None, Some(place)));
    }

    /// Reports to the observer, if there is one, that the Future was created, with the `origin`, `lock` and `place` of
    /// [`Event::Made`]. A Future of [internal](trace::internal) work is reported only if a coroutine of the program
    /// mentions it.
    #[inline]
    pub fn announce_as<'a>(&self, made: impl FnOnce() -> (Origin<'a>, Option<LockId>, Option<Place>)) {
        trace::report_made(&self.header, made);
    }

    /// Returns what settles this Future, as a trace names it on a ready queue: by its number, unless squall has made it for
    /// itself.
    pub fn queued_as(&self, name: &'static str) -> Queued {
        if self.header.is_internal() {
            return Queued::Callback(name);
        }
        Queued::Future(self.id())
    }

    /// Sets the number of a Future that was mentioned before it was created.
    pub fn set_id(&self, id: FutureId) {
        self.header.set_id(id);
    }

    const fn with(state: State, slot: Slot<T>, asked: Asked) -> Self {
        let slot = ManuallyDrop::new(Cell::new(slot));
        Self { slot, copy: Cell::new(None), header: Header::new(state, asked) }
    }

    /// Resolves the Future. If it is already done or cancelled, drops the value and returns `false`.
    #[inline]
    pub fn set_result(&self, value: T) -> bool {
        self.set(Ok(value))
    }

    /// Fails the Future. If it is already done or cancelled, drops the exception and returns `false`.
    pub fn set_exception(&self, exception: Exception) -> bool {
        self.set(Err(exception))
    }

    /// Resolves or fails the Future. Its waiters are put on the ready queue, in the order in which they came; none of
    /// them runs inside this call.
    #[inline]
    pub fn set(&self, result: Result<T>) -> bool {
        let (state, slot) = Slot::of(result);
        self.settle(state, slot)
    }

    /// Cancels the Future, unless it is done. The exception counts as retrieved: a program that cancels a Future does
    /// not want to know of it.
    pub fn cancel(&self) -> bool {
        if self.state() == State::Failed {
            self.retrieve();
        }
        self.settle(State::Cancelled, Slot::Empty)
    }

    #[inline]
    fn settle(&self, state: State, slot: Slot<T>) -> bool {
        if self.done() {
            discard(slot);
            return false;
        }
        if trace::has_observer() {
            self.settle_observed(state, slot);
        } else {
            self.put(state, slot);
        }
        true
    }

    #[cold]
    #[inline(never)]
    fn settle_observed(&self, state: State, slot: Slot<T>) {
        let value = match &slot {
            Slot::Value(value) => Some(Shown::new(value, None)),
            _ => None,
        };
        trace::report_resolved(&self.header, state, value);
        because(self.why(), || self.put(state, slot));
    }

    /// Why those that wait for this go on a ready queue.
    fn why(&self) -> Why {
        if self.header.is_internal() {
            return Why::Internal;
        }
        Why::Done(self.id())
    }

    /// Resolves or fails the Future like [`set`](Self::set), or cancels it if there is no result, without a report to the
    /// observer. It is for a Future that takes over the number of its [alias](Self::become_alias), whose end was just
    /// reported.
    pub fn set_silently(&self, result: Option<Result<T>>) {
        let (state, slot) = result.map_or((State::Cancelled, Slot::Empty), Slot::of);
        if self.done() {
            discard(slot);
        } else {
            because(self.why(), || self.put(state, slot));
        }
    }

    /// Puts the result in the place of the waiters, and the waiters on their queues.
    #[inline]
    fn put(&self, state: State, slot: Slot<T>) {
        self.header.set_state(state);
        match self.slot.replace(slot) {
            Slot::One(waiter) => waiter.wake(),
            Slot::Many(waiters) => wake_all(waiters),
            none => forget(none),
        }
    }

    /// Records that the exception was retrieved.
    fn retrieve(&self) {
        if let (Asked::No, Some(future)) = (self.header.asked(), self.header.mentioned()) {
            trace::emit(|| Event::Retrieved { future });
        }
        self.header.set_retrieved();
    }

    /// Tells the observer that the last handle is gone, if the Future was mentioned before.
    #[cold]
    pub fn tell_dropped(&self) {
        if let Some(future) = self.header.mentioned() {
            trace::emit(|| Event::Dropped { future });
        }
    }

    /// Returns the exception. This counts as retrieving it.
    #[track_caller]
    pub fn exception(&self) -> Option<Exception> {
        match self.state() {
            State::Pending | State::Done => None,
            State::Cancelled => Some(Error::Cancelled.into()),
            State::Failed => {
                self.retrieve();
                lend(&self.slot, |slot| match slot {
                    Slot::Raised(exception) => Some(exception.clone()),
                    _ => None,
                })
            }
        }
    }

    /// Calls `f` with a reference to the value, if there is one. The slot is empty while `f` runs.
    #[inline]
    pub fn with_value<R>(&self, f: impl FnOnce(&T) -> R) -> Option<R> {
        /// Puts the value back when it is dropped, also by a panic.
        struct Lent<'a, T: 'static>(&'a Shared<T>, Option<T>);
        impl<T> Drop for Lent<'_, T> {
            #[inline]
            fn drop(&mut self) {
                self.1.take().into_iter().for_each(|value| self.0.fill(Slot::Value(value)));
            }
        }
        Lent(self, self.take_value()).1.as_ref().map(f)
    }

    /// Takes the value back if it was neither moved out nor cloned, so that it is not lost with its Future.
    pub fn reclaim(&self) -> Option<T> {
        (self.header.asked() == Asked::No).then(|| self.take_value())?
    }

    /// Takes the result back like [`reclaim`](Self::reclaim), also an exception that was not retrieved.
    pub fn reclaim_result(&self) -> Option<Result<T>> {
        if self.state() == State::Failed && self.header.asked() == Asked::No {
            return self.exception().map(Err);
        }
        self.reclaim().map(Ok)
    }

    /// Drops the waiters, if the Future is pending: nothing can resolve it any more.
    pub fn forget_waiters(&self) {
        if self.state() == State::Pending {
            drop(self.slot.take());
        }
    }

    /// Called when the loop that would have resolved the Future ends. The waiters of that loop are dropped. If something
    /// on another loop waits, the Future fails with [`Error::InvalidState`], so that this does not wait for ever.
    pub fn end_with_loop(&self) {
        if self.state() != State::Pending {
            return;
        }
        let waits_elsewhere = lend(&self.slot, |slot| match slot {
            Slot::One(waiter) => waiter.is_on_open_loop(),
            Slot::Many(waiters) => waiters.iter().any(Waiter::is_on_open_loop),
            _ => false,
        });
        if waits_elsewhere {
            self.set_exception(Error::InvalidState("the loop of the Future has ended").into());
        } else {
            self.forget_waiters();
        }
    }

    /// Shows what the state holds to `visit`: the waiters, or the result. Does not count as retrieving an exception.
    pub(crate) fn held(&self, visit: &mut dyn FnMut(Holding<'_>)) {
        fn holding(waiter: &Waiter) -> Holding<'_> {
            waiter.callback().map_or(Holding::Waker, |(_, it)| Holding::Waiter(it))
        }
        lend(&self.slot, |slot| match slot {
            Slot::Empty => {}
            Slot::One(waiter) => visit(holding(waiter)),
            Slot::Many(waiters) => waiters.iter().for_each(|waiter| visit(holding(waiter))),
            Slot::Value(value) => visit(Holding::Value(value)),
            Slot::Raised(exception) => visit(Holding::Raised(exception)),
        });
    }

    /// Puts `callback` on the current ready queue once the Future is done; at once if it is already done.
    pub fn add_callback(&self, callback: Callback) {
        self.add_waiter(Waiter::soon(callback));
    }

    /// Returns whether something waits for this and is not over; with `reports`, also if it
    /// [only reports](Run::is_report).
    pub fn has_waiters(&self, reports: bool) -> bool {
        let counts = |waiter: &Waiter| (reports || !waiter.is_report()) && !waiter.is_over();
        lend(&self.slot, |slot| match slot {
            Slot::One(waiter) => counts(waiter),
            Slot::Many(waiters) => waiters.iter().any(counts),
            _ => false,
        })
    }

    /// Returns whether something waits for this that needs no handle of it: a done callback. What else waits has one.
    pub fn has_callbacks(&self) -> bool {
        let counts =
            |waiter: &Waiter| matches!(waiter, Waiter::Soon(..)) && !waiter.is_report() && !waiter.is_over();
        lend(&self.slot, |slot| match slot {
            Slot::One(waiter) => counts(waiter),
            Slot::Many(waiters) => waiters.iter().any(counts),
            _ => false,
        })
    }

    #[inline]
    pub(crate) fn add_waiter(&self, waiter: Waiter) {
        self.add(waiter, usize::MAX);
    }

    /// Adds a waiter. `handles` is the number of handles of this Future, as far as it is known.
    #[inline]
    fn add(&self, waiter: Waiter, handles: usize) {
        if self.done() {
            return self.wake_at_once(waiter);
        }
        match self.slot.take() {
            Slot::One(first) => self.fill(Slot::Many(Box::new(vec![first, waiter]))),
            Slot::Many(waiters) => self.add_to(waiters, waiter, handles),
            empty => {
                forget(empty);
                self.fill(Slot::One(waiter));
            }
        }
    }

    /// Wakes a waiter that comes when the Future is done.
    fn wake_at_once(&self, waiter: Waiter) {
        if trace::has_observer() {
            because(self.why(), || waiter.wake());
        } else {
            waiter.wake();
        }
    }

    #[allow(clippy::box_collection)] // the type of the slot's field
    fn add_to(&self, mut waiters: Box<Vec<Waiter>>, waiter: Waiter, handles: usize) {
        let is_full = waiters.len() == waiters.capacity() && waiters.len() >= FEW;
        let left = is_full.then(|| compact(&mut waiters, handles));
        waiters.push(waiter);
        self.fill(Slot::Many(waiters));
        // Only after the list is back in its slot, since this may run foreign code.
        left.into_iter().for_each(Left::let_go);
    }

    /// Fills the slot, which must be empty.
    #[inline]
    fn fill(&self, slot: Slot<T>) {
        // The slot held nothing to be dropped, which the compiler cannot know.
        forget(self.slot.replace(slot));
    }

    /// Adds a waiter unless it equals the last one, and returns whether it was added. A waiter that comes again after
    /// others is in the list twice, until the list would have to grow.
    pub(crate) fn add_waiter_once(&self, waiter: Waiter, handles: usize) -> bool {
        let key = waiter.key();
        let is_last = lend(&self.slot, |slot| match slot {
            Slot::One(last) => last.key() == key,
            Slot::Many(waiters) => waiters.last().is_some_and(|last| last.key() == key),
            _ => false,
        });
        if !is_last {
            self.add(waiter, handles);
        }
        !is_last
    }

    pub(crate) fn share(&self, copy: fn(&T) -> T) {
        self.copy.set(Some(copy));
    }

    /// Returns the result. The value is moved out for the last handle, or if it cannot be cloned; else it is cloned.
    #[track_caller]
    #[inline]
    pub(crate) fn take(&self, last: bool) -> Result<T> {
        let value = match self.copy.get() {
            Some(copy) if !last => self.copied(copy)?,
            _ => self.take_value(),
        };
        match value {
            Some(value) => Ok(value),
            None => Err(self.without_value()),
        }
    }

    /// Returns a clone of the value, if there is one. Cloning is foreign code.
    #[inline]
    fn copied(&self, copy: fn(&T) -> T) -> Result<Option<T>> {
        let Some(value) = self.take_value() else { return Ok(None) };
        let copied = Exception::trap(|| Ok(Some(copy(&value))), Err);
        self.fill(Slot::Value(value));
        if copied.is_ok() {
            self.header.set_retrieved();
        }
        copied
    }

    #[inline]
    fn take_value(&self) -> Option<T> {
        match self.slot.take() {
            Slot::Value(value) => Some(value),
            slot => {
                self.fill(slot);
                None
            }
        }
    }

    /// Returns the exception that says why there is no value.
    #[cold]
    #[track_caller]
    fn without_value(&self) -> Exception {
        match self.exception() {
            Some(exception) => exception,
            None if self.done() => Error::ResultTaken.into(),
            None => Error::InvalidState("the Future is not done yet").into(),
        }
    }
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> std::fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("state", &self.state()).finish_non_exhaustive()
    }
}

impl<T> Drop for Shared<T> {
    #[inline]
    fn drop(&mut self) {
        if self.state() == State::Done && !needs_drop::<T>() {
            return;
        }
        match self.slot.take() {
            Slot::Empty => {}
            Slot::Value(value) => discard(value),
            Slot::Raised(exception) => {
                if self.header.asked() == Asked::No {
                    report_of(Problem::NeverRetrieved, &exception, self.header.mentioned());
                }
            }
            // Each waiter has a guard of its own.
            Slot::One(waiter) => drop(waiter),
            Slot::Many(waiters) => drop(waiters),
        }
    }
}

#[inline(never)]
#[allow(clippy::box_collection, clippy::boxed_local)] // the type of the slot's field
fn wake_all(waiters: Box<Vec<Waiter>>) {
    waiters.into_iter().for_each(Waiter::wake);
}

/// Fills a cell, which must be empty.
#[inline]
pub(crate) fn fill<T>(cell: &Cell<Option<T>>, it: T) {
    // The cell held nothing to be dropped, which the compiler cannot know.
    forget(cell.replace(Some(it)));
}

/// Lends out the contents of a cell, which is empty while `f` runs and filled again afterwards, even if `f` panics.
pub(crate) fn lend<T: Default, R>(cell: &Cell<T>, f: impl FnOnce(&mut T) -> R) -> R {
    struct Lent<'a, T: Default>(&'a Cell<T>, ManuallyDrop<T>);
    impl<T: Default> Drop for Lent<'_, T> {
        #[inline]
        fn drop(&mut self) {
            // Neither of them holds anything to be dropped, which the compiler cannot know.
            forget(self.0.replace(take(&mut self.1)));
        }
    }
    f(&mut Lent(cell, ManuallyDrop::new(cell.take())).1)
}
