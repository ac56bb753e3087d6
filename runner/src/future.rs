//! [`Future`]: a handle to a result that is not there yet. [`Promise`]: the end by which it is resolved.
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
//! The rules are those of `asyncio.Future`, which Tornado uses: nothing ever runs inside `set_result`; whoever
//! waits is put on the ready queue, in the order in which they came.

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::native;
use crate::ready::Callback;
use crate::shared::{DoneCallback, Erased, Resolvable, Shared, Waiter};
use crate::trace::{FutureId, Shown, State};
use crate::{Coroutine, Error, Exception, Result};

/// A handle to a result of type `T` that is not there yet.
///
/// It can be yielded in a coroutine, awaited in an `async fn`, or asked. A handle can be cloned where `T` can;
/// the value is moved out when the last handle is yielded, and cloned before that. Dropping a handle cancels
/// nothing; an exception that nobody has asked for when the last one goes is logged.
#[must_use = "yield or await it, or spawn it; what it raises is only logged when it is dropped"]
pub struct Future<T: 'static> {
    core: Rc<dyn Resolvable<Output = T>>,
}

impl<T: 'static> Future<T> {
    /// A Future that is resolved through a [`Promise`].
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self::from_core(Rc::new(Promised { shared: Shared::new(), promises: Cell::new(0) }))
    }

    /// A Future that has its result already.
    ///
    /// ```
    /// assert_eq!(squall_runner::Future::ready(5).result().unwrap(), 5);
    /// ```
    pub fn ready(value: T) -> Self {
        Self::settled(Ok(value))
    }

    /// A Future that has failed already.
    #[track_caller]
    pub fn failed(exception: impl Into<Exception>) -> Self {
        Self::settled(Err(exception.into()))
    }

    pub(crate) fn settled(result: Result<T>) -> Self {
        Self::from_core(Rc::new(Shared::settled(result)))
    }

    /// A handle to a Future with state of its own; see [`Resolvable`].
    pub fn from_core(core: Rc<dyn Resolvable<Output = T>>) -> Self {
        Self { core }
    }

    pub(crate) fn core(&self) -> &Rc<dyn Resolvable<Output = T>> {
        &self.core
    }

    /// Whether the result or the exception is there, or it was cancelled.
    pub fn done(&self) -> bool {
        self.state() != State::Pending
    }

    /// Whether it was cancelled.
    pub fn cancelled(&self) -> bool {
        self.state() == State::Cancelled
    }

    /// Whether the handle was ever cloned.
    pub fn is_shared(&self) -> bool {
        self.core.shared().is_shared()
    }

    /// Its state.
    pub fn state(&self) -> State {
        self.core.shared().state()
    }

    /// What it failed with, if it has failed or was cancelled. Asking counts as retrieving it.
    pub fn exception(&self) -> Option<Exception> {
        self.core.shared().exception()
    }

    /// Cancels it if it is pending, and says whether it was.
    pub fn cancel(&self) -> bool {
        self.core.cancel()
    }

    /// Calls `f` when it is done, in the next turn of the loop; never at once. A panic in `f` is logged.
    ///
    /// The value may have been moved out by then, if its only handle was yielded first.
    pub fn add_done_callback(&self, f: impl FnOnce(&Self) + 'static) {
        self.core.shared().add_waiter(Waiter::Done(DoneCallback {
            f: Box::new(f),
            context: crate::Context::current(),
            future: Rc::downgrade(&self.core),
        }));
    }

    /// Has `callback` put on the ready queue when it is done; at once if it is.
    pub fn add_callback(&self, callback: Callback) {
        self.core.shared().add_callback(callback);
    }

    /// The result, copied.
    ///
    /// # Errors
    /// The exception it failed with; [`Error::Cancelled`]; [`Error::InvalidState`] if it is pending;
    /// [`Error::ResultTaken`] if the value was moved out.
    pub fn result(&self) -> Result<T>
    where
        T: Clone,
    {
        match self.state() {
            State::Done => self.core.shared().copy(T::clone),
            _ => self.core.shared().take(false),
        }
    }

    /// The result: moved out of the last handle, copied out of others.
    ///
    /// # Errors
    /// As [`result`](Self::result).
    pub fn into_result(self) -> Result<T> {
        self.core.shared().take(Rc::strong_count(&self.core) == 1)
    }

    /// The result: moved out of a Future that was never cloned, copied out of others. The handle stays, to tell
    /// which Future it was.
    ///
    /// # Errors
    /// As [`result`](Self::result).
    pub fn take_result(&self) -> Result<T> {
        self.core.shared().take(false)
    }

    /// Looks at the value, if it is there.
    pub fn with_value<R>(&self, f: impl FnOnce(&T) -> R) -> Option<R> {
        self.core.shared().with_value(f)
    }

    /// Looks at the value, if it is there, as a trace shows it.
    pub fn look(&self, f: &mut dyn FnMut(Shown<'_>)) {
        self.core.look(f);
    }

    /// The end by which this is resolved. If each of them is dropped unused, the Future fails.
    pub fn promise(&self) -> Promise<T> {
        self.core.count_promise(true);
        Promise { core: Some(self.core.clone()) }
    }

    /// Its number in the trace.
    pub fn id(&self) -> FutureId {
        self.core.shared().id()
    }

    /// The same Future without its type.
    pub fn erase(self) -> AnyFuture {
        AnyFuture { core: self.core }
    }
}

impl<T: Clone + 'static> Clone for Future<T> {
    fn clone(&self) -> Self {
        self.core.shared().set_clone(T::clone);
        Self { core: self.core.clone() }
    }
}

impl<T> fmt::Debug for Future<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Future({:?})", self.state())
    }
}

/// `.await` in an `async fn`. In a yield-style body write `yield_!` instead.
impl<T> std::future::Future for Future<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        if native::cancel_requested(cx.waker()) {
            return Poll::Ready(Err(Error::Cancelled.into()));
        }
        let shared = self.core.shared();
        if shared.state() != State::Pending {
            return Poll::Ready(shared.take(Rc::strong_count(&self.core) == 1));
        }
        match native::awaited_by(cx.waker(), || AnyFuture { core: self.core.clone() }) {
            Some(task) => shared.add_callback_once(&task),
            None => shared.add_waker_once(cx.waker()),
        }
        Poll::Pending
    }
}

/// A Future that is resolved by hand.
struct Promised<T: 'static> {
    shared: Shared<T>,
    /// How many Promises there are.
    promises: Cell<usize>,
}

impl<T> Resolvable for Promised<T> {
    type Output = T;

    fn shared(&self) -> &Shared<T> {
        &self.shared
    }

    fn count_promise(&self, made: bool) -> bool {
        self.promises.set(if made { self.promises.get() + 1 } else { self.promises.get() - 1 });
        self.promises.get() == 0
    }
}

/// A Future that was made with its result.
impl<T> Resolvable for Shared<T> {
    type Output = T;

    fn shared(&self) -> &Shared<T> {
        self
    }
}

/// The end by which a [`Future`] is resolved.
///
/// Dropped unused, it resolves its Future with [`Error::BrokenPromise`], so that nobody waits for ever. If the
/// Future was cancelled meanwhile, what is set is dropped.
#[must_use = "dropping a Promise fails its Future: call set_result or set_exception"]
pub struct Promise<T: 'static> {
    core: Option<Rc<dyn Resolvable<Output = T>>>,
}

impl<T: 'static> Promise<T> {
    /// Resolves the Future. Those who wait for it are put on the ready queue; nothing runs in here.
    pub fn set_result(self, value: T) {
        self.set(Ok(value));
    }

    /// Fails the Future. The exception is raised wherever the Future is yielded.
    #[track_caller]
    pub fn set_exception(self, exception: impl Into<Exception>) {
        self.set(Err(exception.into()));
    }

    /// Resolves or fails it.
    pub fn set(mut self, result: Result<T>) {
        if let Some(core) = self.core.take() {
            core.shared().set(result);
            core.count_promise(false);
        }
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        if let Some(core) = self.core.take() {
            if core.count_promise(false) && core.shared().set_exception(Error::BrokenPromise.into()) {
                core.shared().set_retrieved();
            }
        }
    }
}

impl<T> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promise").finish_non_exhaustive()
    }
}

/// A Future whose type is not known: what a generator yields and its Runner waits for.
pub struct AnyFuture {
    core: Rc<dyn Erased>,
}

impl AnyFuture {
    /// Whether it is done, failed or cancelled.
    pub fn done(&self) -> bool {
        self.state() != State::Pending
    }

    /// Its state.
    pub fn state(&self) -> State {
        self.core.state()
    }

    /// What it failed with, if it has. Asking counts as retrieving it.
    pub fn exception(&self) -> Option<Exception> {
        match self.core.state() {
            State::Pending | State::Done => None,
            State::Failed | State::Cancelled => self.core.exception(),
        }
    }

    /// Whether it is `moment`, which costs one turn of the loop although it is done.
    pub fn is_moment(&self) -> bool {
        self.core.is_moment()
    }

    /// Its number in the trace.
    pub fn id(&self) -> FutureId {
        self.core.id()
    }

    /// Whether it is an `F`, such as `Future<i32>`.
    pub fn is<F: 'static>(&self) -> bool {
        self.core.handle_type() == TypeId::of::<F>()
    }

    /// The type of its result, and what that is called.
    pub(crate) fn output_type(&self) -> (TypeId, &'static str) {
        self.core.output_type()
    }

    /// The coroutine whose result it is, if it is one.
    pub fn coroutine(&self) -> Option<&'static Coroutine> {
        self.core.coroutine_erased()
    }

    /// Has `callback` put on the ready queue when it is done; at once if it is.
    pub fn add_callback(&self, callback: Callback) {
        self.core.add_callback(callback);
    }

    /// Cancels it if it is pending, and says whether it was.
    pub fn cancel(&self) -> bool {
        self.core.cancel_erased()
    }

    /// Looks at the value, if it is there.
    pub fn look(&self, f: &mut dyn FnMut(Shown<'_>)) {
        self.core.look(f);
    }

    /// The result, if it is a `T`.
    ///
    /// # Errors
    /// The exception it failed with; [`Error::WrongType`]; see also [`Future::into_result`].
    pub fn into_result<T: 'static>(self) -> Result<T> {
        let mut slot = None::<T>;
        self.core.take_into(&mut slot as &mut dyn Any)?;
        slot.ok_or_else(|| Error::ResultTaken.into())
    }
}

impl fmt::Debug for AnyFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Future({:?})", self.state())
    }
}
