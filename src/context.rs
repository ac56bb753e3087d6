//! [`ContextVar`]: a variable that has its own value in each coroutine.
//!
//! A coroutine runs in a copy of its caller's context: values that it sets are visible to the coroutines that it calls,
//! and not to its caller. This behaviour is that of Python's `contextvars` as Tornado's `gen.coroutine` uses it.
//!
//! ```
//! use squall::{coroutine, ContextVar};
//!
//! static USER: ContextVar<&str> = ContextVar::new();
//!
//! let token = USER.set("ann");
//! let called = coroutine(|_co| async {
//!     let user = USER.get();                     // the value of its caller
//!     USER.set("ben");                           // for this coroutine, and for those it calls
//!     Ok(user)
//! });
//! assert_eq!(called.result().unwrap(), Some("ann"));
//! assert_eq!(USER.get(), Some("ann"));
//! USER.reset(token);
//! assert_eq!(USER.get(), None);
//! ```
//!
//! A [`Context`] holds the values of all variables at one moment. It may be sent to another thread:
//!
//! ```
//! use squall::{Context, ContextVar};
//!
//! static USER: ContextVar<&str> = ContextVar::new();
//!
//! USER.set("ann");
//! let context = Context::current();
//! std::thread::spawn(|| context.enter(|| assert_eq!(USER.get(), Some("ann")))).join().unwrap();
//! ```

use std::marker::PhantomData;
use std::sync::atomic::AtomicU8;
use std::sync::Arc;

use squall_runner::foreign::Guarded;
use squall_runner::Context;

/// A variable whose value is visible to the coroutine that set it and to the coroutines that it calls. Declare it as a
/// `static`; the [module](self) has an example.
#[derive(Debug)]
pub struct ContextVar<T> {
    /// Makes the address of each variable unique. Atomic, so that the compiler rejects a `const` in place of a
    /// `static`.
    _address: AtomicU8,
    _value: PhantomData<fn() -> T>,
}

/// Undoes one [`ContextVar::set`], which returned it: see [`ContextVar::reset`].
#[derive(Debug)]
pub struct Token<T>(Option<T>);

impl<T: Clone + Send + Sync + 'static> ContextVar<T> {
    /// Creates a variable that has no value yet.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self { _address: AtomicU8::new(0), _value: PhantomData }
    }

    /// Returns a copy of the value, if the current coroutine or one of its callers has set one.
    pub fn get(&'static self) -> Option<T> {
        // Nothing is borrowed while the value is cloned, since its `Clone` may use variables too.
        let Context(values) = Context::current();
        let (_, value) = values.as_ref()?.iter().find(|(key, _)| *key == self.key())?;
        value.downcast_ref::<Guarded<T>>().map(|value| T::clone(value))
    }

    /// Sets the value for the current coroutine and for the coroutines that it calls from now on. The token restores
    /// the former value.
    pub fn set(&'static self, value: T) -> Token<T> {
        let before = self.get();
        self.put(Some(value));
        Token(before)
    }

    /// Restores the value from before the [`set`](Self::set) that returned `token`.
    pub fn reset(&'static self, token: Token<T>) {
        self.put(token.0);
    }

    fn put(&'static self, value: Option<T>) {
        let mut values = Context::current().0.as_deref().cloned().unwrap_or_default();
        values.retain(|(key, _)| *key != self.key());
        if let Some(value) = value {
            values.push((self.key(), Arc::new(Guarded::new(value))));
        }
        Context::replace_current(Context((!values.is_empty()).then(|| Arc::new(values))));
    }

    fn key(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static USER: ContextVar<&str> = ContextVar::new();
    static DEPTH: ContextVar<u32> = ContextVar::new();

    #[test]
    fn reset_puts_back_what_was_there_before_the_set() {
        let first = USER.set("ann");
        let second = USER.set("ben");
        USER.reset(second);
        assert_eq!(USER.get(), Some("ann"));
        USER.reset(first);
        assert_eq!(USER.get(), None);
    }

    #[test]
    fn variables_are_apart() {
        USER.set("ann");
        DEPTH.set(5);
        assert_eq!((USER.get(), DEPTH.get()), (Some("ann"), Some(5)));
        DEPTH.set(6);
        assert_eq!((USER.get(), DEPTH.get()), (Some("ann"), Some(6)));
    }

    #[test]
    fn value_may_set_variables_while_it_is_copied_and_dropped() {
        struct Busy;
        impl Clone for Busy {
            fn clone(&self) -> Self {
                DEPTH.set(1);
                Self
            }
        }
        impl Drop for Busy {
            fn drop(&mut self) {
                DEPTH.set(DEPTH.get().unwrap_or(0) + 1);
            }
        }
        static BUSY: ContextVar<Busy> = ContextVar::new();
        BUSY.set(Busy);
        drop(BUSY.get());
        assert_eq!(DEPTH.get(), Some(2));
        BUSY.set(Busy);
        assert!(DEPTH.get().is_some_and(|depth| depth > 2));
    }

    #[test]
    fn a_thread_that_ends_may_ask_for_variables_and_set_them() {
        struct Asks(std::sync::mpsc::Sender<Option<u32>>);
        impl Drop for Asks {
            fn drop(&mut self) {
                DEPTH.set(DEPTH.get().unwrap_or(1));
                self.0.send(USER.get().map(|_| 0)).unwrap();
            }
        }
        thread_local! {
            static LAST: std::cell::OnceCell<Asks> = const { std::cell::OnceCell::new() };
        }
        let (send, receive) = std::sync::mpsc::channel();
        let asks = Asks(send);
        std::thread::spawn(move || LAST.with(|last| drop(last.set(asks)))).join().unwrap();
        assert_eq!(receive.iter().collect::<Vec<_>>(), [None]);
    }
}
