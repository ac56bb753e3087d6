//! The order of events, and what takes a turn of the loop.

use std::cell::Cell;
use std::rc::Rc;

use squall_runner::ready::{call_soon, callback, ReadyQueue};
use squall_runner::{convert_yielded, coroutine, moment, Exception, Future, Result};

use crate::{drain, turn, Lines};

fn lines() -> (Lines, impl Fn(&str) -> Box<dyn Fn(&str)>) {
    let lines = Lines::default();
    let of = lines.clone();
    (lines, move |name: &str| {
        let (lines, name) = (of.clone(), name.to_owned());
        Box::new(move |what: &str| lines.add(format!("{name} {what}")))
    })
}

#[test]
fn call_runs_up_to_the_first_yield_of_something_pending() {
    let (lines, writer) = lines();
    let write = writer("a");
    let waited = Future::<()>::new();
    let _promise = waited.promise();
    let future = coroutine(|co| async move {
        write("starts");
        co.yield_(Future::ready(())).await?;
        write("goes on");
        co.yield_(waited).await?;
        write("ends");
        Ok(())
    });
    assert_eq!(lines.take(), ["a starts", "a goes on"]);
    assert!(!future.done() && ReadyQueue::current().is_empty());
}

#[test]
fn yield_done_future_does_not_turn_the_loop() {
    let future = coroutine(|co| async move {
        let mut sum = 0;
        for n in 0..1000 {
            sum += co.yield_(Future::ready(n)).await?;
        }
        let failed: Result<i32> = co.yield_(Future::failed(Exception::msg("no"))).await;
        Ok(sum + i32::from(failed.is_err()))
    });
    assert!(ReadyQueue::current().is_empty());
    assert_eq!(future.result().unwrap(), 499_501);
}

#[test]
fn yield_coroutine_that_ended_in_the_call_does_not_turn_the_loop() {
    let future = coroutine(|co| async move {
        let inner = coroutine(|co| async move { co.yield_(Future::ready(5)).await });
        co.yield_(inner).await
    });
    assert_eq!(future.result().unwrap(), 5);
}

#[test]
fn moment_costs_exactly_one_turn() {
    let future = coroutine(|co| async move {
        for _ in 0..5 {
            co.yield_(moment()).await?;
        }
        for _ in 0..5 {
            co.yield_(()).await?;
        }
        Ok(())
    });
    for _ in 0..10 {
        assert!(!future.done());
        assert_eq!(turn(), 1);
    }
    assert!(future.done() && ReadyQueue::current().is_empty());
}

#[test]
fn moment_lets_all_ready_coroutines_run_first() {
    let (lines, writer) = lines();
    let spawn = |name: &str| {
        let write = writer(name);
        coroutine(|co| async move {
            for step in ["1", "2", "3"] {
                write(step);
                co.yield_(moment()).await?;
            }
            Ok(())
        })
    };
    let (_a, _b) = (spawn("a"), spawn("b"));
    drain();
    assert_eq!(lines.take(), ["a 1", "b 1", "a 2", "b 2", "a 3", "b 3"]);
}

#[test]
fn nothing_runs_inside_set_result() {
    let (lines, writer) = lines();
    let waited = Future::new();
    let promise = waited.promise();
    let (write, other) = (writer("coroutine"), writer("callback"));
    waited.add_done_callback(move |_| other("runs"));
    let _future = coroutine(|co| async move {
        co.yield_(waited).await?;
        write("runs");
        Ok(())
    });
    promise.set_result(());
    assert!(lines.take().is_empty());
    assert_eq!(turn(), 2);
    assert_eq!(lines.take(), ["callback runs", "coroutine runs"]);
}

#[test]
fn waiters_run_in_the_order_in_which_they_came() {
    let (lines, writer) = lines();
    let waited = Future::<i32>::new();
    let promise = waited.promise();
    let mut held = Vec::new();
    for n in 0..12 {
        let write = writer(&n.to_string());
        let waited = waited.clone();
        match n % 3 {
            0 => held.push(coroutine(|co| async move {
                co.yield_(waited).await?;
                write("coroutine");
                Ok(())
            })),
            1 => waited.add_done_callback(move |_| write("callback")),
            _ => waited.erased().add_callback(move || write("callback of the queue")),
        }
    }
    promise.set_result(5);
    drain();
    let order: Vec<_> = lines.take().iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(order, (0..12).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn natives_and_coroutines_that_wait_for_the_same_run_in_the_order_in_which_they_came() {
    let (lines, writer) = lines();
    let waited = Future::<i32>::new();
    let promise = waited.promise();
    let native = |name: &str| {
        let (write, waited) = (writer(name), waited.clone());
        convert_yielded(async move {
            waited.await?;
            write("runs");
            Ok::<_, Exception>(())
        })
    };
    let decorated = |name: &str| {
        let (write, waited) = (writer(name), waited.clone());
        coroutine(|co| async move {
            co.yield_(moment()).await?;
            co.yield_(waited).await?;
            write("runs");
            Ok(())
        })
    };
    let _held = (native("a"), decorated("b"), native("c"), decorated("d"));
    turn();
    promise.set_result(5);
    drain();
    assert_eq!(lines.take(), ["a runs", "b runs", "c runs", "d runs"]);
}

#[test]
fn callback_of_a_done_future_is_put_on_the_queue() {
    let (lines, writer) = lines();
    let done = Future::ready(5);
    let (write, other) = (writer("first"), writer("second"));
    call_soon(callback(move || write("runs")));
    done.add_done_callback(move |f| other(&f.result().unwrap().to_string()));
    assert!(lines.take().is_empty());
    assert_eq!(turn(), 2);
    assert_eq!(lines.take(), ["first runs", "second 5"]);
}

#[test]
fn what_a_turn_adds_runs_in_the_next() {
    let seen = Rc::new(Cell::new(0));
    let (first, second) = (seen.clone(), seen.clone());
    call_soon(callback(move || {
        first.set(1);
        call_soon(callback(move || second.set(2)));
    }));
    turn();
    assert_eq!(seen.get(), 1);
    turn();
    assert_eq!(seen.get(), 2);
}

#[test]
fn each_level_of_a_chain_costs_one_turn() {
    let bottom = Future::new();
    let promise = bottom.promise();
    let mut chain = bottom;
    for _ in 0..10 {
        chain = coroutine(|co| async move { Ok(co.yield_(chain).await? + 1) });
    }
    promise.set_result(0);
    for _ in 0..10 {
        assert!(!chain.done());
        assert_eq!(turn(), 1);
    }
    assert_eq!(chain.result().unwrap(), 10);
}

#[test]
fn native_starts_one_turn_later() {
    let (lines, writer) = lines();
    let write = writer("native");
    let native = convert_yielded(async move {
        write("runs");
        Ok::<_, Exception>(5)
    });
    let native = native.unwrap();
    assert!(lines.take().is_empty() && !native.done());
    assert_eq!(turn(), 1);
    assert_eq!(lines.take(), ["native runs"]);
    assert_eq!(native.result().unwrap(), 5);
}

#[test]
fn yield_native_costs_a_turn_to_start_it_and_one_to_come_back() {
    let future = coroutine(|co| async move { co.yield_(async { Ok::<_, Exception>(5) }).await });
    assert_eq!(turn(), 1);
    assert!(!future.done());
    assert_eq!(turn(), 1);
    assert_eq!(future.result().unwrap(), 5);
}

#[test]
fn native_awaits_natives_and_done_futures_inline() {
    async fn inner(n: i32) -> Result<i32> {
        Future::ready(n).await
    }
    let native = convert_yielded(async {
        let mut sum = 0;
        for n in 0..100 {
            sum += inner(n).await?;
        }
        Ok::<_, Exception>(sum)
    });
    let native = native.unwrap();
    assert_eq!(drain(), 1);
    assert_eq!(native.result().unwrap(), 4950);
}

#[test]
fn moment_in_a_native_costs_exactly_one_turn() {
    let native = convert_yielded(async {
        for _ in 0..5 {
            moment().await?;
        }
        Ok::<_, Exception>(())
    });
    let native = native.unwrap();
    for _ in 0..6 {
        assert!(!native.done());
        assert_eq!(turn(), 1);
    }
    assert!(native.done() && ReadyQueue::current().is_empty());
}

#[test]
fn moment_in_a_native_is_not_cut_short_by_a_late_wake_up() {
    // Both things that it waits for wake it in the same turn; that is one step, not two.
    let (a, b) = (Future::<()>::new(), Future::<()>::new());
    let (wake_a, wake_b) = (a.promise(), b.promise());
    let turns = Rc::new(Cell::new(0));
    let counted = turns.clone();
    let native = convert_yielded(async move {
        futures::future::select(a, b).await;
        let before = counted.get();
        moment().await?;
        Ok::<_, Exception>(counted.get() - before)
    });
    let native = native.unwrap();
    turn();
    wake_a.set_result(());
    wake_b.set_result(());
    while !native.done() {
        turns.set(turns.get() + 1);
        turn();
    }
    assert_eq!(native.result().unwrap(), 1);
}

#[test]
fn native_awaits_a_pending_future_for_one_turn() {
    let waited = Future::new();
    let promise = waited.promise();
    let native = coroutine(|co| async move { co.yield_(async move { waited.await }).await });
    drain();
    promise.set_result(5);
    assert_eq!(turn(), 1, "the native");
    assert!(!native.done());
    assert_eq!(turn(), 1, "its waiter runs");
    assert_eq!(native.result().unwrap(), 5);
}

#[test]
fn future_that_is_yielded_as_a_future_is_no_native() {
    let done = Future::ready(5);
    let converted = convert_yielded(done.clone()).unwrap();
    assert_eq!(converted.id(), done.id());
    assert!(ReadyQueue::current().is_empty());
}
