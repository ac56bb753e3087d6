//! [`observe`]: tells an observer what happens on this thread, for a while.

use std::rc::Rc;

use squall_runner::trace::{emit, exchange, Event, Observation, Observer};

/// Tells the observer what happens on this thread until the guard is dropped; then the one before it again.
/// The numbers start anew at 1 and go on where they were when the guard is dropped. A coroutine that was called while
/// nobody observed is never told of.
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

/// Puts an observer in front of the one that observes now, which is handed to `make`: it may tell that one what
/// it is told. Then the numbers go on; else they start anew as with [`observe`].
pub fn observe_in_front(make: impl FnOnce(Option<Rc<dyn Observer>>) -> Rc<dyn Observer>) -> Observing {
    let observer = make(now().observer);
    let now = now();
    if now.observer.is_none() {
        return observe(observer);
    }
    Observing { before: exchange(Observation { observer: Some(observer), ..now }), in_front: true }
}

/// Writes a line of the program's own into the trace, in the column of the coroutine that runs. It prints nothing, and
/// does nothing while nobody observes.
///
/// ```
/// let trace = squall::trace::record(|| squall::trace::note("the server answers"));
/// assert!(trace.to_text().contains("the server answers"));
/// ```
pub fn note(text: &str) {
    emit(|| Event::Note { text });
}

/// Ends what [`observe`] began, when it is dropped.
#[derive(Debug)]
#[must_use = "observing ends when this is dropped: bind it to a name"]
pub struct Observing {
    before: Observation,
    /// Whether the one before shares the numbers.
    in_front: bool,
}

impl Observing {
    /// Stops observing, until [`Paused::resume`].
    pub fn pause(self) -> Paused {
        Paused(now())
    }
}

/// An observer that does not observe for now, and the numbers where it stopped.
#[derive(Debug)]
#[must_use = "resume it to go on observing"]
pub struct Paused(Observation);

impl Paused {
    /// Goes on observing, with the next numbers.
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

/// How this thread is observed now.
fn now() -> Observation {
    let now = exchange(Observation::default());
    exchange(now.clone());
    now
}
