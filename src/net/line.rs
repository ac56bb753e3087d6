//! [`Line`]: operations that wait for a socket, first come, first served.

use std::collections::VecDeque;
use std::rc::{Rc, Weak};

/// An operation that may wait in a line.
pub(super) trait Waits {
    /// Returns whether it has its result, or was cancelled.
    fn is_over(&self) -> bool;
}

/// Operations in the order in which they came. The line does not hold them: an operation leaves with its last handle.
pub(super) struct Line<T: ?Sized>(VecDeque<Weak<T>>);

impl<T: ?Sized> Default for Line<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T: Waits + ?Sized> Line<T> {
    /// Adds an operation at the end.
    pub(super) fn join(&mut self, operation: Weak<T>) {
        self.0.push_back(operation);
    }

    /// Returns the first operation that still waits, and removes those before it.
    #[inline]
    pub(super) fn first(&mut self) -> Option<Rc<T>> {
        if self.0.is_empty() {
            return None;
        }
        self.first_of_some()
    }

    /// Returns whether the operation at the front still waits.
    #[inline]
    pub(super) fn is_first_waiting(&self) -> bool {
        self.0.front().and_then(Weak::upgrade).is_some_and(|first| !first.is_over())
    }

    fn first_of_some(&mut self) -> Option<Rc<T>> {
        loop {
            match self.0.front()?.upgrade() {
                Some(first) if !first.is_over() => return Some(first),
                _ => self.0.pop_front(),
            };
        }
    }

    /// Empties the line, and returns the operations that still have handles.
    pub(super) fn take(&mut self) -> Vec<Rc<T>> {
        std::mem::take(&mut self.0).iter().filter_map(Weak::upgrade).collect()
    }

    /// Returns whether an operation may wait in it.
    pub(super) fn is_waited_for(&self) -> bool {
        self.0.iter().any(|operation| operation.strong_count() > 0)
    }
}
