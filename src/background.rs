//! [`background`]: what lives as long as its loop by design.

use squall_runner::Context;

use crate::context::ContextVar;

/// Set in the context of what is in the background.
static BACKGROUND: ContextVar<()> = ContextVar::new();

/// Calls `f`, and marks what it starts as living as long as the loop by design: the task that accepts the connections of a
/// server, a heartbeat, a cache that is cleaned once an hour.
///
/// The coroutines that `f` calls, those that they call in turn, and the timers that all of these set are in the background.
/// They run like any others, but `#[squall::test]`, `assert_idle` and `explore` do not count them as left over.
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
/// A [`web::Application`](crate::web::Application) and its connections are in the background by themselves. Their handlers
/// are not: one that still waits at the end of a test is left over.
pub fn background<R>(f: impl FnOnce() -> R) -> R {
    Context::current().enter(|| {
        BACKGROUND.set(());
        f()
    })
}

/// Returns whether what runs now is in the background.
pub(crate) fn is_background() -> bool {
    BACKGROUND.get().is_some()
}
