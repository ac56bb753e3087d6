//! [`Yielded`]: what a generator yielded, until it is a Future to wait for.

use std::any::{type_name, TypeId};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use crate::any_future::AnyFuture;
use crate::exception::{Exception, Result};
use crate::kind::Kind;
use crate::native;
use crate::yieldable::Yieldable;

/// What a generator yielded, and where.
pub struct Yielded {
    pub(crate) what: What,
    pub(crate) location: &'static Location<'static>,
}

pub(crate) enum What {
    /// A Future: there is nothing to convert.
    Future(AnyFuture),
    /// Something that the Runner has to convert to a Future first.
    Other(Box<dyn Convert>),
}

/// What `convert_yielded` makes a Future of, without its type.
pub(crate) trait Convert {
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
        let what = match yielded.into_future() {
            Ok(future) => What::Future(future.erase()),
            Err(yielded) => What::Other(Box::new(Deferred(yielded, PhantomData))),
        };
        Self { what, location }
    }

    /// What kind of thing it is.
    pub fn kind(&self) -> Kind {
        match &self.what {
            What::Future(future) if future.is_moment() => Kind::Moment,
            What::Future(future) => Kind::Future(future.state()),
            What::Other(other) => other.kind(),
        }
    }

    /// Whether it is a `Y`, such as `Future<i32>` or `Vec<Future<()>>`.
    pub fn is<Y: 'static>(&self) -> bool {
        self.types().0 == TypeId::of::<Y>()
    }

    /// Its type; that of the value that the yield takes, which is that of the Future's result; and what the latter is
    /// called.
    pub fn types(&self) -> (TypeId, TypeId, &'static str) {
        match &self.what {
            What::Future(future) => future.types(),
            What::Other(other) => other.types(),
        }
    }

    /// The line of the yield.
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }

    /// The Future that was yielded, if it was one.
    pub fn future(&self) -> Option<&AnyFuture> {
        match &self.what {
            What::Future(future) => Some(future),
            What::Other(_) => None,
        }
    }

    /// `convert_yielded`: the Future to wait for.
    ///
    /// # Errors
    /// [`Error::BadYield`](crate::Error::BadYield).
    #[inline]
    pub fn convert(self) -> Result<AnyFuture> {
        match self.what {
            What::Future(future) => Ok(future),
            What::Other(other) => {
                let convert = || Exception::trap(|| other.convert(), Err);
                native::yielded_at(self.location, convert)
            }
        }
    }
}

impl fmt::Debug for Yielded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.kind(), self.location)
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
