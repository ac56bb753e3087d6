//! [`ContextVar`]: a variable with a value of its own in each coroutine.
//!
//! A coroutine runs in a copy of the context of whoever called it; what it sets is seen by what it calls, and
//! never by its caller. The source of this behaviour is `contextvars` as Tornado's `gen.coroutine` uses it.
//!
//! ```
//! use squall_runner::ContextVar;
//!
//! static USER: ContextVar<&str> = ContextVar::new();
//!
//! let token = USER.set("ben");
//! assert_eq!(USER.get(), Some("ben"));
//! USER.reset(token);
//! assert_eq!(USER.get(), None);
//! ```

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::Arc;

/// The values of all context variables at one moment. Cheap to copy, and may go to another thread.
#[derive(Clone, Default)]
pub struct Context(Option<Arc<Values>>);

/// Each variable that is set, by its address.
type Values = Vec<(usize, Arc<dyn Any + Send + Sync>)>;

thread_local! {
    static CURRENT: RefCell<Context> = const { RefCell::new(Context(None)) };
}

impl Context {
    /// The context of now; an empty one while the thread ends.
    pub fn current() -> Self {
        CURRENT.try_with(|current| current.borrow().clone()).unwrap_or_default()
    }

    /// Runs `f` in this context. What it sets there does not come back.
    pub fn enter<R>(self, f: impl FnOnce() -> R) -> R {
        let _back = Back(self.swap());
        f()
    }

    /// Makes this the context of now and returns the one that was.
    pub(crate) fn swap(self) -> Self {
        CURRENT.try_with(|current| current.replace(self)).unwrap_or_default()
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("variables", &self.0.as_ref().map_or(0, |v| v.len())).finish()
    }
}

/// Puts the context of before back, also when a panic passes.
struct Back(Context);

impl Drop for Back {
    fn drop(&mut self) {
        std::mem::take(&mut self.0).swap();
    }
}

/// A variable whose value belongs to the coroutine that set it and to those that it calls. Make it a `static`.
#[derive(Debug)]
pub struct ContextVar<T> {
    /// Gives each variable an address of its own.
    _address: u8,
    _value: PhantomData<fn() -> T>,
}

/// What [`ContextVar::set`] gives, to take the change back.
#[must_use = "hand it to ContextVar::reset, or drop it to keep the new value"]
#[derive(Debug)]
pub struct Token<T>(Option<T>);

impl<T: Clone + Send + Sync + 'static> ContextVar<T> {
    /// A variable that has no value anywhere yet.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self { _address: 0, _value: PhantomData }
    }

    /// The value here, if it was set here or by a caller.
    pub fn get(&'static self) -> Option<T> {
        CURRENT.with_borrow(|context| {
            let (_, value) = context.0.as_ref()?.iter().find(|(key, _)| *key == self.key())?;
            value.downcast_ref().cloned()
        })
    }

    /// Sets the value for the current coroutine and what it calls from now on.
    pub fn set(&'static self, value: T) -> Token<T> {
        let before = self.get();
        self.put(Some(value));
        Token(before)
    }

    /// Puts the value back that was there before the `set` that gave the token.
    pub fn reset(&'static self, token: Token<T>) {
        self.put(token.0);
    }

    fn put(&'static self, value: Option<T>) {
        // The old values are dropped outside of the borrow: their Drop may ask for a variable.
        let before = Context::current();
        let mut values = before.0.as_deref().cloned().unwrap_or_default();
        values.retain(|(key, _)| *key != self.key());
        if let Some(value) = value {
            values.push((self.key(), Arc::new(value)));
        }
        drop(Context((!values.is_empty()).then(|| Arc::new(values))).swap());
    }

    fn key(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}
