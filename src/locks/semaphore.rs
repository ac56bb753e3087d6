//! [`Semaphore`], [`BoundedSemaphore`] and [`Lock`]: so many at a time.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::rc::{Rc, Weak};
use std::time::Duration;

use squall_runner::ready::Withdraw;
use squall_runner::Future;

use super::line::{InLine, Line};
use super::request::{at_once, nothing_at_once, within, Limit, Purpose, Request};

/// What all three share.
struct Permits {
    /// How many may still come in.
    value: Cell<usize>,
    /// How many may be in at most; `usize::MAX` where there is no limit.
    bound: usize,
    /// How many of those who are in hold a guard.
    guards: Cell<usize>,
    /// Whether somebody is being let in further up the stack.
    granting: Cell<bool>,
    /// Empty of those who still wait while `value` is not 0.
    line: Line<dyn Enter>,
}

/// Somebody who waits to be let in.
trait Enter: InLine {
    fn enter(&self, permits: &Rc<Permits>);
}

/// What one who is let in is given: a guard, or nothing.
trait Permit: Sized + 'static {
    fn granted(permits: &Rc<Permits>) -> Self;

    /// The Future of one who need not wait.
    fn at_once(permits: &Rc<Permits>) -> Future<Self> {
        at_once(NAME, Self::granted(permits))
    }
}

/// What stands in a trace.
const NAME: &str = "acquire";

impl Permit for () {
    fn granted(_: &Rc<Permits>) {}

    fn at_once(_: &Rc<Permits>) -> Future<()> {
        nothing_at_once(NAME)
    }
}

impl Permit for Guard {
    fn granted(permits: &Rc<Permits>) -> Self {
        permits.guards.set(permits.guards.get() + 1);
        Self { permits: Some(permits.clone()) }
    }
}

struct Acquire<P> {
    permits: Weak<Permits>,
    _permit: PhantomData<fn() -> P>,
}

impl<P: Permit> Purpose for Acquire<P> {
    type Output = P;
    const NAME: &'static str = NAME;

    fn left(&self) {
        if let Some(permits) = self.permits.upgrade() {
            permits.line.leave();
        }
    }
}

impl<P: Permit> Enter for Request<Acquire<P>> {
    fn enter(&self, permits: &Rc<Permits>) {
        self.serve(P::granted(permits));
    }
}

impl Permits {
    fn new(value: usize, bound: usize) -> Rc<Self> {
        Rc::new(Self {
            value: Cell::new(value),
            bound,
            guards: Cell::new(0),
            granting: Cell::new(false),
            line: Line::default(),
        })
    }

    fn acquire<P: Permit>(self: &Rc<Self>, limit: Limit) -> Future<P> {
        if self.value.get() > 0 {
            self.value.set(self.value.get() - 1);
            return P::at_once(self);
        }
        let request = Request::pending(Acquire { permits: Rc::downgrade(self), _permit: PhantomData });
        request.limit(limit);
        let place: Rc<dyn Enter> = request.clone();
        self.line.join(Rc::downgrade(&place), || {
            let whole: Weak<Self> = Rc::downgrade(self);
            whole
        });
        Future::from_core(request)
    }

    /// Whether somebody is in without a guard, and may leave by `release`.
    fn is_held_by_hand(&self) -> bool {
        self.value.get() + self.guards.get() < self.bound
    }

    fn release(self: &Rc<Self>) {
        // As many as can be counted are as good as no limit.
        self.value.set(self.value.get().saturating_add(1));
        if self.granting.replace(true) {
            // Whoever was let in just now did not take it: the loop below lets in the next one.
            return;
        }
        while self.value.get() > 0 {
            let Some(waiter) = self.line.next() else { break };
            self.value.set(self.value.get() - 1);
            waiter.enter(self);
        }
        self.granting.set(false);
    }

    fn show(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{name} [")?;
        match self.value.get() {
            0 => f.write_str("locked")?,
            value => write!(f, "unlocked,value:{value}")?,
        }
        match self.line.len() {
            0 => f.write_str("]>"),
            waiters => write!(f, ",waiters:{waiters}]>"),
        }
    }
}

impl Withdraw for Permits {
    fn withdraw(&self) {
        self.line.withdraw();
    }
}

/// Whoever has this is in. Dropping it lets in the next one.
#[must_use = "the lock is released when this is dropped: bind it to a name such as `_guard`"]
pub struct Guard {
    /// Always there, but for a guard that was forgotten.
    permits: Option<Rc<Permits>>,
}

impl Guard {
    /// Stays in without the guard, until `release` is called.
    ///
    /// ```
    /// use squall::locks::Lock;
    ///
    /// let lock = Lock::new();
    /// lock.acquire().into_result()?.forget();
    /// assert!(!lock.acquire().done());
    /// lock.release()?;
    /// # Ok::<(), squall::Exception>(())
    /// ```
    pub fn forget(mut self) {
        if let Some(permits) = self.permits.take() {
            permits.guards.set(permits.guards.get() - 1);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(permits) = self.permits.take() {
            permits.guards.set(permits.guards.get() - 1);
            permits.release();
        }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").finish_non_exhaustive()
    }
}

/// `release` was called on a [`BoundedSemaphore`] more often than it was acquired without a guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Semaphore released too many times")]
pub struct ReleasedTooOften;

/// `release` was called on a [`Lock`] that is free, or that a [`Guard`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("release unlocked lock")]
pub struct NotLocked;

/// The ways in, which are the same for all three.
macro_rules! acquire {
    () => {
        /// Waits until one may come in. The guard lets in the next one when it is dropped, and so does a Future
        /// that is dropped with the guard in it.
        ///
        /// Source: `tornado.locks.Semaphore.acquire`. In Tornado, one who is let in and does not come back keeps
        /// everybody else out for ever.
        pub fn acquire(&self) -> Future<Guard> {
            self.permits.acquire(None)
        }

        /// The same, but fails with [`Error::Timeout`](crate::Error::Timeout) if that takes longer than `time`.
        #[track_caller]
        pub fn acquire_within(&self, time: Duration) -> Future<Guard> {
            self.permits.acquire(within(time))
        }

        /// Tornado's way: whoever comes in by this has to call `release` on the way out, whatever happens.
        /// If the Future is dropped after it was done, that is still to do.
        pub fn acquire_unguarded(&self) -> Future<()> {
            self.permits.acquire(None)
        }

        /// The same, but fails with [`Error::Timeout`](crate::Error::Timeout) if that takes longer than `time`.
        #[track_caller]
        pub fn acquire_unguarded_within(&self, time: Duration) -> Future<()> {
            self.permits.acquire(within(time))
        }
    };
}

/// Lets so many in at a time.
///
/// ```
/// use squall::locks::Semaphore;
///
/// let workers = Semaphore::new(2);
/// let first = workers.acquire();
/// let second = workers.acquire();
/// let third = workers.acquire();
/// assert!(first.done() && second.done() && !third.done());
/// drop(first);
/// assert!(third.done());
/// ```
///
/// Debug prints it as Tornado does: `<Semaphore [locked,waiters:1]>`.
///
/// Source: `tornado.locks.Semaphore`.
#[derive(Clone)]
pub struct Semaphore {
    permits: Rc<Permits>,
}

impl Semaphore {
    /// Lets `value` in before the next one has to wait.
    pub fn new(value: usize) -> Self {
        Self { permits: Permits::new(value, usize::MAX) }
    }

    acquire!();

    /// Lets one more in, also if nobody has come in before.
    pub fn release(&self) {
        self.permits.release();
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.permits.show("Semaphore", f)
    }
}

/// A [`Semaphore`] that cannot be released more often than it was acquired.
///
/// ```
/// use squall::locks::{BoundedSemaphore, ReleasedTooOften};
///
/// let workers = BoundedSemaphore::new(1);
/// assert_eq!(workers.release(), Err(ReleasedTooOften));
/// ```
///
/// Source: `tornado.locks.BoundedSemaphore`.
#[derive(Clone)]
pub struct BoundedSemaphore {
    permits: Rc<Permits>,
}

impl BoundedSemaphore {
    /// Lets `value` in before the next one has to wait, and never more.
    pub fn new(value: usize) -> Self {
        Self { permits: Permits::new(value, value) }
    }

    acquire!();

    /// Ends what [`acquire_unguarded`](Self::acquire_unguarded) began.
    ///
    /// # Errors
    /// [`ReleasedTooOften`] if nobody is in, or only such as hold a [`Guard`].
    pub fn release(&self) -> Result<(), ReleasedTooOften> {
        if !self.permits.is_held_by_hand() {
            return Err(ReleasedTooOften);
        }
        self.permits.release();
        Ok(())
    }
}

impl fmt::Debug for BoundedSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.permits.show("BoundedSemaphore", f)
    }
}

/// Lets one in at a time.
///
/// ```
/// use squall::locks::Lock;
///
/// let lock = Lock::new();
/// let guard = lock.acquire().into_result()?;
/// let next = lock.acquire();
/// assert!(!next.done());
/// drop(guard);
/// assert!(next.done());
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// It is [`acquire`](Self::acquire) that is yielded, never the lock itself:
///
/// ```compile_fail
/// # use squall::{coroutine, locks::Lock};
/// coroutine(|co| async move { co.yield_(Lock::new()).await });
/// ```
///
/// Source: `tornado.locks.Lock`.
#[derive(Clone)]
pub struct Lock {
    permits: Rc<Permits>,
}

impl Lock {
    /// A lock that is free.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { permits: Permits::new(1, 1) }
    }

    acquire!();

    /// Ends what [`acquire_unguarded`](Self::acquire_unguarded) began.
    ///
    /// # Errors
    /// [`NotLocked`] if the lock is free, or held by a [`Guard`]: only that one may release it.
    pub fn release(&self) -> Result<(), NotLocked> {
        if !self.permits.is_held_by_hand() {
            return Err(NotLocked);
        }
        self.permits.release();
        Ok(())
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.permits.show("Lock", f)
    }
}
