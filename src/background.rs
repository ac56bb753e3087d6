//! [`background`]: coroutines and timers that live as long as their loop by design.

use squall_runner::Context;

use crate::context::ContextVar;

/// Set in the contexts of background code.
static BACKGROUND: ContextVar<()> = ContextVar::new();

/// Calls `f`, and puts everything that it starts in the background: it lives as long as the loop by design, like the
/// task that accepts a server's connections, a heartbeat, or a cache that is cleaned once an hour.
///
/// In the background are the coroutines that `f` calls, those that they call in turn, and the timers that all of these
/// set. They run like any others, but `#[squall::test]`, `assert_idle` and `explore` do not count them as left behind.
///
/// ```
/// use std::time::Duration;
/// use squall::{background, sleep, IoLoop, Result};
///
/// #[squall::coroutine]
/// fn heartbeat() -> Result<()> {
///     loop {
///         println!("alive");
///         yield_!(sleep(Duration::from_secs(60)))?;
///     }
/// }
///
/// #[squall::test]
/// fn ends_though_the_heart_beats() -> Result<()> {
///     background(|| IoLoop::current().spawn_callback(heartbeat));
///     yield_!(sleep(Duration::from_secs(3600)))
/// }
/// ```
///
/// The server of a [`web::Application`](crate::web::Application) and its connections are in the background
/// automatically. Handlers are not: one that still waits at the end of a test counts as left behind.
pub fn background<R>(f: impl FnOnce() -> R) -> R {
    Context::current().enter(|| {
        BACKGROUND.set(());
        f()
    })
}

/// Returns whether the running code is in the background.
pub(crate) fn is_background() -> bool {
    BACKGROUND.get().is_some()
}
