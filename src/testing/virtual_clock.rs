//! [`VirtualClock`]: time that jumps to the next timer when nothing is ready.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use crate::ioloop::Clock;

/// A clock that stands still while callbacks run, and jumps when the loop would sleep. Clones share the time.
///
/// ```
/// use std::time::Duration;
/// use squall::{sleep, IoLoop, testing::VirtualClock};
///
/// let clock = VirtualClock::new();
/// let io_loop = IoLoop::with_clock(clock.clone());
/// io_loop.run_sync(|| sleep(Duration::from_secs(3600)))?;    // takes no time at all
/// assert_eq!(io_loop.time(), Duration::from_secs(3600));
/// # Ok::<(), squall::Exception>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct VirtualClock(Rc<Cell<Duration>>);

impl VirtualClock {
    /// Creates a clock that stands at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the time forward, as code that blocks would: nothing runs meanwhile.
    pub fn advance(&self, by: Duration) {
        self.0.set(self.0.get().saturating_add(by));
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Duration {
        self.0.get()
    }

    fn until(&self, deadline: Duration) -> Duration {
        self.0.set(self.0.get().max(deadline));
        Duration::ZERO
    }

    fn jumps(&self) -> bool {
        true
    }
}
