//! [`AnyFuture`]: a Future whose type is not known. What a generator yields, and its Runner waits for.

use std::any::{type_name, Any, TypeId};
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use crate::ready::Callback;
use crate::trace::{FutureId, Shown, State};
use crate::{Coroutine, Error, Exception, Future, Resolvable, Result};

/// A handle to a Future whose type is not known. It can do what is [`Waitable`].
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
    /// Whether it is an `F`, such as `Future<i32>`.
    pub fn is<F: 'static>(&self) -> bool {
        self.0.handle_type() == TypeId::of::<F>()
    }

    /// Whether it is [`moment`](crate::moment), which costs one turn of the loop although it is done.
    pub fn is_moment(&self) -> bool {
        self.0.is_turn()
    }

    /// Cancels it if it is pending, and says whether it was.
    pub fn cancel(&self) -> bool {
        self.0.cancel_erased()
    }

    /// The coroutine whose result it is, if it is one.
    pub fn coroutine(&self) -> Option<&'static Coroutine> {
        self.0.coroutine_erased()
    }

    /// The result, if it is a `T`.
    ///
    /// # Errors
    /// The exception it failed with; [`Error::WrongType`]; see also [`Future::into_result`].
    pub fn into_result<T: 'static>(self) -> Result<T> {
        let mut slot = None::<T>;
        self.0.take_into(&mut slot)?;
        slot.ok_or_else(|| Error::ResultTaken.into())
    }
}

impl Deref for AnyFuture {
    type Target = dyn Waitable;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl fmt::Debug for AnyFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Future({:?})", self.state())
    }
}

/// What can be waited for, whatever its result is. Everything [`Resolvable`] can.
pub trait Waitable {
    /// Its state.
    fn state(&self) -> State;

    /// Whether it is done, failed or cancelled.
    fn done(&self) -> bool {
        self.state() != State::Pending
    }

    /// What it failed with, if it has. Asking counts as retrieving it.
    fn exception(&self) -> Option<Exception>;

    /// Has `callback` put on the ready queue when it is done; at once if it is.
    fn add_callback(&self, callback: Callback);

    /// Its number in the trace.
    fn id(&self) -> FutureId;

    /// Looks at the value, if it is there, as a trace shows it.
    fn look(&self, f: &mut dyn FnMut(Shown<'_>));

    /// The type of its result, and what that is called.
    fn output_type(&self) -> (TypeId, &'static str);

    #[doc(hidden)]
    fn is_turn(&self) -> bool;

    #[doc(hidden)]
    fn cancel_erased(&self) -> bool;

    #[doc(hidden)]
    fn coroutine_erased(&self) -> Option<&'static Coroutine>;

    /// The type of its handles.
    #[doc(hidden)]
    fn handle_type(&self) -> TypeId;

    /// Moves or copies the value into `slot`, an `Option` of it.
    #[doc(hidden)]
    fn take_into(self: Rc<Self>, slot: &mut dyn Any) -> Result<()>;
}

impl<R: Resolvable> Waitable for R {
    fn state(&self) -> State {
        self.shared().state()
    }

    fn exception(&self) -> Option<Exception> {
        self.shared().exception()
    }

    fn add_callback(&self, callback: Callback) {
        self.shared().add_callback(callback);
    }

    fn id(&self) -> FutureId {
        self.shared().id()
    }

    fn look(&self, f: &mut dyn FnMut(Shown<'_>)) {
        let show = self.coroutine().and_then(|coroutine| coroutine.show);
        self.shared().with_value(|value| f(Shown::new(value, show)));
    }

    fn output_type(&self) -> (TypeId, &'static str) {
        (TypeId::of::<R::Output>(), type_name::<R::Output>())
    }

    fn is_turn(&self) -> bool {
        self.shared().is_moment()
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

    fn take_into(self: Rc<Self>, slot: &mut dyn Any) -> Result<()> {
        let Some(slot) = slot.downcast_mut::<Option<R::Output>>() else {
            return Err(Error::WrongType { expected: type_name::<R::Output>() }.into());
        };
        *slot = Some(self.shared().take(Rc::strong_count(&self) == 1)?);
        Ok(())
    }
}
