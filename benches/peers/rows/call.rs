//! Calling a coroutine that never waits, and taking its result.

use std::time::{Duration, Instant};

use super::{on_squall, peers};
use crate::executors::Executor;
use crate::measure::{Row, Who};

pub(crate) fn rows() -> Vec<Row> {
    vec![peers!(
        Row::new("call", 100_000, "call a coroutine that never waits, take its result")
            .target(0.15)
            .with(Who::Squall, squall),
        peer
    )]
}

fn squall(n: usize) -> Duration {
    on_squall(move |co| async move {
        let start = Instant::now();
        let mut sum = 0;
        for i in 0..n {
            sum += co.yield_(squall::coroutine(move |_co| async move { Ok(i) })).await?;
        }
        assert_eq!(sum, n * (n - 1) / 2);
        Ok(start.elapsed())
    })
}

fn peer<E: Executor>(n: usize) -> Duration {
    E::run(async |executor| {
        let start = Instant::now();
        let mut sum = 0;
        for i in 0..n {
            sum += executor.spawn(async move { i }).await;
        }
        assert_eq!(sum, n * (n - 1) / 2);
        start.elapsed()
    })
}
