//! [`Exception`]: what a coroutine raises, and the way it came.
//!
//! Any error becomes one by `?`. A text is not an error: write `Err(Exception::msg("text"))?` where `Err("text")?` does not
//! compile. An exception is trapped in the coroutine's
//! Future and raised again where that Future is yielded; each coroutine it leaves adds a frame to its traceback.
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

/// What coroutines and Futures give: a value, or the [`Exception`] that was raised.
pub type Result<T, E = Exception> = std::result::Result<T, E>;

/// A dynamic error with a traceback. Cheap to clone; `Send` and `Sync`.
///
/// `Display` is the message; `Debug` the message with the whole traceback, as Python prints it.
#[derive(Clone)]
pub struct Exception(Arc<Raised>);

#[derive(Clone)]
struct Raised {
    error: Guarded<Arc<dyn StdError + Send + Sync>>,
    /// The name before the message: the last segment of the error's type.
    name: &'static str,
    /// Where it was made; where the panic happened, if it was one and the panic hook saw it.
    origin: Place,
    /// Whether that is where a panic happened.
    panicked_there: bool,
    /// The coroutines it left, innermost first; at most `FRAMES` of them.
    frames: Vec<Frame>,
    /// How many more it left after that.
    elided: usize,
    /// What was added to it, each a line or more of its traceback.
    notes: Vec<Arc<str>>,
}

impl Raised {
    /// Whether its origin is a line that means something to whoever reads it.
    fn has_place(&self) -> bool {
        self.panicked_there || self.origin.is_outside()
    }
}

/// A traceback longer than this is cut, so that an Exception may cross any number of coroutines.
const FRAMES: usize = 64;

/// One line of a traceback: the coroutine that an [`Exception`] left, and where it was then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Where the exception was raised, or the yield at which it came in.
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
    /// Wraps an error. The caller's line becomes the place where it was raised; `?` does the same.
    #[track_caller]
    pub fn new<E: StdError + Send + Sync + 'static>(error: E) -> Self {
        let own = (&error as &dyn Any).downcast_ref().map(Error::name);
        Self::named(own.unwrap_or_else(|| short_name(type_name::<E>())), error)
    }

    /// The same, raised at another line: that of whoever is to look at it.
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

    /// Wraps an error that goes by another name than its type's.
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

    /// An exception that is only a message.
    ///
    /// ```
    /// let e = squall_runner::Exception::msg("no such page");
    /// assert_eq!(e.to_string(), "no such page");
    /// ```
    #[track_caller]
    pub fn msg(message: impl Into<String>) -> Self {
        Self::named("Exception", Message(message.into()))
    }

    /// Calls foreign code. A panic becomes an [`Error::Panic`], of which `raised` makes the result.
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

    /// Whether the error inside is an `E`.
    pub fn is<E: StdError + 'static>(&self) -> bool {
        self.0.error.is::<E>()
    }

    /// The error inside, if it is an `E`.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.0.error.downcast_ref()
    }

    /// The name that stands before the message in a traceback: the error's type without its path, or with the end of
    /// it where the type is called no more than `Error`; for a squall [`Error`], what Python calls it.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// Whether this is a [`Return`] on its way out.
    pub fn is_return(&self) -> bool {
        self.is::<Returning>()
    }

    /// The value of the [`Return`] inside, if this is one of a `T`.
    pub fn return_value<T: 'static>(&self) -> Option<T> {
        let Returning(copy) = self.downcast_ref()?;
        copy().downcast().ok().map(|value| *value)
    }

    /// What becomes of it as it leaves a coroutine that returns a `T`: the value of a [`Return`], or itself.
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
    /// Itself, if it is no [`Return`]; [`Error::WrongReturn`], if it is one of another type.
    pub fn into_return<T: 'static>(self) -> Result<T> {
        match Self::trap(|| Ok(self.return_value()), Err)? {
            Some(value) => Ok(value),
            None if self.is_return() => Err(Error::WrongReturn { expected: type_name::<T>() }.into()),
            None => Err(self),
        }
    }

    /// Whether both are the same exception: raised once, however often it was cloned since.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.error, &other.0.error)
    }

    /// Adds a text that stands below the message in a traceback, and is not part of the message, like `add_note` of an
    /// exception of Python's.
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

    /// Returns what was added by [`with_note`](Self::with_note), oldest first.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        self.0.notes.iter().map(|note| &**note)
    }

    /// Returns where it was raised, as the traceback says: the line of the `?`, of the panic, or of the yield that came
    /// last before it where nothing else is known.
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

    /// Makes an Exception of an error whose type is not known. One that was converted to a `Box<dyn Error>` by `?` or
    /// `into` is itself again, with its traceback.
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

    /// Returns where it was made: the line of the `?`, or of the panic. The line where a Future that failed with it was
    /// yielded is [`raised_at`](Self::raised_at).
    pub fn origin(&self) -> Place {
        self.0.origin
    }

    /// The coroutines that it left, innermost first. Only the first 64 are kept; [`elided`](Self::elided)
    /// counts the rest.
    pub fn traceback(&self) -> &[Frame] {
        &self.0.frames
    }

    /// How many frames came after those that [`traceback`](Self::traceback) holds.
    pub fn elided(&self) -> usize {
        self.0.elided
    }

    /// The same, raised there if it has no line of the program yet: it has left no coroutine, and what raised it was
    /// this library, or that of Rust, on somebody's behalf.
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

    /// Notes that it leaves a coroutine. A copy held elsewhere keeps its own traceback.
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

/// An [`Exception`] as an error of the standard library, which it cannot be itself: any error becomes one by `?`.
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

/// For `?` in a function that returns `Result<_, Box<dyn Error + Send + Sync>>`. [`Exception::from_boxed`] is the way
/// back. `anyhow::Error::from_boxed(exception.into())` makes an error of anyhow.
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

/// For `?` in a function that returns `Result<_, Box<dyn Error>>`, such as a `main`.
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
            // An error that is its own source has no last one.
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

/// `raise gen.Return(value)`: ends the coroutine with `value`, from anywhere in it.
///
/// In Rust `return Ok(value)` does the same; this is for code that leaves a coroutine from within a plain
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

/// What a `Return` is inside an Exception: it copies its value for whoever catches it.
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

/// `a::b::Name<c::D>` as `Name`. Many are called `Error`: they are told apart by the module, as `io::error::Error`.
fn short_name(path: &'static str) -> &'static str {
    let path = path.split('<').next().unwrap_or(path);
    let telling = path.trim_end_matches("::Error").trim_end_matches("::error");
    telling.rfind("::").map_or(path, |end| &path[end + 2..])
}
