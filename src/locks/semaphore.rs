//! [`Semaphore`], [`BoundedSemaphore`] and [`Lock`]: limits on how many coroutines are inside at a time.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use squall_runner::{Future, Place};

use super::holders::Holder;
use super::name::named;
use super::permits::{Guard, Permits};
use super::request::within;

/// The error of `release` on a [`BoundedSemaphore`] of which no permit is acquired without a guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Semaphore released too many times")]
pub struct ReleasedTooOften;

/// The error of `release` on a [`Lock`] that is free or held by a [`Guard`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("release unlocked lock")]
pub struct NotLocked;

/// The methods that acquire, which all three types have.
macro_rules! acquire {
    () => {
        /// Waits for a permit. Dropping the guard releases it, and so does dropping the Future with the guard in it.
        ///
        /// Source: `tornado.locks.Semaphore.acquire`, where a coroutine that was let in and never goes on keeps its
        /// permit for ever.
        #[track_caller]
        pub fn acquire(&self) -> Future<Guard> {
            self.permits.acquire(None, Holder::here())
        }

        /// Waits for a permit like [`acquire`](Self::acquire), for at most `time`; then it fails with
        /// [`Error::Timeout`](crate::Error::Timeout).
        #[track_caller]
        pub fn acquire_within(&self, time: Duration) -> Future<Guard> {
            self.permits.acquire(within(time), Holder::here())
        }

        /// Waits for a permit without a guard, as in Tornado: the coroutine has to call `release`, however it ends.
        /// Dropping the Future after it was done does not release the permit.
        #[track_caller]
        pub fn acquire_unguarded(&self) -> Future<()> {
            self.permits.acquire(None, Holder::here())
        }

        /// Waits for a permit like [`acquire_unguarded`](Self::acquire_unguarded), for at most `time`; then it fails
        /// with [`Error::Timeout`](crate::Error::Timeout).
        #[track_caller]
        pub fn acquire_unguarded_within(&self, time: Duration) -> Future<()> {
            self.permits.acquire(within(time), Holder::here())
        }

        /// Waits for a permit like [`acquire_unguarded`](Self::acquire_unguarded), for at most `time` if that is
        /// `Some`, on behalf of a program in another language, which asks for it at `place`.
        ///
        /// ```
        /// use squall::{locks::Lock, Place};
        ///
        /// let lock = Lock::new();
        /// lock.acquire_unguarded_at(Place::new("bank.py", 12, 5), None).result()?;
        /// let waits = lock.acquire();
        /// assert_eq!(waits.describe().unwrap(), "Lock#1, held since bank.py:12:5");
        /// # Ok::<(), squall::Exception>(())
        /// ```
        #[track_caller]
        pub fn acquire_unguarded_at(&self, place: Place, time: Option<Duration>) -> Future<()> {
            self.permits.acquire(time.and_then(within), Holder::at(place))
        }
    };
}

/// Limits how many coroutines are inside at a time to its number of permits.
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
/// `Debug` prints it as Tornado does: `<Semaphore [locked,waiters:1]>`.
///
/// Source: `tornado.locks.Semaphore`.
#[derive(Clone)]
pub struct Semaphore {
    permits: Rc<Permits>,
}

impl Semaphore {
    /// Creates a semaphore with `value` permits. `usize::MAX` permits are as good as no limit.
    pub fn new(value: usize) -> Self {
        Self { permits: Permits::new("Semaphore", value, usize::MAX) }
    }

    /// Takes a permit if one is free, without a Future.
    #[cfg(feature = "http-client-plain")]
    #[track_caller]
    pub(crate) fn acquire_now(&self) -> Option<Guard> {
        self.permits.acquire_now(Holder::here())
    }

    acquire!();
    named!(permits);

    /// Adds a permit, whether or not one was acquired before.
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
    /// Creates a semaphore with `value` permits, which is also the limit of [`release`](Self::release).
    pub fn new(value: usize) -> Self {
        Self { permits: Permits::new("BoundedSemaphore", value, value) }
    }

    acquire!();
    named!(permits);

    /// Releases a permit that was acquired by [`acquire_unguarded`](Self::acquire_unguarded).
    ///
    /// # Errors
    /// [`ReleasedTooOften`] if no permit is acquired, or only permits that have [`Guard`]s.
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

impl Default for Lock {
    fn default() -> Self {
        Self::new()
    }
}

impl Lock {
    /// Creates a lock that is free.
    pub fn new() -> Self {
        Self { permits: Permits::new("Lock", 1, 1) }
    }

    acquire!();
    named!(permits);

    /// Releases the lock after [`acquire_unguarded`](Self::acquire_unguarded).
    ///
    /// # Errors
    /// [`NotLocked`] if the lock is free, or if a [`Guard`] holds it: only dropping the guard releases it then.
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
