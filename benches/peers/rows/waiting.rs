//! Many coroutines, each waiting on a Future of its own; all resolved; all run to the end. Each has `STATE` bytes of
//! its own, which it needs again after it has waited.
//!
//! `at` is called before the first is made and again when all of them wait; the lists of handles are made before.
//! The two times returned are those of the making and of the rest.

use std::cell::Cell;
use std::hint::black_box;
use std::time::Duration;

use cpu_time::ThreadTime;
use squall::Future;
use tokio::sync::oneshot;

use super::on_squall;
use crate::executors::Executor;

/// The moment at which `at` is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Now {
    Empty,
    AllWait,
}

pub(crate) fn squall<const STATE: usize>(
    n: usize,
    mut at: impl FnMut(Now) + 'static,
) -> (Duration, Duration) {
    on_squall(move |co| async move {
        let (mut promises, mut coroutines) = (Vec::with_capacity(n), Vec::with_capacity(n));
        at(Now::Empty);
        let start = ThreadTime::now();
        for _ in 0..n {
            let future = Future::new();
            promises.push(future.promise());
            coroutines.push(squall::coroutine(|co| async move {
                let state = black_box([0_u8; STATE]);
                let value = co.yield_(future).await?;
                black_box(&state);
                Ok(value)
            }));
        }
        let created = start.elapsed();
        at(Now::AllWait);
        let start = ThreadTime::now();
        for (i, promise) in promises.into_iter().enumerate() {
            promise.set_result(i);
        }
        let mut sum = 0;
        for coroutine in coroutines {
            sum += co.yield_(coroutine).await?;
        }
        assert_eq!(sum, n * (n - 1) / 2);
        Ok((created, start.elapsed()))
    })
}

thread_local! {
    /// The number of tasks that have reached their wait.
    static WAITING: Cell<usize> = const { Cell::new(0) };
}

pub(crate) fn peer<E: Executor, const STATE: usize>(
    n: usize,
    mut at: impl FnMut(Now),
) -> (Duration, Duration) {
    WAITING.set(0);
    E::run(async |executor| {
        let (mut senders, mut tasks) = (Vec::with_capacity(n), Vec::with_capacity(n));
        at(Now::Empty);
        let start = ThreadTime::now();
        for _ in 0..n {
            let (sender, receiver) = oneshot::channel();
            senders.push(sender);
            tasks.push(executor.spawn(async move {
                WAITING.set(WAITING.get() + 1);
                let state = black_box([0_u8; STATE]);
                let value = receiver.await.expect("it is sent");
                black_box(&state);
                value
            }));
        }
        while WAITING.get() < n {
            E::yield_now().await;
        }
        let created = start.elapsed();
        at(Now::AllWait);
        let start = ThreadTime::now();
        for (i, sender) in senders.into_iter().enumerate() {
            sender.send(i).expect("it is waited for");
        }
        let mut sum = 0;
        for task in tasks {
            sum += task.await;
        }
        assert_eq!(sum, n * (n - 1) / 2);
        (created, start.elapsed())
    })
}
