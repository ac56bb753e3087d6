//! A chain: each coroutine yields the one before it, and the first one a Future that is resolved in the end.

use std::cell::Cell;
use std::time::Duration;

use cpu_time::ThreadTime;
use squall::Future;
use tokio::sync::oneshot;

use super::{on_squall, peers};
use crate::executors::Executor;
use crate::measure::{Contestant, Row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        peers!(
            Row::new("chain", 10_000, "a chain of coroutines, resolved at the bottom")
                .target(0.8)
                .with(Contestant::Squall, squall),
            peer
        ),
        // A million coroutines that end one after the other must not overflow the stack.
        peers!(
            Row::new("chain-million", 1_000_000, "the same, a hundred times as long")
                .target(0.8)
                .with(Contestant::Squall, squall),
            peer
        ),
    ]
}

fn squall(n: usize) -> Duration {
    on_squall(move |co| async move {
        let start = ThreadTime::now();
        let bottom = Future::new();
        let promise = bottom.promise();
        let mut last = bottom;
        for _ in 0..n {
            let before = last;
            last = squall::coroutine(|co| async move { Ok(co.yield_(before).await? + 1) });
        }
        promise.set_result(0);
        assert_eq!(co.yield_(last).await?, n);
        Ok(start.elapsed())
    })
}

thread_local! {
    static WAITING: Cell<usize> = const { Cell::new(0) };
}

fn peer<E: Executor>(n: usize) -> Duration {
    WAITING.set(0);
    E::run(async |executor| {
        let start = ThreadTime::now();
        let (sender, bottom) = oneshot::channel::<usize>();
        let mut last = executor.spawn(async move {
            WAITING.set(WAITING.get() + 1);
            bottom.await.expect("it is sent") + 1
        });
        for _ in 1..n {
            let before = last;
            last = executor.spawn(async move {
                WAITING.set(WAITING.get() + 1);
                before.await + 1
            });
        }
        while WAITING.get() < n {
            E::yield_now().await;
        }
        sender.send(0).expect("it is waited for");
        assert_eq!(last.await, n);
        start.elapsed()
    })
}
