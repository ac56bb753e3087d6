//! Timers: set and fired, set and cancelled.

use std::time::Duration;

use cpu_time::ThreadTime;
use futures::poll;
use squall::{sleep, IoLoop};

use super::{all, on_squall, scattered};
use crate::executors::{Executor, Smol, Tokio};
use crate::measure::{Contestant, Row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new("timers-fired", 100_000, "timers within a millisecond, set and fired")
            .target(0.9)
            .with(Contestant::Squall, squall_fired)
            .with(Contestant::Tokio, tokio_fired)
            .with(Contestant::AsyncExecutor, smol_fired),
        Row::new("timers-cancelled", 100_000, "timers within an hour, set and cancelled in another order")
            .target(0.9)
            .with(Contestant::Squall, squall_cancelled)
            .with(Contestant::Tokio, tokio_cancelled)
            .with(Contestant::AsyncExecutor, smol_cancelled),
    ]
}

/// Delays below a millisecond: setting the timers takes longer than that, so no contestant idles.
fn short(n: usize) -> impl Iterator<Item = Duration> {
    scattered(1).map(|x| Duration::from_nanos(x % 1_000_000)).take(n)
}

fn long(n: usize) -> impl Iterator<Item = Duration> {
    scattered(2).map(|x| Duration::from_millis(1 + x % 3_600_000)).take(n)
}

/// Returns `things` in another order.
fn shuffled<T>(mut things: Vec<T>) -> Vec<T> {
    for (i, x) in (1..things.len()).zip(scattered(3)) {
        things.swap(i, usize::try_from(x % (i as u64 + 1)).expect("it is less than i"));
    }
    things
}

fn squall_fired(n: usize) -> Duration {
    on_squall(move |co| async move {
        let start = ThreadTime::now();
        co.yield_(short(n).map(sleep).collect::<Vec<_>>()).await?;
        Ok(start.elapsed())
    })
}

fn tokio_fired(n: usize) -> Duration {
    Tokio::run(async |_| {
        let start = ThreadTime::now();
        all(short(n).map(tokio::time::sleep)).await;
        start.elapsed()
    })
}

fn smol_fired(n: usize) -> Duration {
    Smol::run(async |_| {
        let start = ThreadTime::now();
        all(short(n).map(async_io::Timer::after)).await;
        start.elapsed()
    })
}

fn squall_cancelled(n: usize) -> Duration {
    on_squall(move |_co| async move {
        let io_loop = IoLoop::current();
        let start = ThreadTime::now();
        let timers: Vec<_> = long(n).map(|delay| io_loop.call_later(delay, || ())).collect();
        for timer in shuffled(timers) {
            io_loop.remove_timeout(&timer);
        }
        Ok(start.elapsed())
    })
}

fn tokio_cancelled(n: usize) -> Duration {
    Tokio::run(async |_| {
        let start = ThreadTime::now();
        let mut timers = Vec::new();
        for delay in long(n) {
            let mut timer = Box::pin(tokio::time::sleep(delay));
            assert!(poll!(&mut timer).is_pending());
            timers.push(timer);
        }
        for timer in shuffled(timers) {
            drop(timer);
        }
        start.elapsed()
    })
}

fn smol_cancelled(n: usize) -> Duration {
    Smol::run(async |_| {
        let start = ThreadTime::now();
        let mut timers = Vec::new();
        for delay in long(n) {
            let mut timer = async_io::Timer::after(delay);
            assert!(poll!(&mut timer).is_pending());
            timers.push(timer);
        }
        for timer in shuffled(timers) {
            drop(timer);
        }
        start.elapsed()
    })
}
