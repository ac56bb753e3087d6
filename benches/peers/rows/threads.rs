//! Calls from another thread: there and back, and one way only.
//!
//! The peers have no `add_callback`: there a task runs the closures that come through a channel, which is how
//! other threads reach what is not `Send`.

use std::cell::Cell;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use squall::{Future, IoLoop, Promise};

use super::on_squall;
use crate::executors::{Executor, Pool, Smol, Tokio};
use crate::measure::{Contestant, Row};

type Job = Box<dyn FnOnce() + Send>;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new("thread-round-trip", 10_000, "add_callback from another thread, which waits for the answer")
            .target(0.9)
            .with(Contestant::Squall, squall_round_trip)
            .with(Contestant::Tokio, tokio_round_trip)
            .with(Contestant::AsyncExecutor, round_trip::<Smol>)
            .with(Contestant::LocalPool, round_trip::<Pool>),
        Row::new("thread-one-way", 1_000_000, "add_callback from another thread, which does not wait")
            .target(0.9)
            .with(Contestant::Squall, squall_one_way)
            .with(Contestant::Tokio, tokio_one_way)
            .with(Contestant::AsyncExecutor, one_way::<Smol>)
            .with(Contestant::LocalPool, one_way::<Pool>),
    ]
}

/// Requests `n` calls, and waits for the answer of each before the next.
fn ask(n: usize, mut call: impl FnMut(Job)) {
    let (answer, answered) = mpsc::channel();
    for _ in 0..n {
        let answer = answer.clone();
        call(Box::new(move || answer.send(()).expect("it is waited for")));
        answered.recv().expect("it is answered");
    }
}

thread_local! {
    /// How many calls have come, on the thread of the loop.
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    CALLS.set(CALLS.get() + 1);
}

fn squall_round_trip(n: usize) -> Duration {
    on_squall(move |co| async move {
        let handle = IoLoop::current().handle();
        let (finished, promise) = finished();
        let start = Instant::now();
        let thread = thread::spawn(move || {
            ask(n, |job| handle.add_callback(job));
            handle.add_callback(finish);
        });
        promise_here(promise);
        co.yield_(finished).await?;
        let time = start.elapsed();
        thread.join().expect("it did not panic");
        Ok(time)
    })
}

fn squall_one_way(n: usize) -> Duration {
    on_squall(move |co| async move {
        CALLS.set(0);
        let handle = IoLoop::current().handle();
        let (finished, promise) = finished();
        let start = Instant::now();
        let thread = thread::spawn(move || {
            for _ in 0..n {
                handle.add_callback(count);
            }
            handle.add_callback(finish);
        });
        promise_here(promise);
        co.yield_(finished).await?;
        let time = start.elapsed();
        assert_eq!(CALLS.get(), n);
        thread.join().expect("it did not panic");
        Ok(time)
    })
}

thread_local! {
    /// Resolved by the last call: a Promise cannot go to the other thread.
    static LAST: Cell<Option<Promise<()>>> = const { Cell::new(None) };
}

fn finished() -> (Future<()>, Promise<()>) {
    let future = Future::new();
    let promise = future.promise();
    (future, promise)
}

fn promise_here(promise: Promise<()>) {
    LAST.set(Some(promise));
}

fn finish() {
    if let Some(promise) = LAST.take() {
        promise.set_result(());
    }
}

fn tokio_round_trip(n: usize) -> Duration {
    Tokio::run(async |executor| {
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel::<Job>();
        let start = Instant::now();
        let thread = thread::spawn(move || ask(n, |job| drop(sender.send(job))));
        executor
            .spawn(async move {
                while let Some(job) = receiver.recv().await {
                    job();
                }
            })
            .await;
        let time = start.elapsed();
        thread.join().expect("it did not panic");
        time
    })
}

fn tokio_one_way(n: usize) -> Duration {
    Tokio::run(async |executor| {
        CALLS.set(0);
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel::<Job>();
        let start = Instant::now();
        let thread = thread::spawn(move || {
            for _ in 0..n {
                assert!(sender.send(Box::new(count)).is_ok());
            }
        });
        executor
            .spawn(async move {
                while let Some(job) = receiver.recv().await {
                    job();
                }
            })
            .await;
        let time = start.elapsed();
        assert_eq!(CALLS.get(), n);
        thread.join().expect("it did not panic");
        time
    })
}

fn round_trip<E: Executor>(n: usize) -> Duration {
    E::run(async |executor| {
        let (sender, receiver) = async_channel::unbounded::<Job>();
        let start = Instant::now();
        let thread = thread::spawn(move || ask(n, |job| drop(sender.try_send(job))));
        executor
            .spawn(async move {
                while let Ok(job) = receiver.recv().await {
                    job();
                }
            })
            .await;
        let time = start.elapsed();
        thread.join().expect("it did not panic");
        time
    })
}

fn one_way<E: Executor>(n: usize) -> Duration {
    E::run(async |executor| {
        CALLS.set(0);
        let (sender, receiver) = async_channel::unbounded::<Job>();
        let start = Instant::now();
        let thread = thread::spawn(move || {
            for _ in 0..n {
                assert!(sender.try_send(Box::new(count)).is_ok());
            }
        });
        executor
            .spawn(async move {
                while let Ok(job) = receiver.recv().await {
                    job();
                }
            })
            .await;
        let time = start.elapsed();
        assert_eq!(CALLS.get(), n);
        thread.join().expect("it did not panic");
        time
    })
}
