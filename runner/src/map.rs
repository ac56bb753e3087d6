//! [`Future::map`]: a Future whose result is made something else of, in the moment in which it is there.

use std::cell::Cell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::{Rc, Weak};

use crate::ready::Run;
use crate::shared::{Resolvable, Shared, Waiter};
use crate::trace::State;
use crate::{Coroutine, Exception, Future, Result};

impl<T: 'static> Future<T> {
    /// The same Future with its result made something else of. Both are done in the same moment: this costs no
    /// turn of the loop. Cancelling it cancels the one inside.
    ///
    /// ```
    /// use squall_runner::Future;
    ///
    /// let number = Future::<i32>::new();
    /// let promise = number.promise();
    /// let text = number.map(|number| Ok(number?.to_string()));
    /// promise.set_result(5);
    /// assert_eq!(text.result().unwrap(), "5");
    /// ```
    ///
    /// `f` runs where the result is set, and so must be short and must not resolve other Futures. It is not
    /// called if the Future is cancelled. A panic in it is trapped.
    pub fn map<U: 'static>(self, f: impl FnOnce(Result<T>) -> Result<U> + 'static) -> Future<U> {
        let core = self.core();
        let mapped =
            Rc::new(Mapped { shared: Shared::new(), source: Rc::downgrade(core), f: Cell::new(Some(f)) });
        mapped.shared.set_id(core.shared().id());
        if core.shared().state() == State::Pending {
            core.shared().add_waiter(Waiter::Now(mapped.clone()));
        } else {
            mapped.take_over(self);
        }
        Future::from_core(mapped)
    }
}

/// A Future that is done when another is.
struct Mapped<T: 'static, U: 'static, F> {
    shared: Shared<U>,
    /// Weak: whoever resolves it holds it, and it holds this.
    source: Weak<dyn Resolvable<Output = T>>,
    /// `None` once it was called.
    f: Cell<Option<F>>,
}

impl<T, U, F: FnOnce(Result<T>) -> Result<U>> Mapped<T, U, F> {
    fn take_over(&self, source: Future<T>) {
        let Some(f) = self.f.take() else { return };
        if source.cancelled() {
            self.shared.follow(None);
            return;
        }
        let result = catch_unwind(AssertUnwindSafe(|| f(source.into_result())));
        self.shared.follow(Some(result.unwrap_or_else(|panic| Err(Exception::from_panic(panic)))));
    }
}

impl<T: 'static, U: 'static, F: FnOnce(Result<T>) -> Result<U> + 'static> Run for Mapped<T, U, F> {
    fn run(self: Rc<Self>) {
        if let Some(source) = self.source.upgrade() {
            self.take_over(Future::from_core(source));
        }
    }
}

impl<T: 'static, U: 'static, F: FnOnce(Result<T>) -> Result<U> + 'static> Resolvable for Mapped<T, U, F> {
    type Output = U;

    fn shared(&self) -> &Shared<U> {
        &self.shared
    }

    fn cancel(&self) -> bool {
        match self.source.upgrade() {
            Some(source) if self.shared.state() == State::Pending => source.cancel(),
            _ => self.shared.cancel(),
        }
    }

    fn coroutine(&self) -> Option<&'static Coroutine> {
        self.source.upgrade().and_then(|source| source.coroutine())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ready::Ready;
    use crate::Error;

    #[test]
    fn a_mapped_future_is_done_with_the_one_inside_and_wakes_in_its_place() {
        let (first, order) = (Future::<i32>::new(), Rc::new(Cell::new(0)));
        let promise = first.promise();
        let mapped = first.map(|n| Ok(n? * 2));
        let seen = order.clone();
        mapped.add_done_callback(move |_| seen.set(seen.get() * 10 + 1));
        promise.set_result(4);
        assert_eq!(mapped.result().unwrap(), 8);
        assert_eq!(Ready::current().len(), 1); // what was added to it, and nothing between
        Ready::current().pop().unwrap().run();
        assert_eq!(order.get(), 1);
    }

    #[test]
    fn a_mapped_future_of_a_done_one_is_done() {
        assert_eq!(Future::ready(4).map(|n| Ok(n? + 1)).result().unwrap(), 5);
    }

    #[test]
    fn an_exception_can_be_made_another() {
        let failed = Future::<i32>::failed(Error::Timeout).map(|n| n.or(Ok(7)));
        assert_eq!(failed.result().unwrap(), 7);
    }

    #[test]
    fn cancelling_either_cancels_both() {
        let inside = Future::<i32>::new();
        let promise = inside.promise();
        let outside = inside.map(|n| n);
        assert!(outside.cancel() && outside.cancelled());
        promise.set_result(1);
        assert!(outside.cancelled());

        let inside = Future::<i32>::new();
        let promise = inside.promise();
        let outside = inside.clone().map(|_| Ok(()));
        inside.cancel();
        assert!(outside.cancelled());
        drop(promise);
    }

    #[test]
    fn a_panic_in_the_function_fails_the_future() {
        let mapped = Future::ready(1).map(|_| -> Result<i32> { panic!("no") });
        assert!(mapped.exception().unwrap().is::<Error>());
    }
}
