//! [`within`]: a time limit whose timer is removed with it.

use std::cell::Cell;
use std::future::{poll_fn, Future as StdFuture};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use squall_runner::native::Waking;
use squall_runner::ready::{Run, Withdraw};
use squall_runner::{Exception, Result};

use crate::ioloop::{IoLoop, OwnTimer};

/// Runs `work` for at most `limit`: then the result is that of `late`. `Duration::MAX` means no limit.
///
/// The work is pinned by the caller: a future that is handed on by value is stored, and copied, once more for each
/// function that it passes.
pub(super) async fn within<T>(
    limit: Duration,
    mut work: Pin<&mut impl StdFuture<Output = Result<T>>>,
    late: impl Fn() -> Exception,
) -> Result<T> {
    if limit == Duration::MAX {
        return work.await;
    }
    let limit = Limit(Timer::new(limit));
    let mut watches = false;
    poll_fn(|cx| {
        // Once is enough, since the task of a fetch polls it from beginning to end. First, so that what the work itself
        // waits for is what a dump shows.
        if !std::mem::replace(&mut watches, true) {
            limit.0.watch(cx);
        }
        match work.as_mut().poll(cx) {
            Poll::Pending if limit.0.over.get() => Poll::Ready(Err(late())),
            polled => polled,
        }
    })
    .await
}

/// Removes its timer when it is dropped.
struct Limit(Rc<Timer>);

impl Drop for Limit {
    fn drop(&mut self) {
        if let Some(timer) = self.0.set.take() {
            timer.remove(&*self.0);
        }
    }
}

/// The timer's callback.
struct Timer {
    over: Cell<bool>,
    /// The timer that is set; `None` once it has run or was removed.
    set: Cell<Option<OwnTimer>>,
    /// The task to wake.
    task: Cell<Option<Waking>>,
}

impl Timer {
    fn new(limit: Duration) -> Rc<Self> {
        let io_loop = IoLoop::current();
        let until = io_loop.time().saturating_add(limit);
        let timer = Rc::new(Self { over: Cell::new(false), set: Cell::default(), task: Cell::default() });
        if !io_loop.is_closed() {
            timer.set.set(Some(io_loop.add_own_timer(until, timer.clone())));
        }
        timer
    }

    /// Wakes the task that polls with `cx` when the time is over.
    fn watch(&self, cx: &Context<'_>) {
        self.task.set(Some(Waking::of(cx, "a limit of time")));
    }
}

impl Run for Timer {
    fn run(self: Rc<Self>) {
        drop(self.set.take());
        self.over.set(true);
        self.task.take().into_iter().for_each(Waking::wake);
    }
}

impl Withdraw for Timer {
    fn withdraw(&self) {
        drop((self.set.take(), self.task.take()));
    }
}
