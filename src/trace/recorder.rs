//! [`Recorder`]: records events in bounded memory, as a [`Trace`].

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use squall_runner::ready::ReadyQueue;
use squall_runner::trace::{Event, Observer};

use super::page::sources_of;
use super::{observe, Entry, Keeper, Page, SourceText, Text};
use crate::IoLoop;

/// The number of entries that are kept by default.
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
    cut: bool,
    sources: Vec<SourceText>,
}

impl Trace {
    /// Creates a trace from entries that were recorded elsewhere.
    pub(crate) fn new(entries: Vec<Entry>, dropped: usize) -> Self {
        Self { result: (), entries, dropped, cut: false, sources: Vec::new() }
    }

    /// Sets whether the recording was ended before the program.
    pub(crate) fn cut(self, cut: bool) -> Self {
        Self { cut, ..self }
    }
}

impl<R> Trace<R> {
    /// Returns the recorded entries, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the number of entries that came after those that were kept.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Returns whether [`Recorder::until`] or [`Recorder::turns`] ended the recording.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Returns the source texts of the program that were added to the trace.
    pub fn sources(&self) -> &[SourceText] {
        &self.sources
    }

    /// Adds a source text of the program, for the views that show it.
    ///
    /// ```
    /// use squall::trace::{Language, SourceText};
    ///
    /// let (file, text) = ("src/main.rs", "fn main() {}\n");
    /// let (language, first_line) = (Language::Rust, 1);
    /// let source = SourceText { language, name: "main".into(), file: file.into(), first_line, text: text.into() };
    /// let trace = squall::trace::record(|| ()).with_source(source);
    /// assert_eq!(trace.sources()[0].text, text);
    /// ```
    #[must_use]
    pub fn with_source(mut self, source: SourceText) -> Self {
        self.sources.push(source);
        self
    }

    /// Adds the source texts of the files in Rust that the entries name, as far as they are below the current directory
    /// or a parent of it, as they are for `cargo run` and `cargo test`. [`to_html`](Self::to_html) does that by itself.
    ///
    /// ```
    /// let trace = squall::trace::record(|| squall::trace::note("here")).with_files();
    /// assert!(trace.sources().iter().all(|source| source.file.ends_with(".rs")));
    /// ```
    #[must_use]
    pub fn with_files(mut self) -> Self {
        self.sources = sources_of(&self.entries, &self.sources);
        self
    }

    /// Returns the trace as a page for a browser, with settings.
    pub fn page(&self) -> Page<'_> {
        Page::new(&self.entries, self.dropped, &self.sources)
    }

    /// Returns the trace as a page for a browser: one file that can be stepped both ways, without a network.
    ///
    /// The page contains the source texts that were [added](Self::with_source). For lines of other files it reads those
    /// files, if they are below the current directory or a parent of it, as they are for `cargo run` and `cargo test`.
    ///
    /// ```
    /// let trace = squall::trace::record(|| squall::coroutine(|_co| async { Ok(5) }));
    /// assert!(trace.to_html().starts_with("<!doctype html>"));
    /// ```
    pub fn to_html(&self) -> String {
        self.page().to_string()
    }

    /// Returns the trace in columns, with settings for how it is drawn.
    pub fn text(&self) -> Text<'_> {
        Text::new(&self.entries, self.dropped, self.cut)
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
    until: Option<Duration>,
    turns: Option<usize>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { limit: LIMIT, until: None, turns: None }
    }
}

impl Recorder {
    /// Creates a recorder that keeps 100,000 entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of entries to keep. Later entries are only counted, by [`Trace::dropped`].
    #[must_use]
    pub fn limit(self, entries: usize) -> Self {
        Self { limit: entries, ..self }
    }

    /// Ends the recording, and stops the loop, at the first event later than `time` after the first entry: for programs
    /// that never end.
    ///
    /// ```
    /// use std::time::Duration;
    /// use squall::testing::VirtualClock;
    /// use squall::trace::Recorder;
    /// use squall::{sleep, IoLoop, Result};
    ///
    /// #[squall::coroutine]
    /// fn minute_loop() -> Result<()> {
    ///     loop {
    ///         yield_!(sleep(Duration::from_secs(60)))?;
    ///     }
    /// }
    ///
    /// let io_loop = IoLoop::with_clock(VirtualClock::new());
    /// let trace = Recorder::new().until(Duration::from_secs(150)).record(|| io_loop.run_sync(minute_loop));
    /// assert!(trace.is_cut());
    /// assert_eq!(trace.entries().last().unwrap().time, Duration::from_secs(120));
    /// ```
    #[must_use]
    pub fn until(self, time: Duration) -> Self {
        Self { until: Some(time), ..self }
    }

    /// Ends the recording, and stops the loop, after that many turns: for programs that never end.
    #[must_use]
    pub fn turns(self, turns: usize) -> Self {
        Self { turns: Some(turns), ..self }
    }

    /// Calls `f`, and records what happens until it returns. While a recording inside another one runs, the outer one
    /// records nothing.
    pub fn record<R>(&self, f: impl FnOnce() -> R) -> Trace<R> {
        let recording = Rc::new(Recording {
            entries: RefCell::default(),
            recorder: self.clone(),
            turns: Cell::new(0),
            over: Cell::new(false),
            dropped: Cell::new(0),
            keeper: RefCell::default(),
        });
        let observing = observe(recording.clone());
        let result = f();
        drop(observing);
        let (entries, dropped) = (recording.entries.take(), recording.dropped.get());
        Trace { result, entries, dropped, cut: recording.over.get(), sources: Vec::new() }
    }
}

struct Recording {
    entries: RefCell<Vec<Entry>>,
    recorder: Recorder,
    turns: Cell<usize>,
    /// `true` once the trace was cut: nothing is recorded any more, and each loop that still runs is stopped.
    over: Cell<bool>,
    dropped: Cell<usize>,
    /// Borrowed while a value is printed: what that does itself is not recorded.
    keeper: RefCell<Keeper>,
}

impl Observer for Recording {
    fn event(&self, event: &Event<'_>) {
        let Ok(mut keeper) = self.keeper.try_borrow_mut() else { return };
        let Recorder { limit, until, turns } = self.recorder;
        let is_full = self.entries.borrow().len() >= limit;
        // What is not kept is not printed either, unless its time may be the one to cut at.
        if is_full && until.is_none() && turns.is_none() {
            self.dropped.set(self.dropped.get() + 1);
            return;
        }
        let io_loop = IoLoop::current();
        let entry = keeper.keep(event, ReadyQueue::current_id(), io_loop.time());
        if matches!(event, Event::Turn { .. }) {
            self.turns.set(self.turns.get() + 1);
        }
        let is_late = |entry: &Entry| until.is_some_and(|until| entry.time > until);
        let is_over =
            entry.as_ref().is_some_and(is_late) || turns.is_some_and(|turns| self.turns.get() > turns);
        if self.over.get() || is_over {
            self.over.set(true);
            io_loop.stop();
        } else if is_full {
            self.dropped.set(self.dropped.get() + 1);
        } else {
            self.entries.borrow_mut().extend(entry);
        }
    }
}
