//! Lines of Python programs as squall's places, and functions as its coroutines.

use std::cell::RefCell;
use std::collections::HashMap;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyFrame, PyFrameMethods, PyTraceback};
use squall_runner::{trace, Coroutine, Place};

use crate::libraries::is_library;
use crate::value::show;

/// The largest number of generators that one delegates to by `yield from` or `await`, when its line is looked for.
const DEPTH: usize = 200;

thread_local! {
    static INTERNED: RefCell<HashMap<String, &'static str>> = RefCell::default();
    /// Those that were described last, by the addresses of their code.
    static RECENTLY: RefCell<[Option<Recent>; RECENT]> = const { RefCell::new([const { None }; RECENT]) };
    static COROUTINES: RefCell<HashMap<(&'static str, &'static str, u32), &'static Coroutine>> = RefCell::default();
}

/// Returns a text that lives as long as the process. Only for names, of which a program has a limited number.
pub(crate) fn interned(text: &str) -> &'static str {
    INTERNED.with_borrow_mut(|all| match all.get(text) {
        Some(text) => text,
        None => {
            let leaked: &'static str = Box::leak(text.into());
            all.insert(text.to_owned(), leaked);
            leaked
        }
    })
}

/// Returns the name of the file and a line of a code object.
fn file_of(code: &Bound<'_, PyAny>) -> Option<String> {
    code.getattr(intern!(code.py(), "co_filename")).ok()?.extract().ok()
}

/// Returns the line at which a frame stands.
fn line_of(frame: &Bound<'_, PyAny>) -> Option<Place> {
    let frame = frame.cast::<PyFrame>().ok()?;
    let line = u32::try_from(frame.line_number()).ok()?;
    let code = frame.getattr(intern!(frame.py(), "f_code")).ok()?;
    Some(Place::new(&file_of(&code)?, line, 0))
}

/// Returns the frame of a suspended generator, coroutine or asynchronous generator, and what it delegates to.
pub(crate) fn suspended<'py>(
    body: &Bound<'py, PyAny>,
) -> Option<(Bound<'py, PyAny>, Option<Bound<'py, PyAny>>)> {
    let py = body.py();
    let names = [
        (intern!(py, "cr_frame"), intern!(py, "cr_await")),
        (intern!(py, "gi_frame"), intern!(py, "gi_yieldfrom")),
        (intern!(py, "ag_frame"), intern!(py, "ag_await")),
    ];
    names.into_iter().find_map(|(frame, next)| {
        let frame = body.getattr_opt(frame).ok()??;
        let next = body.getattr_opt(next).ok().flatten();
        (!frame.is_none()).then_some((frame, next.filter(|next| !next.is_none())))
    })
}

/// Returns the line at which a generator or coroutine is suspended: that of the innermost one that it delegates to, as
/// far as these are Python's and not of a library.
pub(crate) fn suspended_at(body: &Bound<'_, PyAny>) -> Option<Place> {
    let (mut body, mut place) = (body.clone(), None);
    for _ in 0..DEPTH {
        let Some((frame, next)) = suspended(&body) else { break };
        let line = line_of(&frame);
        place = place.filter(|_| line.is_none_or(|line| is_library(line.file()))).or(line);
        match next {
            Some(next) => body = next,
            None => break,
        }
    }
    place
}

/// Returns the line where an exception was raised, if something observes.
pub(crate) fn raised_at(traceback: &Bound<'_, PyTraceback>) -> Option<Place> {
    if !trace::has_observer() {
        return None;
    }
    let py = traceback.py();
    let mut innermost = traceback.clone().into_any();
    while let Ok(Some(next)) = innermost.getattr_opt(intern!(py, "tb_next")) {
        if next.is_none() {
            break;
        }
        innermost = next;
    }
    let line = innermost.getattr(intern!(py, "tb_lineno")).ok()?.extract().ok()?;
    let frame = innermost.getattr(intern!(py, "tb_frame")).ok()?;
    let code = frame.getattr(intern!(py, "f_code")).ok()?;
    Some(Place::new(&file_of(&code)?, line, 0))
}

/// Returns the line that Python runs now outside of this package, if something observes.
pub(crate) fn running_line(py: Python<'_>) -> Option<Place> {
    if !trace::has_observer() {
        return None;
    }
    let frame = py.import(intern!(py, "sys")).ok()?.call_method0(intern!(py, "_getframe")).ok()?;
    let mut frame = Some(frame);
    while let Some(it) = frame {
        let globals = it.getattr(intern!(py, "f_globals")).ok()?;
        let module =
            globals.get_item(intern!(py, "__name__")).ok().and_then(|name| name.extract::<String>().ok());
        let is_own = module.is_some_and(|module| module == "squall" || module.starts_with("squall."));
        if !is_own {
            return line_of(&it);
        }
        frame = it.getattr(intern!(py, "f_back")).ok().filter(|back| !back.is_none());
    }
    None
}

/// How many descriptions of native coroutines are remembered.
const RECENT: usize = 64;

/// A native coroutine that was described.
struct Recent {
    name: Py<PyAny>,
    code: Py<PyAny>,
    coroutine: &'static Coroutine,
}

/// Returns the description of a coroutine function like [`coroutine_of`], which is asked for at each call.
pub(crate) fn coroutine_of_call(
    name: &Bound<'_, PyAny>,
    code: Option<&Bound<'_, PyAny>>,
) -> &'static Coroutine {
    let Some(code) = code else { return coroutine_of(name, None) };
    // Objects of one size lie 16 bytes apart or more.
    let place = (code.as_ptr() as usize >> 4) % RECENT;
    let recent = RECENTLY.with_borrow(|all| {
        let recent = all[place].as_ref()?;
        (recent.code.is(code) && recent.name.is(name)).then_some(recent.coroutine)
    });
    recent.unwrap_or_else(|| {
        let coroutine = coroutine_of(name, Some(code));
        let recent = Recent { name: name.clone().unbind(), code: code.clone().unbind(), coroutine };
        let before = RECENTLY.with_borrow_mut(|all| all[place].replace(recent));
        drop(before);
        coroutine
    })
}

/// Returns the description of a coroutine of a library that is a method of an object of the program: a web framework runs
/// the methods of a handler in one of its own, so that one is the program's coroutine. Its name is that of the class.
pub(crate) fn program_of(
    coroutine: &Bound<'_, PyAny>,
    code: &Bound<'_, PyAny>,
) -> Option<&'static Coroutine> {
    let py = code.py();
    if !is_library(&file_of(code)?) {
        return None;
    }
    let first = code.getattr(intern!(py, "co_varnames")).ok()?.get_item(0).ok()?;
    let locals = coroutine.getattr(intern!(py, "cr_frame")).ok()?.getattr(intern!(py, "f_locals")).ok()?;
    let class = locals.get_item(first).ok()?.get_type();
    let members = class.getattr(intern!(py, "__dict__")).ok()?;
    let methods = members.call_method0(intern!(py, "values")).ok()?.try_iter().ok()?;
    let mut codes = methods.filter_map(|method| method.ok()?.getattr_opt(intern!(py, "__code__")).ok()?);
    let code = codes.find(|code| file_of(code).is_some_and(|file| !is_library(&file)))?;
    Some(coroutine_of(&class.getattr(intern!(py, "__name__")).ok()?, Some(&code)))
}

/// Returns the description of a coroutine function, given its name and its code.
pub(crate) fn coroutine_of(name: &Bound<'_, PyAny>, code: Option<&Bound<'_, PyAny>>) -> &'static Coroutine {
    let name = name.extract::<String>().unwrap_or_else(|_| "coroutine".to_owned());
    let line = |code: &Bound<'_, PyAny>| {
        let line = code.getattr(intern!(code.py(), "co_firstlineno")).ok()?.extract().ok()?;
        Some((file_of(code)?, line))
    };
    let (file, line) = code.and_then(line).unwrap_or_default();
    let (name, file) = (interned(&name), interned(&file));
    COROUTINES.with_borrow_mut(|all| {
        *all.entry((name, file, line))
            .or_insert_with(|| Box::leak(Box::new(Coroutine::new(name, file, line).showing(Some(show)))))
    })
}
