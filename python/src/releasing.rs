//! [`Releasing`]: the result of a lock's `acquire`.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use pyo3::{PyTraverseError, PyVisit};

/// Releases a lock at the end of a `with`: `with (yield lock.acquire()):`.
#[pyclass(name = "_ReleasingContextManager", module = "squall.locks", frozen)]
pub(crate) struct Releasing(pub(crate) Py<PyAny>);

#[pymethods]
impl Releasing {
    fn __enter__(&self) {}

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, py: Python<'_>, _raised: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.0.call_method0(py, intern!(py, "release")).map(drop)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0)
    }
}
