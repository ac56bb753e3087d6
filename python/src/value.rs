//! [`Value`]: a Python object as the result of a Future.

use std::any::Any;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::fmt;

use pyo3::prelude::*;

use crate::affine::py;
use crate::names::names;

/// A Python object, as the result of a Future, or as an item of a queue.
pub(crate) struct Value(pub(crate) Py<PyAny>);

impl Clone for Value {
    #[inline]
    fn clone(&self) -> Self {
        Self(self.0.clone_ref(py()))
    }
}

thread_local! {
    /// The first exception that a comparison raised, until the operation that compared returns.
    static COMPARED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// Returns whether `a < b`, as Python says. An exception is kept for [`checked`].
fn is_less(a: &Value, b: &Value) -> bool {
    let py = py();
    a.0.bind(py).lt(b.0.bind(py)).unwrap_or_else(|raised| {
        COMPARED.with_borrow_mut(|compared| compared.get_or_insert(raised).clone_ref(py));
        false
    })
}

/// Calls `f`, which may compare values, and returns its result or the exception that a comparison raised.
pub(crate) fn checked<R>(f: impl FnOnce() -> R) -> PyResult<R> {
    let result = f();
    COMPARED.take().map_or(Ok(result), Err)
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        if is_less(self, other) {
            Ordering::Less
        } else if is_less(other, self) {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Value {}

/// Prints a value as traces show it: by a `repr` that is bounded and never raises.
pub(crate) fn show(value: &dyn Any, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value.downcast_ref() {
        Some(Value(value)) => f.write_str(&shown(value.bind(py()))),
        None => f.write_str("None"),
    }
}

/// Returns the `repr` of an object, bounded.
pub(crate) fn shown(value: &Bound<'_, PyAny>) -> String {
    let shown = names(value.py()).show.call1(value.py(), (value,));
    let shown = shown.and_then(|text| text.extract::<String>(value.py()));
    shown.unwrap_or_else(|_| "<object>".to_owned())
}
