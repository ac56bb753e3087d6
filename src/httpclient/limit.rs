//! [`within`]: a time limit whose timer is removed with it.

use std::future::{poll_fn, Future as StdFuture};
use std::pin::{pin, Pin};
use std::task::Poll;
use std::time::Duration;

use squall_runner::{Exception, Future, Result};

use crate::gen::sleep;

/// Runs `work`, and drops it after `limit`: then the result is that of `late`. `Duration::MAX` means no limit.
pub(super) async fn within<T>(
    limit: Duration,
    work: impl StdFuture<Output = Result<T>>,
    late: impl Fn() -> Exception,
) -> Result<T> {
    if limit == Duration::MAX {
        return work.await;
    }
    let mut timer = Timer(sleep(limit));
    let mut work = pin!(work);
    poll_fn(|cx| {
        if let Poll::Ready(result) = work.as_mut().poll(cx) {
            return Poll::Ready(result);
        }
        Pin::new(&mut timer.0).poll(cx).map(|over| {
            // Fails if the sleep is cancelled.
            over?;
            Err(late())
        })
    })
    .await
}

/// A sleep that is cancelled when it is dropped.
struct Timer(Future<()>);

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
