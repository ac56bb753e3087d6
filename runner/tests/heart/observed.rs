//! The events that an observer receives, and that observing makes no difference to the coroutines.

use std::cell::RefCell;
use std::rc::Rc;

use squall_runner::ready::Callback;
use squall_runner::trace::{Event, Observer, Queued};
use squall_runner::{coroutine, moment, Future, Result};

use crate::{drain, Lines, Observing};

/// Records the names of events, and their calls.
struct Names(Lines);

impl Observer for Names {
    fn event(&self, event: &Event<'_>) {
        let line = match event {
            Event::Call { runner, .. } => format!("call {}", runner.0),
            Event::Start { runner } => format!("start {}", runner.0),
            Event::Send { runner, .. } => format!("send {}", runner.0),
            Event::Throw { runner, .. } => format!("throw {}", runner.0),
            Event::Yield { runner, .. } => format!("yield {}", runner.0),
            Event::Wait { runner, .. } => format!("wait {}", runner.0),
            Event::Return { runner, .. } => format!("return {}", runner.0),
            Event::Raise { runner, .. } => format!("raise {}", runner.0),
            Event::Already { runner, .. } => format!("already {}", runner.0),
            Event::Push { queued: Queued::Call(call), why, .. } => format!("push {} {why:?}", call.0),
            Event::Retrieved { future } => format!("retrieved {}", future.0),
            Event::Resolve { .. } => return,
            event => format!("{event:?}"),
        };
        self.0.add(line);
    }
}

fn twice() -> Future<i32> {
    coroutine(|co| async move {
        let five = co.yield_(Future::ready(5)).await?;
        co.yield_(moment()).await?;
        Ok(five * 2)
    })
}

#[test]
fn call_that_is_observed_is_told_step_by_step() {
    let lines = Lines::default();
    let observing = Observing::by(Rc::new(Names(lines.clone())));
    let future = twice();
    drain();
    drop(observing);
    assert_eq!(future.result().unwrap(), 10);
    let told = [
        "call 1",
        "start 1",
        "yield 1",
        "already 1",
        "send 1",
        "yield 1",
        "wait 1",
        "push 1 Moment",
        "send 1",
        "return 1",
    ];
    assert_eq!(lines.take(), told);
}

#[test]
fn call_that_was_made_before_anybody_observed_is_not_told_of() {
    let (before, lines) = (twice(), Lines::default());
    let observing = Observing::by(Rc::new(Names(lines.clone())));
    let failing = coroutine(|co| async move {
        co.yield_(Future::<()>::failed(std::fmt::Error)).await?;
        Ok(())
    });
    drain();
    drop(observing);
    assert_eq!(before.result().unwrap(), 10);
    assert!(failing.exception().unwrap().is::<std::fmt::Error>());
    assert_eq!(
        lines.take(),
        ["call 1", "start 1", "yield 1", "already 1", "retrieved 2", "throw 1", "raise 1"]
    );
}

#[test]
fn call_that_was_observed_is_told_of_no_more_when_the_observer_has_gone() {
    let lines = Lines::default();
    let observing = Observing::by(Rc::new(Names(lines.clone())));
    let future = twice();
    drop(observing);
    let told = lines.take().len();
    drain();
    assert_eq!(future.result().unwrap(), 10);
    assert_eq!((told, lines.take()), (8, Vec::<String>::new()));
}

#[test]
fn observing_changes_nothing_for_what_is_observed() {
    fn results() -> Vec<Result<i32, String>> {
        let fails = || {
            coroutine(|co| async move { Ok(co.yield_(Future::<i32>::failed(std::fmt::Error)).await? + 1) })
        };
        let panics = || {
            coroutine(|co| async move {
                co.yield_(moment()).await?;
                assert!(co.yield_(Future::ready(false)).await?, "it panics");
                Ok(1)
            })
        };
        let futures = [twice(), fails(), panics()];
        drain();
        futures.iter().map(|future| future.result().map_err(|exception| format!("{exception:?}"))).collect()
    }
    let unobserved = results();
    let _observing = Observing::by(Rc::new(Names(Lines::default())));
    assert_eq!(results(), unobserved);
}

/// Stops every Runner wherever it may stop.
#[derive(Default)]
struct Stops(RefCell<Vec<(Callback, bool)>>);

impl Observer for Stops {
    fn event(&self, _event: &Event<'_>) {}

    fn stops(&self, runner: Callback, started: bool) -> bool {
        self.0.borrow_mut().push((runner, started));
        true
    }
}

#[test]
fn runner_stops_before_it_starts_and_after_each_resume_by_the_loop() {
    let stops = Rc::new(Stops::default());
    let _observing = Observing::by(stops.clone());
    let log = Lines::default();
    let inner = log.clone();
    let future = coroutine(move |co| async move {
        for n in 0..3 {
            inner.add(format!("resumed {n}"));
            co.yield_(Future::ready(n)).await?;
        }
        Ok(())
    });
    assert_eq!(log.take(), [""; 0], "it is called, and not started");
    for n in 0..3 {
        let (runner, started) = stops.0.borrow_mut().pop().unwrap();
        assert_eq!(started, n > 0);
        runner.run();
        assert_eq!(log.take(), [format!("resumed {n}")]);
    }
    let (runner, _) = stops.0.borrow_mut().pop().unwrap();
    runner.run();
    assert!(future.done() && stops.0.borrow().is_empty());
}
