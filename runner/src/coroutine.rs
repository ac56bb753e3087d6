//! [`Coroutine`]: a coroutine function, as traces and tracebacks name it.

use std::any::type_name;

use crate::place::{Line, Place};
use crate::shown::Show;

/// A coroutine function: what all calls of it have in common.
#[derive(Debug)]
pub struct Coroutine {
    name: Name,
    /// Where it is defined, if that is known.
    defined: Option<Line>,
    /// How what it returns is printed.
    pub show: Option<Show>,
}

#[derive(Debug)]
enum Name {
    Given(&'static str),
    /// The name of a closure's type, which holds the name of the function it stands in.
    Of(fn() -> &'static str),
}

impl Coroutine {
    /// A coroutine of that name, defined in that line, from 1, of that file.
    ///
    /// ```
    /// use squall_runner::{Coroutine, Place};
    ///
    /// static VISIT: Coroutine = Coroutine::new("visit", "visit.py", 10);
    /// assert_eq!(VISIT.place(), Some(Place::new("visit.py", 10, 1)));
    /// ```
    pub const fn new(name: &'static str, file: &'static str, line: u32) -> Self {
        Self { name: Name::Given(name), defined: Some(Line::new(file, line)), show: None }
    }

    /// A coroutine of that name. Where it is defined is not known.
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

    /// Returns where it is defined, in the first column, if that is known.
    pub fn place(&'static self) -> Option<Place> {
        self.defined.as_ref().map(Place::of)
    }

    /// The same, with a way to print what it returns, if there is one.
    #[must_use]
    pub const fn showing(self, show: Option<Show>) -> Self {
        Self { show, ..self }
    }

    /// The coroutine that a closure or an `async fn` is.
    pub(crate) const fn of<B: 'static>() -> &'static Self {
        const { &Self { name: Name::Of(type_name::<B>), defined: None, show: None } }
    }

    /// Its name: that of the function, or of the function in which the closure stands.
    pub fn name(&self) -> &'static str {
        match self.name {
            Name::Given(name) => name,
            Name::Of(name_of_type) => name_of_type()
                .split('<')
                .next()
                .unwrap_or_default()
                .rsplit("::")
                .find(|segment| !segment.starts_with('{'))
                .unwrap_or("coroutine"),
        }
    }
}

/// Something that a coroutine waits for, as tools see it: a Future, without its type and its result.
pub trait Awaited {
    /// Returns the coroutine whose result it is, if it is one.
    fn coroutine(&self) -> Option<&'static Coroutine>;

    /// Describes it, where there is more to say than its kind: a lock by its name, with what holds it.
    fn describe(&self) -> Option<String>;
}
