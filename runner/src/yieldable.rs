//! [`Yieldable`]: types that may be yielded. It is Tornado's `convert_yielded` as a trait.
//!
//! A marker parameter distinguishes the kinds of types, so that their impls do not overlap. It is always inferred. To
//! make a type of your own yieldable, implement the trait with the marker [`Custom`](marker::Custom):
//!
//! ```
//! use squall_runner::{marker, Exception, Future, Yieldable};
//!
//! /// A promise of another library: it calls back.
//! struct Thenable(Box<dyn FnOnce(Box<dyn FnOnce(i32)>)>);
//!
//! impl Yieldable<marker::Custom> for Thenable {
//!     type Output = i32;
//!     fn convert_yielded(self) -> Result<Future<i32>, Exception> {
//!         let future = Future::new();
//!         let promise = future.promise();
//!         (self.0)(Box::new(move |value| promise.set_result(value)));
//!         Ok(future)
//!     }
//! }
//!
//! let future = squall_runner::coroutine(|co| async move {
//!     co.yield_(Thenable(Box::new(|then| then(5)))).await
//! });
//! assert_eq!(future.result().unwrap(), 5);
//! ```

use std::any::{type_name, Any};
use std::cell::OnceCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::coroutine::Coroutine;
use crate::error::Error;
use crate::exception::{Exception, Result};
use crate::future::Future;
use crate::kind::Kind;
use crate::native::start;
use crate::numbers::FutureId;
use crate::polled::{is_cancelled, wait_one_turn};
use crate::shared::Shared;
use crate::wrapped::Wrapped;

/// Markers for authors of yieldable types, who implement `Yieldable<marker::Custom>`.
pub mod marker {
    /// A Future, a native coroutine, or any other `std::future::Future` whose output is a `Result`.
    #[derive(Debug)]
    pub struct Native;
    /// `()`.
    #[derive(Debug)]
    pub struct Moment;
    /// A type of your own.
    #[derive(Debug)]
    pub struct Custom;
}

/// A value that a coroutine may yield.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be yielded",
    label = "not a Future, nor a list, map or tuple of up to 8 of them",
    note = "a coroutine yields squall Futures, `()`, async blocks and other std Futures whose output is a Result of some `std::error::Error`, and arrays, Vecs, maps and tuples of up to 8 of these",
    note = "wrap a std Future whose output is not a Result in `squall::native(..)`; implement `Yieldable<marker::Custom>` for a type of your own"
)]
pub trait Yieldable<M>: Sized {
    /// The type of the value that the yield returns.
    type Output: 'static;

    /// Returns the Future to wait for (Tornado's `convert_yielded`). The Runner calls it after the generator is
    /// suspended.
    ///
    /// # Errors
    /// [`Error::BadYield`] if this cannot be waited for. It is raised at the yield.
    fn convert_yielded(self) -> Result<Future<Self::Output>>;

    /// Returns the kind for traces.
    fn kind(&self) -> Kind {
        Kind::Other(type_name::<Self>())
    }

    /// Calls `f` with the number of each Future that this is or holds, for a trace.
    #[doc(hidden)]
    fn each_future(&self, f: &mut dyn FnMut(FutureId)) {
        let _ = f;
    }

    /// Returns the Future, if this is already one, so that there is nothing to convert.
    ///
    /// # Errors
    /// The value itself, if it is not a Future.
    fn into_future(self) -> Result<Future<Self::Output>, Self> {
        Err(self)
    }
}

/// Makes any `std::future::Future` whose output is a Result yieldable. It applies to a squall [`Future`] too, which is
/// recognised by its type.
#[diagnostic::do_not_recommend]
impl<F, T, E> Yieldable<marker::Native> for F
where
    F: std::future::Future<Output = Result<T, E>> + 'static,
    T: 'static,
    Exception: From<E>,
    E: 'static,
{
    type Output = T;

    #[track_caller]
    fn convert_yielded(self) -> Result<Future<T>> {
        Ok(match self.into_future() {
            Ok(future) => future,
            Err(native) => start(Coroutine::of::<F>(), native),
        })
    }

    fn kind(&self) -> Kind {
        let any: &dyn Any = self;
        match any.downcast_ref::<Future<T>>() {
            Some(future) => Kind::Future(future.state()),
            None if any.is::<Moment>() => Kind::Moment,
            None => Kind::Awaitable,
        }
    }

    fn each_future(&self, f: &mut dyn FnMut(FutureId)) {
        if let Some(future) = (self as &dyn Any).downcast_ref::<Future<T>>() {
            f(future.id());
        }
    }

    #[inline(always)]
    fn into_future(self) -> Result<Future<T>, Self> {
        match same_type::<Self, Future<T>>(self) {
            // All values of `moment()` are one Future, as in Tornado.
            Err(this) if (&this as &dyn Any).is::<Moment>() => same_type(moment_future()).map_err(|_| this),
            future => future,
        }
    }
}

/// Returns the value with the other type, if both types are equal.
#[inline]
pub(crate) fn same_type<A: 'static, B: 'static>(a: A) -> Result<B, A> {
    let mut a = Some(a);
    match (&mut a as &mut dyn Any).downcast_mut::<Option<B>>() {
        Some(b) => Ok(b.take().expect("it was put there just now")),
        None => Err(a.expect("it was not taken")),
    }
}

#[diagnostic::do_not_recommend]
impl Yieldable<marker::Moment> for () {
    type Output = ();

    fn convert_yielded(self) -> Result<Future<()>> {
        Ok(moment_future())
    }

    fn kind(&self) -> Kind {
        Kind::None
    }
}

/// The yieldable that [`moment`] returns.
#[derive(Debug, Clone, Copy)]
#[must_use = "yield or await it"]
pub struct Moment(bool);

/// Lets the loop turn once: everything that is ready runs before the coroutine goes on.
///
/// Source: `tornado.gen.moment`; in a native coroutine, `asyncio.sleep(0)`.
pub fn moment() -> Moment {
    Moment(false)
}

impl std::future::Future for Moment {
    type Output = Result<()>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if is_cancelled(cx.waker()) {
            return Poll::Ready(Err(Error::Cancelled.into()));
        }
        if self.0 {
            return Poll::Ready(Ok(()));
        }
        self.0 = true;
        wait_one_turn(cx);
        Poll::Pending
    }
}

/// Returns the one Future that `moment()` and `()` stand for.
#[inline]
fn moment_future() -> Future<()> {
    let moment = || {
        let one = Future::from_core(Rc::new(Shared::moment(())));
        drop(one.clone());
        one
    };
    thread_local!(static MOMENT: OnceCell<Future<()>> = const { OnceCell::new() });
    MOMENT.try_with(|one| one.get_or_init(moment).another_handle()).unwrap_or_else(|_| moment())
}

/// Makes a std Future whose output is not a Result yieldable.
///
/// ```
/// let future = squall_runner::coroutine(|co| async move {
///     let n = co.yield_(squall_runner::native(std::future::ready(5))).await?;
///     Ok(n + 1)
/// });
/// # drop(future);
/// ```
///
/// # Errors
/// None of its own. It returns a Result because a yield needs one.
pub async fn native<F: std::future::Future>(future: F) -> Result<F::Output> {
    Ok(Wrapped::new(future).await)
}

/// Returns the Future of anything that may be yielded (Tornado's `convert_yielded`). A native coroutine is started in
/// the next turn of the loop.
///
/// # Errors
/// [`Error::BadYield`] if it cannot be waited for.
#[track_caller]
pub fn convert_yielded<M, Y: Yieldable<M>>(yielded: Y) -> Result<Future<Y::Output>> {
    // Without `map_or_else`, since a function that is called by pointer does not know its caller's line.
    match yielded.into_future() {
        Ok(future) => Ok(future),
        Err(yielded) => yielded.convert_yielded(),
    }
}
