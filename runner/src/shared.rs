//! What all Futures share: the state, the result, and those who wait for it.

use std::any::{type_name, Any, TypeId};
use std::cell::Cell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::{Rc, Weak};
use std::task::Waker;

use crate::ready::{call_soon, Callback, Run};
use crate::trace::{self, Event, FutureId, Problem, Shown, State};
use crate::{Context, Coroutine, Error, Exception, Future, Result};

/// The part of a Future that is the same in all of them. Whoever makes a Future with state of its own, such
/// as a timer or a list, puts one of these into it and implements [`Resolvable`]: then both are one allocation.
pub struct Shared<T: 'static> {
    slot: Cell<Slot<T>>,
    /// How to copy the value; there from the moment at which a second handle is made.
    clone: Cell<Option<fn(&T) -> T>>,
    state: Cell<State>,
    /// Whether somebody has asked for the exception, or has copied the value.
    retrieved: Cell<bool>,
    /// Whether yielding it costs a turn of the loop although it is done.
    moment: bool,
    /// Its number in the trace; 0 until it is first mentioned.
    number: Cell<u32>,
}

/// Those who wait while it is pending, then what they wait for.
enum Slot<T: 'static> {
    /// Nobody waits yet; or the value was moved out.
    Empty,
    /// The usual case costs no allocation.
    One(Callback),
    /// Boxed, so that the slot is as small as a callback.
    #[allow(clippy::box_collection)]
    Many(Box<Vec<Waiter<T>>>),
    Value(T),
    Raised(Exception),
}

/// Who waits for a Future of type `T`.
pub(crate) enum Waiter<T: 'static> {
    /// To be put on the ready queue.
    Run(Callback),
    /// To be called with the Future, on the ready queue.
    Done(DoneCallback<T>),
    /// A foreign executor within a native coroutine.
    Wake(Waker),
    /// To be run at once: a Future that is done together with this one.
    Now(Callback),
}

/// A function that wants the Future.
pub(crate) struct DoneCallback<T: 'static> {
    pub(crate) f: Box<dyn FnOnce(&Future<T>)>,
    pub(crate) context: Context,
    pub(crate) future: Weak<dyn Resolvable<Output = T>>,
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
pub trait Resolvable: Erased + 'static {
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

    /// Counts a [`Promise`](crate::Promise) that was made or dropped, and says whether none is left.
    fn count_promise(&self, _made: bool) -> bool {
        false
    }
}

impl<T> Shared<T> {
    /// Of a Future that is pending.
    pub const fn new() -> Self {
        Self::in_state(State::Pending, Slot::Empty, false)
    }

    /// Of a Future that is done or has failed.
    pub fn settled(result: Result<T>) -> Self {
        match result {
            Ok(value) => Self::in_state(State::Done, Slot::Value(value), false),
            Err(exception) => Self::in_state(State::Failed, Slot::Raised(exception), false),
        }
    }

    /// Of a Future that is done, and costs one turn of the loop all the same.
    pub fn moment(value: T) -> Self {
        Self::in_state(State::Done, Slot::Value(value), true)
    }

    const fn in_state(state: State, slot: Slot<T>, moment: bool) -> Self {
        Self {
            slot: Cell::new(slot),
            clone: Cell::new(None),
            state: Cell::new(state),
            retrieved: Cell::new(false),
            moment,
            number: Cell::new(0),
        }
    }

    /// The state.
    pub fn state(&self) -> State {
        self.state.get()
    }

    /// Resolves it, unless it is done or cancelled: then the value is dropped and this says `false`.
    pub fn set_result(&self, value: T) -> bool {
        self.settle(State::Done, Slot::Value(value))
    }

    /// Fails it, unless it is done or cancelled: then this says `false`.
    pub fn set_exception(&self, exception: Exception) -> bool {
        self.settle(State::Failed, Slot::Raised(exception))
    }

    /// Resolves or fails it.
    pub fn set(&self, result: Result<T>) -> bool {
        match result {
            Ok(value) => self.set_result(value),
            Err(exception) => self.set_exception(exception),
        }
    }

    /// Cancels it, unless it is done. Whoever wants it cancelled does not want its exception either: that
    /// counts as retrieved.
    pub fn cancel(&self) -> bool {
        if self.state.get() == State::Failed {
            self.retrieved.set(true);
        }
        self.settle(State::Cancelled, Slot::Empty)
    }

    fn settle(&self, state: State, slot: Slot<T>) -> bool {
        if self.state.get() != State::Pending {
            return false;
        }
        trace::emit(|| Event::Resolve { future: self.id(), state });
        self.put(state, slot);
        true
    }

    /// Is done as the Future is that it was mapped from, which has said so. `None`: that was cancelled.
    pub(crate) fn follow(&self, result: Option<Result<T>>) {
        if self.state.get() == State::Pending {
            match result {
                Some(Ok(value)) => self.put(State::Done, Slot::Value(value)),
                Some(Err(exception)) => self.put(State::Failed, Slot::Raised(exception)),
                None => self.put(State::Cancelled, Slot::Empty),
            }
        }
    }

    fn put(&self, state: State, slot: Slot<T>) {
        self.state.set(state);
        match self.slot.replace(slot) {
            Slot::One(callback) => call_soon(callback),
            Slot::Many(waiters) => waiters.into_iter().for_each(Waiter::wake),
            _ => {}
        }
    }

    /// What it failed with. Asking counts as retrieving it.
    pub fn exception(&self) -> Option<Exception> {
        match self.state.get() {
            State::Failed => self.with_slot(|slot| match slot {
                Slot::Raised(exception) => {
                    self.retrieved.set(true);
                    Some(exception.clone())
                }
                _ => None,
            }),
            State::Cancelled => Some(Error::Cancelled.into()),
            State::Pending | State::Done => None,
        }
    }

    /// Forgets those who wait, when the loop that would have called them ends.
    pub fn forget_waiters(&self) {
        if self.state.get() == State::Pending {
            drop(self.slot.replace(Slot::Empty));
        }
    }

    /// Nobody will ask for the exception, and that is as it should be.
    pub(crate) fn set_retrieved(&self) {
        self.retrieved.set(true);
    }

    pub(crate) fn is_moment(&self) -> bool {
        self.moment
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.clone.get().is_some()
    }

    pub(crate) fn set_clone(&self, clone: fn(&T) -> T) {
        self.clone.set(Some(clone));
    }

    /// The result: moved out for the last handle, and where it cannot be copied; else copied.
    pub(crate) fn take(&self, last: bool) -> Result<T> {
        match self.state.get() {
            State::Pending => Err(Error::InvalidState("the Future is not done yet").into()),
            State::Cancelled => Err(Error::Cancelled.into()),
            State::Failed => Err(self.exception().unwrap_or_else(|| Error::ResultTaken.into())),
            State::Done => match self.clone.get() {
                Some(clone) if !last => self.copy(clone),
                _ => match self.slot.replace(Slot::Empty) {
                    Slot::Value(value) => Ok(value),
                    _ => Err(Error::ResultTaken.into()),
                },
            },
        }
    }

    /// The value, copied.
    pub(crate) fn copy(&self, clone: impl FnOnce(&T) -> T) -> Result<T> {
        self.retrieved.set(true);
        self.with_value(clone).ok_or_else(|| Error::ResultTaken.into())
    }

    /// Takes the value back, if it is there and nobody has taken or copied it: for what must not get lost with
    /// its Future.
    pub fn reclaim(&self) -> Option<T> {
        if self.state.get() != State::Done || self.retrieved.get() {
            return None;
        }
        match self.slot.replace(Slot::Empty) {
            Slot::Value(value) => Some(value),
            _ => None,
        }
    }

    /// Looks at the value, if it is there.
    pub fn with_value<R>(&self, f: impl FnOnce(&T) -> R) -> Option<R> {
        self.with_slot(|slot| match slot {
            Slot::Value(value) => Some(f(value)),
            _ => None,
        })
    }

    /// The slot is empty while `f` runs, and filled again also when `f` panics.
    fn with_slot<R>(&self, f: impl FnOnce(&Slot<T>) -> R) -> R {
        struct Restore<'a, T: 'static>(&'a Cell<Slot<T>>, Slot<T>);
        impl<T> Drop for Restore<'_, T> {
            fn drop(&mut self) {
                self.0.set(std::mem::replace(&mut self.1, Slot::Empty));
            }
        }
        let restore = Restore(&self.slot, self.slot.replace(Slot::Empty));
        f(&restore.1)
    }

    /// Has `callback` put on the ready queue when it is done; at once if it is.
    pub fn add_callback(&self, callback: Callback) {
        if self.state.get() != State::Pending {
            return call_soon(callback);
        }
        match self.slot.replace(Slot::Empty) {
            Slot::Empty => self.slot.set(Slot::One(callback)),
            slot => {
                self.slot.set(slot);
                self.add_waiter(Waiter::Run(callback));
            }
        }
    }

    pub(crate) fn add_waiter(&self, waiter: Waiter<T>) {
        if self.state.get() != State::Pending {
            return waiter.wake();
        }
        let mut waiters = self.take_waiters();
        waiters.push(waiter);
        self.slot.set(Slot::Many(waiters));
    }

    /// Has `callback` called, unless it waits already.
    pub(crate) fn add_callback_once(&self, callback: &Callback) {
        if !self.waits(|waiter| matches!(waiter, Waiter::Run(other) if Rc::ptr_eq(other, callback))) {
            self.add_callback(callback.clone());
        }
    }

    /// Has `waker` woken, unless one that does the same waits already.
    pub(crate) fn add_waker_once(&self, waker: &Waker) {
        if !self.waits(|waiter| matches!(waiter, Waiter::Wake(other) if other.will_wake(waker))) {
            self.add_waiter(Waiter::Wake(waker.clone()));
        }
    }

    fn waits(&self, who: impl Fn(&Waiter<T>) -> bool) -> bool {
        let waiters = self.take_waiters();
        let found = waiters.iter().any(who);
        if !waiters.is_empty() {
            self.slot.set(Slot::Many(waiters));
        }
        found
    }

    #[allow(clippy::box_collection, clippy::unnecessary_box_returns)]
    fn take_waiters(&self) -> Box<Vec<Waiter<T>>> {
        match self.slot.replace(Slot::Empty) {
            Slot::One(first) => Box::new(vec![Waiter::Run(first)]),
            Slot::Many(waiters) => waiters,
            _ => Box::default(),
        }
    }

    /// Its number in the trace.
    pub fn id(&self) -> FutureId {
        if self.number.get() == 0 {
            self.number.set(trace::next_future().0);
        }
        FutureId(self.number.get())
    }

    /// Gives it the number that it was mentioned by before it was made.
    pub(crate) fn set_id(&self, id: FutureId) {
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
        if self.state.get() == State::Failed && !self.retrieved.get() {
            if let Slot::Raised(exception) = self.slot.replace(Slot::Empty) {
                trace::report(Problem::NeverRetrieved, &exception);
            }
        }
    }
}

impl<T> Waiter<T> {
    fn wake(self) {
        match self {
            Self::Run(callback) => call_soon(callback),
            Self::Now(mapped) => mapped.run(),
            Self::Done(done) => {
                // Whoever resolves it holds it. From here on the callback does.
                if let Some(core) = done.future.upgrade() {
                    call_soon(Rc::new(Cell::new(Some((done, Future::from_core(core))))));
                }
            }
            Self::Wake(waker) => {
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
                    trace::report(Problem::Callback, &Exception::from_panic(panic));
                }
            }
        }
    }
}

impl<T> Run for Cell<Option<(DoneCallback<T>, Future<T>)>> {
    fn run(self: Rc<Self>) {
        let Some((DoneCallback { f, context, .. }, future)) = self.take() else { return };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| context.enter(|| f(&future)))) {
            trace::report(Problem::DoneCallback, &Exception::from_panic(panic));
        }
    }
}

/// A Future whose type is not known: what a Runner waits for. Whatever is [`Resolvable`] is this too.
#[allow(unreachable_pub)]
pub trait Erased {
    fn state(&self) -> State;
    fn is_moment(&self) -> bool;
    fn id(&self) -> FutureId;
    fn exception(&self) -> Option<Exception>;
    fn add_callback(&self, callback: Callback);
    fn cancel_erased(&self) -> bool;
    fn coroutine_erased(&self) -> Option<&'static Coroutine>;
    /// The type of its handles.
    fn handle_type(&self) -> TypeId;
    /// The type of its result, and what that is called.
    fn output_type(&self) -> (TypeId, &'static str);
    /// Moves or copies the value into `slot`, an `Option` of it.
    fn take_into(self: Rc<Self>, slot: &mut dyn Any) -> Result<()>;
    fn look(&self, f: &mut dyn FnMut(Shown<'_>));
}

impl<R: Resolvable> Erased for R {
    fn state(&self) -> State {
        self.shared().state()
    }
    fn is_moment(&self) -> bool {
        self.shared().is_moment()
    }
    fn id(&self) -> FutureId {
        self.shared().id()
    }
    fn exception(&self) -> Option<Exception> {
        self.shared().exception()
    }
    fn add_callback(&self, callback: Callback) {
        self.shared().add_callback(callback);
    }
    fn cancel_erased(&self) -> bool {
        self.cancel()
    }
    fn coroutine_erased(&self) -> Option<&'static Coroutine> {
        self.coroutine()
    }
    fn handle_type(&self) -> TypeId {
        TypeId::of::<Future<R::Output>>()
    }
    fn output_type(&self) -> (TypeId, &'static str) {
        (TypeId::of::<R::Output>(), type_name::<R::Output>())
    }
    fn take_into(self: Rc<Self>, slot: &mut dyn Any) -> Result<()> {
        let Some(slot) = slot.downcast_mut::<Option<R::Output>>() else {
            return Err(Error::WrongType { expected: type_name::<R::Output>() }.into());
        };
        *slot = Some(self.shared().take(Rc::strong_count(&self) == 1)?);
        Ok(())
    }
    fn look(&self, f: &mut dyn FnMut(Shown<'_>)) {
        let show = self.coroutine().and_then(|coroutine| coroutine.show);
        self.shared().with_value(|value| f(Shown::new(value, show)));
    }
}
