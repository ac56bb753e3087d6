//! Queues: two coroutines that answer each other; one that produces for a hundred that consume.
//!
//! tokio's own channel has one consumer only: for many, its users take `async-channel` as the others do.

use std::time::Duration;

use cpu_time::ThreadTime;
use squall::queues::Queue;

use super::{on_squall, peers};
use crate::executors::{Executor, Pool, Smol, Tokio};
use crate::measure::{Contestant, Row};

const CONSUMERS: usize = 100;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(
            "queue-ping-pong",
            100_000,
            "two coroutines that answer each other through queues: per round trip",
        )
        .target(0.7)
        .with(Contestant::Squall, squall_ping_pong)
        .with(Contestant::Tokio, tokio_ping_pong)
        .with(Contestant::AsyncExecutor, ping_pong::<Smol>)
        .with(Contestant::LocalPool, ping_pong::<Pool>),
        peers!(
            Row::new("queue-consumers", 100_000, "one producer, 100 consumers, a queue for 100 items")
                .target(0.7)
                .with(Contestant::Squall, squall_consumers),
            consumers
        ),
    ]
}

fn squall_ping_pong(n: usize) -> Duration {
    on_squall(move |co| async move {
        let (there, back) = (Queue::new(0), Queue::new(0));
        let start = ThreadTime::now();
        let answering = squall::coroutine({
            let (there, back) = (there.clone(), back.clone());
            move |co| async move {
                for _ in 0..n {
                    let ball: usize = co.yield_(there.get()).await?;
                    co.yield_(back.put(ball + 1)).await?;
                }
                Ok(())
            }
        });
        let mut ball = 0;
        for _ in 0..n {
            co.yield_(there.put(ball)).await?;
            ball = co.yield_(back.get()).await?;
        }
        co.yield_(answering).await?;
        assert_eq!(ball, n);
        Ok(start.elapsed())
    })
}

fn tokio_ping_pong(n: usize) -> Duration {
    Tokio::run(async |executor| {
        let (there, mut got_there) = tokio::sync::mpsc::unbounded_channel::<usize>();
        let (back, mut got_back) = tokio::sync::mpsc::unbounded_channel();
        let start = ThreadTime::now();
        let answering = executor.spawn(async move {
            for _ in 0..n {
                let ball = got_there.recv().await.expect("it is sent");
                back.send(ball + 1).expect("it is waited for");
            }
        });
        let mut ball = 0;
        for _ in 0..n {
            there.send(ball).expect("it is waited for");
            ball = got_back.recv().await.expect("it is sent");
        }
        answering.await;
        assert_eq!(ball, n);
        start.elapsed()
    })
}

fn ping_pong<E: Executor>(n: usize) -> Duration {
    E::run(async |executor| {
        let (there, got_there) = async_channel::unbounded::<usize>();
        let (back, got_back) = async_channel::unbounded();
        let start = ThreadTime::now();
        let answering = executor.spawn(async move {
            for _ in 0..n {
                let ball = got_there.recv().await.expect("it is sent");
                back.send(ball + 1).await.expect("it is waited for");
            }
        });
        let mut ball = 0;
        for _ in 0..n {
            there.send(ball).await.expect("it is waited for");
            ball = got_back.recv().await.expect("it is sent");
        }
        answering.await;
        assert_eq!(ball, n);
        start.elapsed()
    })
}

fn squall_consumers(n: usize) -> Duration {
    on_squall(move |co| async move {
        let queue = Queue::new(100);
        let start = ThreadTime::now();
        let consumers: Vec<_> = (0..CONSUMERS)
            .map(|_| {
                let queue = queue.clone();
                squall::coroutine(move |co| async move {
                    let mut sum = 0;
                    while let Some(item) = co.yield_(queue.get()).await? {
                        sum += item;
                    }
                    Ok(sum)
                })
            })
            .collect();
        for item in (0..n).map(Some).chain([None; CONSUMERS]) {
            co.yield_(queue.put(item)).await?;
        }
        let mut sum = 0;
        for consumer in consumers {
            sum += co.yield_(consumer).await?;
        }
        assert_eq!(sum, n * (n - 1) / 2);
        Ok(start.elapsed())
    })
}

fn consumers<E: Executor>(n: usize) -> Duration {
    E::run(async |executor| {
        let (sender, receiver) = async_channel::bounded(100);
        let start = ThreadTime::now();
        let consumers: Vec<_> = (0..CONSUMERS)
            .map(|_| {
                let receiver = receiver.clone();
                executor.spawn(async move {
                    let mut sum = 0;
                    while let Some(item) = receiver.recv().await.expect("the sender lives") {
                        sum += item;
                    }
                    sum
                })
            })
            .collect();
        for item in (0..n).map(Some).chain([None; CONSUMERS]) {
            sender.send(item).await.expect("it is received");
        }
        let mut sum = 0;
        for consumer in consumers {
            sum += consumer.await;
        }
        assert_eq!(sum, n * (n - 1) / 2);
        start.elapsed()
    })
}
