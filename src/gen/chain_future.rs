//! [`chain_future`]: copies the result of one Future to another.

use squall_runner::{Future, Promise};

use crate::ioloop::IoLoop;

/// Resolves `b` with the result of `a`: at once if `a` is already done, else one turn of the loop after it is done. A
/// Future of `b` that was resolved or cancelled meanwhile keeps its result.
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
