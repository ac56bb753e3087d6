//! [`ContextVar`]: a variable with a value of its own in each coroutine.
//!
//! A coroutine runs in a copy of the context of whoever called it; what it sets is seen by what it calls, and
//! never by its caller. The source of this behaviour is `contextvars` as Tornado's `gen.coroutine` uses it.
//!
//! ```
//! use squall_runner::{coroutine, ContextVar};
//!
//! static USER: ContextVar<&str> = ContextVar::new();
//!
//! let token = USER.set("ann");
//! let called = coroutine(|_co| async {
//!     let user = USER.get();                     // that of its caller
//!     USER.set("ben");                           // for itself, and for what it calls
//!     Ok(user)
//! });
//! assert_eq!(called.result().unwrap(), Some("ann"));
//! assert_eq!(USER.get(), Some("ann"));
//! USER.reset(token);
//! assert_eq!(USER.get(), None);
//! ```

use std::any::Any;
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::AtomicU8;
use std::sync::Arc;

/// The values of all context variables at one moment. Cheap to copy, and may go to another thread.
///
/// ```
/// use squall_runner::{Context, ContextVar};
///
/// static USER: ContextVar<&str> = ContextVar::new();
///
/// USER.set("ann");
/// let context = Context::current();
/// std::thread::spawn(|| context.enter(|| assert_eq!(USER.get(), Some("ann")))).join().unwrap();
/// ```
#[derive(Clone, Default)]
pub struct Context(Option<Arc<Values>>);

/// Each variable that is set, by its address.
type Values = Vec<(usize, Arc<dyn Any + Send + Sync>)>;

thread_local! {
    static CURRENT: Cell<Context> = const { Cell::new(Context(None)) };
}

impl Context {
    /// The context of now; an empty one on a thread that is ending.
    pub fn current() -> Self {
        let current = CURRENT.try_with(|current| {
            let context = current.take();
            current.set(context.clone());
            context
        });
        current.unwrap_or_default()
    }

    /// Runs `f` in this context. What it sets there does not come back.
    pub fn enter<R>(self, f: impl FnOnce() -> R) -> R {
        Self::run(&Cell::new(self), f)
    }

    /// Runs `f` in the context that `this` holds, and keeps there what `f` leaves, also when it panics.
    pub(crate) fn run<R>(this: &Cell<Self>, f: impl FnOnce() -> R) -> R {
        struct Entered<'a>(&'a Cell<Context>);
        impl Drop for Entered<'_> {
            fn drop(&mut self) {
                exchange(self.0);
            }
        }
        exchange(this);
        let _entered = Entered(this);
        f()
    }
}

/// Makes the context in `with` the current one, and puts that which was into `with`.
fn exchange(with: &Cell<Context>) {
    // A thread that is ending has no context any more.
    let _ = CURRENT.try_with(|current| current.swap(with));
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("variables", &self.0.as_ref().map_or(0, |v| v.len())).finish()
    }
}

/// A variable whose value belongs to the coroutine that set it and to those that it calls. Make it a `static`;
/// the module has an example.
#[derive(Debug)]
pub struct ContextVar<T> {
    /// Gives each variable an address of its own; atomic, so that a `const` is not taken for a `static`.
    _address: AtomicU8,
    _value: PhantomData<fn() -> T>,
}

/// What [`ContextVar::set`] gives, to take the change back.
#[derive(Debug)]
pub struct Token<T>(Option<T>);

impl<T: Clone + Send + Sync + 'static> ContextVar<T> {
    /// A variable that has no value anywhere yet.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self { _address: AtomicU8::new(0), _value: PhantomData }
    }

    /// The value here, if it was set here or by a caller.
    pub fn get(&'static self) -> Option<T> {
        // Nothing is borrowed while the value is cloned: that may ask for variables in turn.
        let Context(values) = Context::current();
        let (_, value) = values.as_ref()?.iter().find(|(key, _)| *key == self.key())?;
        value.downcast_ref().cloned()
    }

    /// Sets the value for the current coroutine and what it calls from now on.
    pub fn set(&'static self, value: T) -> Token<T> {
        let before = self.get();
        self.put(Some(value));
        Token(before)
    }

    /// Puts the value back that was there before the [`set`](Self::set) that gave the token.
    pub fn reset(&'static self, token: Token<T>) {
        self.put(token.0);
    }

    fn put(&'static self, value: Option<T>) {
        let mut values = Context::current().0.as_deref().cloned().unwrap_or_default();
        values.retain(|(key, _)| *key != self.key());
        values.extend(value.map(|value| (self.key(), Arc::new(value) as Arc<dyn Any + Send + Sync>)));
        exchange(&Cell::new(Context((!values.is_empty()).then(|| Arc::new(values)))));
    }

    fn key(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}
