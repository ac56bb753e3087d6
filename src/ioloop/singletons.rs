//! Values of which each loop owns one, kept for other modules: its default executor, its HTTP client.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;

/// The values by type. They are dropped with the loop.
#[derive(Default)]
pub(super) struct Singletons(RefCell<HashMap<TypeId, Box<dyn Any>>>);

impl Singletons {
    /// Returns a clone of the `T`, which `make` creates the first time.
    pub(super) fn get<T: Clone + 'static>(&self, make: impl FnOnce() -> T) -> T {
        let found = self.0.borrow().get(&TypeId::of::<T>()).and_then(|it| it.downcast_ref().cloned());
        found.unwrap_or_else(|| {
            let value = make();
            self.set(value.clone());
            value
        })
    }

    /// Sets the `T`.
    pub(super) fn set<T: 'static>(&self, value: T) {
        let before = self.0.borrow_mut().insert(TypeId::of::<T>(), Box::new(value));
        drop(before);
    }

    /// Drops the values after the borrow has ended, since a `Drop` may ask for one of them.
    pub(super) fn close(&self) {
        drop(self.0.take());
    }
}
