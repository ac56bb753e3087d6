//! [`Shared`]: what all Futures share: the state, the result, and those who wait for it.

use std::cell::Cell;
use std::rc::Rc;
use std::task::Waker;

use crate::any_future::Waitable;
use crate::ready::{call_soon, Callback};
use crate::trace::{self, Event, FutureId, Problem, State};
use crate::{Coroutine, Error, Exception, Result};

/// The part of a Future that is the same in all of them. Whoever makes a Future with state of its own, such
/// as a timer or a list, puts one of these into it and implements [`Resolvable`]: then both are one allocation.
pub struct Shared<T: 'static> {
    slot: Cell<Slot<T>>,
    /// How to copy the value; there from the moment at which a second handle is made.
    copy: Cell<Option<fn(&T) -> T>>,
    state: Cell<State>,
    /// Whether somebody has asked for the exception, or has copied the value.
    retrieved: Cell<bool>,
    /// How many Promises there are. Where that is more than it can count, none counts as the last.
    promises: Cell<u16>,
    /// Its number in the trace; 0 until it is first mentioned, [`MOMENT`] if it is the moment.
    number: Cell<u32>,
}

/// The number of the moment, which is one for all and never mentioned by a number.
const MOMENT: u32 = u32::MAX;

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

/// Somebody who waits for a Future.
pub(crate) enum Waiter {
    /// To be put on the ready queue.
    Soon(Callback),
    /// Gives what is to be put on the ready queue, when the Future is done and held by whoever resolved it.
    Done(Box<dyn FnOnce() -> Option<Callback>>),
    /// A foreign executor, or one within a native coroutine.
    Wake(Waker),
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
}

impl<T> Shared<T> {
    /// Of a Future that is pending.
    pub const fn new() -> Self {
        Self::in_state(State::Pending, Slot::Empty)
    }

    /// Of a Future that is done or has failed.
    pub fn settled(result: Result<T>) -> Self {
        let (state, slot) = Slot::of(result);
        Self::in_state(state, slot)
    }

    /// Of a Future that is done, and costs one turn of the loop all the same.
    pub fn moment(value: T) -> Self {
        let moment = Self::settled(Ok(value));
        moment.number.set(MOMENT);
        moment
    }

    const fn in_state(state: State, slot: Slot<T>) -> Self {
        Self {
            slot: Cell::new(slot),
            copy: Cell::new(None),
            state: Cell::new(state),
            retrieved: Cell::new(false),
            promises: Cell::new(0),
            number: Cell::new(0),
        }
    }

    /// The state.
    pub fn state(&self) -> State {
        self.state.get()
    }

    /// Resolves it, unless it is done or cancelled: then the value is dropped and this says `false`.
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
        if self.state.get() == State::Failed {
            self.retrieved.set(true);
        }
        self.settle(State::Cancelled, Slot::Empty)
    }

    #[inline]
    fn settle(&self, state: State, slot: Slot<T>) -> bool {
        if self.state.get() != State::Pending {
            return false;
        }
        trace::emit(|| Event::Resolve { future: self.id(), state });
        self.put(state, slot);
        true
    }

    /// Is done as another Future is, which has said so. `None`: that was cancelled.
    pub fn follow(&self, result: Option<Result<T>>) {
        if self.state.get() == State::Pending {
            let (state, slot) = result.map_or((State::Cancelled, Slot::Empty), Slot::of);
            self.put(state, slot);
        }
    }

    fn put(&self, state: State, slot: Slot<T>) {
        self.state.set(state);
        match self.slot.replace(slot) {
            Slot::One(waiter) => waiter.wake(),
            Slot::Many(waiters) => waiters.into_iter().for_each(Waiter::wake),
            _ => {}
        }
    }

    /// What it failed with. Asking counts as retrieving it.
    #[track_caller]
    pub fn exception(&self) -> Option<Exception> {
        match self.state.get() {
            State::Pending | State::Done => None,
            State::Cancelled => Some(Error::Cancelled.into()),
            State::Failed => {
                self.retrieved.set(true);
                lend(&self.slot, |slot| match slot {
                    Slot::Raised(exception) => Some(exception.clone()),
                    _ => None,
                })
            }
        }
    }

    /// Forgets those who wait, when the loop that would have called them ends.
    pub fn forget_waiters(&self) {
        if self.state.get() == State::Pending {
            drop(self.slot.take());
        }
    }

    /// Nobody will ask for the exception, and that is as it should be.
    pub(crate) fn set_retrieved(&self) {
        self.retrieved.set(true);
    }

    /// Counts a Promise.
    pub(crate) fn add_promise(&self) {
        self.promises.set(self.promises.get().saturating_add(1));
    }

    /// Counts one less, and says whether that was the last.
    pub(crate) fn remove_promise(&self) -> bool {
        let left = match self.promises.get() {
            u16::MAX => u16::MAX,
            promises => promises - 1,
        };
        self.promises.set(left);
        left == 0
    }

    pub(crate) fn is_moment(&self) -> bool {
        self.number.get() == MOMENT
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.copy.get().is_some()
    }

    pub(crate) fn share(&self, copy: fn(&T) -> T) {
        self.copy.set(Some(copy));
    }

    /// The result: moved out for the last handle, and where it cannot be copied; else copied.
    #[track_caller]
    pub(crate) fn take(&self, last: bool) -> Result<T> {
        match self.copy.get() {
            Some(copy) if !last => return self.copied(copy),
            _ => {}
        }
        match self.slot.take() {
            Slot::Value(value) => Ok(value),
            slot => {
                self.slot.set(slot);
                Err(self.without_value())
            }
        }
    }

    /// The result, copied.
    #[track_caller]
    pub(crate) fn copied(&self, copy: impl FnOnce(&T) -> T) -> Result<T> {
        self.retrieved.set(true);
        match self.with_value(copy) {
            Some(value) => Ok(value),
            None => Err(self.without_value()),
        }
    }

    /// Takes the value back, if it is there and nobody has taken or copied it: for what must not get lost with
    /// its Future.
    pub fn reclaim(&self) -> Option<T> {
        match self.slot.take() {
            Slot::Value(value) if !self.retrieved.get() => Some(value),
            slot => {
                self.slot.set(slot);
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
            None if self.state.get() == State::Pending => {
                Error::InvalidState("the Future is not done yet").into()
            }
            None => Error::ResultTaken.into(),
        }
    }

    /// Looks at the value, if it is there. While `f` runs, it is nowhere else.
    pub fn with_value<R>(&self, f: impl FnOnce(&T) -> R) -> Option<R> {
        lend(&self.slot, |slot| match slot {
            Slot::Value(value) => Some(f(value)),
            _ => None,
        })
    }

    /// Has `callback` put on the ready queue when it is done; at once if it is.
    #[inline]
    pub fn add_callback(&self, callback: Callback) {
        self.add_waiter(Waiter::Soon(callback));
    }

    #[inline]
    pub(crate) fn add_waiter(&self, waiter: Waiter) {
        if self.state.get() != State::Pending {
            return waiter.wake();
        }
        self.slot.set(match self.slot.take() {
            Slot::One(first) => Slot::Many(Box::new(vec![first, waiter])),
            Slot::Many(mut waiters) => {
                waiters.push(waiter);
                Slot::Many(waiters)
            }
            _ => Slot::One(waiter),
        });
    }

    /// Adds somebody, unless the same one waits already.
    pub(crate) fn add_waiter_once(&self, waiter: Waiter) {
        let waits = lend(&self.slot, |slot| match slot {
            Slot::One(other) => other.is(&waiter),
            Slot::Many(others) => others.iter().any(|other| other.is(&waiter)),
            _ => false,
        });
        if !waits {
            self.add_waiter(waiter);
        }
    }

    /// Its number in the trace.
    pub fn id(&self) -> FutureId {
        if self.number.get() == 0 {
            self.number.set(trace::next_future().0);
        }
        FutureId(self.number.get())
    }

    /// Gives it the number that it was mentioned by before it was made, or that of the Future that it follows.
    pub fn set_id(&self, id: FutureId) {
        self.number.set(id.0);
    }
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> std::fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("state", &self.state.get()).finish_non_exhaustive()
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        if let (Slot::Raised(exception), false) = (self.slot.get_mut(), self.retrieved.get()) {
            trace::report(Problem::NeverRetrieved, exception);
        }
    }
}

/// Lends out what is in a cell. The cell is empty while `f` runs, and filled again also when `f` panics.
pub(crate) fn lend<T: Default, R>(cell: &Cell<T>, f: impl FnOnce(&T) -> R) -> R {
    struct Lent<'a, T: Default>(&'a Cell<T>, T);
    impl<T: Default> Drop for Lent<'_, T> {
        fn drop(&mut self) {
            self.0.set(std::mem::take(&mut self.1));
        }
    }
    f(&Lent(cell, cell.take()).1)
}

impl<T> Slot<T> {
    fn of(result: Result<T>) -> (State, Self) {
        match result {
            Ok(value) => (State::Done, Self::Value(value)),
            Err(exception) => (State::Failed, Self::Raised(exception)),
        }
    }
}

impl Waiter {
    #[inline]
    fn wake(self) {
        match self {
            Self::Soon(callback) if callback.is_due() => call_soon(callback),
            Self::Soon(_) => {}
            Self::Done(callback) => callback().into_iter().for_each(call_soon),
            Self::Wake(waker) => trace::guard(Problem::Callback, || waker.wake()),
        }
    }

    /// Whether both are the same somebody.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Soon(a), Self::Soon(b)) => Rc::ptr_eq(a, b),
            (Self::Wake(a), Self::Wake(b)) => a.will_wake(b),
            _ => false,
        }
    }
}

/// A Future that has no state but this.
impl<T> Resolvable for Shared<T> {
    type Output = T;

    fn shared(&self) -> &Shared<T> {
        self
    }
}
