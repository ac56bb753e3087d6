//! Callbacks that hold the loop for too long: [`IoLoop::set_blocking_log_threshold`].

use std::time::Duration;

use log::Level;
use squall_runner::log;
use squall_runner::ready::{Callback, Suspended};

use super::{Inner, IoLoop};
use crate::trace::note;

impl IoLoop {
    /// Has a warning logged for each callback that holds the loop for longer than this; `None`, as at first: for
    /// none. It names the coroutine, the line where it was resumed and that of its last yield since; of other
    /// callbacks the function in which they were made. The same text goes to the [trace](crate::trace::note).
    ///
    /// ```
    /// use std::time::Duration;
    /// squall::IoLoop::current().set_blocking_log_threshold(Some(Duration::from_millis(100)));
    /// // WARN squall::ioloop: report held the loop for 1.2s: resumed at src/main.rs:12:9, last yield at src/main.rs:31:9
    /// ```
    ///
    /// The time is that of the loop's clock. Source: Tornado's older `IOLoop.set_blocking_log_threshold`;
    /// `asyncio.loop.slow_callback_duration`.
    pub fn set_blocking_log_threshold(&self, threshold: Option<Duration>) {
        self.inner.blocking_threshold.set(threshold);
    }
}

/// A callback that is watched while it runs.
pub(super) struct Watched {
    callback: Callback,
    before: Option<Suspended>,
    since: Duration,
    threshold: Duration,
}

impl Watched {
    /// What `callback` is before it runs.
    pub(super) fn begin(inner: &Inner, callback: &Callback, threshold: Duration) -> Self {
        let before = callback.suspended();
        Self { callback: callback.clone(), before, since: inner.clock.now(), threshold }
    }

    /// It has run.
    pub(super) fn end(self, inner: &Inner) {
        let took = inner.clock.now().saturating_sub(self.since);
        if took < self.threshold {
            return;
        }
        let text = match self.before {
            Some(before) => {
                let (name, resumed) = (before.coroutine.name(), before.place);
                // Where it has come to meanwhile, if it has yielded since and was not done with that.
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
