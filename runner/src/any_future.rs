//! [`AnyFuture`]: a Future whose type is not known. What a generator yields, and its Runner waits for.

use std::any::{type_name, Any, TypeId};
use std::fmt;
use std::rc::Rc;

use crate::ready::Callback;
use crate::shared::{Header, Waiter};
use crate::trace::{FutureId, Shown, State};
use crate::{Coroutine, Error, Exception, Future, Resolvable, Result};

/// A handle to a Future whose type is not known.
///
/// ```
/// use squall_runner::{AnyFuture, Future};
///
/// let any: AnyFuture = Future::ready(5).erase();
/// assert!(any.done() && any.is::<Future<i32>>());
/// assert_eq!(any.into_result::<i32>().unwrap(), 5);
/// ```
pub struct AnyFuture(pub(crate) Rc<dyn Waitable>);

impl AnyFuture {
    #[inline]
    pub(crate) fn header(&self) -> &Header {
        self.0.header()
    }

    /// Its state.
    #[inline]
    pub fn state(&self) -> State {
        self.header().state()
    }

    /// Whether the result or the exception is there, or it was cancelled.
    #[inline]
    pub fn done(&self) -> bool {
        self.state() != State::Pending
    }

    /// Whether it is [`moment`](crate::moment), which costs one turn of the loop although it is done.
    #[inline]
    pub fn is_moment(&self) -> bool {
        self.0.header().is_moment()
    }

    /// Its number in the trace.
    pub fn id(&self) -> FutureId {
        self.0.header().id()
    }

    /// What it failed with, if it has. Asking counts as retrieving it.
    pub fn exception(&self) -> Option<Exception> {
        self.0.exception_erased()
    }

    /// Has `callback` put on the ready queue when it is done; at once if it is.
    #[inline]
    pub fn add_callback(&self, callback: Callback) {
        self.0.add_waiter(Waiter::Soon(callback));
    }

    /// Cancels it if it is pending, and says whether it was.
    pub fn cancel(&self) -> bool {
        self.0.cancel_erased()
    }

    /// The coroutine whose result it is, if it is one.
    pub fn coroutine(&self) -> Option<&'static Coroutine> {
        self.0.coroutine_erased()
    }

    /// Whether it is an `F`, such as `Future<i32>`.
    pub fn is<F: 'static>(&self) -> bool {
        self.0.types().0 == TypeId::of::<F>()
    }

    /// The type of its result, and what that is called.
    pub fn output_type(&self) -> (TypeId, &'static str) {
        let (_, output, name) = self.0.types();
        (output, name)
    }

    /// Looks at the value, if it is there, as a trace shows it.
    pub fn look(&self, f: &mut dyn FnMut(Shown<'_>)) {
        self.0.look_erased(f);
    }

    /// The result, if it is a `T`.
    ///
    /// # Errors
    /// The exception it failed with; [`Error::WrongType`]; see also [`Future::into_result`].
    #[inline]
    pub fn into_result<T: 'static>(self) -> Result<T> {
        let mut slot = None::<T>;
        self.0.take_into(&mut slot)?;
        slot.ok_or_else(|| Error::ResultTaken.into())
    }
}

impl fmt::Debug for AnyFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Future({:?})", self.state())
    }
}

/// What a Future can do whatever the type of its result.
#[doc(hidden)]
pub trait Waitable {
    fn header(&self) -> &Header;
    fn add_waiter(&self, waiter: Waiter);
    fn exception_erased(&self) -> Option<Exception>;
    fn cancel_erased(&self) -> bool;
    fn coroutine_erased(&self) -> Option<&'static Coroutine>;
    fn look_erased(&self, f: &mut dyn FnMut(Shown<'_>));
    /// The types of its handles and of its result, and what the latter is called.
    fn types(&self) -> (TypeId, TypeId, &'static str);
    /// Moves or copies the value into `slot`, an `Option` of it.
    fn take_into(self: Rc<Self>, slot: &mut dyn Any) -> Result<()>;
}

impl<R: Resolvable> Waitable for R {
    fn header(&self) -> &Header {
        &self.shared().header
    }

    fn add_waiter(&self, waiter: Waiter) {
        self.shared().add_waiter(waiter);
    }

    fn exception_erased(&self) -> Option<Exception> {
        self.shared().exception()
    }

    fn cancel_erased(&self) -> bool {
        self.cancel()
    }

    fn coroutine_erased(&self) -> Option<&'static Coroutine> {
        self.coroutine()
    }

    fn look_erased(&self, f: &mut dyn FnMut(Shown<'_>)) {
        let show = self.coroutine().and_then(|coroutine| coroutine.show);
        self.shared().with_value(|value| f(Shown::new(value, show)));
    }

    fn types(&self) -> (TypeId, TypeId, &'static str) {
        (TypeId::of::<Future<R::Output>>(), TypeId::of::<R::Output>(), type_name::<R::Output>())
    }

    fn take_into(self: Rc<Self>, slot: &mut dyn Any) -> Result<()> {
        let Some(slot) = slot.downcast_mut::<Option<R::Output>>() else {
            return Err(Error::WrongType { expected: type_name::<R::Output>() }.into());
        };
        *slot = Some(self.shared().take(Rc::strong_count(&self) == 1)?);
        Ok(())
    }
}
