//! [`chain_future`]: copies the result of one Future to another.

use std::any::Any;
use std::cell::Cell;
use std::rc::{Rc, Weak};

use squall_runner::ready::{Run, Withdraw};
use squall_runner::report::report;
use squall_runner::trace::Problem;
use squall_runner::{Error, Future, Held, Promise};

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
    if a.done() {
        return b.set(a.into_result());
    }
    if IoLoop::current().is_closed() {
        return;
    }
    let chain = Rc::new_cyclic(|this: &Weak<Chain<T>>| Chain {
        ends: Cell::new(None),
        unseen: Cell::new(0),
        held: Cell::new(Some(Held::new(this.clone()))),
    });
    a.call_when_done(chain.clone());
    chain.ends.set(Some((a, b)));
}

/// A pending chain. It and the Future that it waits for hold each other until that is done.
struct Chain<T: 'static> {
    /// `None` once the chain is over.
    ends: Cell<Option<(Future<T>, Promise<T>)>>,
    /// How many chains like this one were given up, because nothing needs their results. Their exceptions are reported
    /// as never retrieved.
    unseen: Cell<usize>,
    held: Cell<Option<Held>>,
}

impl<T: 'static> Chain<T> {
    /// Returns whether nothing needs the result of `b` any more.
    fn is_abandoned(&self) -> bool {
        let ends = self.ends.take();
        let is_abandoned = ends.as_ref().is_none_or(|(_, b)| b.is_abandoned());
        self.ends.set(ends);
        is_abandoned
    }

    /// Returns whether `b` was resolved or cancelled meanwhile.
    fn is_resolved(&self) -> bool {
        let ends = self.ends.take();
        let is_resolved = ends.as_ref().is_none_or(|(_, b)| b.is_done());
        self.ends.set(ends);
        is_resolved
    }
}

impl<T: 'static> Run for Chain<T> {
    fn run(self: Rc<Self>) {
        drop(self.held.take());
        let Some((a, b)) = self.ends.take() else { return };
        let exception = (self.unseen.get() > 0).then(|| a.exception()).flatten();
        let unseen = exception.filter(|exception| exception.downcast_ref() != Some(&Error::Cancelled));
        b.set(a.into_result());
        for exception in unseen.iter().cycle().take(self.unseen.get()) {
            report(Problem::NeverRetrieved, exception);
        }
    }

    fn is_over(&self, _holders: usize) -> bool {
        self.unseen.get() == 0 && self.is_resolved()
    }

    /// Takes over a chain whose result nothing needs any more: only its failure still matters.
    fn merge(&self, later: &dyn Run) -> bool {
        let later = (later as &dyn Any).downcast_ref::<Self>().filter(|later| later.is_abandoned());
        let Some(later) = later else { return false };
        let is_unseen = usize::from(!later.is_resolved());
        self.unseen.set(self.unseen.get() + later.unseen.get() + is_unseen);
        true
    }
}

impl<T: 'static> Drop for Chain<T> {
    fn drop(&mut self) {
        if let Some((_, b)) = self.ends.take() {
            // It was given up, which is not a failure.
            b.cancel();
        }
    }
}

impl<T: 'static> Withdraw for Chain<T> {
    fn withdraw(&self) {
        drop((self.held.take(), self.ends.take()));
    }
}
