//! [`Recorder`]: records events in bounded memory, as a [`Trace`].

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use squall_runner::trace::{Event, Observer};

use super::{observe, Entry, Recorded, Text};
use crate::IoLoop;

/// How many entries are kept by default.
const LIMIT: usize = 100_000;

/// Calls `f`, and records what coroutines, Futures and the loop do on this thread until `f` returns. [`Recorder`] has
/// settings.
///
/// ```
/// use squall::{moment, IoLoop, Result};
///
/// #[squall::coroutine]
/// fn answer() -> Result<i32> {
///     yield_!(moment())?;
///     Ok(42)
/// }
///
/// let trace = squall::trace::record(|| IoLoop::current().run_sync(answer));
/// println!("{trace}");                           // in columns
/// assert!(trace.to_text().contains("return 42"));
/// assert_eq!(trace.result?, 42);                 // what the function returned
/// # Ok::<(), squall::Exception>(())
/// ```
pub fn record<R>(f: impl FnOnce() -> R) -> Trace<R> {
    Recorder::new().record(f)
}

/// A record of what happened while a function ran, and the function's result. `Display` prints [`text`](Self::text).
#[derive(Debug, Clone)]
pub struct Trace<R = ()> {
    /// The function's result.
    pub result: R,
    entries: Vec<Entry>,
    dropped: usize,
}

impl Trace {
    /// Creates a trace from entries that were recorded elsewhere.
    pub(crate) fn new(entries: Vec<Entry>, dropped: usize) -> Self {
        Self { result: (), entries, dropped }
    }
}

impl<R> Trace<R> {
    /// Returns the recorded entries, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns how many entries came after those that were kept.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Returns the trace in columns, with settings for how it is drawn.
    pub fn text(&self) -> Text<'_> {
        Text::new(&self.entries, self.dropped)
    }

    /// Returns the trace in columns, 100 characters wide and without colours.
    pub fn to_text(&self) -> String {
        self.text().to_string()
    }
}

impl<R> fmt::Display for Trace<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

/// Records what Runners, Futures and the loop do on this thread while a function runs.
///
/// ```
/// use squall::trace::Recorder;
///
/// let trace = Recorder::new().limit(1).record(|| squall::coroutine(|_co| async { Ok(5) }));
/// assert_eq!((trace.entries().len(), trace.dropped()), (1, 3));
/// ```
#[derive(Debug, Clone)]
pub struct Recorder {
    limit: usize,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { limit: LIMIT }
    }
}

impl Recorder {
    /// Creates a recorder that keeps 100,000 entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many entries are kept, the first ones. [`Trace::dropped`] counts those that come after.
    #[must_use]
    pub fn limit(self, entries: usize) -> Self {
        Self { limit: entries }
    }

    /// Calls `f`, and records what happens until it returns. A recording inside another one takes the events for
    /// itself.
    pub fn record<R>(&self, f: impl FnOnce() -> R) -> Trace<R> {
        let recording = Rc::new(Recording {
            entries: RefCell::default(),
            limit: self.limit,
            dropped: Cell::new(0),
            start: Cell::new(None),
        });
        let observing = observe(recording.clone());
        let result = f();
        drop(observing);
        Trace { result, entries: recording.entries.take(), dropped: recording.dropped.get() }
    }
}

struct Recording {
    entries: RefCell<Vec<Entry>>,
    limit: usize,
    dropped: Cell<usize>,
    /// The loop's time at the first entry.
    start: Cell<Option<Duration>>,
}

impl Observer for Recording {
    fn event(&self, event: &Event<'_>) {
        let mut entries = self.entries.borrow_mut();
        if entries.len() >= self.limit {
            self.dropped.set(self.dropped.get() + 1);
            return;
        }
        let now = IoLoop::current().time();
        let start = self.start.get().unwrap_or(now);
        self.start.set(Some(start));
        if let Some(event) = Recorded::of(event, start) {
            entries.push(Entry { time: now.saturating_sub(start), event });
        }
    }
}
