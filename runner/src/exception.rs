//! [`Exception`]: an error that a coroutine raises, with its traceback.
//!
//! `?` converts any error into one. A text is not an error: where `Err("text")?` does not compile, write
//! `Err(Exception::msg("text"))?`. An exception is trapped in the coroutine's Future, and raised again where that
//! Future is yielded. Each coroutine that it leaves adds a frame to its traceback.
//!
//! ```
//! use squall_runner::Exception;
//!
//! fn parse(s: &str) -> Result<i32, Exception> {
//!     Ok(s.parse::<i32>()?)
//! }
//! let e = parse("x").unwrap_err();
//! assert!(e.is::<std::num::ParseIntError>());
//! assert_eq!(e.to_string(), "invalid digit found in string");
//! assert!(format!("{e:?}").ends_with("ParseIntError: invalid digit found in string"));
//! ```

use std::any::{type_name, Any};
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use crate::foreign::{catch, show, Guarded, Panic};
use crate::place::Place;

/// The result of a coroutine or a Future: a value, or the [`Exception`] that was raised.
pub type Result<T, E = Exception> = std::result::Result<T, E>;

/// An error of any type, with a traceback. Cheap to clone; `Send` and `Sync`.
///
/// `Display` prints the message; `Debug` prints the whole traceback with the message, like Python.
#[derive(Clone)]
pub struct Exception(Arc<Raised>);

#[derive(Clone)]
struct Raised {
    error: Guarded<Arc<dyn StdError + Send + Sync>>,
    /// The name before the message: the last segment of the error's type.
    name: &'static str,
    /// The line where it was created, or where the panic happened, if the panic hook saw one.
    origin: Place,
    /// `true` if `origin` is the line of a panic.
    panicked_there: bool,
    /// The coroutines that it has left, innermost first; at most `FRAMES` of them.
    frames: Vec<Frame>,
    /// How many further coroutines it has left.
    elided: usize,
    /// Notes below the message, each a line or more of the traceback.
    notes: Vec<Arc<str>>,
}

impl Raised {
    /// Returns whether its origin is a line that means something to the user.
    fn has_place(&self) -> bool {
        self.panicked_there || self.origin.is_outside()
    }
}

/// The largest number of frames in a traceback, so that an Exception may cross any number of coroutines.
const FRAMES: usize = 64;

/// A frame of a traceback: a coroutine that an [`Exception`] left, and the line where that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// The line where the exception was raised, or the yield at which it came in.
    pub place: Place,
    /// The coroutine's name.
    pub name: &'static str,
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.place, self.name)
    }
}

impl Exception {
    /// Wraps an error. The caller's line becomes the line where it was raised, as with `?`.
    #[track_caller]
    pub fn new<E: StdError + Send + Sync + 'static>(error: E) -> Self {
        let own = (&error as &dyn Any).downcast_ref().map(Error::name);
        Self::named(own.unwrap_or_else(|| short_name(type_name::<E>())), error)
    }

    /// Returns the exception with another line as its origin.
    ///
    /// ```
    /// use squall_runner::{Exception, Place};
    ///
    /// let there = Place::new("visit.py", 12, 5);
    /// assert_eq!(Exception::msg("no").at(there).origin(), there);
    /// ```
    #[must_use]
    pub fn at(mut self, origin: impl Into<Place>) -> Self {
        let raised = Arc::make_mut(&mut self.0);
        (raised.origin, raised.panicked_there) = (origin.into(), false);
        self
    }

    /// Wraps an error under another name than that of its type.
    ///
    /// ```
    /// let e = squall_runner::Exception::named("NotFound", std::io::Error::other("no such page"));
    /// assert!(format!("{e:?}").ends_with("NotFound: no such page"));
    /// ```
    #[track_caller]
    pub fn named<E: StdError + Send + Sync + 'static>(name: &'static str, error: E) -> Self {
        Self::raise(name, Arc::new(error), Place::caller())
    }

    fn raise(name: &'static str, error: Arc<dyn StdError + Send + Sync>, origin: Place) -> Self {
        Self(Arc::new(Raised {
            error: Guarded::new(error),
            name,
            origin,
            panicked_there: false,
            frames: Vec::new(),
            elided: 0,
            notes: Vec::new(),
        }))
    }

    /// Creates an exception that is only a message.
    ///
    /// ```
    /// let e = squall_runner::Exception::msg("no such page");
    /// assert_eq!(e.to_string(), "no such page");
    /// ```
    #[track_caller]
    pub fn msg(message: impl Into<String>) -> Self {
        Self::named("Exception", Message(message.into()))
    }

    /// Calls foreign code. A panic becomes an [`Error::Panic`], which `raised` converts into the result.
    ///
    /// ```
    /// use squall_runner::Exception;
    ///
    /// let trapped = Exception::trap(|| panic!("no"), |panic| panic.to_string());
    /// assert_eq!(trapped, "panicked: no");
    /// ```
    #[inline]
    pub fn trap<R>(f: impl FnOnce() -> R, raised: impl FnOnce(Self) -> R) -> R {
        catch(f, |panic| raised(Self::of_panic(panic)))
    }

    #[cold]
    pub(crate) fn of_panic(Panic { text, place }: Panic) -> Self {
        let mut exception = Self::new(Error::Panic(text));
        if let Some(place) = place {
            let raised = Arc::make_mut(&mut exception.0);
            (raised.origin, raised.panicked_there) = (place, true);
        }
        exception
    }

    /// Returns whether the error inside is an `E`.
    pub fn is<E: StdError + 'static>(&self) -> bool {
        self.0.error.is::<E>()
    }

    /// Returns the error inside, if it is an `E`.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.0.error.downcast_ref()
    }

    /// Returns the name before the message in a traceback: the error's type without its path, or with the last module
    /// if the type is just called `Error`; for a squall [`Error`], Python's name.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// Returns whether the error inside is a [`Return`].
    pub fn is_return(&self) -> bool {
        self.is::<Returning>()
    }

    /// Returns the value of the [`Return`] inside, if its type is `T`.
    pub fn return_value<T: 'static>(&self) -> Option<T> {
        let Returning(copy) = self.downcast_ref()?;
        copy().downcast().ok().map(|value| *value)
    }

    /// Converts the exception as it leaves a coroutine that returns a `T`: a [`Return`] becomes its value.
    ///
    /// ```
    /// use squall_runner::{Error, Exception, Return};
    ///
    /// assert_eq!(Exception::from(Return(5)).into_return::<i32>().unwrap(), 5);
    /// assert!(Exception::from(Return(5)).into_return::<u8>().unwrap_err().is::<Error>());
    /// assert!(Exception::msg("no").into_return::<i32>().is_err());
    /// ```
    ///
    /// # Errors
    /// The exception itself, if it is not a [`Return`]; [`Error::WrongReturn`], if it is one of another type.
    pub fn into_return<T: 'static>(self) -> Result<T> {
        match Self::trap(|| Ok(self.return_value()), Err)? {
            Some(value) => Ok(value),
            None if self.is_return() => Err(Error::WrongReturn { expected: type_name::<T>() }.into()),
            None => Err(self),
        }
    }

    /// Returns whether both are clones of one exception.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.error, &other.0.error)
    }

    /// Returns whether this is the only handle of the error inside. The cycle collector of another language needs it.
    pub fn is_sole(&self) -> bool {
        Arc::strong_count(&self.0) == 1 && Arc::strong_count(&self.0.error) == 1
    }

    /// Adds a text below the message in a traceback, which is not part of the message, like `add_note` in Python.
    ///
    /// ```
    /// let e = squall_runner::Exception::from(squall_runner::Error::Timeout).with_note("it waited for Lock#1");
    /// assert_eq!(e.to_string(), "Timeout");
    /// assert!(format!("{e:?}").ends_with("TimeoutError: Timeout\nit waited for Lock#1"));
    /// ```
    #[must_use]
    pub fn with_note(mut self, note: impl Into<Arc<str>>) -> Self {
        Arc::make_mut(&mut self.0).notes.push(note.into());
        self
    }

    /// Returns the texts of [`with_note`](Self::with_note), oldest first.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        self.0.notes.iter().map(|note| &**note)
    }

    /// Returns the line where it was raised, as the traceback shows it: that of the `?` or of the panic, or else the
    /// last yield before it.
    ///
    /// ```
    /// use squall_runner::{coroutine, Exception};
    ///
    /// let failed = coroutine(|_co| async { if true { panic!("no") } else { Ok(()) } });
    /// assert_eq!(failed.exception().unwrap().raised_at().line(), line!() - 1); // where it says `panic!`
    /// ```
    pub fn raised_at(&self) -> Place {
        match self.0.frames.first() {
            Some(frame) if !self.0.panicked_there => frame.place,
            _ => self.0.origin,
        }
    }

    /// Converts an error whose type is erased. An Exception that `?` or `into` converted into a `Box<dyn Error>`
    /// becomes itself again, with its traceback.
    ///
    /// ```
    /// use std::error::Error;
    /// use squall_runner::Exception;
    ///
    /// let boxed: Box<dyn Error + Send + Sync> = "x".parse::<i32>().unwrap_err().into();
    /// assert!(Exception::from_boxed(boxed).is::<std::num::ParseIntError>());
    ///
    /// let exception = Exception::msg("no such page");
    /// let boxed: Box<dyn Error + Send + Sync> = exception.clone().into();
    /// assert!(Exception::from_boxed(boxed).same(&exception));
    /// ```
    #[track_caller]
    pub fn from_boxed(error: Box<dyn StdError + Send + Sync>) -> Self {
        let origin = Place::caller();
        match error.downcast::<Boxed>() {
            Ok(boxed) => boxed.0,
            Err(error) => Self::raise("Error", Arc::from(error), origin),
        }
    }

    /// Returns the line where it was created: that of the `?` or of the panic. [`raised_at`](Self::raised_at) may
    /// return another line: where a Future that failed with it was yielded.
    pub fn origin(&self) -> Place {
        self.0.origin
    }

    /// Returns the coroutines that it has left, innermost first. Only the first 64 are kept; [`elided`](Self::elided)
    /// counts the rest.
    pub fn traceback(&self) -> &[Frame] {
        &self.0.frames
    }

    /// Returns how many frames came after those of [`traceback`](Self::traceback).
    pub fn elided(&self) -> usize {
        self.0.elided
    }

    /// Sets the line where it was raised, if it has no line of the program yet: it has left no coroutine, and squall or
    /// Rust's library raised it on behalf of the program.
    ///
    /// ```
    /// use squall_runner::{Exception, Place};
    ///
    /// let here = Place::caller();
    /// let panicked = Exception::trap(|| panic!("no"), |panicked| panicked);
    /// assert_eq!(panicked.placed_at(here).origin(), here);
    /// ```
    #[must_use]
    pub fn placed_at(self, place: impl Into<Place>) -> Self {
        let has_place = !self.0.frames.is_empty() || self.0.has_place();
        if has_place {
            self
        } else {
            self.at(place)
        }
    }

    /// Adds a frame for a coroutine that it leaves. Other clones keep their own tracebacks.
    pub(crate) fn push_frame(&mut self, frame: Frame) {
        let raised = Arc::make_mut(&mut self.0);
        if raised.frames.len() < FRAMES {
            raised.frames.push(frame);
        } else {
            raised.elided += 1;
        }
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Exception {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

/// An [`Exception`] as an error of the standard library. `Exception` cannot implement `Error` itself, since `?`
/// converts any error into one.
struct Boxed(Exception);

impl fmt::Display for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl StdError for Boxed {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let Exception(raised) = &self.0;
        Exception::trap(|| raised.error.source(), |_panic| None)
    }
}

/// Allows `?` in a function that returns `Result<_, Box<dyn Error + Send + Sync>>`. [`Exception::from_boxed`] converts
/// back. `anyhow::Error::from_boxed(exception.into())` creates an error of anyhow.
///
/// ```
/// use squall_runner::{Error, Exception};
///
/// fn timed_out() -> Result<(), Exception> {
///     Err(Error::Timeout)?
/// }
/// fn main_of_a_program() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
///     timed_out()?;
///     Ok(())
/// }
/// let error = main_of_a_program().unwrap_err();
/// assert_eq!(error.to_string(), "Timeout");
/// assert!(format!("{error:?}").ends_with("TimeoutError: Timeout")); // after the traceback, as `main` prints it
/// ```
impl From<Exception> for Box<dyn StdError + Send + Sync> {
    fn from(exception: Exception) -> Self {
        Box::new(Boxed(exception))
    }
}

/// Allows `?` in a function that returns `Result<_, Box<dyn Error>>`, such as a `main`.
///
/// ```
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     Ok(squall_runner::Future::ready(()).result()?)
/// }
/// ```
impl From<Exception> for Box<dyn StdError> {
    fn from(exception: Exception) -> Self {
        Box::new(Boxed(exception))
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, |f| self.0.error.fmt(f))
    }
}

impl fmt::Debug for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let raised = &*self.0;
        let has_origin = raised.frames.is_empty() && raised.has_place();
        if has_origin || !raised.frames.is_empty() {
            writeln!(f, "Traceback (most recent call last):")?;
        }
        if raised.elided > 0 {
            writeln!(f, "  ... {} more", raised.elided)?;
        }
        for (depth, frame) in raised.frames.iter().enumerate().rev() {
            let place = if depth == 0 { self.raised_at() } else { frame.place };
            writeln!(f, "  {}", Frame { place, ..*frame })?;
        }
        if has_origin {
            writeln!(f, "  {}", raised.origin)?;
        }
        let text = self.to_string();
        match text.as_str() {
            "" => f.write_str(raised.name)?,
            text => write!(f, "{}: {text}", raised.name)?,
        }
        self.notes().try_for_each(|note| write!(f, "\n{note}"))?;
        show(f, |f| {
            // An error that is its own source has no last source.
            let mut source = raised.error.source();
            for _ in 0..FRAMES {
                let Some(cause) = source else { break };
                f.write_str("\n  caused by: ")?;
                show(f, |f| fmt::Display::fmt(cause, f))?;
                source = cause.source();
            }
            Ok(())
        })
    }
}

/// Ends the coroutine with a value, from anywhere in it: Tornado's `raise gen.Return(value)`.
///
/// In Rust `return Ok(value)` has the same effect. `Return` is for code that ends its coroutine from within a plain
/// function, as Tornado's guide does.
///
/// ```
/// use squall_runner::{Exception, Return};
///
/// fn answer() -> Result<(), Exception> {
///     Err(Return(42))?
/// }
/// assert_eq!(answer().unwrap_err().return_value::<i32>(), Some(42));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Return<T>(pub T);

impl<T: Clone + Send + Sync + 'static> From<Return<T>> for Exception {
    #[track_caller]
    fn from(Return(value): Return<T>) -> Self {
        Self::named("Return", Returning(Box::new(move || Box::new(value.clone()))))
    }
}

/// A `Return` inside an Exception. It clones its value for each reader.
#[derive(thiserror::Error)]
#[error("Return was raised outside of a coroutine that could end with its value")]
struct Returning(Box<dyn Fn() -> Box<dyn Any> + Send + Sync>);

impl fmt::Debug for Returning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Return")
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Message(String);

/// Shortens `a::b::Name<c::D>` to `Name`. Types called `Error` keep their module: `io::error::Error`.
fn short_name(path: &'static str) -> &'static str {
    let path = path.split('<').next().unwrap_or(path);
    let telling = path.trim_end_matches("::Error").trim_end_matches("::error");
    telling.rfind("::").map_or(path, |end| &path[end + 2..])
}
