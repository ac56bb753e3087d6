//! [`chain_future`]: one Future's result for another.

use squall_runner::{Future, Promise};

use crate::ioloop::IoLoop;

/// Resolves `b` as `a` is resolved: at once if that is done already, else in the turn of the loop after. If the
/// Future of `b` was resolved or cancelled meanwhile, that stands.
///
/// ```
/// use squall::{chain_future, Future};
///
/// let b = Future::<i32>::new();
/// chain_future(Future::ready(5), b.promise());
/// assert_eq!(b.result()?, 5);
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// Source: `tornado.concurrent.chain_future`.
pub fn chain_future<T: 'static>(a: Future<T>, b: Promise<T>) {
    let copy = move |a: Future<T>| b.set(a.into_result());
    if a.done() {
        copy(a);
    } else {
        IoLoop::current().add_future(a, copy);
    }
}
