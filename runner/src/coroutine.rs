//! [`Coroutine`]: a coroutine function, as traces and tracebacks name it.

use std::any::type_name;

use crate::shown::Show;

/// A coroutine function: what all calls of it have in common.
#[derive(Debug)]
pub struct Coroutine {
    name: Name,
    /// The file it is defined in; empty where only the call is known.
    pub file: &'static str,
    /// The line it is defined at, from 1; 0 where only the call is known.
    pub line: u32,
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
    /// A coroutine of that name, defined there.
    pub const fn new(name: &'static str, file: &'static str, line: u32) -> Self {
        Self { name: Name::Given(name), file, line, show: None }
    }

    /// The same, with a way to print what it returns, if there is one.
    #[must_use]
    pub const fn showing(self, show: Option<Show>) -> Self {
        Self { show, ..self }
    }

    /// The coroutine that a closure or an `async fn` is.
    pub(crate) const fn of<B: 'static>() -> &'static Self {
        const { &Self { name: Name::Of(type_name::<B>), file: "", line: 0, show: None } }
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
