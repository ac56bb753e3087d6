//! A lock that a thousand coroutines want, each again and again. Each holds it for one turn of the loop, so that
//! the others wait.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use cpu_time::ThreadTime;
use squall::locks::Lock;
use squall::moment;

use super::on_squall;
use crate::executors::{Executor, Pool, Smol, Tokio};
use crate::measure::{Contestant, Row};

const WAITERS: usize = 1_000;

pub(crate) fn rows() -> Vec<Row> {
    vec![Row::new("lock", 100_000, "a lock under 1,000 waiters, held for one turn each time")
        .target(0.7)
        .with(Contestant::Squall, squall)
        .with(Contestant::Tokio, tokio)
        .with(Contestant::AsyncExecutor, smol::<Smol>)
        .with(Contestant::LocalPool, local_pool)]
}

fn squall(n: usize) -> Duration {
    on_squall(move |co| async move {
        let (lock, count) = (Lock::new(), Rc::new(Cell::new(0)));
        let start = ThreadTime::now();
        let waiters: Vec<_> = (0..WAITERS)
            .map(|_| {
                let (lock, count) = (lock.clone(), count.clone());
                squall::coroutine(move |co| async move {
                    for _ in 0..n / WAITERS {
                        let _guard = co.yield_(lock.acquire()).await?;
                        count.set(count.get() + 1);
                        co.yield_(moment()).await?;
                    }
                    Ok(())
                })
            })
            .collect();
        for waiter in waiters {
            co.yield_(waiter).await?;
        }
        let time = start.elapsed();
        assert_eq!(count.get(), n);
        Ok(time)
    })
}

/// Does the work of the row on a peer, with the lock that it brings.
macro_rules! with_lock {
    ($executor:ty, $n:expr, $lock:expr) => {
        <$executor>::run(async |executor| {
            let (n, lock) = ($n, Rc::new($lock));
            let start = ThreadTime::now();
            let waiters: Vec<_> = (0..WAITERS)
                .map(|_| {
                    let lock = lock.clone();
                    executor.spawn(async move {
                        for _ in 0..n / WAITERS {
                            let mut count = lock.lock().await;
                            *count += 1;
                            <$executor>::yield_now().await;
                        }
                    })
                })
                .collect();
            for waiter in waiters {
                waiter.await;
            }
            let time = start.elapsed();
            assert_eq!(*lock.lock().await, n);
            time
        })
    };
}

fn tokio(n: usize) -> Duration {
    with_lock!(Tokio, n, tokio::sync::Mutex::new(0))
}

fn smol<E: Executor>(n: usize) -> Duration {
    with_lock!(E, n, async_lock::Mutex::new(0))
}

fn local_pool(n: usize) -> Duration {
    with_lock!(Pool, n, futures::lock::Mutex::new(0))
}
