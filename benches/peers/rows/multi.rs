//! `multi` over pending Futures that are resolved then, and `join_all` of the peers.

use std::time::Duration;

use cpu_time::ThreadTime;
use futures::future::join;
use squall::Future;
use tokio::sync::oneshot;

use super::{all, on_squall, peers};
use crate::executors::Executor;
use crate::measure::{Contestant, Row};

pub(crate) fn rows() -> Vec<Row> {
    vec![peers!(
        Row::new("multi", 10_000, "multi over pending Futures (made beforehand) / join_all")
            .target(0.8)
            .with(Contestant::Squall, squall),
        peer
    )]
}

fn squall(n: usize) -> Duration {
    on_squall(move |co| async move {
        let futures: Vec<_> = (0..n).map(|_| Future::<usize>::new()).collect();
        let promises: Vec<_> = futures.iter().map(Future::promise).collect();
        let start = ThreadTime::now();
        let all = squall::multi(futures);
        for (i, promise) in promises.into_iter().enumerate() {
            promise.set_result(i);
        }
        let results = co.yield_(all).await?;
        let time = start.elapsed();
        assert_eq!(results.into_iter().sum::<usize>(), n * (n - 1) / 2);
        Ok(time)
    })
}

fn peer<E: Executor>(n: usize) -> Duration {
    E::run(async |_executor| {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..n).map(|_| oneshot::channel::<usize>()).unzip();
        let start = ThreadTime::now();
        // The first is polled first: all receivers wait when the second one sends.
        let (results, ()) = join(all(receivers), async {
            for (i, sender) in senders.into_iter().enumerate() {
                sender.send(i).expect("it is waited for");
            }
        })
        .await;
        let time = start.elapsed();
        assert_eq!(results.into_iter().map(Result::unwrap).sum::<usize>(), n * (n - 1) / 2);
        time
    })
}
