//! [`sleep`]: a Future that is done after a while.

use std::rc::Rc;
use std::time::Duration;

use squall_runner::ready::Run;
use squall_runner::trace::{self, Event, Origin};
use squall_runner::{Future, Resolvable, Shared};

use crate::ioloop::IoLoop;

/// A Future that is done after `duration`. The clock starts now, not when it is yielded.
///
/// ```
/// use std::time::Duration;
/// use squall::{sleep, IoLoop};
///
/// IoLoop::current().run_sync(|| sleep(Duration::from_millis(1)))?;
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// Source: `tornado.gen.sleep`.
#[track_caller]
pub fn sleep(duration: Duration) -> Future<()> {
    let io_loop = IoLoop::current();
    let sleep = Rc::new(Sleep(Shared::new()));
    let until = io_loop.time().saturating_add(duration);
    io_loop.add_timer(until, sleep.clone());
    trace::emit(|| Event::Made { future: sleep.0.id(), origin: Origin::Sleep { until } });
    Future::from_core(sleep)
}

/// The Future and its timer's callback, in one.
struct Sleep(Shared<()>);

impl Resolvable for Sleep {
    type Output = ();

    fn shared(&self) -> &Shared<()> {
        &self.0
    }
}

impl Run for Sleep {
    fn run(self: Rc<Self>) {
        self.0.set_result(());
    }

    fn withdraw(&self) {
        self.0.forget_waiters();
    }
}
