//! Calling a coroutine that never waits, and taking its result.

use std::time::Duration;

use cpu_time::ThreadTime;
use squall::{Future, Result};

use super::{on_squall, peers};
use crate::executors::Executor;
use crate::measure::{Contestant, Row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        peers!(
            Row::new("call", 100_000, "call a coroutine that has nothing to wait for, take its result")
                .target(0.15)
                .with(Contestant::Squall, squall),
            peer
        ),
        peers!(
            Row::new(
                "call-generator",
                100_000,
                "the same where it yields elsewhere: its body is a generator"
            )
            .target(0.15)
            .with(Contestant::Squall, squall_generator),
            peer
        ),
    ]
}

#[squall::coroutine]
fn number(i: usize) -> Result<usize> {
    Ok(i)
}

#[squall::coroutine]
fn number_of(i: Option<usize>) -> Result<usize> {
    let Some(i) = i else { return yield_!(Future::ready(0)) };
    Ok(i)
}

fn squall(n: usize) -> Duration {
    on_squall(move |_co| async move {
        let start = ThreadTime::now();
        let mut sum = 0;
        for i in 0..n {
            sum += number(i).into_result()?;
        }
        assert_eq!(sum, n * (n - 1) / 2);
        Ok(start.elapsed())
    })
}

fn squall_generator(n: usize) -> Duration {
    on_squall(move |_co| async move {
        let start = ThreadTime::now();
        let mut sum = 0;
        for i in 0..n {
            sum += number_of(Some(i)).into_result()?;
        }
        assert_eq!(sum, n * (n - 1) / 2);
        Ok(start.elapsed())
    })
}

fn peer<E: Executor>(n: usize) -> Duration {
    E::run(async |executor| {
        let start = ThreadTime::now();
        let mut sum = 0;
        for i in 0..n {
            sum += executor.spawn(async move { i }).await;
        }
        assert_eq!(sum, n * (n - 1) / 2);
        start.elapsed()
    })
}
