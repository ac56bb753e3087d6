//! [`Yielded`]: a yielded thing, until it is converted into a Future.

use std::any::{type_name, TypeId};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use crate::any_future::AnyFuture;
use crate::exception::{Exception, Result};
use crate::kind::Kind;
use crate::native;
use crate::numbers::FutureId;
use crate::place::{Place, Position, Source};
use crate::yieldable::Yieldable;

/// A thing that a generator yielded, and the line of the yield.
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

/// A Future, or a value that the Runner has to convert into one. It was yielded at a line of Rust, or at a place that
/// was created at run time; `None` stands for the place that the generator reports. The kinds of places are variants
/// here, so that a yield takes no more room than if all of them were lines of Rust.
enum What {
    Future(AnyFuture, &'static Location<'static>),
    Other(Box<dyn Convert>, &'static Location<'static>),
    FutureElsewhere(AnyFuture, Option<&'static Position>),
    OtherElsewhere(Box<dyn Convert>, Option<&'static Position>),
}

/// A value that `convert_yielded` converts into a Future, with its type erased.
trait Convert {
    fn kind(&self) -> Kind;
    fn convert(self: Box<Self>) -> Result<AnyFuture>;
    /// Returns the Futures in it.
    fn futures(&self) -> Vec<FutureId>;
    /// Returns its type, the type of the yield's result, and the name of the latter.
    fn types(&self) -> (TypeId, TypeId, &'static str);
}

impl Yielded {
    /// Creates it from something yieldable, yielded at the caller's line.
    #[track_caller]
    #[inline]
    pub fn new<M: 'static, Y: Yieldable<M> + 'static>(yielded: Y) -> Self {
        let location = Location::caller();
        Self(match yielded.into_future() {
            Ok(future) => What::Future(future.erase(), location),
            Err(yielded) => What::Other(Box::new(Deferred(yielded, PhantomData)), location),
        })
    }

    /// Creates it from a Future whose type is erased, yielded at `place`. `None` stands for the place that the
    /// generator [reports](crate::Generator::place).
    #[inline]
    pub fn erased(future: AnyFuture, place: Option<Place>) -> Self {
        Self(match place.map(|place| place.0) {
            Some(Source::Caller(location)) => What::Future(future, location),
            Some(Source::Given(line)) => What::FutureElsewhere(future, Some(line)),
            None => What::FutureElsewhere(future, None),
        })
    }

    /// Creates it from something that has to be converted, yielded at `place`. Once the generator is suspended,
    /// `convert` returns the Future, or the exception to raise at the yield. `kind` describes it in traces. If `place`
    /// is `None`, it is the place that the generator [reports](crate::Generator::place).
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

    /// Sets the place of something that has to be converted and has none, by `ask`: native coroutines that the
    /// conversion starts wait there.
    pub(crate) fn placed_by(self, ask: impl FnOnce() -> Option<Place>) -> Self {
        match self.0 {
            What::OtherElsewhere(other, None) => Self::other(other, ask()),
            what => Self(what),
        }
    }

    /// Returns the kind of the yielded thing.
    pub fn kind(&self) -> Kind {
        match &self.0 {
            What::Other(other, _) | What::OtherElsewhere(other, _) => other.kind(),
            What::Future(future, _) | What::FutureElsewhere(future, _) if future.is_moment() => Kind::Moment,
            What::Future(future, _) | What::FutureElsewhere(future, _) => Kind::Future(future.state()),
        }
    }

    /// Returns whether it is a `Y`, such as `Future<i32>` or `Vec<Future<()>>`.
    pub fn is<Y: 'static>(&self) -> bool {
        self.types().0 == TypeId::of::<Y>()
    }

    /// Returns its type; the type of the yield's result, which is that of the Future; and the name of the latter.
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

    /// Returns the Future that was yielded, if it was one.
    pub fn future(&self) -> Option<&AnyFuture> {
        match &self.0 {
            What::Future(future, _) | What::FutureElsewhere(future, _) => Some(future),
            What::Other(..) | What::OtherElsewhere(..) => None,
        }
    }

    /// Returns the numbers of the Futures that are in it, if it is a list, tuple or map.
    pub(crate) fn futures(&self) -> Vec<FutureId> {
        match &self.0 {
            What::Future(..) | What::FutureElsewhere(..) => Vec::new(),
            What::Other(other, _) | What::OtherElsewhere(other, _) => other.futures(),
        }
    }

    /// Converts it into the Future to wait for, like `convert_yielded`.
    ///
    /// # Errors
    /// [`Error::BadYield`](crate::Error::BadYield) if it cannot be waited for.
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

    /// Returns the Future and its line, if it was yielded at a line of Rust; else itself.
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

    fn futures(&self) -> Vec<FutureId> {
        let mut futures = Vec::new();
        self.0.each_future(&mut |future| futures.push(future));
        futures
    }

    fn convert(self: Box<Self>) -> Result<AnyFuture> {
        Ok(self.0.convert_yielded()?.erase())
    }

    fn types(&self) -> (TypeId, TypeId, &'static str) {
        (TypeId::of::<Y>(), TypeId::of::<Y::Output>(), type_name::<Y::Output>())
    }
}

/// A thing that a closure converts into a Future.
struct ByClosure<F>(Kind, F);

impl<F: FnOnce() -> Result<AnyFuture> + 'static> Convert for ByClosure<F> {
    fn kind(&self) -> Kind {
        self.0
    }

    fn convert(self: Box<Self>) -> Result<AnyFuture> {
        (self.1)()
    }

    fn futures(&self) -> Vec<FutureId> {
        Vec::new()
    }

    fn types(&self) -> (TypeId, TypeId, &'static str) {
        (TypeId::of::<F>(), TypeId::of::<()>(), type_name::<()>())
    }
}
