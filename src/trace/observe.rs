//! [`observe`]: reports the events of this thread to an observer.

use std::rc::Rc;

use squall_runner::trace::{emit, exchange, Event, Observation, Observer};
use squall_runner::Place;

/// Reports the events of this thread to `observer` until the returned guard is dropped, which restores the observer
/// from before. The numbers of calls and Futures begin at 1, and go on where they were after the guard is dropped.
/// Events of a coroutine that was called while nothing observed are not reported.
///
/// ```
/// use std::cell::RefCell;
/// use std::rc::Rc;
/// use squall::trace::{self, Event, Observer};
///
/// #[derive(Default)]
/// struct Lines(RefCell<Vec<String>>);
/// impl Observer for Lines {
///     fn event(&self, event: &Event<'_>) {
///         self.0.borrow_mut().push(format!("{event:?}"));
///     }
/// }
///
/// let lines = Rc::new(Lines::default());
/// let observing = trace::observe(lines.clone());
/// squall::coroutine(|co| async move { co.yield_(()).await });
/// drop(observing);
/// assert!(lines.0.borrow()[0].starts_with("Call"));
/// ```
pub fn observe(observer: Rc<dyn Observer>) -> Observing {
    let anew = Observation { observer: Some(observer), ..Observation::default() };
    Observing { before: exchange(anew), in_front: false }
}

/// Installs an observer in front of the current one. The current observer is passed to `make`, so that the new one can
/// forward events to it; the numbers of calls and Futures then go on. Without a current observer, this is like
/// [`observe`].
pub fn observe_in_front(make: impl FnOnce(Option<Rc<dyn Observer>>) -> Rc<dyn Observer>) -> Observing {
    let observer = make(now().observer);
    let now = now();
    if now.observer.is_none() {
        return observe(observer);
    }
    Observing { before: exchange(Observation { observer: Some(observer), ..now }), in_front: true }
}

/// Adds a line of your own to the trace, in the column of the running coroutine. It is not printed. Does nothing if the
/// thread is not observed.
///
/// ```
/// let trace = squall::trace::record(|| squall::trace::note("the server answers"));
/// assert!(trace.to_text().contains("the server answers"));
/// ```
#[track_caller]
pub fn note(text: &str) {
    let place = Place::caller();
    emit(|| Event::Note { text, place });
}

/// A guard of [`observe`]: dropping it ends the observation.
#[derive(Debug)]
#[must_use = "observing ends when this is dropped: bind it to a name"]
pub struct Observing {
    before: Observation,
    /// `true` if the observer before shares the numbers.
    in_front: bool,
}

impl Observing {
    /// Pauses the observation until [`Paused::resume`].
    pub fn pause(self) -> Paused {
        Paused(now())
    }
}

/// An observation that is paused, with the numbers where it stopped.
#[derive(Debug)]
#[must_use = "resume it to go on observing"]
pub struct Paused(Observation);

impl Paused {
    /// Resumes the observation, with the next numbers.
    pub fn resume(self) -> Observing {
        Observing { before: exchange(self.0), in_front: false }
    }
}

impl Drop for Observing {
    fn drop(&mut self) {
        let mut before = std::mem::take(&mut self.before);
        if self.in_front {
            before.numbers = now().numbers;
        }
        drop(exchange(before));
    }
}

/// Returns the current observation of this thread.
fn now() -> Observation {
    let now = exchange(Observation::default());
    exchange(now.clone());
    now
}
