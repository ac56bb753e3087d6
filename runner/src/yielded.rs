//! [`Yielded`]: what a generator yielded, until it is a Future to wait for.

use std::any::{type_name, TypeId};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use crate::any_future::AnyFuture;
use crate::exception::{Exception, Result};
use crate::kind::Kind;
use crate::native;
use crate::place::{Line, Place, Source};
use crate::yieldable::Yieldable;

/// What a generator yielded, and where.
///
/// ```
/// use squall_runner::{Future, Place, Yielded};
///
/// let yielded = Yielded::new(Future::ready(5));
/// assert_eq!(yielded.place().unwrap().file(), file!());
///
/// let there = Place::new("visit.py", 12, 5);
/// let yielded = Yielded::erased(Future::ready(5).erase(), Some(there));
/// assert_eq!(yielded.place(), Some(there));
/// ```
pub struct Yielded(What);

/// A Future, or something that the Runner has to convert to a Future first. It was yielded at a line of Rust, or at a
/// place that was made at run time; `None`: where the generator says that it stands. The kinds of places are told apart
/// here, so that a yield takes no more room than if all of them were lines of Rust.
enum What {
    Future(AnyFuture, &'static Location<'static>),
    Other(Box<dyn Convert>, &'static Location<'static>),
    FutureElsewhere(AnyFuture, Option<&'static Line>),
    OtherElsewhere(Box<dyn Convert>, Option<&'static Line>),
}

/// What `convert_yielded` makes a Future of, without its type.
trait Convert {
    fn kind(&self) -> Kind;
    fn convert(self: Box<Self>) -> Result<AnyFuture>;
    /// Its type, that of the value that the yield takes, and what that is called.
    fn types(&self) -> (TypeId, TypeId, &'static str);
}

impl Yielded {
    /// Something yieldable, yielded at the caller's line.
    #[track_caller]
    #[inline]
    pub fn new<M: 'static, Y: Yieldable<M> + 'static>(yielded: Y) -> Self {
        let location = Location::caller();
        Self(match yielded.into_future() {
            Ok(future) => What::Future(future.erase(), location),
            Err(yielded) => What::Other(Box::new(Deferred(yielded, PhantomData)), location),
        })
    }

    /// A Future whose type is not known, yielded at that place. Without one, it is yielded where the generator
    /// [says that it stands](crate::Generator::place).
    #[inline]
    pub fn erased(future: AnyFuture, place: Option<Place>) -> Self {
        Self(match place.map(|place| place.0) {
            Some(Source::Caller(location)) => What::Future(future, location),
            Some(Source::Given(line)) => What::FutureElsewhere(future, Some(line)),
            None => What::FutureElsewhere(future, None),
        })
    }

    /// Something that is no Future yet, yielded at that place: `convert` makes a Future of it once the generator is
    /// suspended, or fails with what is to be raised at the yield. `kind` is what a trace calls it. Without a place, it
    /// is yielded where the generator [says that it stands](crate::Generator::place).
    ///
    /// ```
    /// use squall_runner::{trace::Kind, Future, Place, Yielded};
    ///
    /// let there = Place::new("visit.py", 12, 5);
    /// let yielded = Yielded::deferred(Kind::Other("page"), Some(there), || Ok(Future::ready(5).erase()));
    /// assert_eq!(format!("{yielded:?}"), "page at visit.py:12:5");
    /// assert_eq!(yielded.convert()?.into_result::<i32>()?, 5);
    /// # Ok::<(), squall_runner::Exception>(())
    /// ```
    pub fn deferred(
        kind: Kind,
        place: Option<Place>,
        convert: impl FnOnce() -> Result<AnyFuture> + 'static,
    ) -> Self {
        Self::other(Box::new(ByClosure(kind, convert)), place)
    }

    fn other(other: Box<dyn Convert>, place: Option<Place>) -> Self {
        Self(match place.map(|place| place.0) {
            Some(Source::Caller(location)) => What::Other(other, location),
            Some(Source::Given(line)) => What::OtherElsewhere(other, Some(line)),
            None => What::OtherElsewhere(other, None),
        })
    }

    /// Asks for the place, if something that has to be converted has none: what is started by that waits there.
    pub(crate) fn placed_by(self, ask: impl FnOnce() -> Option<Place>) -> Self {
        match self.0 {
            What::OtherElsewhere(other, None) => Self::other(other, ask()),
            what => Self(what),
        }
    }

    /// What kind of thing it is.
    pub fn kind(&self) -> Kind {
        match &self.0 {
            What::Other(other, _) | What::OtherElsewhere(other, _) => other.kind(),
            What::Future(future, _) | What::FutureElsewhere(future, _) if future.is_moment() => Kind::Moment,
            What::Future(future, _) | What::FutureElsewhere(future, _) => Kind::Future(future.state()),
        }
    }

    /// Whether it is a `Y`, such as `Future<i32>` or `Vec<Future<()>>`.
    pub fn is<Y: 'static>(&self) -> bool {
        self.types().0 == TypeId::of::<Y>()
    }

    /// Its type; that of the value that the yield takes, which is that of the Future's result; and what the latter is
    /// called.
    pub fn types(&self) -> (TypeId, TypeId, &'static str) {
        match &self.0 {
            What::Future(future, _) | What::FutureElsewhere(future, _) => future.types(),
            What::Other(other, _) | What::OtherElsewhere(other, _) => other.types(),
        }
    }

    /// Returns the line of the yield, if it is known without asking the generator.
    pub fn place(&self) -> Option<Place> {
        match &self.0 {
            What::Future(_, location) | What::Other(_, location) => Some((*location).into()),
            What::FutureElsewhere(_, line) | What::OtherElsewhere(_, line) => line.map(Place::of),
        }
    }

    /// Returns the line of the yield, if that is one of Rust.
    pub(crate) fn location(&self) -> Option<&'static Location<'static>> {
        match &self.0 {
            What::Future(_, location) | What::Other(_, location) => Some(location),
            What::FutureElsewhere(..) | What::OtherElsewhere(..) => None,
        }
    }

    /// The Future that was yielded, if it was one.
    pub fn future(&self) -> Option<&AnyFuture> {
        match &self.0 {
            What::Future(future, _) | What::FutureElsewhere(future, _) => Some(future),
            What::Other(..) | What::OtherElsewhere(..) => None,
        }
    }

    /// `convert_yielded`: the Future to wait for.
    ///
    /// # Errors
    /// [`Error::BadYield`](crate::Error::BadYield).
    pub fn convert(self) -> Result<AnyFuture> {
        let place = self.place();
        match self.0 {
            What::Future(future, _) | What::FutureElsewhere(future, _) => Ok(future),
            What::Other(other, _) | What::OtherElsewhere(other, _) => {
                let convert = || Exception::trap(|| other.convert(), Err);
                match place {
                    Some(place) => native::yielded_at(place, convert),
                    None => convert(),
                }
            }
        }
    }

    /// Returns the Future and its line, where it is one that was yielded at a line of Rust; else itself.
    #[inline(always)]
    pub(crate) fn into_future(self) -> std::result::Result<(AnyFuture, &'static Location<'static>), Self> {
        match self.0 {
            What::Future(future, location) => Ok((future, location)),
            what => Err(Self(what)),
        }
    }
}

impl fmt::Debug for Yielded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind())?;
        self.place().map_or(Ok(()), |place| write!(f, " at {place}"))
    }
}

/// A yieldable thing on its way to the Runner.
struct Deferred<Y, M>(Y, PhantomData<M>);

impl<M: 'static, Y: Yieldable<M> + 'static> Convert for Deferred<Y, M> {
    fn kind(&self) -> Kind {
        self.0.kind()
    }

    fn convert(self: Box<Self>) -> Result<AnyFuture> {
        Ok(self.0.convert_yielded()?.erase())
    }

    fn types(&self) -> (TypeId, TypeId, &'static str) {
        (TypeId::of::<Y>(), TypeId::of::<Y::Output>(), type_name::<Y::Output>())
    }
}

/// A thing that the closure makes a Future of.
struct ByClosure<F>(Kind, F);

impl<F: FnOnce() -> Result<AnyFuture> + 'static> Convert for ByClosure<F> {
    fn kind(&self) -> Kind {
        self.0
    }

    fn convert(self: Box<Self>) -> Result<AnyFuture> {
        (self.1)()
    }

    fn types(&self) -> (TypeId, TypeId, &'static str) {
        (TypeId::of::<F>(), TypeId::of::<()>(), type_name::<()>())
    }
}
