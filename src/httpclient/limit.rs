//! [`within`]: a time limit that takes its timer along when it is not needed any more.

use std::future::{poll_fn, Future as StdFuture};
use std::pin::{pin, Pin};
use std::task::Poll;
use std::time::Duration;

use squall_runner::{Exception, Future, Result};

use crate::gen::sleep;

/// Does `work`, which is dropped after `limit`: then the result is what `late` returns. `Duration::MAX` is no limit.
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
            // It fails if somebody cancels this.
            over?;
            Err(late())
        })
    })
    .await
}

/// A sleep that ends when it is dropped.
struct Timer(Future<()>);

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
