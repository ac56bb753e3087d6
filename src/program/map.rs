//! [`map`]: a Future whose result is converted at the moment at which it is set.

use std::cell::Cell;
use std::rc::{Rc, Weak};

use squall_runner::ready::{Run, Withdraw};
use squall_runner::trace::{self, State};
use squall_runner::{Coroutine, Exception, Future, Resolvable, Result, Shared};

/// Returns a Future with a converted result. It has the number of `future` and is done in the same moment, so the
/// conversion takes no turn of the loop, and no trace shows it. Cancelling it cancels `future`.
///
/// `f` runs where the result is set, but not if the Future is cancelled. A panic in it is trapped. A mapped Future
/// cannot be mapped again: no observer would be told that the second one is done.
pub(super) fn map<T: 'static, U: 'static>(
    future: Future<T>,
    f: impl FnOnce(Result<T>) -> Result<U> + 'static,
) -> Future<U> {
    let source = future.core();
    let mapped =
        Rc::new(Mapped { shared: Shared::new(), source: Rc::downgrade(source), f: Cell::new(Some(f)) });
    mapped.shared.set_id(source.shared().id());
    future.call_when_done(mapped.clone());
    // A Future without a waiter is still resolved, as in Tornado.
    future.core().clone().keep();
    Future::from_core(mapped)
}

/// A Future that is done when its source is.
struct Mapped<T: 'static, U: 'static, F> {
    shared: Shared<U>,
    /// Weak, since the source holds this. The source is kept alive until it is done.
    source: Weak<dyn Resolvable<Output = T>>,
    /// `None` once it was called.
    f: Cell<Option<F>>,
}

impl<T: 'static, U: 'static, F: FnOnce(Result<T>) -> Result<U> + 'static> Run for Mapped<T, U, F> {
    /// Does nothing: all the work is done at the moment at which the source is done.
    fn run(self: Rc<Self>) {}

    fn is_due(&self) -> bool {
        if let (Some(f), Some(source)) = (self.f.take(), self.source.upgrade().map(Future::from_core)) {
            // Both have one number. The end of the source was reported, and from now on this one is reported instead.
            source.core().shared().become_alias();
            let result = (!source.cancelled()).then(|| Exception::trap(|| f(source.into_result()), Err));
            self.shared.set_silently(result);
        }
        false
    }
}

impl<T: 'static, U: 'static, F: FnOnce(Result<T>) -> Result<U> + 'static> Withdraw for Mapped<T, U, F> {}

impl<T: 'static, U: 'static, F: FnOnce(Result<T>) -> Result<U> + 'static> Resolvable for Mapped<T, U, F> {
    type Output = U;

    fn shared(&self) -> &Shared<U> {
        &self.shared
    }

    fn cancel(&self) -> bool {
        match self.source.upgrade() {
            Some(source) if self.shared.state() == State::Pending => Resolvable::cancel(&*source),
            _ => self.shared.cancel(),
        }
    }

    fn coroutine(&self) -> Option<&'static Coroutine> {
        self.source.upgrade().and_then(|source| Resolvable::coroutine(&*source))
    }

    fn describe(&self) -> Option<String> {
        self.source.upgrade().and_then(|source| Resolvable::describe(&*source))
    }
}

impl<T, U: 'static, F> Drop for Mapped<T, U, F> {
    fn drop(&mut self) {
        if self.shared.done() && trace::observed() {
            self.shared.tell_dropped();
        }
    }
}

#[cfg(test)]
mod tests {
    use squall_runner::ready::ReadyQueue;

    use super::*;
    use crate::Error;

    #[test]
    fn a_mapped_future_is_done_with_the_one_inside_and_wakes_in_its_place() {
        let (first, order) = (Future::<i32>::new(), Rc::new(Cell::new(0)));
        let promise = first.promise();
        let mapped = map(first, |n| Ok(n? * 2));
        let seen = order.clone();
        mapped.add_done_callback(move |_| seen.set(seen.get() * 10 + 1));
        promise.set_result(4);
        assert_eq!(mapped.result().unwrap(), 8);
        assert_eq!(ReadyQueue::current().len(), 1); // what was added to it, and nothing between
        ReadyQueue::current().pop().unwrap().run();
        assert_eq!(order.get(), 1);
    }

    #[test]
    fn a_mapped_future_of_a_done_one_is_done() {
        assert_eq!(map(Future::ready(4), |n| Ok(n? + 1)).result().unwrap(), 5);
    }

    #[test]
    fn an_exception_can_be_made_another() {
        let failed = map(Future::<i32>::failed(Error::Timeout), |n| n.or(Ok(7)));
        assert_eq!(failed.result().unwrap(), 7);
    }

    #[test]
    fn cancelling_either_cancels_both() {
        let inside = Future::<i32>::new();
        let promise = inside.promise();
        let outside = map(inside, |n| n);
        assert!(outside.cancel() && outside.cancelled());
        promise.set_result(1);
        assert!(outside.cancelled());

        let inside = Future::<i32>::new();
        let promise = inside.promise();
        let outside = map(inside.clone(), |_| Ok(()));
        inside.cancel();
        assert!(outside.cancelled());
        drop(promise);
    }

    #[test]
    fn a_panic_in_the_function_fails_the_future() {
        let mapped = map(Future::ready(1), |_| -> Result<i32> { panic!("no") });
        assert!(mapped.exception().unwrap().is::<Error>());
    }
}
