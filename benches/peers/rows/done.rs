//! Yielding a Future that is done already: the cost of one trip through the Runner. The limit is a bare
//! `genawaiter` generator that is resumed as often.

use std::time::Duration;

use cpu_time::ThreadTime;
use genawaiter::rc::Gen;
use genawaiter::GeneratorState;
use squall::Future;

use super::on_squall;
use crate::measure::{Contestant, Row};

pub(crate) fn rows() -> Vec<Row> {
    vec![Row::new("done", 1_000_000, "yield a Future that is done already (it is made beforehand)")
        .target_of(Contestant::Limit, 4.0)
        .with(Contestant::Squall, squall)
        .with(Contestant::Limit, limit)]
}

fn squall(n: usize) -> Duration {
    on_squall(move |co| async move {
        let done = Future::ready(1_usize);
        let start = ThreadTime::now();
        let mut sum = 0;
        for _ in 0..n {
            sum += co.yield_(done.clone()).await?;
        }
        assert_eq!(sum, n);
        Ok(start.elapsed())
    })
}

fn limit(n: usize) -> Duration {
    let mut generator = Gen::new(|co: genawaiter::rc::Co<usize, usize>| async move {
        let mut sum = 0;
        for _ in 0..n {
            sum += co.yield_(1).await;
        }
        sum
    });
    let start = ThreadTime::now();
    let mut sent = 0;
    while let GeneratorState::Yielded(yielded) = generator.resume_with(sent) {
        sent = yielded;
    }
    start.elapsed()
}
