//! [`Coroutine`]: a coroutine function, as traces and tracebacks name it.

use std::any::type_name;

use crate::place::{Place, Position};
use crate::shown::Show;

/// A coroutine function: the part that all its calls share.
#[derive(Debug)]
pub struct Coroutine {
    name: Name,
    /// Where its definition begins, if that is known.
    defined: Option<Position>,
    /// Prints its results, if that is possible.
    pub show: Option<Show>,
}

#[derive(Debug)]
enum Name {
    Given(&'static str),
    /// The name of a closure's type, which contains the name of the function around it.
    Of(fn() -> &'static str),
}

impl Coroutine {
    /// Creates the description of a coroutine function that is defined at `line`, from 1, of `file`.
    /// [`in_column`](Self::in_column) adds the column.
    ///
    /// ```
    /// use squall_runner::{Coroutine, Place};
    ///
    /// static VISIT: Coroutine = Coroutine::new("visit", "visit.py", 10);
    /// assert_eq!(VISIT.place(), Some(Place::new("visit.py", 10, 1)));
    /// ```
    pub const fn new(name: &'static str, file: &'static str, line: u32) -> Self {
        Self { name: Name::Given(name), defined: Some(Position::new(file, line)), show: None }
    }

    /// Creates the description of a coroutine function of which only the name is known.
    ///
    /// ```
    /// use squall_runner::Coroutine;
    ///
    /// static VISIT: Coroutine = Coroutine::named("visit");
    /// assert_eq!((VISIT.name(), VISIT.place()), ("visit", None));
    /// ```
    pub const fn named(name: &'static str) -> Self {
        Self { name: Name::Given(name), defined: None, show: None }
    }

    /// Sets the column in which its definition begins, from 1. Without it, that is the first column of the line.
    ///
    /// ```
    /// use squall_runner::Coroutine;
    ///
    /// static VISIT: Coroutine = Coroutine::new("visit", file!(), line!()).in_column(column!());
    /// assert!(VISIT.place().unwrap().column() > 1);
    /// ```
    #[must_use]
    pub const fn in_column(self, column: u32) -> Self {
        let defined = match self.defined {
            Some(defined) => Some(defined.in_column(column)),
            None => None,
        };
        Self { defined, ..self }
    }

    /// Returns the line and column at which its definition begins, if the line is known.
    pub fn place(&'static self) -> Option<Place> {
        self.defined.as_ref().map(Place::of)
    }

    /// Adds a function that prints its results, if there is one.
    #[must_use]
    pub const fn showing(self, show: Option<Show>) -> Self {
        Self { show, ..self }
    }

    /// Returns the description of a coroutine that is a closure or an `async fn`.
    pub(crate) const fn of<B: 'static>() -> &'static Self {
        const { &Self { name: Name::Of(type_name::<B>), defined: None, show: None } }
    }

    /// Returns the name: that of the function, or of the function around the closure or async block.
    pub fn name(&self) -> &'static str {
        match self.name {
            Name::Given(name) => name,
            Name::Of(name_of_type) => function(name_of_type()),
        }
    }
}

/// Types that only hold the coroutine, which is their first parameter.
const WRAPPERS: [&str; 3] = ["core::pin::Pin", "alloc::boxed::Box", "squall_runner::yieldable::native"];

/// Returns the name of the function in the type name of a closure or an async block, such as
/// `crate::fetch<u8>::{{closure}}`, also if it is boxed; else the name of the type.
fn function(type_name: &'static str) -> &'static str {
    let (path, parameters) = type_name.split_once('<').unwrap_or((type_name, ""));
    if WRAPPERS.contains(&path) {
        return function(parameters);
    }
    if type_name.starts_with("dyn ") {
        return "coroutine";
    }
    let is_function = |segment: &&str| !segment.is_empty() && !segment.starts_with(['{', '<']);
    let segment = segments(type_name).into_iter().rev().find(is_function).unwrap_or_default();
    match segment.split(['<', '>', ',', ' ']).next() {
        None | Some("") => "coroutine",
        Some(name) => name,
    }
}

/// Splits the name of a type into the segments of its path. `::` within parameters does not divide it.
fn segments(path: &'static str) -> Vec<&'static str> {
    let (mut segments, mut depth, mut begin) = (Vec::new(), 0_usize, 0);
    for (at, c) in path.char_indices() {
        match c {
            '<' => depth += 1,
            // The type of a function has an arrow.
            '>' if !path[..at].ends_with('-') => match depth.checked_sub(1) {
                Some(outer) => depth = outer,
                // The end of the parameters of a wrapper.
                None => return [segments, vec![&path[begin..at]]].concat(),
            },
            ':' if depth == 0 && path[at..].starts_with("::") => {
                segments.push(&path[begin..at]);
                begin = at + 2;
            }
            _ => {}
        }
    }
    segments.push(&path[begin..]);
    segments
}

/// Something that a coroutine waits for, as tools see it: a Future, without the type of its result.
pub trait Awaited {
    /// Returns the coroutine whose result this is, if there is one.
    fn coroutine(&self) -> Option<&'static Coroutine>;

    /// Returns a description, if there is more to say than its kind: a lock by name, with its holder.
    fn describe(&self) -> Option<String>;
}

#[cfg(test)]
mod tests {
    use super::function;

    #[test]
    fn coroutine_is_named_after_its_function() {
        for (type_name, name) in [
            ("app::fetch::{{closure}}", "fetch"),
            ("app::fetch::{{closure}}::{{closure}}", "fetch"),
            ("app::fetch<alloc::vec::Vec<u8>>::{{closure}}", "fetch"),
            ("app::Users::get::{{closure}}", "get"),
            ("app::Users<app::Db>::get::{{closure}}", "get"),
            ("<app::Users as app::Handler<u8>>::get::{{closure}}", "get"),
            ("app::main::<impl app::Handler for app::Users>::get::{{closure}}", "get"),
            ("app::call<fn(u8) -> app::Reply>::{{closure}}", "call"),
            ("core::pin::Pin<alloc::boxed::Box<app::fetch::{{closure}}>>", "fetch"),
            ("alloc::boxed::Box<app::fetch<u8>::{{closure}}>", "fetch"),
            ("core::pin::Pin<alloc::boxed::Box<dyn core::future::future::Future<Output = ()>>>", "coroutine"),
            ("squall_runner::yieldable::native<app::fetch::{{closure}}>::{{closure}}", "fetch"),
            ("squall_runner::yieldable::native<core::future::ready::Ready<u8>>::{{closure}}", "Ready"),
            ("futures_util::future::join::Join<app::a::{{closure}}, app::b::{{closure}}>", "Join"),
            ("app::fetch", "fetch"),
            ("", "coroutine"),
        ] {
            assert_eq!(function(type_name), name, "{type_name}");
        }
    }
}
