//! The variables of Python code, as traces show them.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyDictMethods, PyMapping, PyMappingMethods, PyTuple, PyTupleMethods};
use squall_runner::trace::{self, Event, Scope, Variable};

use crate::lines::suspended;
use crate::value::shown;

/// At most this many variables of a scope are shown.
const MOST: usize = 40;

fn variable(name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> Option<Variable> {
    let name: String = name.extract().ok()?;
    // The iterators of comprehensions have names like `.0`.
    name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        .then(|| Variable { name: name.into(), value: shown(value) })
}

/// Reports the local variables of the generator or coroutine that runs and has just been suspended.
pub(crate) fn tell_variables(body: &Bound<'_, PyAny>) {
    if let (true, Some(call)) = (trace::observed(), trace::running_call()) {
        let variables = locals(body).unwrap_or_default();
        trace::emit(|| Event::Variables { scope: Scope::Call(call), variables: &variables });
    }
}

/// Returns the local variables of a generator or coroutine that does not run.
fn locals(body: &Bound<'_, PyAny>) -> Option<Vec<Variable>> {
    let (frame, _) = suspended(body)?;
    let locals = frame.getattr(intern!(body.py(), "f_locals")).ok()?;
    let items = locals.cast::<PyMapping>().ok()?.items().ok()?;
    let variables = items.iter().filter_map(|item| {
        let item = item.cast_into::<PyTuple>().ok()?;
        variable(&item.get_item(0).ok()?, &item.get_item(1).ok()?)
    });
    Some(variables.take(MOST).collect())
}

/// Tells the arguments of the native coroutine that is started next.
pub(crate) fn tell_arguments_of(coroutine: &Bound<'_, PyAny>) {
    if trace::observed() {
        trace::tell_arguments(locals(coroutine).unwrap_or_default());
    }
}

/// Tells the arguments of the function that is called next.
pub(crate) fn tell_arguments(
    function: &Bound<'_, PyAny>,
    args: &Bound<'_, PyTuple>,
    kwargs: Option<&Bound<'_, PyDict>>,
) {
    if !trace::observed() {
        return;
    }
    let py = function.py();
    let code = function.getattr_opt(intern!(py, "__code__")).ok().flatten();
    let names =
        code.and_then(|code| code.getattr(intern!(py, "co_varnames")).ok()?.cast_into::<PyTuple>().ok());
    let by_place = names.into_iter().flat_map(|names| names.iter().zip(args.iter()).collect::<Vec<_>>());
    let by_name = kwargs.into_iter().flat_map(|kwargs| kwargs.iter().collect::<Vec<_>>());
    let variables = by_place.chain(by_name).filter_map(|(name, value)| variable(&name, &value));
    trace::tell_arguments(variables.take(MOST).collect());
}
