//! An empty job on a pool of threads: there and back, and many at once.

use std::time::{Duration, Instant};

use squall::IoLoop;

use super::{all, on_squall};
use crate::executors::{Executor, Smol, Tokio};
use crate::measure::{Contestant, Row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new("executor-round-trip", 10_000, "run_in_executor of an empty job / spawn_blocking")
            .target(0.8)
            .with(Contestant::Squall, squall_round_trip)
            .with(Contestant::Tokio, |n| Tokio::run(async |_| tokio_round_trip(n).await))
            .with(Contestant::AsyncExecutor, |n| Smol::run(async |_| smol_round_trip(n).await)),
        Row::new("executor-at-once", 100_000, "the same, all at once")
            .target(0.8)
            .with(Contestant::Squall, squall_at_once)
            .with(Contestant::Tokio, |n| Tokio::run(async |_| tokio_at_once(n).await))
            .with(Contestant::AsyncExecutor, |n| Smol::run(async |_| smol_at_once(n).await)),
    ]
}

fn squall_round_trip(n: usize) -> Duration {
    on_squall(move |co| async move {
        let io_loop = IoLoop::current();
        co.yield_(io_loop.run_in_executor(|| ())).await?;
        let start = Instant::now();
        for _ in 0..n {
            co.yield_(io_loop.run_in_executor(|| ())).await?;
        }
        Ok(start.elapsed())
    })
}

async fn tokio_round_trip(n: usize) -> Duration {
    tokio::task::spawn_blocking(|| ()).await.expect("it did not panic");
    let start = Instant::now();
    for _ in 0..n {
        tokio::task::spawn_blocking(|| ()).await.expect("it did not panic");
    }
    start.elapsed()
}

async fn smol_round_trip(n: usize) -> Duration {
    blocking::unblock(|| ()).await;
    let start = Instant::now();
    for _ in 0..n {
        blocking::unblock(|| ()).await;
    }
    start.elapsed()
}

fn squall_at_once(n: usize) -> Duration {
    on_squall(move |co| async move {
        let io_loop = IoLoop::current();
        let start = Instant::now();
        co.yield_((0..n).map(|_| io_loop.run_in_executor(|| ())).collect::<Vec<_>>()).await?;
        Ok(start.elapsed())
    })
}

async fn tokio_at_once(n: usize) -> Duration {
    let start = Instant::now();
    all((0..n).map(|_| tokio::task::spawn_blocking(|| ()))).await;
    start.elapsed()
}

async fn smol_at_once(n: usize) -> Duration {
    let start = Instant::now();
    all((0..n).map(|_| blocking::unblock(|| ()))).await;
    start.elapsed()
}
