//! The cost of an event that an observer receives. Without an observer it is a few instructions, which
//! `scripts/instructions.py --without-events` counts.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use cpu_time::ThreadTime;
use squall::moment;
use squall::trace::{observe, Event, Observer, Recorder};

use super::on_squall;
use crate::measure::{Contestant, Row};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new("trace-event", 1_000_000, "tracing on, an observer that counts: per event")
            .with(Contestant::Squall, squall),
        Row::new(
            "trace-record",
            1_000_000,
            "the same with a recorder, which keeps the first 100,000: per event",
        )
        .with(Contestant::Squall, recorded),
    ]
}

#[derive(Default)]
struct Count(Cell<usize>);

impl Observer for Count {
    fn event(&self, _event: &Event<'_>) {
        self.0.set(self.0.get() + 1);
    }
}

fn squall(n: usize) -> Duration {
    on_squall(move |co| async move {
        let count = Rc::new(Count::default());
        let observing = observe(count.clone());
        let start = ThreadTime::now();
        while count.0.get() < n {
            co.yield_(moment()).await?;
        }
        let time = start.elapsed();
        drop(observing);
        Ok(time)
    })
}

fn recorded(n: usize) -> Duration {
    let trace = Recorder::new().record(|| {
        on_squall(move |co| async move {
            let start = ThreadTime::now();
            // A round is four events: the turn, the send, the yield and the wait.
            for _ in 0..n / 4 {
                co.yield_(moment()).await?;
            }
            Ok(start.elapsed())
        })
    });
    assert!(trace.entries().len() + trace.dropped() >= n);
    trace.result
}
