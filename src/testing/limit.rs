//! [`Limit`]: how long a test may take in real time, and the message for one that takes longer.

use std::time::{Duration, Instant};

use super::watch::Seen;

/// The default for a `TestLoop` and for `#[squall::test]`.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// An amount of real time from now on; `None` if something else watches the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    of: Option<Duration>,
    since: Instant,
}

impl Limit {
    pub(super) fn new(of: Option<Duration>) -> Self {
        Self { of, since: Instant::now() }
    }

    /// Returns how much time is left.
    pub(super) fn left(&self) -> Option<Duration> {
        Some(self.of?.saturating_sub(self.since.elapsed()))
    }

    /// Returns the message, once no time is left.
    pub(super) fn problem(&self, seen: &Seen) -> Option<String> {
        let over = self.left().is_some_and(|left| left.is_zero());
        over.then(|| not_over(self.of.unwrap_or_default(), seen))
    }
}

/// Returns the message for a test that takes longer: `the test is not over after 10s`, and what is running.
pub(super) fn not_over(limit: Duration, seen: &Seen) -> String {
    let running = seen.running.and_then(|runner| seen.call(runner)).map_or(String::new(), |call| {
        let at = call.yielded_at.map_or(String::new(), |place| format!(", since its yield at {place}"));
        format!("; {} runs{at}", call.name)
    });
    let socket = seen.socket.as_ref().map_or(String::new(), |waits| {
        format!(
            "; {waits}. A real socket takes real time, and the virtual clock stands still meanwhile: the in-memory \
             network of `squall::testing` takes virtual time"
        )
    });
    format!("the test is not over after {limit:?}{running}{socket}")
}
