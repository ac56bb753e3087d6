//! [`with_timeout`]: waits for something within a time limit.

use std::cell::Cell;
use std::panic::Location;
use std::rc::{Rc, Weak};
use std::time::Duration;

use squall_runner::foreign::Guarded;
use squall_runner::ready::{Run, Withdraw};
use squall_runner::trace::{self, FutureId, Origin, Queued, State};
use squall_runner::Held;
use squall_runner::{
    convert_yielded, AnyFuture, Error, Exception, Future, Resolvable, Result, Shared, Yieldable,
};

use super::late_failure::LateFailure;
use crate::ioloop::{IoLoop, Timeout, WeakLoop, CLOSED};
use crate::kept::Kept;

/// Returns a Future with the result of `yielded`, which fails with [`Error::Timeout`] if there is no result within
/// `timeout`.
///
/// The limit does not cancel `yielded`: it runs on, and an exception that it raises later is logged.
///
/// ```
/// use std::time::Duration;
/// use squall::{sleep, with_timeout, Error, IoLoop};
///
/// let late = IoLoop::current().run_sync(|| with_timeout(Duration::from_millis(1), sleep(Duration::from_secs(3600))));
/// assert_eq!(late.unwrap_err().downcast_ref(), Some(&Error::Timeout));
/// ```
///
/// Source: `tornado.gen.with_timeout`. If both happen in the same turn of the loop, the timeout wins.
#[track_caller]
pub fn with_timeout<M, Y: Yieldable<M>>(timeout: Duration, yielded: Y) -> Future<Y::Output> {
    with_timeout_quiet(timeout, yielded, |_| false)
}

/// Waits like [`with_timeout`], but does not log a late exception for which `quiet` returns `true` (Tornado's
/// `quiet_exceptions`).
#[track_caller]
pub fn with_timeout_quiet<M, Y: Yieldable<M>>(
    timeout: Duration,
    yielded: Y,
    quiet: impl Fn(&Exception) -> bool + 'static,
) -> Future<Y::Output> {
    match convert_yielded(yielded) {
        Ok(future) => limit(timeout, future, quiet),
        Err(bad_yield) => Future::failed(bad_yield),
    }
}

/// Waits like [`with_timeout`] for a Future whose type is erased. The result is that Future, once it is done:
/// [`AnyFuture::into_result`] takes its result. This is for generators of other languages;
/// [`generator`](squall_runner::generator) describes how these are driven.
///
/// ```
/// use std::time::Duration;
/// use squall::{sleep, with_timeout_erased, Error, Future, IoLoop};
///
/// let io_loop = IoLoop::current();
/// let five = with_timeout_erased(Duration::from_millis(5), Future::ready(5).erase());
/// assert_eq!(io_loop.run_sync(|| five)?.into_result::<i32>()?, 5);
///
/// let slow = || with_timeout_erased(Duration::from_millis(1), sleep(Duration::from_secs(9)).erase());
/// assert_eq!(io_loop.run_sync(slow).unwrap_err().downcast_ref(), Some(&Error::Timeout));
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// # Errors
/// The Future fails like that of [`with_timeout`].
#[track_caller]
pub fn with_timeout_erased(timeout: Duration, future: AnyFuture) -> Future<AnyFuture> {
    limit(timeout, future, |_| false)
}

/// Waits like [`with_timeout_erased`], but does not log a late exception for which `quiet` returns `true`.
#[track_caller]
pub fn with_timeout_erased_quiet(
    timeout: Duration,
    future: AnyFuture,
    quiet: impl Fn(&Exception) -> bool + 'static,
) -> Future<AnyFuture> {
    limit(timeout, future, quiet)
}

/// A Future that can be waited for with a time limit, whether its type is erased or not.
trait Limited: 'static {
    type Output: 'static;
    fn any(&self) -> AnyFuture;
    /// Returns the result of the Future with the limit, once this one is done.
    fn outcome(self) -> Result<Self::Output>;
}

impl<T> Limited for Future<T> {
    type Output = T;

    fn any(&self) -> AnyFuture {
        self.erased()
    }
    fn outcome(self) -> Result<T> {
        self.into_result()
    }
}

impl Limited for AnyFuture {
    type Output = Self;

    fn any(&self) -> AnyFuture {
        self.clone()
    }
    fn outcome(self) -> Result<Self> {
        self.exception().map_or(Ok(self), Err)
    }
}

#[track_caller]
fn limit<F: Limited>(
    timeout: Duration,
    future: F,
    quiet: impl Fn(&Exception) -> bool + 'static,
) -> Future<F::Output> {
    if future.any().done() {
        return Future::from_core(Rc::new(Shared::settled(future.outcome())));
    }
    let io_loop = IoLoop::current();
    if io_loop.is_closed() {
        return Future::failed(CLOSED);
    }
    let location = Location::caller();
    let waiting = Rc::new_cyclic(|this: &Weak<WithTimeout<_, _>>| {
        let at_deadline = this.clone();
        let timer = io_loop.call_later(timeout, move || {
            if let Some(this) = at_deadline.upgrade() {
                this.give_up();
            }
        });
        WithTimeout {
            shared: Shared::new(),
            future: Cell::new(None),
            timer: Cell::new(Some(Timer { io_loop: io_loop.downgrade(), timeout: timer })),
            quiet: Cell::new(Some(Guarded::new(quiet))),
            timed_out_at: location,
            held: Cell::new(Some(Held::new(this.clone()))),
            kept: Kept::default(),
        }
    });
    waiting.shared.announce_as(|| {
        let (of, until) = (future.any().id(), io_loop.time().saturating_add(timeout));
        (Origin::Timeout { of, until }, None, Some(location.into()))
    });
    let number = trace::observed().then(|| waiting.shared.id());
    future.any().call_when_done(Rc::new(Inside(Rc::downgrade(&waiting), number)));
    waiting.future.set(Some(future));
    Future::from_core(waiting)
}

/// The Future of the result. Its handles hold it, and it holds the Future inside, which does not hold it in turn: it is
/// dropped with its last handle, and removes its timer.
struct WithTimeout<F: Limited, Q> {
    shared: Shared<F::Output>,
    /// The Future inside, until it is done.
    future: Cell<Option<F>>,
    /// The timer, until the deadline.
    timer: Cell<Option<Timer>>,
    /// The predicate, until the deadline.
    quiet: Cell<Option<Guarded<Q>>>,
    /// The line of the call, at which `Timeout` is raised.
    timed_out_at: &'static Location<'static>,
    held: Cell<Option<Held>>,
    kept: Kept<Self>,
}

/// The callback of the Future inside, and the number of the outer one in the trace, if it is observed.
struct Inside<F: Limited, Q>(Weak<WithTimeout<F, Q>>, Option<FutureId>);

/// A timer and its loop, which need not be the current loop when the timer is removed.
struct Timer {
    io_loop: WeakLoop,
    timeout: Timeout,
}

impl<F: Limited, Q: Fn(&Exception) -> bool + 'static> WithTimeout<F, Q> {
    /// Gives up waiting, since the deadline came first.
    fn give_up(&self) {
        drop(self.timer.take());
        self.shared.set_exception(timed_out(self.timed_out_at, Resolvable::describe(self)));
        drop(self.held.take());
        self.watch_inside(Duration::ZERO);
        self.kept.release();
    }

    /// Gives up the Future inside. Its failures after `since` are reported.
    fn watch_inside(&self, since: Duration) {
        if let (Some(future), Some(quiet)) = (self.future.take(), self.quiet.take()) {
            let any = future.any();
            drop(future);
            LateFailure::give_up(any, &Rc::new(quiet), since);
        }
    }

    /// Passes on the result of the Future inside.
    fn finish(&self) {
        let Some(future) = self.future.take() else { return };
        drop(self.held.take());
        if self.shared.state() == State::Pending {
            self.shared.set(future.outcome());
        }
        self.stop_timer();
        self.kept.release();
    }
}

/// Returns the exception of a time limit that was set at the line `limit`, with a note of what was waited for.
pub(crate) fn timed_out(limit: &'static Location<'static>, what: Option<String>) -> Exception {
    let timeout = Exception::new(Error::Timeout).at(limit);
    match what {
        Some(what) => timeout.with_note(format!("it waited for {what}")),
        None => timeout,
    }
}

impl<F: Limited, Q> WithTimeout<F, Q> {
    /// Removes the timer, and returns its deadline.
    fn stop_timer(&self) -> Option<Duration> {
        let Timer { io_loop, timeout } = self.timer.take()?;
        io_loop.upgrade().into_iter().for_each(|io_loop| io_loop.remove_timeout(&timeout));
        Some(timeout.deadline())
    }
}

impl<F: Limited, Q: Fn(&Exception) -> bool + 'static> Run for Inside<F, Q> {
    fn run(self: Rc<Self>) {
        if let Some(this) = self.0.upgrade() {
            this.finish();
        }
    }

    fn queued_as(&self) -> Queued {
        self.1.map_or(Queued::Callback("with_timeout"), Queued::Future)
    }

    /// Returns whether the Future of the result was dropped or is done.
    fn is_over(&self, _holders: usize) -> bool {
        self.0.upgrade().is_none_or(|this| this.shared.done())
    }
}

impl<F: Limited, Q: Fn(&Exception) -> bool + 'static> Withdraw for Inside<F, Q> {}

impl<F: Limited, Q: Fn(&Exception) -> bool + 'static> Withdraw for WithTimeout<F, Q> {
    fn withdraw(&self) {
        drop((self.held.take(), self.future.take(), self.timer.take()));
        self.shared.end_with_loop();
        self.kept.release();
    }
}

impl<F: Limited, Q: Fn(&Exception) -> bool + 'static> Resolvable for WithTimeout<F, Q> {
    type Output = F::Output;

    fn shared(&self) -> &Shared<F::Output> {
        &self.shared
    }

    fn describe(&self) -> Option<String> {
        let future = self.future.take();
        let description = future.as_ref().and_then(|future| future.any().describe());
        self.future.set(future);
        description
    }

    /// Removes the timer, so that the loop need not wait for it. A failure after the deadline is reported nevertheless,
    /// as in Tornado.
    fn on_cancel(&self) {
        let deadline = self.stop_timer();
        drop(self.held.take());
        deadline.into_iter().for_each(|since| self.watch_inside(since));
        self.kept.release();
    }

    fn keep(self: Rc<Self>) {
        self.kept.keep(self.clone());
    }

    fn parts(&self) -> Vec<AnyFuture> {
        let future = self.future.take();
        let inside = future.as_ref().map(Limited::any);
        self.future.set(future);
        inside.into_iter().collect()
    }
}

impl<F: Limited, Q> Drop for WithTimeout<F, Q> {
    fn drop(&mut self) {
        self.stop_timer();
        if trace::observed() {
            self.shared.tell_dropped();
        }
    }
}
