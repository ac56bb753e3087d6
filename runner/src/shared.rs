//! [`Shared`]: what all Futures share: the state, the result, and those who wait for it.

use std::any::Any;
use std::cell::Cell;
use std::mem::needs_drop;
use std::rc::Rc;

use crate::any_future::{AnyFuture, Waitable};
use crate::callback::Callback;
#[cfg(doc)]
use crate::callback::Run;
use crate::coroutine::Coroutine;
use crate::error::Error;
use crate::exception::{Exception, Result};
use crate::foreign::discard;
use crate::numbers::FutureId;
use crate::problem::Problem;
use crate::report::report;
use crate::state::{Asked, Header, State};
use crate::trace::{self, Event, Origin};
use crate::waiter::{compact, Left, Waiter, FEW};

/// The part of a Future that is the same in all of them. Whoever makes a Future with state of its own, such
/// as a timer or a list, puts one of these into it and implements [`Resolvable`]: then both are one allocation.
pub struct Shared<T: 'static> {
    slot: Cell<Slot<T>>,
    /// How to copy the value; there from the moment at which a second handle is made.
    copy: Cell<Option<fn(&T) -> T>>,
    header: Header,
}

/// Those who wait while it is pending, then what they wait for.
#[derive(Default)]
enum Slot<T> {
    /// Nobody waits yet; or it was cancelled, or the value was moved out, or is being looked at.
    #[default]
    Empty,
    /// The usual case costs no allocation.
    One(Waiter),
    /// Boxed, so that the slot is no larger than one waiter.
    #[allow(clippy::box_collection)]
    Many(Box<Vec<Waiter>>),
    Value(T),
    Raised(Exception),
}

/// A Future with state of its own: a coroutine's result, a timer, a list of children.
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

    /// The common part.
    fn shared(&self) -> &Shared<Self::Output>;

    /// Cancels it if it is pending, and says whether it was.
    fn cancel(&self) -> bool {
        self.shared().cancel()
    }

    /// The coroutine whose result this is, if it is one.
    fn coroutine(&self) -> Option<&'static Coroutine> {
        None
    }

    /// Keeps it until it is done, now that a done callback waits for it: the callback holds no handle. For a Future
    /// that nothing but its handles holds.
    #[doc(hidden)]
    fn keep(self: Rc<Self>) {}

    /// Describes what is waited for, for those who look: a lock by its name, with what holds it. This is asked only
    /// when it is shown: in a Deadlock, a dump, a trace.
    fn describe(&self) -> Option<String> {
        None
    }

    /// What is cancelled in its place, while it is pending.
    #[doc(hidden)]
    fn passes_on(&self) -> Option<AnyFuture> {
        None
    }

    /// Takes out what the result comes of, to drive it by hand: then this is never done. For a coroutine it is a
    /// `Box<dyn Generator<Return = Self::Output>>`.
    #[doc(hidden)]
    fn take_origin(&self) -> Option<Box<dyn Any>> {
        None
    }
}

/// A Future that has no state but this.
impl<T> Resolvable for Shared<T> {
    type Output = T;

    fn shared(&self) -> &Shared<T> {
        self
    }
}

impl<T> Slot<T> {
    /// What there is to a result.
    fn of(result: Result<T>) -> (State, Self) {
        match result {
            Ok(value) => (State::Done, Self::Value(value)),
            Err(exception) => (State::Failed, Self::Raised(exception)),
        }
    }
}

impl<T> Shared<T> {
    /// Of a Future that is pending.
    pub const fn new() -> Self {
        Self::with(State::Pending, Slot::Empty, Asked::No)
    }

    /// Of a Future that is done or has failed.
    #[inline]
    pub fn settled(result: Result<T>) -> Self {
        let (state, slot) = Slot::of(result);
        Self::with(state, slot, Asked::No)
    }

    /// Of a Future that is done, and costs one turn of the loop all the same.
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

    /// Returns whether the result or the exception is there, or the Future was cancelled.
    #[inline]
    pub fn done(&self) -> bool {
        self.header.done()
    }

    /// Returns the number in the trace.
    pub fn id(&self) -> FutureId {
        self.header.id()
    }

    /// Tells the observer, if there is one, that the Future was made, and what it is called in traces.
    pub fn announce(&self, name: &str) {
        trace::emit(|| Event::Made { future: self.id(), origin: Origin::Named(name) });
    }

    /// Gives the Future the number that it was mentioned by before it was made.
    pub fn set_id(&self, id: FutureId) {
        self.header.set_id(id);
    }

    const fn with(state: State, slot: Slot<T>, asked: Asked) -> Self {
        Self { slot: Cell::new(slot), copy: Cell::new(None), header: Header::new(state, asked) }
    }

    /// Resolves it, unless it is done or cancelled: then the value is dropped and this says `false`.
    #[inline]
    pub fn set_result(&self, value: T) -> bool {
        self.set(Ok(value))
    }

    /// Fails it, unless it is done or cancelled: then this says `false`.
    pub fn set_exception(&self, exception: Exception) -> bool {
        self.set(Err(exception))
    }

    /// Resolves or fails it. Those who wait are put on the ready queue, in the order in which they came;
    /// nothing runs in here.
    #[inline]
    pub fn set(&self, result: Result<T>) -> bool {
        let (state, slot) = Slot::of(result);
        self.settle(state, slot)
    }

    /// Cancels it, unless it is done. Whoever wants it cancelled does not want its exception either: that
    /// counts as retrieved.
    pub fn cancel(&self) -> bool {
        if self.state() == State::Failed {
            self.header.set_retrieved();
        }
        self.settle(State::Cancelled, Slot::Empty)
    }

    #[inline]
    fn settle(&self, state: State, slot: Slot<T>) -> bool {
        if self.done() {
            discard(slot);
            return false;
        }
        trace::emit(|| Event::Resolve { future: self.id(), state });
        self.header.set_state(state);
        match self.slot.replace(slot) {
            Slot::One(waiter) => waiter.wake(),
            Slot::Many(waiters) => waiters.into_iter().for_each(Waiter::wake),
            nobody => std::mem::forget(nobody),
        }
        true
    }

    /// What it failed with. Asking counts as retrieving it.
    #[track_caller]
    pub fn exception(&self) -> Option<Exception> {
        match self.state() {
            State::Pending | State::Done => None,
            State::Cancelled => Some(Error::Cancelled.into()),
            State::Failed => {
                self.header.set_retrieved();
                lend(&self.slot, |slot| match slot {
                    Slot::Raised(exception) => Some(exception.clone()),
                    _ => None,
                })
            }
        }
    }

    /// Looks at the value, if it is there. While `f` runs, it is nowhere else.
    #[inline]
    pub fn with_value<R>(&self, f: impl FnOnce(&T) -> R) -> Option<R> {
        /// Puts the value back, also when `f` panics.
        struct Lent<'a, T: 'static>(&'a Shared<T>, Option<T>);
        impl<T> Drop for Lent<'_, T> {
            #[inline]
            fn drop(&mut self) {
                self.1.take().into_iter().for_each(|value| self.0.fill(Slot::Value(value)));
            }
        }
        Lent(self, self.take_value()).1.as_ref().map(f)
    }

    /// Takes the value back, if it is there and nobody has taken or copied it: for what must not get lost with
    /// its Future.
    pub fn reclaim(&self) -> Option<T> {
        (self.header.asked() == Asked::No).then(|| self.take_value())?
    }

    /// Takes the result back, as [`reclaim`](Self::reclaim) does: the exception too, if nobody has asked for it.
    pub fn reclaim_result(&self) -> Option<Result<T>> {
        if self.state() == State::Failed && self.header.asked() == Asked::No {
            return self.exception().map(Err);
        }
        self.reclaim().map(Ok)
    }

    /// Forgets those who wait, when the loop that would have called them ends.
    pub fn forget_waiters(&self) {
        if self.state() == State::Pending {
            drop(self.slot.take());
        }
    }

    /// Puts `callback` on the current queue when this is done; at once if it is.
    pub fn add_callback(&self, callback: Callback) {
        self.add_waiter(Waiter::soon(callback));
    }

    /// Returns whether something waits for this, and not in vain; with `reports`, also if that
    /// [only reports](Run::is_report).
    pub fn has_waiters(&self, reports: bool) -> bool {
        let counts = |waiter: &Waiter| (reports || !waiter.is_report()) && !waiter.is_over();
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

    /// Adds a waiter; `handles` is how many handles of this Future there are, where that is known.
    #[inline]
    fn add(&self, waiter: Waiter, handles: usize) {
        if self.done() {
            return waiter.wake();
        }
        match self.slot.take() {
            Slot::One(first) => self.fill(Slot::Many(Box::new(vec![first, waiter]))),
            Slot::Many(waiters) => self.add_to(waiters, waiter, handles),
            _ => self.fill(Slot::One(waiter)),
        }
    }

    #[allow(clippy::box_collection)] // As the slot has it.
    fn add_to(&self, mut waiters: Box<Vec<Waiter>>, waiter: Waiter, handles: usize) {
        let is_full = waiters.len() == waiters.capacity() && waiters.len() >= FEW;
        let left = is_full.then(|| compact(&mut waiters, handles));
        waiters.push(waiter);
        self.fill(Slot::Many(waiters));
        // Only now that the list is back.
        left.into_iter().for_each(Left::let_go);
    }

    /// Fills the slot while it is empty.
    #[inline]
    fn fill(&self, slot: Slot<T>) {
        // Nothing is there to be dropped; the compiler cannot know that.
        std::mem::forget(self.slot.replace(slot));
    }

    /// Adds a waiter, unless the same one was the last to come, and returns whether it did. One that comes again after
    /// others is there twice, until the list would have to grow.
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

    /// The result: moved out for the last handle, and where it cannot be copied; else copied.
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

    /// The value, copied, if it is there. What copies it is foreign.
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

    /// Why there is no value.
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
        match self.slot.get_mut() {
            Slot::Raised(exception) if self.header.asked() == Asked::No => {
                report(Problem::NeverRetrieved, exception);
            }
            Slot::Value(_) if needs_drop::<T>() => discard(self.slot.take()),
            // Those who wait are guarded each by itself.
            _ => {}
        }
    }
}

/// Lends out what is in a cell. The cell is empty while `f` runs, and filled again also when `f` panics.
pub(crate) fn lend<T: Default, R>(cell: &Cell<T>, f: impl FnOnce(&mut T) -> R) -> R {
    struct Lent<'a, T: Default>(&'a Cell<T>, T);
    impl<T: Default> Drop for Lent<'_, T> {
        #[inline]
        fn drop(&mut self) {
            self.0.set(std::mem::take(&mut self.1));
        }
    }
    f(&mut Lent(cell, cell.take()).1)
}
