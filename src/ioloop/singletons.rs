//! Values of which each loop owns one, kept for other modules: its default executor, its HTTP client.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;

use super::IoLoop;

/// The values by type. They are dropped with the loop.
#[derive(Default)]
pub(super) struct Singletons(RefCell<HashMap<TypeId, Box<dyn Any>>>);

impl Singletons {
    /// Drops the values after the borrow has ended, since a `Drop` may ask for one of them.
    pub(super) fn close(&self) {
        drop(self.0.take());
    }
}

impl IoLoop {
    /// Returns a clone of the loop's `T`, which `make` creates the first time.
    pub(crate) fn singleton<T: Clone + 'static>(&self, make: impl FnOnce() -> T) -> T {
        let found = self
            .inner
            .singletons
            .0
            .borrow()
            .get(&TypeId::of::<T>())
            .and_then(|it| it.downcast_ref().cloned());
        found.unwrap_or_else(|| {
            let value = make();
            self.set_singleton(value.clone());
            value
        })
    }

    /// Sets the loop's `T`.
    pub(crate) fn set_singleton<T: 'static>(&self, value: T) {
        let before = self.inner.singletons.0.borrow_mut().insert(TypeId::of::<T>(), Box::new(value));
        drop(before);
    }
}
