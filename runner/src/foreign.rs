//! Foreign code: code of users that squall calls or drops in the middle of its own work.
//!
//! A body, a callback, a predicate, a `Drop`, `Clone`, `Display`, `Debug` or `Waker` may panic, and may call squall
//! again. So each of them runs through a guard of this module, while nothing is borrowed, and a panic stops there:
//! | guard | a panic becomes |
//! |---|---|
//! | [`Exception::trap`](crate::Exception::trap) | an [`Exception`](crate::Exception), for code that has a result |
//! | [`report::guard`](crate::report::guard) | a [report](crate::report::report), for code that has none |
//! | [`show`] | a text, for code that shows a value |
//! | [`discard`] | a report, for a value that is dropped |
//! | [`Guarded`] | a report, for a value whose owner is dropped |
//! | [`log()`] | nothing: the panic of a logger is dropped |
//!
//! All guards catch panics by one function of this module.
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
use std::cell::Cell;
use std::fmt;
use std::mem::{forget, needs_drop};
use std::ops::{Deref, DerefMut};
use std::panic::{catch_unwind, AssertUnwindSafe};

use log::Level;

use crate::panics::{install_hook, place_of, text_of};
use crate::place::Place;
use crate::problem::Problem;
use crate::running::{go_on, interrupt, BodyNumber};
use crate::stderr::goes_to_stderr;

/// A panic of foreign code that was caught.
pub(crate) struct Panic {
    pub(crate) text: String,
    /// The line where it happened, if the panic hook saw it.
    pub(crate) place: Option<Place>,
}

impl fmt::Display for Panic {
    /// Prints it like an [`Exception`](crate::Exception) of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.place {
            write!(f, "Traceback (most recent call last):\n  {place}\n")?;
        }
        write!(f, "Panic: panicked: {}", self.text)
    }
}

/// Calls foreign code. `panicked` converts a panic into the result.
#[inline]
pub(crate) fn catch<R>(f: impl FnOnce() -> R, panicked: impl FnOnce(Panic) -> R) -> R {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|payload| panicked(panic_of(payload)))
}

#[cold]
fn panic_of(payload: Box<dyn Any + Send>) -> Panic {
    let (text, place) = (text_of(&*payload), place_of(&*payload));
    // The payload may panic while it is dropped, and so may the payload of that panic.
    catch_unwind(AssertUnwindSafe(|| drop(payload))).unwrap_or_else(forget);
    Panic { text, place }
}

/// Calls foreign code that is not part of the body that may be running.
#[inline]
pub(crate) fn outside<R>(f: impl FnOnce() -> R) -> R {
    let _outside = Outside(interrupt());
    f()
}

/// Interrupts the body that is running, if there is one, until this is dropped.
struct Outside(Option<BodyNumber>);

impl Drop for Outside {
    #[inline(always)]
    fn drop(&mut self) {
        go_on(self.0);
    }
}

/// Drops a foreign value: a generator, a result, a callback. A panic is logged and reported to the observer.
///
/// Do not use it for a collection: if two of its elements panic, the process aborts. Elements are [`Guarded`] instead.
#[inline]
pub fn discard<T>(it: T) {
    if needs_drop::<T>() {
        // This may be the first thing that a process does with squall.
        install_hook();
        discard_in_place(|| drop(it));
    }
}

/// Drops a foreign value like [`discard`], once a coroutine was called or a loop was created on this thread: these
/// install the panic hook. `f` drops the value, wherever it is.
#[inline]
pub(crate) fn discard_in_place(f: impl FnOnce()) {
    catch(|| outside(f), dropped);
}

#[cold]
fn dropped(panic: Panic) {
    log(Level::Error, "squall::ioloop", format_args!("{}\n{panic}", Problem::Callback.text()));
    if let Some(call) = ON_DROP_PANIC.get() {
        call(panic);
    }
}

thread_local! {
    /// Called with the panic of a dropped value, while this thread is observed.
    static ON_DROP_PANIC: Cell<Option<fn(Panic)>> = const { Cell::new(None) };
}

/// Sets the function that is called for each panic of a value that is dropped on this thread.
pub(crate) fn on_drop_panic(call: Option<fn(Panic)>) {
    ON_DROP_PANIC.set(call);
}

/// Logs a line for the user of the program. Without a logger, prints it to standard error.
///
/// The logger is foreign code, and so is what the line shows: a panic of either is dropped.
#[cold]
pub fn log(level: Level, target: &str, line: fmt::Arguments<'_>) {
    let logged = || {
        log::log!(target: target, level, "{line}");
        if goes_to_stderr(level) {
            eprintln!("[{level} {target}] {line}");
        }
    };
    catch(logged, drop);
}

/// Shows a foreign value by its `Display` or `Debug`. If that panics or fails, shows this instead.
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
    match catch(|| Ok(show(f)), Err) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(fmt::Error)) => f.write_str("<cannot be shown>"),
        Err(panic) => write!(f, "<panicked: {}>", panic.text),
    }
}

/// A foreign value that is dropped by [`discard`], wherever its owner is dropped.
#[derive(Clone)]
pub struct Guarded<T>(Option<T>);

impl<T> Guarded<T> {
    /// Wraps a value.
    pub fn new(it: T) -> Self {
        Self(Some(it))
    }

    /// Takes the value out. From then on it is dropped like any other.
    #[must_use]
    pub fn into_inner(mut self) -> T {
        self.0.take().expect(THERE)
    }
}

/// Only `into_inner` and `drop` take the value, each as the last use.
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
