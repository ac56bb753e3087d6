//! [`task`] and [`maybe_future`]: Futures from callbacks and from plain values.

use squall_runner::Future;

/// Calls `f` with a callback, and returns a Future that is done once the callback is called. It adapts functions in the
/// older callback style. If the callback is dropped uncalled, the Future fails.
///
/// ```
/// use squall::task;
///
/// fn old_style(n: i32, callback: impl FnOnce(i32)) { callback(n + 1) }
/// let future = task(|callback| old_style(1, callback));
/// assert_eq!(future.result()?, 2);
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// Source: `tornado.gen.Task`.
pub fn task<T: 'static>(f: impl FnOnce(Box<dyn FnOnce(T)>)) -> Future<T> {
    let future = Future::new();
    let promise = future.promise();
    f(Box::new(move |value| promise.set_result(value)));
    future
}

/// A value or a Future of one: the argument of [`maybe_future`].
pub trait MaybeFuture<T: 'static> {
    /// Returns the Future.
    fn into_future(self) -> Future<T>;
}

impl<T: 'static> MaybeFuture<T> for T {
    fn into_future(self) -> Future<T> {
        Future::ready(self)
    }
}

impl<T: 'static> MaybeFuture<T> for Future<T> {
    fn into_future(self) -> Self {
        self
    }
}

/// Returns `x` if it is a Future, else a Future that is done with `x` as its result.
///
/// ```
/// use squall::{maybe_future, Future};
///
/// let future: Future<i32> = maybe_future(5);
/// let same: Future<i32> = maybe_future(future);
/// assert_eq!(same.result()?, 5);
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// Source: `tornado.gen.maybe_future`.
pub fn maybe_future<T: 'static>(x: impl MaybeFuture<T>) -> Future<T> {
    x.into_future()
}
