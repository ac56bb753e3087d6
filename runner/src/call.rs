//! [`Call`]: one call of a coroutine, as far as it is the same for all kinds of bodies.

use std::cell::Cell;
use std::panic::Location;

use crate::exception::Frame;
use crate::generator::{Coroutine, Yielded};
use crate::ready::{ReadyQueue, Suspended};
use crate::trace::{emit, Event, RunnerId, Shown};
use crate::{Exception, Result};

/// One call of a coroutine.
pub(crate) struct Call {
    pub(crate) coroutine: &'static Coroutine,
    /// The line of the last yield; that of the call before the first.
    pub(crate) location: Cell<&'static Location<'static>>,
    /// Its number in the trace; 0 if nobody observed the call.
    pub(crate) runner: RunnerId,
    /// Its place in the list of those that are suspended; 0 while it is not there.
    pub(crate) place: Cell<u32>,
}

impl Call {
    /// A call at the line of the caller.
    #[track_caller]
    #[inline]
    pub(crate) fn new(coroutine: &'static Coroutine, runner: RunnerId) -> Self {
        Self { coroutine, location: Cell::new(Location::caller()), runner, place: Cell::new(0) }
    }

    /// Tells the observer, if the call was observed: of one that nobody has heard of nothing is told.
    #[inline]
    pub(crate) fn tell<'a>(&self, event: impl FnOnce() -> Event<'a>) {
        if self.runner.0 != 0 {
            emit(event);
        }
    }

    pub(crate) fn yielded(&self, yielded: &Yielded) {
        self.tell(|| Event::Yield {
            runner: self.runner,
            kind: yielded.kind(),
            future: yielded.future().filter(|future| !future.is_moment()).map(|future| future.id()),
            location: yielded.location,
        });
    }

    #[inline]
    pub(crate) fn returned<T: 'static>(&self, value: &T, raised: bool) {
        let value = Shown::new(value, self.coroutine.show);
        self.tell(|| Event::Return { runner: self.runner, value, raised });
    }

    /// What becomes of an exception that leaves the body: the value of a `Return`, or itself with a frame more.
    /// `thrown` is what had been thrown in just before.
    #[cold]
    pub(crate) fn raised<T: 'static>(&self, exception: Exception, thrown: Option<Exception>) -> Result<T> {
        let value = exception.into_return().map_err(|exception| self.leave(exception, thrown))?;
        self.returned(&value, true);
        Ok(value)
    }

    /// Adds the frame of this coroutine: the line where it was raised, or that of the yield where it came in.
    pub(crate) fn leave(&self, exception: Exception, thrown: Option<Exception>) -> Exception {
        let came_in = thrown.is_some_and(|thrown| thrown.same(&exception));
        let mut exception = exception.placed_at(self.location.get());
        let raised_here = !came_in && exception.traceback().is_empty();
        let location = if raised_here { exception.origin() } else { self.location.get() };
        exception.push_frame(Frame { location, name: self.coroutine.name() });
        self.tell(|| Event::Raise { runner: self.runner, exception: &exception });
        exception
    }

    /// As tools see it, while it is suspended.
    pub(crate) fn suspended(
        &self,
        waits_for: Option<&'static Coroutine>,
        wakeable: bool,
    ) -> Option<Suspended> {
        let Self { runner, coroutine, .. } = *self;
        let location = self.location.get();
        (self.place.get() != 0).then_some(Suspended { runner, coroutine, location, waits_for, wakeable })
    }

    /// Takes it off the list of those that are suspended; `it` is what is there.
    #[inline]
    pub(crate) fn release<T>(&self, it: &T) {
        let place = self.place.take();
        if place != 0 {
            ReadyQueue::with_current(|ready| ready.release(place, std::ptr::from_ref(it).cast()));
        }
    }
}
