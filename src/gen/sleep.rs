//! [`sleep`]: a Future that is done after a while.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use squall_runner::ready::{Run, Withdraw};
use squall_runner::trace::{self, Event, Origin};
use squall_runner::{Future, Resolvable, Shared};

use crate::ioloop::{IoLoop, OwnTimer, CLOSED};

/// Returns a Future that is done after `duration`. The clock starts now, not when it is yielded.
///
/// ```
/// use std::time::Duration;
/// use squall::{sleep, IoLoop};
///
/// IoLoop::current().run_sync(|| sleep(Duration::from_millis(1)))?;
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// A cancelled sleep takes its timer with it. On a loop that is [closed](IoLoop::close) the Future has failed.
///
/// Source: `tornado.gen.sleep`.
#[track_caller]
pub fn sleep(duration: Duration) -> Future<()> {
    let io_loop = IoLoop::current();
    let until = io_loop.time().saturating_add(duration);
    let sleep = Rc::new(Sleep { shared: Shared::new(), timer: Cell::new(None) });
    if io_loop.is_closed() {
        sleep.shared.set_exception(CLOSED.into());
        // A sleep that is only made while a loop is closing, in some `Drop`, is not worth a report.
        drop(sleep.shared.exception());
    } else {
        sleep.timer.set(Some(io_loop.add_own_timer(until, sleep.clone())));
    }
    trace::emit(|| Event::Made { future: sleep.shared.id(), origin: Origin::Sleep { until } });
    Future::from_core(sleep)
}

/// The Future and its timer's callback, in one.
struct Sleep {
    shared: Shared<()>,
    /// `None` once the timer is gone.
    timer: Cell<Option<OwnTimer>>,
}

impl Resolvable for Sleep {
    type Output = ();

    fn shared(&self) -> &Shared<()> {
        &self.shared
    }

    fn cancel(&self) -> bool {
        let cancelled = self.shared.cancel();
        if cancelled {
            self.timer.take().into_iter().for_each(|timer| timer.remove(self));
        }
        cancelled
    }
}

impl Run for Sleep {
    fn run(self: Rc<Self>) {
        drop(self.timer.take());
        self.shared.set_result(());
    }
}

impl Withdraw for Sleep {
    fn withdraw(&self) {
        drop(self.timer.take());
        self.shared.forget_waiters();
    }
}
