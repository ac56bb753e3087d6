//! [`Call`]: one call of a coroutine, as far as it is the same for all kinds of bodies.

use crate::any_future::AnyFuture;
use crate::callback::Suspended;
use crate::coroutine::Coroutine;
use crate::exception::{Exception, Frame, Result};
use crate::numbers::CallId;
use crate::place::Place;
use crate::ready::Registration;
use crate::shown::Shown;
use crate::trace::{emit, Event};

/// One call of a coroutine. Its number, if it is observed, is with whatever tells of it.
pub(crate) struct Call {
    pub(crate) coroutine: &'static Coroutine,
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
    #[inline]
    pub(crate) fn new(coroutine: &'static Coroutine) -> Self {
        Self { coroutine, registration: Registration::none() }
    }

    /// Returns what becomes of an exception that leaves the body: the value of a `Return`, or itself with a frame
    /// more. `thrown` is what had been thrown in just before, `place` the line of the last yield, `call` the number of an
    /// observed call.
    #[cold]
    pub(crate) fn raised<T: 'static>(
        &self,
        exception: Exception,
        thrown: Option<Exception>,
        place: Place,
        call: Option<CallId>,
    ) -> Result<T> {
        let value =
            exception.into_return().map_err(|exception| self.leave(exception, thrown, place, call))?;
        let shown = Shown::new(&value, self.coroutine.show);
        tell(call, |runner| Event::Return { runner, value: shown, raised: true });
        Ok(value)
    }

    /// Adds the frame of this coroutine: the line where it was raised, or that of the yield where it came in.
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
        tell(call, |runner| Event::Raise { runner, exception: &exception });
        exception
    }

    /// The call as tools see it, while it is suspended.
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

    /// Takes it off the list of those that are suspended; `it` is what is there.
    #[inline]
    pub(crate) fn release<T>(&self, it: &T) {
        self.registration.release(std::ptr::from_ref(it).cast());
    }
}
