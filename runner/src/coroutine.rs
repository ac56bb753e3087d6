//! [`Coroutine`]: a coroutine function, as traces and tracebacks name it.

use std::any::type_name;

use crate::place::{Place, Position};
use crate::shown::Show;

/// A coroutine function: the part that all its calls share.
#[derive(Debug)]
pub struct Coroutine {
    name: Name,
    /// The line at which it is defined, if that is known.
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

    /// Returns the line at which it is defined, in the first column, if that is known.
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

    /// Returns the name: that of the function, or of the function around the closure.
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

/// Something that a coroutine waits for, as tools see it: a Future, without the type of its result.
pub trait Awaited {
    /// Returns the coroutine whose result this is, if there is one.
    fn coroutine(&self) -> Option<&'static Coroutine>;

    /// Returns a description, if there is more to say than its kind: a lock by name, with its holder.
    fn describe(&self) -> Option<String>;
}
