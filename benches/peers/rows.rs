//! The rows of the table: each file holds the work of its rows on squall, and next to it the same work on the peers.
//!
//! A contestant makes its loop and its inputs, does the work on `n` things, and returns the time of the work alone.

mod call;
mod chain;
mod done;
mod executor;
mod locks;
mod moment;
mod multi;
mod queues;
mod sockets;
mod threads;
mod timers;
mod tracing;
mod waiting;

use std::future::Future;
use std::time::Duration;

use squall::{Co, IoLoop, Result};

use crate::executors::{Executor, Pool, Smol, Tokio};
use crate::measure::{Contestant, Row};

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
        sockets::rows(),
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
            .with(Contestant::Squall, both_of_squall)
            .with(Contestant::Tokio, both::<Tokio>)
            .with(Contestant::AsyncExecutor, both::<Smol>)
            .with(Contestant::LocalPool, both::<Pool>),
        Row::new("alive-create", 1_000_000, "a million of them alive: creation")
            .target(0.8)
            .with(Contestant::Squall, |n| waiting::squall::<0>(n, |_| ()).0)
            .with(Contestant::Tokio, created::<Tokio>)
            .with(Contestant::AsyncExecutor, created::<Smol>)
            .with(Contestant::LocalPool, created::<Pool>),
        Row::new("alive-resume", 1_000_000, "a million of them alive: resumption to the end")
            .target(0.8)
            .with(Contestant::Squall, |n| waiting::squall::<0>(n, |_| ()).1)
            .with(Contestant::Tokio, resumed::<Tokio>)
            .with(Contestant::AsyncExecutor, resumed::<Smol>)
            .with(Contestant::LocalPool, resumed::<Pool>),
    ]
}

/// Adds one generic contestant for each of the three peers.
macro_rules! peers {
    ($row:expr, $run:ident) => {
        $row.with($crate::measure::Contestant::Tokio, $run::<$crate::executors::Tokio>)
            .with($crate::measure::Contestant::AsyncExecutor, $run::<$crate::executors::Smol>)
            .with($crate::measure::Contestant::LocalPool, $run::<$crate::executors::Pool>)
    };
}
use peers;

/// Waits for many Futures as the peers' users do. It steps outside of tokio's budget for one task, within which
/// `join_all` takes quadratic time; the other peers have no budget.
fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> impl Future<Output = Vec<F::Output>> {
    tokio::task::unconstrained(futures::future::join_all(futures))
}

/// Returns numbers that look random and are equal in every run.
pub(crate) fn scattered(seed: usize) -> impl Iterator<Item = u64> {
    let mut state = seed as u64 + 0x9e37_79b9_7f4a_7c15;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
}
