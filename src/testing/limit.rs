//! [`Limit`]: how long a test may take in real time, and what is said of one that takes longer.

use std::time::{Duration, Instant};

use super::watch::Seen;

/// So long if nothing else is said, to a `TestLoop` or to `#[squall::test]`.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// So much real time from now on; `None`: somebody else looks at the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    of: Option<Duration>,
    since: Instant,
}

impl Limit {
    pub(super) fn new(of: Option<Duration>) -> Self {
        Self { of, since: Instant::now() }
    }

    /// What is left of it.
    pub(super) fn left(&self) -> Option<Duration> {
        Some(self.of?.saturating_sub(self.since.elapsed()))
    }

    /// What is wrong, once nothing is left.
    pub(super) fn problem(&self, seen: &Seen) -> Option<String> {
        let over = self.left().is_some_and(|left| left.is_zero());
        over.then(|| not_over(self.of.unwrap_or_default(), seen))
    }
}

/// What is wrong with a test that takes longer than that: `the test is not over after 10s`, and who runs.
pub(super) fn not_over(limit: Duration, seen: &Seen) -> String {
    let who = seen.running.and_then(|runner| seen.call(runner)).map_or(String::new(), |call| {
        let at = call.yielded_at.map_or(String::new(), |place| format!(", since its yield at {place}"));
        format!("; {} runs{at}", call.who)
    });
    let socket = seen.socket.as_ref().map_or(String::new(), |waits| {
        format!(
            "; {waits}. A real socket takes real time, and the virtual clock stands still meanwhile: the in-memory \
             network of `squall::testing` takes virtual time"
        )
    });
    format!("the test is not over after {limit:?}{who}{socket}")
}
