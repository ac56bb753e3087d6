//! [`Clock`]: where a loop gets its time from.

use std::fmt;
use std::time::{Duration, Instant};

/// A source of time for a loop. All times are measured from the creation of the loop.
///
/// squall has two clocks: [`RealClock`], and the [`VirtualClock`](crate::testing::VirtualClock) of tests, which jumps
/// to the next timer.
pub trait Clock: fmt::Debug {
    /// Returns the current time. It never decreases.
    fn now(&self) -> Duration;

    /// Returns how long the loop has to sleep until `deadline`. The loop calls this when nothing is ready before then.
    /// A clock that can jump moves itself to the deadline and returns zero.
    fn until(&self, deadline: Duration) -> Duration;

    /// Returns whether the clock can jump. A loop on such a clock waits for the jobs of executors before it lets the
    /// clock jump, so that jobs take no time.
    fn jumps(&self) -> bool {
        false
    }

    /// Returns the time by which [callbacks are measured](crate::IoLoop::set_blocking_log_threshold): by default that of
    /// the clock. A clock that stands still while callbacks run may return real time.
    fn working_time(&self) -> Duration {
        self.now()
    }
}

/// The monotonic clock of the machine.
#[derive(Debug)]
pub struct RealClock(Instant);

impl RealClock {
    /// Creates a clock that starts at zero.
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
