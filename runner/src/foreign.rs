//! Foreign code: what users wrote and squall calls or drops in the middle of its own work.
//!
//! A body, a callback, a predicate, a `Drop`, `Clone`, `Display`, `Debug` or `Waker` may panic, and may call squall
//! again. So each of them runs through a guard of this module, while nothing is borrowed, and a panic stops there:
//!
//! | guard | what becomes of a panic |
//! |---|---|
//! | [`Exception::trap`] | an [`Exception`], for code that has a result |
//! | [`guard`] | a [report](crate::trace::report), for code that has none |
//! | [`discard`] | a report, for a value that is dropped |
//! | [`Guarded`] | a report, for a value whose owner is dropped |
//!
//! ```
//! use squall_runner::foreign::{discard, Guarded};
//!
//! struct Hostile;
//! impl Drop for Hostile {
//!     fn drop(&mut self) {
//!         panic!("reported");
//!     }
//! }
//! discard(Hostile);
//! drop(vec![Guarded::new(Hostile), Guarded::new(Hostile)]);
//! ```

use std::any::Any;
use std::fmt;
use std::mem::{forget, needs_drop};
use std::ops::{Deref, DerefMut};
use std::panic::{catch_unwind, AssertUnwindSafe};

use crate::panics::{site_of, text_of};
use crate::passing::{has_leftover, interrupt, take_leftover, Interrupted};
use crate::trace::{report, Problem};
use crate::{Error, Exception};

impl Exception {
    /// Calls foreign code. A panic becomes an [`Error::Panic`], of which `raised` makes the result.
    ///
    /// ```
    /// use squall_runner::Exception;
    ///
    /// let trapped = Exception::trap(|| panic!("no"), |panic| panic.to_string());
    /// assert_eq!(trapped, "panicked: no");
    /// ```
    #[inline]
    pub fn trap<R>(f: impl FnOnce() -> R, raised: impl FnOnce(Self) -> R) -> R {
        catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|payload| raised(of_panic(payload)))
    }
}

#[cold]
fn of_panic(payload: Box<dyn Any + Send>) -> Exception {
    let (text, site) = (text_of(&*payload), site_of(&*payload));
    // It may panic as it is dropped, and so may what it panics with.
    catch_unwind(AssertUnwindSafe(|| drop(payload))).unwrap_or_else(forget);
    Exception::new(Error::Panic(text)).panicked_at(site)
}

/// Calls foreign code that has no result. A panic is reported.
///
/// ```
/// use squall_runner::{foreign::guard, trace::Problem};
///
/// guard(Problem::Callback, || panic!("logged"));
/// ```
#[inline]
pub fn guard(problem: Problem, f: impl FnOnce()) {
    Exception::trap(f, |panic| report(problem, &panic));
}

/// Calls foreign code that is not part of the body that may be running.
#[inline]
pub(crate) fn outside<R>(f: impl FnOnce() -> R) -> R {
    let _outside = Outside::new();
    f()
}

/// While this lives, the body in the middle of which it was made does not run.
pub(crate) struct Outside(Interrupted);

impl Outside {
    #[inline]
    pub(crate) fn new() -> Self {
        Self(interrupt())
    }
}

impl Drop for Outside {
    #[inline(always)]
    fn drop(&mut self) {
        if has_leftover() {
            discard_leftover();
        }
        self.0.go_on();
    }
}

/// Apart, so that each resume has only the question inlined.
#[cold]
fn discard_leftover() {
    let (sent, yielded) = take_leftover();
    discard(sent);
    discard(yielded);
}

/// Drops a foreign value: a generator, a result, a callback. A panic is reported.
///
/// A collection is not such a value: if two of its elements panic, the process aborts. Its elements are [`Guarded`].
#[inline]
pub fn discard<T>(it: T) {
    if needs_drop::<T>() {
        guard(Problem::Callback, || outside(|| drop(it)));
    }
}

/// Shows a foreign value by its `Display` or `Debug`. If that panics or fails, this says so in its place.
///
/// ```
/// use std::fmt;
/// use squall_runner::foreign::show;
///
/// struct Shown(fn(&mut fmt::Formatter<'_>) -> fmt::Result);
/// impl fmt::Display for Shown {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         show(f, self.0)
///     }
/// }
/// assert_eq!(Shown(|f| write!(f, "{}", 5)).to_string(), "5");
/// assert_eq!(Shown(|_| panic!("no")).to_string(), "<panicked: no>");
/// assert_eq!(Shown(|_| Err(fmt::Error)).to_string(), "<cannot be shown>");
/// ```
///
/// # Errors
/// If the text cannot be written.
pub fn show(
    f: &mut fmt::Formatter<'_>,
    show: impl FnOnce(&mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    match Exception::trap(|| Ok(show(f)), Err) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(fmt::Error)) => f.write_str("<cannot be shown>"),
        Err(panic) => write!(f, "<{panic}>"),
    }
}

/// A foreign value that is dropped by [`discard`], whoever drops its owner, and when.
#[derive(Clone)]
pub struct Guarded<T>(Option<T>);

impl<T> Guarded<T> {
    /// Wraps a value.
    pub fn new(it: T) -> Self {
        Self(Some(it))
    }

    /// Takes the value out, which is dropped like any other from then on.
    #[must_use]
    pub fn into_inner(mut self) -> T {
        self.0.take().expect(THERE)
    }
}

/// Only `into_inner` and `drop` take it, which nothing comes after.
const THERE: &str = "the value is there until it is taken or dropped";

impl<T> Deref for Guarded<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.0.as_ref().expect(THERE)
    }
}

impl<T> DerefMut for Guarded<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect(THERE)
    }
}

impl<T> Drop for Guarded<T> {
    #[inline]
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(discard);
    }
}

impl<T> fmt::Debug for Guarded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").finish_non_exhaustive()
    }
}
