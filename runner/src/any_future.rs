//! [`AnyFuture`]: a Future whose type is not known. What a generator yields, and its Runner waits for.

use std::any::{type_name, Any, TypeId};
use std::fmt;
use std::rc::{Rc, Weak};
use std::task::Waker;

use crate::callback::{callback, Callback};
use crate::coroutine::{Awaited, Coroutine};
use crate::error::Error;
use crate::exception::{Exception, Result};
use crate::numbers::FutureId;
use crate::shown::Shown;
use crate::state::{Header, State};

/// A handle to a Future whose type is not known. Every clone is a handle to the same Future.
///
/// ```
/// use squall_runner::{AnyFuture, Future};
///
/// let any: AnyFuture = Future::ready(5).erase();
/// assert!(any.done() && any.is::<Future<i32>>());
/// assert_eq!(any.into_result::<i32>().unwrap(), 5);
/// ```
#[derive(Clone)]
pub struct AnyFuture(pub(crate) Rc<dyn Waitable>);

impl AnyFuture {
    /// Returns the state.
    #[inline]
    pub fn state(&self) -> State {
        self.0.header().state()
    }

    /// Returns whether the result or the exception is there, or the Future was cancelled.
    #[inline]
    pub fn done(&self) -> bool {
        self.0.header().done()
    }

    /// Returns whether it is [`moment`](crate::moment), which costs one turn of the loop although it is done.
    #[inline]
    pub fn is_moment(&self) -> bool {
        self.0.header().is_moment()
    }

    /// Returns the number in the trace.
    pub fn id(&self) -> FutureId {
        self.0.header().id()
    }

    /// Calls `f` in the next turn of the loop after this is done; in the next turn if it is done already.
    ///
    /// ```
    /// use squall_runner::{ready::ReadyQueue, Future};
    ///
    /// let future = Future::<i32>::new();
    /// let promise = future.promise();
    /// future.erase().add_callback(|| println!("done"));
    /// promise.set_result(5);
    /// assert_eq!(ReadyQueue::current().len(), 1);
    /// ```
    pub fn add_callback(&self, f: impl FnOnce() + 'static) {
        self.call_when_done(callback(f));
    }

    /// Puts `callback` on the current queue when this is done; at once if it is.
    #[inline]
    pub fn call_when_done(&self, callback: Callback) {
        self.0.add_callback(callback);
    }

    /// Puts `callback` on the current queue like [`call_when_done`](Self::call_when_done), unless it was the last to be
    /// added, and returns whether it did.
    pub fn call_once_when_done(&self, callback: Callback) -> bool {
        self.0.add_callback_once(callback)
    }

    /// Wakes a foreign executor, or one within a native coroutine, when this is done.
    pub(crate) fn wake_when_done(&self, waker: &Waker) {
        self.0.add_waker(waker);
    }

    /// Returns what the Future failed with, if it has failed or was cancelled. Asking counts as retrieving it.
    pub fn exception(&self) -> Option<Exception> {
        self.0.exception()
    }

    /// Cancels the Future like [`Future::cancel`](crate::Future::cancel).
    pub fn cancel(&self) -> bool {
        self.0.cancel()
    }

    /// Returns the coroutine whose result it is, if it is one.
    pub fn coroutine(&self) -> Option<&'static Coroutine> {
        self.0.coroutine()
    }

    /// Describes what is waited for, where there is more to say than its kind: a lock by its name, with what holds it.
    pub fn describe(&self) -> Option<String> {
        self.0.describe()
    }

    /// Looks at the value, if it is there, as a trace shows it.
    pub fn look(&self, f: &mut dyn FnMut(Shown<'_>)) {
        self.0.look(f);
    }

    /// Returns whether it is an `F`, such as `Future<i32>`.
    pub fn is<F: 'static>(&self) -> bool {
        self.types().0 == TypeId::of::<F>()
    }

    /// Returns the result, if it is a `T`: moved out of the last handle, copied out of others.
    ///
    /// # Errors
    /// The exception it failed with; [`Error::WrongType`]; see also [`Future::into_result`](crate::Future::into_result).
    #[inline]
    pub fn into_result<T: 'static>(self) -> Result<T> {
        let mut slot = None::<T>;
        self.0.take_into(&mut slot)?;
        slot.ok_or_else(|| Error::WrongType { expected: type_name::<T>() }.into())
    }

    /// Returns where the Future is: handles to the same one return the same address.
    pub fn address(&self) -> *const () {
        Rc::as_ptr(&self.0).cast()
    }

    /// Returns a handle that does not keep the Future alive.
    ///
    /// ```
    /// use squall_runner::Future;
    ///
    /// let any = Future::ready(5).erase();
    /// let weak = any.downgrade();
    /// assert!(weak.upgrade().unwrap().done());
    /// drop(any);
    /// assert!(weak.upgrade().is_none());
    /// ```
    pub fn downgrade(&self) -> WeakFuture {
        WeakFuture(Rc::downgrade(&self.0))
    }

    /// Returns the Future as tools see it.
    pub fn awaited(self) -> Rc<dyn Awaited> {
        self.0
    }

    pub(crate) fn types(&self) -> (TypeId, TypeId, &'static str) {
        self.0.types()
    }

    pub(crate) fn passes_on(&self) -> Option<Self> {
        self.0.passes_on()
    }
}

/// A handle to a Future whose type is not known, which does not keep it alive.
#[derive(Clone)]
pub struct WeakFuture(Weak<dyn Waitable>);

impl WeakFuture {
    /// Returns the Future, if it is still there.
    pub fn upgrade(&self) -> Option<AnyFuture> {
        self.0.upgrade().map(AnyFuture)
    }
}

impl fmt::Debug for WeakFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakFuture")
    }
}

impl fmt::Debug for AnyFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Future({:?})", self.state())
    }
}

/// What a Future can do whatever the type of its result: each [`Resolvable`](crate::Resolvable), without that type.
pub trait Waitable: Awaited {
    #[doc(hidden)]
    fn header(&self) -> &Header;
    #[doc(hidden)]
    fn add_callback(&self, callback: Callback);
    #[doc(hidden)]
    fn add_callback_once(&self, callback: Callback) -> bool;
    #[doc(hidden)]
    fn add_waker(&self, waker: &Waker);
    #[doc(hidden)]
    fn exception(&self) -> Option<Exception>;
    #[doc(hidden)]
    fn cancel(&self) -> bool;
    #[doc(hidden)]
    fn look(&self, f: &mut dyn FnMut(Shown<'_>));
    #[doc(hidden)]
    fn passes_on(&self) -> Option<AnyFuture>;
    /// The types of its handles and of its result, and what the latter is called.
    #[doc(hidden)]
    fn types(&self) -> (TypeId, TypeId, &'static str);
    /// Moves or copies the value into `slot`, if that is an `Option` of it.
    #[doc(hidden)]
    fn take_into(self: Rc<Self>, slot: &mut dyn Any) -> Result<()>;
}
