//! [`sleep`]: a Future that is done after a given time.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use squall_runner::ready::{Run, Withdraw};
use squall_runner::trace::{self, Origin, Queued};
use squall_runner::{Future, Place, Resolvable, Shared};

use crate::ioloop::{IoLoop, OwnTimer, CLOSED};

/// Returns a Future that is done after `duration`. The time runs from the call, not from the yield.
///
/// ```
/// use std::time::Duration;
/// use squall::{sleep, IoLoop};
///
/// IoLoop::current().run_sync(|| sleep(Duration::from_millis(1)))?;
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// Cancelling the Future removes its timer. The timer of a dropped Future is removed when the loop needs room for more
/// timers. On a [closed](IoLoop::close) loop the Future fails.
///
/// Source: `tornado.gen.sleep`.
#[track_caller]
pub fn sleep(duration: Duration) -> Future<()> {
    let io_loop = IoLoop::current();
    let until = io_loop.time().saturating_add(duration);
    let sleep = Rc::new(Sleep { shared: Shared::new(), timer: Cell::new(None) });
    if io_loop.is_closed() {
        sleep.shared.set_exception(CLOSED.into());
        // A sleep that some `Drop` creates while the loop closes is not worth a report.
        drop(sleep.shared.exception());
    } else {
        sleep.timer.set(Some(io_loop.add_own_timer(until, sleep.clone())));
    }
    let here = Place::caller();
    sleep.shared.announce_as(|| (Origin::Sleep { until }, None, Some(here)));
    Future::from_core(sleep)
}

/// The Future, which is also its timer's callback.
struct Sleep {
    shared: Shared<()>,
    /// `None` once the timer has run or was removed.
    timer: Cell<Option<OwnTimer>>,
}

impl Resolvable for Sleep {
    type Output = ();

    fn shared(&self) -> &Shared<()> {
        &self.shared
    }

    fn on_cancel(&self) {
        self.timer.take().into_iter().for_each(|timer| timer.remove(self));
    }
}

impl Run for Sleep {
    fn run(self: Rc<Self>) {
        drop(self.timer.take());
        self.shared.set_result(());
    }

    /// Only the timer has it.
    fn is_over(&self, holders: usize) -> bool {
        holders == 1 && !self.shared.has_callbacks()
    }

    fn queued_as(&self) -> Queued {
        self.shared.queued_as("sleep")
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if trace::observed() {
            self.shared.tell_dropped();
        }
    }
}

impl Withdraw for Sleep {
    fn withdraw(&self) {
        drop(self.timer.take());
        self.shared.end_with_loop();
    }
}
