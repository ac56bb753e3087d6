//! [`Context`]: the values of all context variables, swapped in and out as one value.
//!
//! A coroutine runs in a copy of its caller's context: values that it sets are visible to what it calls, and not to its
//! caller. This behaviour is that of Python's `contextvars` as Tornado's `gen.coroutine` uses it. The heart does not
//! know what a variable is, nor how it is found by its key:
//!
//! ```
//! use std::sync::Arc;
//! use squall_runner::{coroutine, Context};
//!
//! fn set(user: &'static str) {
//!     Context::replace_current(Context(Some(Arc::new(vec![(0, Arc::new(user))]))));
//! }
//! fn get() -> Option<&'static str> {
//!     Context::current().0?[0].1.downcast_ref().copied()
//! }
//!
//! set("ann");
//! let called = coroutine(|_co| async {
//!     let user = get();                          // its caller's value
//!     set("ben");                                // for itself and for what it calls
//!     Ok(user)
//! });
//! assert_eq!(called.result().unwrap(), Some("ann"));
//! assert_eq!(get(), Some("ann"));
//! ```

use std::any::Any;
use std::cell::Cell;
use std::mem::{forget, ManuallyDrop};
use std::sync::Arc;

use crate::coroutine::Coroutine;

/// The values of all context variables at one moment. Cheap to clone, and may be sent to another thread.
#[derive(Debug, Clone, Default)]
pub struct Context(pub Option<Arc<Values>>);

/// Each variable that is set, with its key.
pub type Values = Vec<(usize, Arc<dyn Any + Send + Sync>)>;

thread_local! {
    /// It has no destructor, since each access would have to check for that; [`Clear`] empties it.
    static CURRENT: ManuallyDrop<Cell<Context>> = const { ManuallyDrop::new(Cell::new(Context(None))) };
    static CLEAR: Clear = const { Clear };
    /// The coroutine that is running.
    static RUNNING: Cell<Option<&'static Coroutine>> = const { Cell::new(None) };
}

/// Empties the context of a thread that is ending, if one was set.
struct Clear;

impl Drop for Clear {
    fn drop(&mut self) {
        drop(exchange(Context(None)));
    }
}

impl Context {
    /// Returns the current context; an empty one on a thread that is ending.
    #[inline]
    pub fn current() -> Self {
        let context = exchange(Self(None));
        // The cell held nothing to be dropped, which the compiler cannot know.
        forget(exchange(context.clone()));
        context
    }

    /// Makes `context` the current one, and returns the one before.
    pub fn replace_current(context: Self) -> Self {
        // A thread that is ending has no context any more.
        CLEAR.try_with(|_| exchange(context)).unwrap_or_default()
    }

    /// Runs `f` in this context. Variables that `f` sets are not kept.
    pub fn enter<R>(self, f: impl FnOnce() -> R) -> R {
        let context = Cell::new(self);
        let _entered = Self::run(&context, None);
        f()
    }

    /// Makes the context in `this` the current one while something runs, and stores what is current in the end.
    /// `coroutine` is the running coroutine meanwhile.
    #[inline]
    pub(crate) fn run<'a>(
        this: &'a Cell<Self>,
        coroutine: Option<&'static Coroutine>,
    ) -> impl Drop + use<'a> {
        struct Entered<'a>(&'a Cell<Context>, Option<&'static Coroutine>);
        impl Drop for Entered<'_> {
            #[inline]
            fn drop(&mut self) {
                RUNNING.set(self.1);
                swap(self.0);
            }
        }
        swap(this);
        Entered(this, RUNNING.replace(coroutine))
    }
}

/// Returns the coroutine that is running on this thread, if there is one. Callbacks that the loop calls, and the loop
/// itself, are not part of a coroutine.
///
/// ```
/// use squall_runner::{context::running, coroutine, Coroutine};
///
/// fn visit() -> squall_runner::Future<Option<&'static str>> {
///     coroutine(|_co| async { Ok(running().map(Coroutine::name)) })
/// }
/// assert_eq!(visit().result().unwrap(), Some("visit"));
/// assert!(running().is_none());
/// ```
#[inline]
pub fn running() -> Option<&'static Coroutine> {
    RUNNING.get()
}

/// Exchanges the current context with the one in `with`.
#[inline]
fn swap(with: &Cell<Context>) {
    // The cell is empty meanwhile, which the compiler cannot know.
    forget(with.replace(exchange(with.take())));
}

/// Makes `context` the current one, and returns the one before.
#[inline]
fn exchange(context: Context) -> Context {
    // The slot always exists, but only `try_with` is sure to be inlined.
    CURRENT.try_with(|current| current.replace(context)).unwrap_or_default()
}
