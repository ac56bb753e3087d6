//! Libraries: files whose coroutines a trace does not show, such as Tornado's own.
//!
//! To a program, a call of a library is one step: it awaits a fetch, and not what the client does for that. So the code
//! of libraries is internal work to squall's events, unless it calls the program.

use std::cell::RefCell;
use std::collections::HashMap;

use pyo3::intern;
use pyo3::prelude::*;
use squall_runner::trace::{has_observer, internal, program};
use squall_runner::Coroutine;

thread_local! {
    /// The beginnings of the paths of libraries.
    static LIBRARIES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static KNOWN: RefCell<HashMap<String, bool>> = RefCell::default();
}

/// Sets the beginnings of the paths whose files are libraries.
#[pyfunction]
pub(crate) fn _set_libraries(paths: Vec<String>) {
    LIBRARIES.set(paths);
    KNOWN.with_borrow_mut(HashMap::clear);
}

/// Returns whether a file is one of a library.
pub(crate) fn is_library(file: &str) -> bool {
    if let Some(known) = KNOWN.with_borrow(|known| known.get(file).copied()) {
        return known;
    }
    let is = LIBRARIES.with_borrow(|paths| paths.iter().any(|path| file.starts_with(path.as_str())));
    KNOWN.with_borrow_mut(|known| known.insert(file.to_owned(), is));
    is
}

/// Calls `f`, which runs code of `file`: as code of the program, or as that of a library.
fn as_file<R>(file: &str, f: impl FnOnce() -> R) -> R {
    if is_library(file) {
        internal(f)
    } else {
        program(f)
    }
}

/// Calls `f`, which runs code of that coroutine. Without an observer there is no difference.
#[inline]
pub(crate) fn as_code_of<R>(coroutine: &'static Coroutine, f: impl FnOnce() -> R) -> R {
    match coroutine.place().filter(|_| has_observer()) {
        Some(place) => as_file(place.file(), f),
        None => f(),
    }
}

/// Calls `f`, which calls that function. Without an observer there is no difference.
#[inline]
pub(crate) fn as_called<R>(function: &Bound<'_, PyAny>, f: impl FnOnce() -> R) -> R {
    match has_observer().then(|| file_of(function)).flatten() {
        Some(file) => as_file(&file, f),
        None => f(),
    }
}

/// How many wrappers around a function are looked through.
const DEPTH: usize = 8;

/// Returns the file of a function's code, inside of `functools.partial` and of decorators.
fn file_of(function: &Bound<'_, PyAny>) -> Option<String> {
    let py = function.py();
    let mut function = function.clone();
    for _ in 0..DEPTH {
        let inner = [intern!(py, "__wrapped__"), intern!(py, "func")];
        let inner = inner.into_iter().find_map(|name| function.getattr_opt(name).ok().flatten());
        match inner {
            Some(inner) => function = inner,
            None => break,
        }
    }
    let code = function.getattr_opt(intern!(py, "__code__")).ok()??;
    code.getattr(intern!(py, "co_filename")).ok()?.extract().ok()
}
