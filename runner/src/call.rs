//! [`Call`]: one call of a coroutine, as far as it is the same for all kinds of bodies.

use std::cell::Cell;
use std::panic::Location;

use crate::any_future::AnyFuture;
use crate::callback::Suspended;
use crate::coroutine::Coroutine;
use crate::exception::{Exception, Frame, Result};
use crate::numbers::CallId;
use crate::ready::Registration;
use crate::shown::Shown;
use crate::trace::{emit, Event};

/// One call of a coroutine. Its number, if it is observed, is with whatever tells of it.
pub(crate) struct Call {
    pub(crate) coroutine: &'static Coroutine,
    /// The line of the last yield; that of the call before the first.
    pub(crate) location: Cell<&'static Location<'static>>,
    /// Its place among those that are suspended.
    pub(crate) registration: Registration,
}

/// Tells the observer, if the call was observed: it is told nothing of a call that it has not heard of.
#[inline]
pub(crate) fn tell<'a>(call: Option<CallId>, event: impl FnOnce(CallId) -> Event<'a>) {
    if let Some(runner) = call {
        emit(|| event(runner));
    }
}

impl Call {
    /// A call at the line of the caller.
    #[track_caller]
    #[inline]
    pub(crate) fn new(coroutine: &'static Coroutine) -> Self {
        Self { coroutine, location: Cell::new(Location::caller()), registration: Registration::none() }
    }

    /// Returns what becomes of an exception that leaves the body: the value of a `Return`, or itself with a frame
    /// more. `thrown` is what had been thrown in just before, `call` the number of an observed call.
    #[cold]
    pub(crate) fn raised<T: 'static>(
        &self,
        exception: Exception,
        thrown: Option<Exception>,
        call: Option<CallId>,
    ) -> Result<T> {
        let value = exception.into_return().map_err(|exception| self.leave(exception, thrown, call))?;
        let shown = Shown::new(&value, self.coroutine.show);
        tell(call, |runner| Event::Return { runner, value: shown, raised: true });
        Ok(value)
    }

    /// Adds the frame of this coroutine: the line where it was raised, or that of the yield where it came in.
    pub(crate) fn leave(
        &self,
        exception: Exception,
        thrown: Option<Exception>,
        call: Option<CallId>,
    ) -> Exception {
        let came_in = thrown.is_some_and(|thrown| thrown.same(&exception));
        let mut exception = exception.placed_at(self.location.get());
        let raised_here = !came_in && exception.traceback().is_empty();
        let location = if raised_here { exception.origin() } else { self.location.get() };
        exception.push_frame(Frame { location, name: self.coroutine.name() });
        tell(call, |runner| Event::Raise { runner, exception: &exception });
        exception
    }

    /// The call as tools see it, while it is suspended.
    pub(crate) fn suspended(
        &self,
        call: Option<CallId>,
        waits_for: Option<AnyFuture>,
        wakeable: bool,
    ) -> Option<Suspended> {
        let (coroutine, location) = (self.coroutine, self.location.get());
        let waits_for = waits_for.map(AnyFuture::awaited);
        let suspended = Suspended { call, coroutine, location, waits_for, wakeable };
        self.registration.is_there().then_some(suspended)
    }

    /// Takes it off the list of those that are suspended; `it` is what is there.
    #[inline]
    pub(crate) fn release<T>(&self, it: &T) {
        self.registration.release(std::ptr::from_ref(it).cast());
    }
}
