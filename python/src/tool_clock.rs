//! [`ToolClock`]: the virtual clock of a tool.

use std::time::{Duration, Instant};

use squall::ioloop::Clock;
use squall::testing::VirtualClock;

/// A clock that jumps to the next timer when nothing is ready. Callbacks are measured in real time, so that one that blocks
/// can be reported.
#[derive(Debug)]
pub(crate) struct ToolClock {
    time: VirtualClock,
    since: Instant,
}

impl ToolClock {
    pub(crate) fn new() -> Self {
        Self { time: VirtualClock::new(), since: Instant::now() }
    }
}

impl Clock for ToolClock {
    fn now(&self) -> Duration {
        self.time.now()
    }

    fn until(&self, deadline: Duration) -> Duration {
        self.time.until(deadline)
    }

    fn jumps(&self) -> bool {
        true
    }

    fn working_time(&self) -> Duration {
        self.since.elapsed()
    }
}
