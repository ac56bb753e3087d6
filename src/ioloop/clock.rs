//! [`Clock`]: the loop's one seam for time.

use std::fmt;
use std::time::{Duration, Instant};

/// Where a loop gets its time from. Times are since the loop was made.
///
/// There are two: [`RealClock`], and the [`VirtualClock`](crate::testing::VirtualClock) of tests, which jumps.
pub trait Clock: fmt::Debug {
    /// The time now. It never goes backwards.
    fn now(&self) -> Duration;

    /// Called when nothing is ready before `deadline`: how long the loop has to sleep until then. A clock that
    /// can jump is at the deadline when this returns, and says zero.
    fn until(&self, deadline: Duration) -> Duration;

    /// Whether it is one that can jump. A loop on such a clock waits for the jobs of executors before it lets the
    /// clock jump: they take no time.
    fn jumps(&self) -> bool {
        false
    }
}

/// The clock of the machine: monotonic.
#[derive(Debug)]
pub struct RealClock(Instant);

impl RealClock {
    /// A clock that stands at zero now.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for RealClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn until(&self, deadline: Duration) -> Duration {
        deadline.saturating_sub(self.now())
    }
}
