//! [`AnyFuture`]: a Future with the type of its result erased. Generators yield it, and Runners wait for it.

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

/// A handle of a Future whose type is erased. Clones are handles of the same Future.
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

    /// Returns whether the Future has a result or an exception, or was cancelled.
    #[inline]
    pub fn done(&self) -> bool {
        self.0.header().done()
    }

    /// Returns whether it is [`moment`](crate::moment), which takes one turn of the loop although it is done.
    #[inline]
    pub fn is_moment(&self) -> bool {
        self.0.header().is_moment()
    }

    /// Returns the number in the trace.
    pub fn id(&self) -> FutureId {
        self.0.header().id()
    }

    /// Calls `f` in the next turn of the loop after the Future is done; in the next turn if it is already done.
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

    /// Puts `callback` on the current ready queue once the Future is done; at once if it is already done.
    #[inline]
    pub fn call_when_done(&self, callback: Callback) {
        self.0.add_callback(callback);
    }

    /// Puts `callback` on the current ready queue like [`call_when_done`](Self::call_when_done), unless that callback
    /// was the last one to be added. Returns whether it was added.
    pub fn call_once_when_done(&self, callback: Callback) -> bool {
        self.0.add_callback_once(callback)
    }

    /// Adds a waker of a foreign executor, or of one within a native coroutine, to be called when the Future is done.
    pub(crate) fn wake_when_done(&self, waker: &Waker) {
        self.0.add_waker(waker);
    }

    /// Returns the exception, if the Future has failed or was cancelled. This counts as retrieving it.
    pub fn exception(&self) -> Option<Exception> {
        self.0.exception()
    }

    /// Cancels the Future like [`Future::cancel`](crate::Future::cancel).
    pub fn cancel(&self) -> bool {
        self.0.cancel()
    }

    /// Returns the coroutine whose result this is, if there is one.
    pub fn coroutine(&self) -> Option<&'static Coroutine> {
        self.0.coroutine()
    }

    /// Returns a description of what is waited for, if there is more to say than its kind: a lock by name, with its
    /// holder.
    pub fn describe(&self) -> Option<String> {
        self.0.describe()
    }

    /// Calls `f` with the value, if there is one, as a trace shows it.
    pub fn look(&self, f: &mut dyn FnMut(Shown<'_>)) {
        self.0.look(f);
    }

    /// Shows what the state of the Future holds to `visit`, for the cycle collector of another language. Does not count
    /// as retrieving an exception. The state is empty meanwhile, so `visit` must not use the Future.
    ///
    /// ```
    /// use squall_runner::{Future, Holding};
    ///
    /// let future = Future::<i32>::new();
    /// future.erased().add_callback(|| println!("done"));
    /// let mut waiters = 0;
    /// future.erase().held(&mut |it| waiters += usize::from(matches!(it, Holding::Waiter(_))));
    /// assert_eq!(waiters, 1);
    /// ```
    pub fn held(&self, visit: &mut dyn FnMut(Holding<'_>)) {
        self.0.held(visit);
    }

    /// Returns how many handles of the Future there are, including those of its promises and of what waits for it.
    pub fn handles(&self) -> usize {
        Rc::strong_count(&self.0)
    }

    /// Drops what waits for the Future, if it is pending: nothing can resolve it any more.
    pub fn forget_waiters(&self) {
        self.0.forget_waiters();
    }

    /// Returns whether the Future is an `F`, such as `Future<i32>`.
    pub fn is<F: 'static>(&self) -> bool {
        self.types().0 == TypeId::of::<F>()
    }

    /// Returns the result: the value is moved out of the last handle, and cloned otherwise.
    ///
    /// # Errors
    /// The Future's exception; [`Error::WrongType`] if the result is not a `T`; see also
    /// [`Future::into_result`](crate::Future::into_result).
    #[inline]
    pub fn into_result<T: 'static>(self) -> Result<T> {
        let mut slot = None::<T>;
        self.0.take_into(&mut slot)?;
        slot.ok_or_else(|| Error::WrongType { expected: type_name::<T>() }.into())
    }

    /// Returns the address of the Future, which is equal for all its handles.
    pub fn address(&self) -> *const () {
        Rc::as_ptr(&self.0).cast()
    }

    /// Returns a weak handle, which does not keep the Future alive.
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

    /// Returns the Future in the form for tools.
    pub fn awaited(self) -> Rc<dyn Awaited> {
        self.0
    }

    pub(crate) fn types(&self) -> (TypeId, TypeId, &'static str) {
        self.0.types()
    }

    pub(crate) fn passes_on(&self) -> Option<Self> {
        self.0.passes_on()
    }

    /// Drops the handle. If it was the last one of something that is pending and waits for others, as a list does, returns
    /// handles of these.
    ///
    /// # Errors
    /// The handle, if others have the Future, or it waits for none.
    pub fn give_up(self) -> Result<Vec<Self>, Self> {
        let parts = if Rc::strong_count(&self.0) == 1 { self.0.parts() } else { Vec::new() };
        if parts.is_empty() {
            Err(self)
        } else {
            Ok(parts)
        }
    }
}

/// A thing that the state of a Future holds; see [`AnyFuture::held`].
#[non_exhaustive]
pub enum Holding<'a> {
    /// A callback that waits for the Future.
    Waiter(&'a Callback),
    /// A waker that waits for the Future.
    Waker,
    /// The value.
    Value(&'a dyn Any),
    /// The exception.
    Raised(&'a Exception),
}

impl fmt::Debug for Holding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiter(_) => "Waiter",
            Self::Waker => "Waker",
            Self::Value(_) => "Value",
            Self::Raised(_) => "Raised",
        })
    }
}

/// A weak handle of a Future whose type is erased.
#[derive(Clone)]
pub struct WeakFuture(Weak<dyn Waitable>);

impl WeakFuture {
    /// Returns a handle of the Future, if it still exists.
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

/// The operations of a Future that do not depend on the type of its result. Every [`Resolvable`](crate::Resolvable) has
/// them.
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
    fn held(&self, visit: &mut dyn FnMut(Holding<'_>));
    #[doc(hidden)]
    fn forget_waiters(&self);
    #[doc(hidden)]
    fn passes_on(&self) -> Option<AnyFuture>;
    #[doc(hidden)]
    fn parts(&self) -> Vec<AnyFuture>;
    /// Returns the type of its handles, the type of its result, and the name of the latter.
    #[doc(hidden)]
    fn types(&self) -> (TypeId, TypeId, &'static str);
    /// Moves or clones the value into `slot`, if that is an `Option` of the value's type.
    #[doc(hidden)]
    fn take_into(self: Rc<Self>, slot: &mut dyn Any) -> Result<()>;
}
