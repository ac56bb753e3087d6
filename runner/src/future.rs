//! [`Future`]: a handle of a result that is not there yet. [`Promise`]: the end that resolves it.
//!
//! ```
//! use squall_runner::Future;
//!
//! let future = Future::<i32>::new();
//! let promise = future.promise();
//! assert!(!future.done());
//! promise.set_result(5);
//! assert_eq!(future.result().unwrap(), 5);
//! ```
//!
//! The rules are those of `asyncio.Future`, which Tornado uses. Nothing ever runs inside `set_result`: it puts waiters
//! on the ready queue, in the order in which they came.

use std::any::{type_name, Any, TypeId};
use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context as PollContext, Poll, Waker};

use crate::any_future::{AnyFuture, Holding, Waitable};
use crate::callback::{Callback, Run, Withdraw};
use crate::context::Context;
use crate::coroutine::{Awaited, Coroutine};
use crate::error::Error;
use crate::exception::{Exception, Result};
use crate::foreign::{discard, Guarded};
use crate::numbers::FutureId;
use crate::polled::{awaits, is_cancelled};
use crate::problem::Problem;
use crate::report::guard;
use crate::shared::{Resolvable, Shared};
use crate::shown::Shown;
use crate::state::{Header, State};
use crate::waiter::Waiter;

/// A handle of a result of type `T` that is not there yet.
///
/// A coroutine yields it, an `async fn` awaits it, and other code asks it. A handle can be cloned if `T` can. The value
/// is moved out when the last handle is yielded, and cloned before that. Dropping a handle cancels nothing. An
/// exception that was not retrieved when the last handle is dropped is logged.
#[must_use = "yield or await it, or spawn it; what it raises is only logged when it is dropped"]
pub struct Future<T: 'static> {
    core: Rc<dyn Resolvable<Output = T>>,
}

impl<T: 'static> Future<T> {
    /// Creates a pending Future, which a [`Promise`] resolves.
    #[allow(clippy::new_without_default)]
    #[inline]
    pub fn new() -> Self {
        Self::from_core(Rc::new(Shared::new()))
    }

    /// Creates a Future that is done.
    ///
    /// ```
    /// assert_eq!(squall_runner::Future::ready(5).result().unwrap(), 5);
    /// ```
    pub fn ready(value: T) -> Self {
        Self::settled(Ok(value))
    }

    /// Creates a Future that has failed.
    ///
    /// ```
    /// let failed = squall_runner::Future::<i32>::failed(std::fmt::Error);
    /// assert!(failed.exception().unwrap().is::<std::fmt::Error>());
    /// ```
    #[track_caller]
    pub fn failed(exception: impl Into<Exception>) -> Self {
        Self::settled(Err(exception.into()))
    }

    pub(crate) fn settled(result: Result<T>) -> Self {
        Self::from_core(Rc::new(Shared::settled(result)))
    }

    /// Creates a handle of a Future with state of its own; see [`Resolvable`].
    #[inline]
    pub fn from_core(core: Rc<dyn Resolvable<Output = T>>) -> Self {
        Self { core }
    }

    /// Returns the state to which this is a handle.
    pub fn core(&self) -> &Rc<dyn Resolvable<Output = T>> {
        &self.core
    }

    /// Returns a promise, by which this Future is resolved. If all promises are dropped unused, the Future fails.
    #[inline]
    pub fn promise(&self) -> Promise<T> {
        self.core.shared().header().add_promise();
        Promise { core: Some(self.core.clone()) }
    }

    /// Returns whether the Future has a result or an exception, or was cancelled.
    #[inline]
    pub fn done(&self) -> bool {
        self.core.shared().done()
    }

    /// Returns the state.
    #[inline]
    pub fn state(&self) -> State {
        self.core.shared().state()
    }

    /// Returns the number in the trace.
    pub fn id(&self) -> FutureId {
        self.core.shared().id()
    }

    /// Returns the coroutine whose result this is, if there is one.
    pub fn coroutine(&self) -> Option<&'static Coroutine> {
        Resolvable::coroutine(&*self.core)
    }

    /// Returns a description of what is waited for, if there is more to say than its kind: a lock by name, with its
    /// holder.
    pub fn describe(&self) -> Option<String> {
        Resolvable::describe(&*self.core)
    }

    /// Returns whether the Future was cancelled.
    pub fn cancelled(&self) -> bool {
        self.state() == State::Cancelled
    }

    /// Cancels the Future if it is pending, and returns whether it was. [`Error::Cancelled`] is raised in everything
    /// that waits for it. If it is the result of a coroutine, a yield-style coroutine runs on and its result is
    /// dropped; a native one is cancelled where it awaits.
    ///
    /// ```
    /// let future = squall_runner::Future::<i32>::new();
    /// assert!(future.cancel() && !future.cancel());
    /// assert!(future.cancelled());
    /// ```
    pub fn cancel(&self) -> bool {
        Resolvable::cancel(&*self.core)
    }

    /// Returns the exception, if the Future has failed or was cancelled. This counts as retrieving it.
    #[track_caller]
    pub fn exception(&self) -> Option<Exception> {
        self.core.shared().exception()
    }

    /// Returns a clone of the result.
    ///
    /// # Errors
    /// The Future's exception; [`Error::Cancelled`]; [`Error::InvalidState`] if it is pending; [`Error::ResultTaken`]
    /// if the value was moved out.
    #[track_caller]
    pub fn result(&self) -> Result<T>
    where
        T: Clone,
    {
        self.clone().into_result()
    }

    /// Returns the result: the value is moved out of the last handle, and cloned otherwise.
    ///
    /// ```
    /// assert_eq!(squall_runner::Future::ready("five").into_result()?, "five");
    /// # Ok::<(), squall_runner::Exception>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`result`](Self::result).
    #[track_caller]
    #[inline]
    pub fn into_result(self) -> Result<T> {
        self.core.shared().take(Rc::strong_count(&self.core) == 1)
    }

    /// Calls `f` with a reference to the value, if there is one. The Future is empty while `f` runs.
    ///
    /// ```
    /// let names = squall_runner::Future::ready(vec!["ann", "ben"]);
    /// assert_eq!(names.with_value(Vec::len), Some(2));
    /// ```
    pub fn with_value<R>(&self, f: impl FnOnce(&T) -> R) -> Option<R> {
        self.core.shared().with_value(f)
    }

    /// Calls `f` in the next turn of the loop after the Future is done, never at once. A panic in `f` is logged.
    ///
    /// The value may have been moved out by then, if the only handle was yielded before.
    ///
    /// ```
    /// use squall_runner::{ready::ReadyQueue, Future};
    ///
    /// let future = Future::<i32>::new();
    /// future.add_done_callback(|f| assert_eq!(f.result().unwrap(), 5));
    /// future.promise().set_result(5);
    /// ReadyQueue::current().pop().unwrap().run();
    /// ```
    pub fn add_done_callback(&self, f: impl FnOnce(&Self) + 'static) {
        self.watch(f);
        self.core.clone().keep();
    }

    /// Calls `f` like [`add_done_callback`](Self::add_done_callback), but does not count as waiting: a Future that is
    /// given up when its last handle is dropped is then never done, and `f` is dropped with it.
    #[doc(hidden)]
    pub fn watch(&self, f: impl FnOnce(&Self) + 'static) {
        self.core.shared().add_callback(Rc::new(DoneCallback {
            core: Rc::downgrade(&self.core),
            done: Cell::new(None),
            context: Cell::new(Context::current()),
            f: Cell::new(Some(f)),
        }));
    }

    /// Returns a further handle. There was a second one before, which recorded how the value is cloned.
    #[doc(hidden)]
    #[inline]
    pub fn another_handle(&self) -> Self {
        Self { core: self.core.clone() }
    }

    /// Puts `callback` on the current ready queue once the Future is done; at once if it is already done.
    pub fn call_when_done(&self, callback: Callback) {
        self.core.shared().add_callback(callback);
    }

    /// Erases the type of the result.
    #[inline]
    pub fn erase(self) -> AnyFuture {
        AnyFuture(self.core)
    }

    /// Returns a further handle, with the type of the result erased.
    #[inline]
    pub fn erased(&self) -> AnyFuture {
        AnyFuture(self.core.clone())
    }
}

impl<T: Clone + 'static> Clone for Future<T> {
    fn clone(&self) -> Self {
        self.core.shared().share(T::clone);
        Self { core: self.core.clone() }
    }
}

impl<T> fmt::Debug for Future<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Future({:?})", self.state())
    }
}

/// Awaits the Future in an `async fn`. In a yield-style body write `yield_!` instead.
impl<T> std::future::Future for Future<T> {
    type Output = Result<T>;

    // For a poll by an `.await`, the caller is the line of the await.
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut PollContext<'_>) -> Poll<Result<T>> {
        if is_cancelled(cx.waker()) {
            return Poll::Ready(Err(Error::Cancelled.into()));
        }
        let shared = self.core.shared();
        if self.done() {
            return Poll::Ready(shared.take(Rc::strong_count(&self.core) == 1));
        }
        let task = awaits(cx.waker(), || self.erased());
        let waiter = task.map_or_else(|| Waiter::Wake(Guarded::new(cx.waker().clone())), Waiter::once);
        shared.add_waiter_once(waiter, Rc::strong_count(&self.core));
        Poll::Pending
    }
}

impl<R: Resolvable> Awaited for R {
    fn coroutine(&self) -> Option<&'static Coroutine> {
        Resolvable::coroutine(self)
    }

    fn describe(&self) -> Option<String> {
        Resolvable::describe(self)
    }
}

impl<R: Resolvable> Waitable for R {
    fn header(&self) -> &Header {
        self.shared().header()
    }

    fn add_callback(&self, callback: Callback) {
        self.shared().add_callback(callback);
    }

    fn add_waker(&self, waker: &Waker) {
        self.shared().add_waiter_once(Waiter::Wake(Guarded::new(waker.clone())), usize::MAX);
    }

    fn add_callback_once(&self, callback: Callback) -> bool {
        self.shared().add_waiter_once(Waiter::once(callback), usize::MAX)
    }

    fn exception(&self) -> Option<Exception> {
        self.shared().exception()
    }

    fn cancel(&self) -> bool {
        Resolvable::cancel(self)
    }

    fn look(&self, f: &mut dyn FnMut(Shown<'_>)) {
        let show = Resolvable::coroutine(self).and_then(|coroutine| coroutine.show);
        self.shared().with_value(|value| f(Shown::new(value, show)));
    }

    fn held(&self, visit: &mut dyn FnMut(Holding<'_>)) {
        self.shared().held(visit);
    }

    fn forget_waiters(&self) {
        self.shared().forget_waiters();
    }

    fn passes_on(&self) -> Option<AnyFuture> {
        Resolvable::passes_on(self)
    }

    fn parts(&self) -> Vec<AnyFuture> {
        Resolvable::parts(self)
    }

    fn types(&self) -> (TypeId, TypeId, &'static str) {
        (TypeId::of::<Future<R::Output>>(), TypeId::of::<R::Output>(), type_name::<R::Output>())
    }

    fn take_into(self: Rc<Self>, slot: &mut dyn Any) -> Result<()> {
        if let Some(slot) = slot.downcast_mut() {
            *slot = Some(self.shared().take(Rc::strong_count(&self) == 1)?);
        }
        Ok(())
    }
}

/// A callback of [`Future::add_done_callback`].
struct DoneCallback<T: 'static, F> {
    /// Weak, since the Future holds its waiters. Once the Future is resolved, this holds it.
    core: Weak<dyn Resolvable<Output = T>>,
    done: Cell<Option<Future<T>>>,
    context: Cell<Context>,
    /// `None` once it has run.
    f: Cell<Option<F>>,
}

impl<T: 'static, F: FnOnce(&Future<T>) + 'static> Run for DoneCallback<T, F> {
    fn is_due(&self) -> bool {
        let future = self.core.upgrade().map(Future::from_core);
        let is_there = future.is_some();
        self.done.set(future);
        is_there
    }

    fn run(self: Rc<Self>) {
        if let (Some(future), Some(f)) = (self.done.take(), self.f.take()) {
            let context = self.context.take();
            guard(Problem::DoneCallback, move || context.enter(|| f(&future)));
        }
    }

    fn type_name(&self) -> &'static str {
        type_name::<F>()
    }
}

impl<T: 'static, F: 'static> Withdraw for DoneCallback<T, F> {
    fn withdraw(&self) {
        self.f.take().into_iter().for_each(discard);
        drop(self.done.take());
    }
}

impl<T: 'static, F> Drop for DoneCallback<T, F> {
    fn drop(&mut self) {
        self.f.take().into_iter().for_each(discard);
    }
}

/// The end of a [`Future`] that resolves it.
///
/// A promise that is dropped unused fails its Future with [`Error::BrokenPromise`], so that nothing waits for ever. If
/// the Future was cancelled meanwhile, the value that is set is dropped.
///
/// ```
/// use squall_runner::{Error, Future};
///
/// let future = Future::<i32>::new();
/// drop(future.promise());
/// assert_eq!(future.exception().unwrap().downcast_ref(), Some(&Error::BrokenPromise));
/// ```
#[must_use = "dropping a Promise fails its Future: call set_result or set_exception"]
pub struct Promise<T: 'static> {
    /// `None` once it was used.
    core: Option<Rc<dyn Resolvable<Output = T>>>,
}

impl<T: 'static> Promise<T> {
    /// Resolves the Future. Its waiters are put on the ready queue; none of them runs inside this call.
    #[inline]
    pub fn set_result(self, value: T) {
        self.set(Ok(value));
    }

    /// Fails the Future. The exception is raised where the Future is yielded.
    #[track_caller]
    pub fn set_exception(self, exception: impl Into<Exception>) {
        self.set(Err(exception.into()));
    }

    /// Resolves or fails the Future.
    #[inline]
    pub fn set(mut self, result: Result<T>) {
        if let Some(core) = self.core.take() {
            core.shared().header().remove_promise();
            core.shared().set(result);
        }
    }
}

impl<T: 'static> Promise<T> {
    /// Cancels the Future, unless it is done.
    ///
    /// ```
    /// let future = squall_runner::Future::<i32>::new();
    /// future.promise().cancel();
    /// assert!(future.cancelled());
    /// ```
    pub fn cancel(mut self) {
        if let Some(core) = self.core.take() {
            core.shared().header().remove_promise();
            if !core.shared().done() {
                Resolvable::cancel(&*core);
            }
        }
    }

    /// Returns whether the Future is done, or was cancelled.
    pub fn is_done(&self) -> bool {
        self.core.as_ref().is_none_or(|core| core.shared().done())
    }

    /// Returns whether nothing needs the result any more: the Future is done or was cancelled, or all of its handles
    /// are dropped and it has no done callback.
    ///
    /// ```
    /// let future = squall_runner::Future::<i32>::new();
    /// let promise = future.promise();
    /// assert!(!promise.is_abandoned());
    /// drop(future);
    /// assert!(promise.is_abandoned());
    /// # promise.set_result(5);
    /// ```
    pub fn is_abandoned(&self) -> bool {
        self.core.as_ref().is_none_or(|core| {
            let shared = core.shared();
            let is_held = || shared.header().promises() < Some(Rc::strong_count(core));
            shared.done() || !is_held() && !shared.has_callbacks()
        })
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        let Some(core) = self.core.take() else { return };
        let shared = core.shared();
        if shared.header().remove_promise() && shared.set_exception(Error::BrokenPromise.into()) {
            shared.header().set_retrieved();
        }
    }
}

impl<T> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promise").finish_non_exhaustive()
    }
}
