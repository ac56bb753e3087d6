//! [`AnyFuture`]: a Future whose type is not known. What a generator yields, and its Runner waits for.

use std::any::{type_name, Any, TypeId};
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use crate::ready::Callback;
use crate::shared::Header;
use crate::trace::Shown;
use crate::waiter::Waiter;
use crate::{Coroutine, Error, Exception, Future, Resolvable, Result};

/// A handle to a Future whose type is not known. What it can do stands with [`Waitable`](trait@Waitable).
///
/// ```
/// use squall_runner::{AnyFuture, Future};
///
/// let any: AnyFuture = Future::ready(5).erase();
/// assert!(any.done() && any.is::<Future<i32>>());
/// assert_eq!(any.into_result::<i32>().unwrap(), 5);
/// ```
pub type AnyFuture = Rc<dyn Waitable>;

/// What a Future can do whatever the type of its result. Everything that is [`Resolvable`] can.
pub trait Waitable {
    /// What is known of it without that type: whether it is done, its number.
    fn header(&self) -> &Header;

    /// Has `callback` put on the ready queue when it is done; at once if it is.
    fn add_callback(&self, callback: Callback);

    /// The same, unless the same one was the last to come: then this says `false`.
    fn add_callback_once(&self, callback: Callback) -> bool;

    /// What it failed with, if it has. Asking counts as retrieving it.
    fn exception(&self) -> Option<Exception>;

    /// Cancels it if it is pending, and says whether it was.
    fn cancel(&self) -> bool;

    /// The coroutine whose result it is, if it is one.
    fn coroutine(&self) -> Option<&'static Coroutine>;

    /// Describes what is waited for, where there is more to say than its kind: a lock by its name, with what holds it.
    fn describe(&self) -> Option<String>;

    /// Looks at the value, if it is there, as a trace shows it.
    fn look(&self, f: &mut dyn FnMut(Shown<'_>));

    /// What is cancelled in its place.
    #[doc(hidden)]
    fn passes_on(&self) -> Option<AnyFuture>;

    /// The types of its handles and of its result, and what the latter is called.
    #[doc(hidden)]
    fn types(&self) -> (TypeId, TypeId, &'static str);

    /// Moves or copies the value into `slot`, if that is an `Option` of it.
    #[doc(hidden)]
    fn take_into(self: Rc<Self>, slot: &mut dyn Any) -> Result<()>;
}

impl dyn Waitable {
    /// Whether it is an `F`, such as `Future<i32>`.
    pub fn is<F: 'static>(&self) -> bool {
        self.types().0 == TypeId::of::<F>()
    }

    /// The result, if it is a `T`.
    ///
    /// # Errors
    /// The exception it failed with; [`Error::WrongType`]; see also [`Future::into_result`].
    #[inline]
    pub fn into_result<T: 'static>(self: Rc<Self>) -> Result<T> {
        let mut slot = None::<T>;
        self.take_into(&mut slot)?;
        slot.ok_or_else(|| Error::WrongType { expected: type_name::<T>() }.into())
    }
}

impl fmt::Debug for dyn Waitable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Future({:?})", self.state())
    }
}

impl Deref for dyn Waitable + '_ {
    type Target = Header;

    fn deref(&self) -> &Header {
        self.header()
    }
}

impl<R: Resolvable> Waitable for R {
    fn header(&self) -> &Header {
        self.shared()
    }

    fn add_callback(&self, callback: Callback) {
        self.shared().add_callback(callback);
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

    fn coroutine(&self) -> Option<&'static Coroutine> {
        Resolvable::coroutine(self)
    }

    fn describe(&self) -> Option<String> {
        Resolvable::describe(self)
    }

    fn passes_on(&self) -> Option<AnyFuture> {
        Resolvable::passes_on(self)
    }

    fn look(&self, f: &mut dyn FnMut(Shown<'_>)) {
        let show = Resolvable::coroutine(self).and_then(|coroutine| coroutine.show);
        self.shared().with_value(|value| f(Shown::new(value, show)));
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
