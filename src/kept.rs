//! [`Kept`]: a Future that holds itself while something without a handle waits for it.

use std::cell::Cell;
use std::rc::Rc;

use squall_runner::Resolvable;

/// A Future's reference to itself. A Future that only its handles hold has one, since a done callback holds no handle.
///
/// Holds the Future only while that is pending and a done callback waits for it.
pub(crate) struct Kept<F>(Cell<Option<Rc<F>>>);

impl<F> Default for Kept<F> {
    fn default() -> Self {
        Self(Cell::new(None))
    }
}

impl<F: Resolvable> Kept<F> {
    /// Keeps `future`, which contains this, if it is pending. This is its [`Resolvable::keep`].
    pub(crate) fn keep(&self, future: Rc<F>) {
        if !future.shared().done() {
            self.0.set(Some(future));
        }
    }
}

impl<F> Kept<F> {
    /// Lets the Future go, since it is no longer pending. The caller holds it.
    #[inline]
    pub(crate) fn release(&self) {
        drop(self.take());
    }

    /// Returns the reference for the caller to drop.
    #[inline]
    pub(crate) fn take(&self) -> Option<Rc<F>> {
        self.0.take()
    }
}
