//! [`LateFailure`]: reports an exception that comes after `with_timeout` has given up waiting.

use std::any::Any;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use squall_runner::foreign::Guarded;
use squall_runner::ready::{Run, Withdraw};
use squall_runner::trace::Problem;
use squall_runner::{AnyFuture, Error, Exception, WeakFuture};

use super::multi::is_quiet;
use crate::ioloop::IoLoop;

/// Waits for a Future after its time limit, and reports its exception unless `quiet` returns `true` for it.
pub(super) struct LateFailure<Q> {
    /// Weak, since the Future holds this. Once the Future is done, `done` holds it.
    future: WeakFuture,
    done: Cell<Option<AnyFuture>>,
    quiet: Rc<Guarded<Q>>,
    /// How many identical reports this stands for.
    times: Cell<usize>,
    /// The time on the loop's clock after which a failure is late: the deadline of a time limit that was cancelled
    /// before.
    since: Cell<Duration>,
}

impl<Q: Fn(&Exception) -> bool + 'static> LateFailure<Q> {
    /// Gives up `future` and watches what remains: the Future itself if it has other handles, else the Futures that it waits
    /// for. So a list that is no longer needed is dropped, with the requests that were made for it alone.
    pub(super) fn give_up(future: AnyFuture, quiet: &Rc<Guarded<Q>>, since: Duration) {
        match future.give_up() {
            Ok(parts) => parts.into_iter().for_each(|part| Self::give_up(part, quiet, since)),
            Err(future) => Self::watch(&future, quiet.clone(), since),
        }
    }

    /// Begins to wait for `future`, whose failure is late after `since`. If it is already done, reports its exception
    /// at once.
    fn watch(future: &AnyFuture, quiet: Rc<Guarded<Q>>, since: Duration) {
        let (weak, done) = (future.downgrade(), Cell::new(None));
        let this = Self { future: weak, done, quiet, times: Cell::new(1), since: Cell::new(since) };
        if future.done() {
            this.report(future);
        } else {
            future.call_when_done(Rc::new(this));
        }
    }

    fn report(&self, future: &AnyFuture) {
        if let Some(exception) = future.exception() {
            if !is_quiet(&**self.quiet, &exception) && exception.downcast_ref() != Some(&Error::Cancelled) {
                squall_runner::report::report(Problem::LateFailure, &exception);
            }
        }
    }
}

impl<Q: Fn(&Exception) -> bool + 'static> Run for LateFailure<Q> {
    fn is_due(&self) -> bool {
        let is_late = IoLoop::current().time() >= self.since.get();
        let future = self.future.upgrade().filter(|_| is_late);
        let is_there = future.is_some();
        self.done.set(future);
        is_there
    }

    fn run(self: Rc<Self>) {
        let Some(future) = self.done.take() else { return };
        for _ in 0..self.times.get() {
            self.report(&future);
        }
    }

    fn is_report(&self) -> bool {
        true
    }

    /// Predicates of one type that hold no data are interchangeable. So limits that were cancelled before different
    /// deadlines are reported once.
    fn merge(&self, later: &dyn Run) -> bool {
        let later = (later as &dyn Any).downcast_ref::<Self>().filter(|_| size_of::<Q>() == 0);
        let Some(later) = later else { return false };
        if self.since == later.since {
            self.times.set(self.times.get() + later.times.get());
        } else {
            self.since.set(self.since.get().min(later.since.get()));
        }
        true
    }
}

impl<Q: 'static> Withdraw for LateFailure<Q> {
    fn withdraw(&self) {
        drop(self.done.take());
    }
}
