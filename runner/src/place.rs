//! [`Place`]: a line of a program, in whatever language that is written.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{LazyLock, Mutex, PoisonError};

/// A line and a column of a program, where something was yielded, awaited, called or raised.
///
/// A line of Rust comes from the compiler, through `#[track_caller]`. A line of any other program is created at run
/// time, by its interpreter.
///
/// ```
/// use squall_runner::Place;
///
/// let here = Place::caller();
/// assert_eq!((here.file(), here.line()), (file!(), line!() - 1));
///
/// let there = Place::new("visit.py", 12, 5);
/// assert_eq!(there.to_string(), "visit.py:12:5");
/// assert_eq!(there, Place::new("visit.py", 12, 5));
/// ```
#[derive(Clone, Copy)]
pub struct Place(pub(crate) Source);

/// The storage of a place.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    /// In the program itself, written by the compiler.
    Caller(&'static Location<'static>),
    /// In the memory of the process, once for each line.
    Given(&'static Position),
}

/// A place that does not come from the compiler.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    file: &'static str,
    line: u32,
    column: u32,
}

impl Position {
    /// Creates the position of the first column of a line.
    pub(crate) const fn new(file: &'static str, line: u32) -> Self {
        Self { file, line, column: 1 }
    }

    pub(crate) const fn in_column(self, column: u32) -> Self {
        Self { column, ..self }
    }
}

/// The places that were created at run time, by file, line and column. They live as long as the process.
static GIVEN: LazyLock<Mutex<HashMap<&'static str, Lines>>> = LazyLock::new(Mutex::default);

type Lines = HashMap<(u32, u32), &'static Position>;

/// `true` if the programs of this process are not written in Rust.
static ONLY_GIVEN: AtomicBool = AtomicBool::new(false);

impl Place {
    /// Returns the place of the caller: of the function that calls this one, or of its caller, if it is
    /// `#[track_caller]`.
    #[track_caller]
    #[inline]
    #[must_use]
    pub fn caller() -> Self {
        Self(Source::Caller(Location::caller()))
    }

    /// Returns a place that is only known at run time. Lines and columns count from 1; a column that is not known is 0.
    ///
    /// Each distinct place and each file name is kept once, for the life of the process. So use this for the lines of
    /// running programs, whose number is limited.
    ///
    /// ```
    /// let place = squall_runner::Place::new("visit.py", 12, 5);
    /// assert_eq!((place.file(), place.line(), place.column()), ("visit.py", 12, 5));
    /// assert_eq!(squall_runner::Place::new("visit.py", 12, 0).to_string(), "visit.py:12");
    /// ```
    #[must_use]
    pub fn new(file: &str, line: u32, column: u32) -> Self {
        let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
        let known = given.get_key_value(file).map(|(&file, _)| file);
        let file = known.unwrap_or_else(|| Box::leak(file.into()));
        let lines = given.entry(file).or_default();
        let line = lines
            .entry((line, column))
            .or_insert_with(|| Box::leak(Box::new(Position { file, line, column })));
        Self(Source::Given(line))
    }

    pub(crate) fn of(line: &'static Position) -> Self {
        Self(Source::Given(line))
    }

    /// Lets no line of Rust count as one of the program any more, in this process: for interpreters of other languages. Their
    /// own lines mean nothing to the user of a program.
    ///
    /// ```
    /// use squall_runner::Place;
    ///
    /// Place::hide_rust();
    /// assert!(!Place::caller().is_of_program());
    /// assert!(Place::new("visit.py", 12, 5).is_of_program());
    /// ```
    pub fn hide_rust() {
        ONLY_GIVEN.store(true, Relaxed);
    }

    /// Returns the name of the file, as it was passed to the compiler or the interpreter.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self.0 {
            Source::Caller(location) => location.file(),
            Source::Given(line) => line.file,
        }
    }

    /// Returns the number of the line, from 1.
    #[must_use]
    pub fn line(self) -> u32 {
        match self.0 {
            Source::Caller(location) => location.line(),
            Source::Given(line) => line.line,
        }
    }

    /// Returns the number of the column, from 1, or 0 if it is not known.
    #[must_use]
    pub fn column(self) -> u32 {
        match self.0 {
            Source::Caller(location) => location.column(),
            Source::Given(line) => line.column,
        }
    }

    fn parts(self) -> (&'static str, u32, u32) {
        (self.file(), self.line(), self.column())
    }

    /// Returns whether it is a line outside of this crate and of Rust's library.
    pub(crate) fn is_outside(self) -> bool {
        let (sources, file) = (file!().strip_suffix("place.rs"), self.file());
        !file.starts_with("/rustc/") && !sources.is_some_and(|sources| file.starts_with(sources))
    }

    /// Returns whether it is a line of the program, and not of Rust's library, a dependency, or squall. If a Future is
    /// polled behind a pointer or by a combinator, the caller's line is in a library, and if squall itself awaits it,
    /// in squall.
    ///
    /// ```
    /// use squall_runner::Place;
    ///
    /// assert!(Place::new("visit.py", 12, 5).is_of_program());
    /// assert!(!Place::new("/rustc/1234/library/core/src/option.rs", 1, 1).is_of_program());
    /// ```
    pub fn is_of_program(self) -> bool {
        if matches!(self.0, Source::Caller(_)) && ONLY_GIVEN.load(Relaxed) {
            return false;
        }
        let file = self.file();
        let below_root = file!().strip_suffix("runner/src/place.rs").and_then(|root| file.strip_prefix(root));
        let is_squall =
            below_root.is_some_and(|file| file.starts_with("src/") && !file.starts_with("src/bin/"));
        let is_dependency = file.contains("/registry/src/") || file.contains("\\registry\\src\\");
        self.is_outside() && !is_squall && !is_dependency
    }
}

impl From<&'static Location<'static>> for Place {
    fn from(location: &'static Location<'static>) -> Self {
        Self(Source::Caller(location))
    }
}

/// Two places are equal if file name, line and column are equal.
impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for Place {}

impl Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

/// Prints `file:line:column`, like the compiler, or `file:line` if the column is not known.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file(), self.line())?;
        match self.column() {
            0 => Ok(()),
            column => write!(f, ":{column}"),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

/// `{"file": .., "line": .., "column": ..}`.
#[cfg(feature = "serde")]
mod written {
    use std::borrow::Cow;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Place;

    #[derive(Serialize, Deserialize)]
    struct Written<'a> {
        file: Cow<'a, str>,
        line: u32,
        column: u32,
    }

    impl Serialize for Place {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            let (file, line, column) = self.parts();
            Written { file: file.into(), line, column }.serialize(to)
        }
    }

    impl<'de> Deserialize<'de> for Place {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let Written { file, line, column } = Written::deserialize(from)?;
            Ok(Self::new(&file, line, column))
        }
    }
}
