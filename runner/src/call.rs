//! [`Call`]: the part of a coroutine's call that is common to all kinds of bodies.

use crate::any_future::AnyFuture;
use crate::callback::Suspended;
use crate::coroutine::Coroutine;
use crate::exception::{Exception, Frame, Result};
use crate::numbers::CallId;
use crate::place::Place;
use crate::ready::Registration;
use crate::shown::Shown;
use crate::trace::{emit, Event};

/// A call of a coroutine. If it is observed, its number is kept by the type that reports its events.
pub(crate) struct Call {
    pub(crate) coroutine: &'static Coroutine,
    /// The entry among the suspended coroutines.
    pub(crate) registration: Registration,
}

/// Reports an event to the observer, if the call is an observed one. The observer is told nothing of other calls.
#[inline]
pub(crate) fn tell<'a>(call: Option<CallId>, event: impl FnOnce(CallId) -> Event<'a>) {
    if let Some(runner) = call {
        emit(|| event(runner));
    }
}

impl Call {
    #[inline]
    pub(crate) fn new(coroutine: &'static Coroutine) -> Self {
        Self { coroutine, registration: Registration::none() }
    }

    /// Converts an exception that leaves the body: a `Return` becomes its value, and another exception gets a further
    /// frame. `thrown` is the exception that was thrown in just before, `place` the line of the last yield, `call` the
    /// number of an observed call.
    #[cold]
    pub(crate) fn raised<T: 'static>(
        &self,
        exception: Exception,
        thrown: Option<Exception>,
        place: Place,
        call: Option<CallId>,
    ) -> Result<T> {
        let at = exception.raised_at();
        let value =
            exception.into_return().map_err(|exception| self.leave(exception, thrown, place, call))?;
        let shown = Shown::new(&value, self.coroutine.show);
        tell(call, |runner| Event::Return { runner, value: shown, raised: true, place: Some(at) });
        Ok(value)
    }

    /// Adds the frame of this coroutine: the line where the exception was raised, or the yield at which it came in.
    pub(crate) fn leave(
        &self,
        exception: Exception,
        thrown: Option<Exception>,
        place: Place,
        call: Option<CallId>,
    ) -> Exception {
        let came_in = thrown.is_some_and(|thrown| thrown.same(&exception));
        let mut exception = exception.placed_at(place);
        let raised_here = !came_in && exception.traceback().is_empty();
        let place = if raised_here { exception.origin() } else { place };
        exception.push_frame(Frame { place, name: self.coroutine.name() });
        tell(call, |runner| Event::Raise { runner, exception: &exception, place });
        exception
    }

    /// Returns the call in the form for tools, while it is suspended.
    pub(crate) fn suspended(
        &self,
        call: Option<CallId>,
        place: Place,
        waits_for: Option<AnyFuture>,
        wakeable: bool,
    ) -> Option<Suspended> {
        let coroutine = self.coroutine;
        let waits_for = waits_for.map(AnyFuture::awaited);
        let suspended = Suspended { call, coroutine, place, waits_for, on: None, wakeable };
        self.registration.is_there().then_some(suspended)
    }

    /// Removes the entry of `it` from the suspended coroutines.
    #[inline]
    pub(crate) fn release<T>(&self, it: &T) {
        self.registration.release(std::ptr::from_ref(it).cast());
    }
}
