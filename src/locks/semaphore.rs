//! [`Semaphore`], [`BoundedSemaphore`] and [`Lock`]: at most n at a time.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use squall_runner::Future;

use super::holders::Holder;
use super::name::named;
use super::permits::{Guard, Permits};
use super::request::within;

/// `release` was called on a [`BoundedSemaphore`] more often than it was acquired without a guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Semaphore released too many times")]
pub struct ReleasedTooOften;

/// `release` was called on a [`Lock`] that is free, or that a [`Guard`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("release unlocked lock")]
pub struct NotLocked;

/// The ways in, of all three.
macro_rules! acquire {
    () => {
        /// Waits for a permit. The guard releases it when it is dropped, and so does a Future that is dropped with the
        /// guard in it.
        ///
        /// Source: `tornado.locks.Semaphore.acquire`. In Tornado, a coroutine that is let in and never goes on keeps all
        /// others out for ever.
        #[track_caller]
        pub fn acquire(&self) -> Future<Guard> {
            self.permits.acquire(None, Holder::here())
        }

        /// Waits for a permit as [`acquire`](Self::acquire) does, for at most `time`; then it fails with
        /// [`Error::Timeout`](crate::Error::Timeout).
        #[track_caller]
        pub fn acquire_within(&self, time: Duration) -> Future<Guard> {
            self.permits.acquire(within(time), Holder::here())
        }

        /// Waits for a permit that has no guard, as in Tornado: the coroutine has to call `release` on the way out,
        /// whatever happens. If the Future is dropped after it was done, that is still to do.
        #[track_caller]
        pub fn acquire_unguarded(&self) -> Future<()> {
            self.permits.acquire(None, Holder::here())
        }

        /// Waits for a permit as [`acquire_unguarded`](Self::acquire_unguarded) does, for at most `time`; then it fails
        /// with [`Error::Timeout`](crate::Error::Timeout).
        #[track_caller]
        pub fn acquire_unguarded_within(&self, time: Duration) -> Future<()> {
            self.permits.acquire(within(time), Holder::here())
        }
    };
}

/// Lets at most as many coroutines in at a time as it has permits.
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
    /// Creates a semaphore with `value` permits. `usize::MAX` is as good as no limit.
    pub fn new(value: usize) -> Self {
        Self { permits: Permits::new("Semaphore", value, usize::MAX) }
    }

    acquire!();
    named!(permits);

    /// Adds a permit, also if none was acquired before.
    pub fn release(&self) {
        self.permits.release_by_hand();
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.permits.fmt(f)
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
    /// Creates a semaphore that has `value` permits, and never more.
    pub fn new(value: usize) -> Self {
        Self { permits: Permits::new("BoundedSemaphore", value, value) }
    }

    acquire!();
    named!(permits);

    /// Ends what [`acquire_unguarded`](Self::acquire_unguarded) began.
    ///
    /// # Errors
    /// [`ReleasedTooOften`] if there is no permit to release: none is acquired, or only such as a [`Guard`] holds.
    pub fn release(&self) -> Result<(), ReleasedTooOften> {
        if !self.permits.is_held_by_hand() {
            return Err(ReleasedTooOften);
        }
        self.permits.release_by_hand();
        Ok(())
    }
}

impl fmt::Debug for BoundedSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.permits.fmt(f)
    }
}

/// Lets one coroutine in at a time.
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
/// Yield [`acquire`](Self::acquire), never the lock itself:
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
    /// Creates a lock that is free.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { permits: Permits::new("Lock", 1, 1) }
    }

    acquire!();
    named!(permits);

    /// Ends what [`acquire_unguarded`](Self::acquire_unguarded) began.
    ///
    /// # Errors
    /// [`NotLocked`] if the lock is free, or held by a [`Guard`]: only that releases it.
    pub fn release(&self) -> Result<(), NotLocked> {
        if !self.permits.is_held_by_hand() {
            return Err(NotLocked);
        }
        self.permits.release_by_hand();
        Ok(())
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.permits.fmt(f)
    }
}
