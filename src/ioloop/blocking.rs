//! Callbacks that hold the loop for too long: [`IoLoop::set_blocking_log_threshold`].

use std::time::Duration;

use log::Level;
use squall_runner::log;
use squall_runner::ready::{Callback, Suspended};

use super::{Inner, IoLoop};
use crate::trace::note;

impl IoLoop {
    /// Logs a warning for each callback that holds the loop for longer than `threshold`. `None`, the default, logs
    /// nothing.
    ///
    /// The warning names the coroutine, the line where it was resumed and the line of its last yield since then. For a
    /// callback that resumes no coroutine it names the function that made the callback. The text also goes to the
    /// [trace](crate::trace::note).
    ///
    /// ```
    /// use std::time::Duration;
    /// squall::IoLoop::current().set_blocking_log_threshold(Some(Duration::from_millis(100)));
    /// // WARN squall::ioloop: report held the loop for 1.2s: resumed at src/main.rs:12:9, last yield at src/main.rs:31:9
    /// ```
    ///
    /// Durations are measured by the [working time](crate::ioloop::Clock::working_time) of the loop's clock. Source: Tornado's older `IOLoop.set_blocking_log_threshold`;
    /// `asyncio.loop.slow_callback_duration`.
    pub fn set_blocking_log_threshold(&self, threshold: Option<Duration>) {
        self.inner.blocking_threshold.set(threshold);
    }
}

/// A callback whose duration is measured.
pub(super) struct Watched {
    callback: Callback,
    before: Option<Suspended>,
    since: Duration,
    threshold: Duration,
}

impl Watched {
    /// Records what `callback` is about to resume, and when it begins.
    pub(super) fn begin(inner: &Inner, callback: &Callback, threshold: Duration) -> Self {
        let before = callback.suspended();
        Self { callback: callback.clone(), before, since: inner.clock.working_time(), threshold }
    }

    /// Logs a warning if the callback took longer than the threshold.
    pub(super) fn end(self, inner: &Inner) {
        let took = inner.clock.working_time().saturating_sub(self.since);
        if took < self.threshold {
            return;
        }
        // A measured time has no more digits than that.
        let took = Duration::from_millis(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        let text = match self.before {
            Some(before) => {
                let (name, resumed) = (before.coroutine.name(), before.place);
                // The coroutine's last yield, if it has yielded since and is suspended again.
                let yielded = self.callback.suspended().filter(|now| now.place != resumed);
                let yielded = yielded.map(|now| format!(", last yield at {}", now.place)).unwrap_or_default();
                format!("{name} held the loop for {took:?}: resumed at {resumed}{yielded}")
            }
            None => format!("a callback held the loop for {took:?}: {}", self.callback.type_name()),
        };
        log(Level::Warn, "squall::ioloop", format_args!("{text}"));
        note(&text);
    }
}
