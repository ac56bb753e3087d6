//! Letting the loop turn: `moment`, and `yield_now` of the peers.

use std::time::Duration;

use cpu_time::ThreadTime;
use squall::moment;

use super::{on_squall, peers};
use crate::executors::Executor;
use crate::measure::{Contestant, Row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        peers!(
            Row::new("moment-1", 100_000, "moment in one coroutine")
                .target(0.6)
                .with(Contestant::Squall, |n| squall(1, n)),
            one
        ),
        peers!(
            Row::new("moment-1000", 1_000_000, "moment in 1,000 coroutines")
                .target(0.6)
                .with(Contestant::Squall, |n| squall(1_000, n)),
            thousand
        ),
    ]
}

fn squall(coroutines: usize, n: usize) -> Duration {
    on_squall(move |co| async move {
        let start = ThreadTime::now();
        let coroutines: Vec<_> = (0..coroutines)
            .map(|_| {
                squall::coroutine(move |co| async move {
                    for _ in 0..n / coroutines {
                        co.yield_(moment()).await?;
                    }
                    Ok(())
                })
            })
            .collect();
        for coroutine in coroutines {
            co.yield_(coroutine).await?;
        }
        Ok(start.elapsed())
    })
}

fn one<E: Executor>(n: usize) -> Duration {
    peer::<E>(1, n)
}

fn thousand<E: Executor>(n: usize) -> Duration {
    peer::<E>(1_000, n)
}

fn peer<E: Executor>(tasks: usize, n: usize) -> Duration {
    E::run(async |executor| {
        let start = ThreadTime::now();
        let tasks: Vec<_> = (0..tasks)
            .map(|_| {
                executor.spawn(async move {
                    for _ in 0..n / tasks {
                        E::yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        start.elapsed()
    })
}
