//! What each loop has one of, which other modules keep in it: its default executor, its HTTP client.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;

use super::IoLoop;

/// The values, by their types. Each goes with the loop.
#[derive(Default)]
pub(super) struct Singletons(RefCell<HashMap<TypeId, Box<dyn Any>>>);

impl Singletons {
    /// Drops them, outside of the borrow.
    pub(super) fn close(&self) {
        drop(self.0.take());
    }
}

impl IoLoop {
    /// Returns a clone of the loop's own `T`; `make` makes it where there is none.
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

    /// Makes `value` the loop's own `T`.
    pub(crate) fn set_singleton<T: 'static>(&self, value: T) {
        let before = self.inner.singletons.0.borrow_mut().insert(TypeId::of::<T>(), Box::new(value));
        drop(before);
    }
}
