//! The rows of the table: what each does on squall, and next to it what it does on the peers.
//!
//! A contestant makes its loop and its inputs, does the work on `n` things, and gives the time of the work alone.

mod call;
mod chain;
mod done;
mod executor;
mod locks;
mod moment;
mod multi;
mod queues;
mod threads;
mod timers;
mod tracing;
mod waiting;

use std::future::Future;
use std::time::Duration;

use squall::{Co, IoLoop, Result};

use crate::executors::{Executor, Pool, Smol, Tokio};
use crate::measure::{Row, Who};

/// All rows, in the order of the table.
pub(crate) fn rows() -> Vec<Row> {
    [
        call::rows(),
        done::rows(),
        moment::rows(),
        waiting_rows(),
        chain::rows(),
        multi::rows(),
        queues::rows(),
        locks::rows(),
        timers::rows(),
        threads::rows(),
        executor::rows(),
        tracing::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Runs `body` as a coroutine on a new loop.
pub(crate) fn on_squall<T, F>(body: impl FnOnce(Co) -> F + 'static) -> T
where
    T: 'static,
    F: Future<Output = Result<T>> + 'static,
{
    IoLoop::new().run_sync(|| squall::coroutine(body)).expect("nothing in a bench raises")
}

fn waiting_rows() -> Vec<Row> {
    fn both<E: Executor>(n: usize) -> Duration {
        let (created, resumed) = waiting::peer::<E, 0>(n, |_| ());
        created + resumed
    }
    fn created<E: Executor>(n: usize) -> Duration {
        waiting::peer::<E, 0>(n, |_| ()).0
    }
    fn resumed<E: Executor>(n: usize) -> Duration {
        waiting::peer::<E, 0>(n, |_| ()).1
    }
    let both_of_squall = |n| {
        let (created, resumed) = waiting::squall::<0>(n, |_| ());
        created + resumed
    };
    vec![
        Row::new("waiting", 100_000, "coroutines each waiting on its own Future, resolved, run to the end")
            .target(0.8)
            .with(Who::Squall, both_of_squall)
            .with(Who::Tokio, both::<Tokio>)
            .with(Who::AsyncExecutor, both::<Smol>)
            .with(Who::LocalPool, both::<Pool>),
        Row::new("alive-create", 1_000_000, "a million of them alive: creation")
            .target(0.8)
            .with(Who::Squall, |n| waiting::squall::<0>(n, |_| ()).0)
            .with(Who::Tokio, created::<Tokio>)
            .with(Who::AsyncExecutor, created::<Smol>)
            .with(Who::LocalPool, created::<Pool>),
        Row::new("alive-resume", 1_000_000, "a million of them alive: resumption to the end")
            .target(0.8)
            .with(Who::Squall, |n| waiting::squall::<0>(n, |_| ()).1)
            .with(Who::Tokio, resumed::<Tokio>)
            .with(Who::AsyncExecutor, resumed::<Smol>)
            .with(Who::LocalPool, resumed::<Pool>),
    ]
}

/// The same generic contestant on each of the three peers.
macro_rules! peers {
    ($row:expr, $run:ident) => {
        $row.with($crate::measure::Who::Tokio, $run::<$crate::executors::Tokio>)
            .with($crate::measure::Who::AsyncExecutor, $run::<$crate::executors::Smol>)
            .with($crate::measure::Who::LocalPool, $run::<$crate::executors::Pool>)
    };
}
use peers;

/// The peers' way to wait for many. Out of tokio's budget for one task, within which it takes quadratic time;
/// to the others that is nothing.
fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> impl Future<Output = Vec<F::Output>> {
    tokio::task::unconstrained(futures::future::join_all(futures))
}

/// Numbers that look random and are the same in every run.
pub(crate) fn scattered(seed: usize) -> impl Iterator<Item = u64> {
    let mut state = seed as u64 + 0x9e37_79b9_7f4a_7c15;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
}
