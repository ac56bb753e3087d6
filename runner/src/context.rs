//! [`Context`]: the values of variables that follow the calls, as one value that is swapped in and out.
//!
//! A coroutine runs in a copy of the context of whoever called it; what it sets is seen by what it calls, and
//! never by its caller. The source of this behaviour is `contextvars` as Tornado's `gen.coroutine` uses it. What a
//! variable is, and how it is found by its key, is no matter of the heart:
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
//!     let user = get();                          // that of its caller
//!     set("ben");                                // for itself, and for what it calls
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

/// The values of all context variables at one moment. Cheap to copy, and may go to another thread.
#[derive(Debug, Clone, Default)]
pub struct Context(pub Option<Arc<Values>>);

/// Each variable that is set, by its key.
pub type Values = Vec<(usize, Arc<dyn Any + Send + Sync>)>;

thread_local! {
    /// Without a destructor, which each access would have to ask for; [`Clear`] empties it.
    static CURRENT: ManuallyDrop<Cell<Context>> = const { ManuallyDrop::new(Cell::new(Context(None))) };
    static CLEAR: Clear = const { Clear };
    /// The coroutine that runs in it.
    static RUNNING: Cell<Option<&'static Coroutine>> = const { Cell::new(None) };
}

/// Empties the context of a thread that ends, once one was set.
struct Clear;

impl Drop for Clear {
    fn drop(&mut self) {
        drop(exchange(Context(None)));
    }
}

impl Context {
    /// The context of now; an empty one on a thread that is ending.
    #[inline]
    pub fn current() -> Self {
        let context = exchange(Self(None));
        // Nothing is there to be dropped; the compiler cannot know that.
        forget(exchange(context.clone()));
        context
    }

    /// Makes `context` the context of now, and returns the one that was.
    pub fn replace_current(context: Self) -> Self {
        // A thread that is ending has no context any more.
        CLEAR.try_with(|_| exchange(context)).unwrap_or_default()
    }

    /// Runs `f` in this context. What it sets there does not come back.
    pub fn enter<R>(self, f: impl FnOnce() -> R) -> R {
        let context = Cell::new(self);
        let _entered = Self::run(&context, None);
        f()
    }

    /// Makes the context in `this` the current one, and keeps there what is current in the end. What runs meanwhile
    /// is a part of that coroutine, or of none.
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

/// Returns the coroutine that is running now on this thread, if one is. A callback that the loop calls is a part of
/// none, and neither is what the loop itself does.
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

/// Makes the context in `with` the current one, and puts that which was into `with`.
#[inline]
fn swap(with: &Cell<Context>) {
    // The cell is empty meanwhile; the compiler cannot know that.
    forget(with.replace(exchange(with.take())));
}

/// Makes `context` the current one, and returns the one that was.
#[inline]
fn exchange(context: Context) -> Context {
    // It is always there; but only `try_with` is sure to be inlined.
    CURRENT.try_with(|current| current.replace(context)).unwrap_or_default()
}
