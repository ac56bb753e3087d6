//! Mistakes in a body: each becomes an exception that says what to write instead, and nothing panics.

use std::cell::{Cell, RefCell};
use std::future::Future as _;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use squall_runner::ready::{Callback, ReadyQueue};
use squall_runner::{convert_yielded, coroutine, moment, Co, Exception, Future, Misuse, Result};

use crate::{drain, turn, without_panics, Alive, Lines};

/// Returns the mistake with which a coroutine fails, once everything has run.
fn misuse<T: 'static>(future: Future<T>) -> (Misuse, String) {
    without_panics(drain);
    let exception = future.exception().expect("it failed");
    let misuse = match exception.downcast_ref::<squall_runner::Error>() {
        Some(squall_runner::Error::Misuse(misuse)) => misuse.clone(),
        other => panic!("{other:?} instead of a misuse: {exception:?}"),
    };
    (misuse, exception.to_string())
}

/// Polls all of them, then is pending unless all are ready: `join` of the futures crate, in small.
async fn join<A: std::future::Future, B: std::future::Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut got_a, mut got_b) = (None, None);
    std::future::poll_fn(move |cx| {
        if got_a.is_none() {
            if let Poll::Ready(a) = a.as_mut().poll(cx) {
                got_a = Some(a);
            }
        }
        if got_b.is_none() {
            if let Poll::Ready(b) = b.as_mut().poll(cx) {
                got_b = Some(b);
            }
        }
        match (got_a.take(), got_b.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (a, b) => {
                (got_a, got_b) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}

#[test]
fn await_of_something_pending_says_to_yield_it() {
    let future = without_panics(|| {
        coroutine(|_co| async move {
            std::future::pending::<()>().await;
            Ok(())
        })
    });
    let (misuse, text) = misuse(future);
    assert_eq!(misuse, Misuse::ForeignAwait);
    assert!(text.contains("yield_!(x)?") && text.contains("co.yield_(x).await?"), "{text}");
}

#[test]
fn await_of_something_pending_after_a_yield_says_to_yield_it() {
    let future = coroutine(|co| async move {
        co.yield_(moment()).await?;
        std::future::pending::<()>().await;
        Ok(())
    });
    assert_eq!(misuse(future).0, Misuse::ForeignAwait);
}

#[test]
fn await_of_a_pending_squall_future_says_to_yield_it() {
    let waited = Future::<i32>::new();
    let promise = waited.promise();
    let future = without_panics(|| coroutine(|_co| waited));
    assert_eq!(misuse(future).0, Misuse::ForeignAwait);
    without_panics(|| promise.set_result(5));
}

#[test]
fn await_of_something_ready_is_fine() {
    let future = coroutine(|co| async move {
        let five = std::future::ready(5).await;
        let six = Future::ready(6).await?;
        let helped = helper(&co, 7).await?;
        Ok((five, six, helped))
    });
    assert_eq!(future.result().unwrap(), (5, 6, 7));
}

/// A part of a body, in a function that takes its `Co`.
async fn helper(co: &Co, n: i32) -> Result<i32> {
    co.yield_(Future::ready(n)).await
}

#[test]
fn a_co_may_go_along_into_boxes_and_blocks_of_its_own_body() {
    let future = coroutine(|co| async move {
        let co = Box::new(co);
        let inner = async { co.yield_(moment()).await };
        inner.await?;
        let inner = Box::pin(async move { co.yield_(Future::ready(5)).await });
        inner.await
    });
    without_panics(drain);
    assert_eq!(future.result().unwrap(), 5);
}

#[test]
fn second_yield_before_the_first_is_awaited_names_its_line() {
    let line = line!() + 3;
    let future = without_panics(|| {
        coroutine(|co| async move {
            let first = co.yield_(Future::ready(1));
            let second = co.yield_(Future::ready(2));
            Ok(first.await? + second.await?)
        })
    });
    let (misuse, text) = misuse(future);
    assert_eq!(lines_of(&misuse), [line, line + 1], "{misuse:?}");
    assert!(text.contains("write co.yield_(x).await? for each one before the next"), "{text}");
}

fn lines_of(misuse: &Misuse) -> Vec<u32> {
    match misuse {
        Misuse::NotAwaited(at) => vec![at.line()],
        Misuse::Twice { first, second } => vec![first.line(), second.line()],
        _ => Vec::new(),
    }
}

#[test]
fn two_yields_joined_are_a_misuse_on_both_sides_of_a_resume() {
    let future = without_panics(|| {
        coroutine(|co| async move {
            let (a, b) = join(async { co.yield_(moment()).await }, async { co.yield_(moment()).await }).await;
            a.and(b)
        })
    });
    assert!(matches!(misuse(future).0, Misuse::Twice { .. }));

    let future = coroutine(|co| async move {
        co.yield_(moment()).await?;
        let (a, b) = join(co.yield_(Future::ready(1)), co.yield_(Future::ready(2))).await;
        Ok(a? + b?)
    });
    assert!(matches!(misuse(future).0, Misuse::Twice { .. }));
}

#[test]
fn dropped_yield_says_to_await_it_and_names_its_line() {
    let line = line!() + 3;
    let future = without_panics(|| {
        coroutine(|co| async move {
            let _ = co.yield_(Future::ready(1));
            Ok(())
        })
    });
    let (misuse, text) = misuse(future);
    assert_eq!(lines_of(&misuse), [line], "{misuse:?}");
    assert!(text.contains("co.yield_(x).await?"), "{text}");
}

#[test]
fn dropped_yield_before_a_good_one_is_not_lost() {
    let seen = Rc::new(Cell::new(false));
    let after = seen.clone();
    let line = line!() + 3;
    let future = without_panics(|| {
        coroutine(|co| async move {
            drop(co.yield_(Future::ready(1)));
            co.yield_(Future::ready(2)).await?;
            after.set(true);
            Ok(())
        })
    });
    let (misuse, _) = misuse(future);
    assert_eq!(lines_of(&misuse), [line, line + 1], "{misuse:?}");
    assert!(!seen.get(), "it was not resumed after the mistake");
}

#[test]
fn dropped_yield_in_a_later_part_of_the_body_is_not_lost() {
    let future = coroutine(|co| async move {
        co.yield_(moment()).await?;
        drop(co.yield_(moment()));
        std::future::pending::<()>().await;
        Ok(())
    });
    assert!(matches!(misuse(future).0, Misuse::NotAwaited(_)));
}

#[test]
fn yield_that_is_kept_and_never_awaited_is_not_lost() {
    let future = without_panics(|| {
        coroutine(|co| async move {
            let kept = co.yield_(moment());
            std::future::pending::<()>().await;
            kept.await
        })
    });
    assert!(matches!(misuse(future).0, Misuse::NotAwaited(_)));
}

#[test]
fn yield_that_lost_a_race_is_not_resumed() {
    // Polls the yield once, gives it up, and returns.
    let future = without_panics(|| {
        coroutine(|co| async move {
            let mut waiting = pin!(co.yield_(moment()));
            std::future::poll_fn(|cx| Poll::Ready(drop(waiting.as_mut().poll(cx)))).await;
            Ok(5)
        })
    });
    assert!(matches!(misuse(future).0, Misuse::NotAwaited(_)));
}

#[test]
fn yield_that_is_polled_after_its_end_does_not_panic() {
    let future = coroutine(|co| async move {
        let mut waiting = pin!(co.yield_(Future::ready(5)));
        waiting.as_mut().await?;
        waiting.await
    });
    assert_eq!(misuse(future).0, Misuse::ForeignAwait);
}

#[test]
fn the_mistake_of_a_caller_is_not_that_of_whom_it_calls() {
    let called = Rc::new(RefCell::new(None));
    let seen = called.clone();
    let future = without_panics(|| {
        coroutine(|co| async move {
            drop(co.yield_(moment()));
            let good = coroutine(|co| async move { co.yield_(Future::ready(1)).await });
            *seen.borrow_mut() = Some(good.result());
            Ok(())
        })
    });
    assert!(matches!(misuse(future).0, Misuse::NotAwaited(_)));
    assert_eq!(called.take().unwrap().unwrap(), 1);
}

#[test]
fn the_mistake_of_whom_it_calls_is_not_that_of_the_caller() {
    let future = without_panics(|| {
        coroutine(|co| async move {
            let yielded = co.yield_(Future::ready(1));
            let bad = coroutine(|co| async move {
                drop(co.yield_(moment()));
                Ok(())
            });
            assert!(matches!(misuse(bad).0, Misuse::NotAwaited(_)));
            yielded.await
        })
    });
    assert_eq!(future.result().unwrap(), 1);
}

#[test]
fn a_suspended_coroutine_that_is_given_up_in_the_middle_of_another_is_no_mistake() {
    let future = without_panics(|| {
        coroutine(|co| async move {
            let forever = Future::<()>::new();
            let never = coroutine(|co| async move { co.yield_(forever).await });
            let yielded = co.yield_(Future::ready(1));
            ReadyQueue::current().abandon();
            drop(never);
            yielded.await
        })
    });
    assert_eq!(future.result().unwrap(), 1);
}

/// Takes the Co out of a coroutine that ends.
fn escaped() -> Co {
    let escaped = Rc::new(RefCell::new(None));
    let out = escaped.clone();
    drop(coroutine(|co| async move {
        co.yield_(Future::ready(())).await?;
        *out.borrow_mut() = Some(co);
        Ok(())
    }));
    let co = escaped.take();
    co.expect("the body put it there")
}

#[test]
fn co_that_outlives_its_body_raises_at_the_yield_wherever_that_is() {
    let co = escaped();
    let mut cx = Context::from_waker(Waker::noop());
    let polled = without_panics(|| pin!(co.yield_(Future::ready(5))).poll(&mut cx));
    let Poll::Ready(Err(exception)) = polled else { panic!("{polled:?}") };
    assert_eq!(exception.downcast_ref(), Some(&squall_runner::Error::Misuse(Misuse::Escaped)));
    assert!(exception.to_string().contains("yield only in the body that was given the Co"));
    without_panics(|| drop(co.yield_(Future::ready(5))));
}

#[test]
fn co_that_was_never_resumed_and_escaped_raises_too() {
    let escaped = Rc::new(RefCell::new(None));
    let out = escaped.clone();
    drop(coroutine(|co| async move {
        *out.borrow_mut() = Some(co);
        Ok(())
    }));
    let co = escaped.take().unwrap();
    let other = without_panics(|| coroutine(|_co| async move { co.yield_(Future::ready(1)).await }));
    assert_eq!(misuse(other).0, Misuse::Escaped);
}

#[test]
fn co_used_in_another_body_ends_that() {
    let co = escaped();
    let went_on = Rc::new(Cell::new(false));
    let seen = went_on.clone();
    let other = without_panics(|| {
        coroutine(|own| async move {
            own.yield_(moment()).await?;
            drop(co.yield_(moment()).await);
            seen.set(true);
            own.yield_(Future::ready(5)).await
        })
    });
    assert_eq!(misuse(other).0, Misuse::Escaped);
    assert!(!went_on.get());
}

#[test]
fn co_of_a_suspended_caller_raises_in_the_body_that_uses_it_and_only_there() {
    let outer = without_panics(|| {
        coroutine(|co| async move {
            let co = Rc::new(co);
            let lent = co.clone();
            let inner = coroutine(|_own| async move { lent.yield_(moment()).await });
            let (misuse, _) = misuse(inner);
            assert_eq!(misuse, Misuse::Escaped);
            co.yield_(Future::ready(5)).await
        })
    });
    without_panics(drain);
    assert_eq!(outer.result().unwrap(), 5);
}

#[test]
fn co_used_in_a_native_coroutine_raises_there() {
    let lines = Lines::default();
    let written = lines.clone();
    let outer = coroutine(|co| async move {
        let co = Rc::new(co);
        let lent = co.clone();
        let inner = convert_yielded(async move { lent.yield_(Future::ready(1)).await })?;
        let raised: Result<i32> = co.yield_(inner).await;
        written.add(raised.unwrap_err().to_string());
        co.yield_(Future::ready(5)).await
    });
    without_panics(drain);
    assert_eq!(outer.result().unwrap(), 5);
    assert!(lines.take()[0].contains("of another coroutine"));
}

#[test]
fn body_that_empties_the_queue_while_it_runs_does_not_lend_its_co_to_what_runs_then() {
    let outer = without_panics(|| {
        coroutine(|co| async move {
            let co = Rc::new(co);
            let lent = co.clone();
            let inner = convert_yielded(async move { lent.yield_(Future::ready(1)).await })?;
            drain();
            assert!(inner.exception().is_some_and(|e| e.to_string().contains("of another coroutine")));
            co.yield_(Future::ready(5)).await
        })
    });
    assert_eq!(outer.result().unwrap(), 5);
}

#[test]
fn body_may_resolve_what_it_then_yields() {
    let future = coroutine(|co| async move {
        let own = Future::new();
        own.promise().set_result(5);
        co.yield_(own).await
    });
    assert_eq!(future.result().unwrap(), 5);
}

#[test]
fn body_may_resolve_what_it_waits_for_through_another() {
    let future = coroutine(|co| async move {
        let own = Future::<i32>::new();
        let promise = own.promise();
        let helper = coroutine(|co| async move {
            co.yield_(moment()).await?;
            promise.set_result(5);
            Ok(())
        });
        let five = co.yield_(own).await?;
        co.yield_(helper).await?;
        Ok(five)
    });
    without_panics(drain);
    assert_eq!(future.result().unwrap(), 5);
}

#[test]
fn body_that_empties_the_queue_while_it_runs_goes_on() {
    let future = coroutine(|co| async move {
        co.yield_(moment()).await?;
        let other = Future::new();
        let promise = other.promise();
        let waiting = coroutine(|co| async move { co.yield_(other).await });
        promise.set_result(5);
        drain();
        assert_eq!(waiting.result().unwrap(), 5);
        co.yield_(moment()).await?;
        Ok(6)
    });
    without_panics(drain);
    assert_eq!(future.result().unwrap(), 6);
}

#[test]
fn runner_that_is_called_while_it_runs_returns() {
    let own = Rc::new(RefCell::new(None::<Callback>));
    let run = own.clone();
    let future = coroutine(|co| async move {
        co.yield_(moment()).await?;
        let callback = run.borrow_mut().take().expect("the test put it there");
        callback.clone().run();
        callback.run();
        co.yield_(moment()).await?;
        Ok(5)
    });
    let callback = ReadyQueue::current().pop().unwrap();
    *own.borrow_mut() = Some(callback.clone());
    without_panics(|| callback.run());
    assert!(!future.done());
    assert_eq!(turn(), 1);
    assert_eq!(future.result().unwrap(), 5);
}

#[test]
fn runner_that_is_called_for_nothing_waits_on() {
    let waited = Future::new();
    let promise = waited.promise();
    let future = coroutine(|co| async move {
        co.yield_(moment()).await?;
        co.yield_(waited).await
    });
    let callback = ReadyQueue::current().pop().unwrap();
    callback.clone().run();
    callback.clone().run();
    assert!(!future.done());
    promise.set_result(5);
    drain();
    callback.run();
    assert_eq!(future.result().unwrap(), 5);
}

#[test]
fn body_that_closes_its_own_loop_ends_all_the_same() {
    let alive = Alive::default();
    let counted = alive.one();
    let future = coroutine(|co| async move {
        let _counted = counted;
        co.yield_(moment()).await?;
        ReadyQueue::current().abandon();
        co.yield_(moment()).await?;
        Ok(5)
    });
    without_panics(drain);
    assert_eq!(future.result().unwrap(), 5);
    assert_eq!(alive.count(), 0);
}

#[test]
fn body_that_drops_its_own_loop_goes_on_in_the_next() {
    let future = coroutine(|co| async move {
        co.yield_(moment()).await?;
        drop(ReadyQueue::new().make_current());
        co.yield_(moment()).await?;
        Ok(5)
    });
    let callback = ReadyQueue::current().pop().unwrap();
    without_panics(|| callback.run());
    assert!(!future.done());
    without_panics(drain);
    assert_eq!(future.result().unwrap(), 5);
}

#[test]
fn generator_is_dropped_before_its_result_is_there() {
    let lines = Lines::default();
    let (in_body, in_callback) = (lines.clone(), lines.clone());
    let future = coroutine(|co| async move {
        let _local = crate::OnDrop(|| in_body.add("the body's locals are dropped"));
        co.yield_(moment()).await?;
        Ok(5)
    });
    future.add_done_callback(move |_| in_callback.add("done"));
    drain();
    assert_eq!(lines.take(), ["the body's locals are dropped", "done"]);
    drop(future);
    assert!(lines.take().is_empty());
}

#[test]
fn misuse_is_caught_where_that_coroutine_is_yielded() {
    let future = coroutine(|co| async move {
        let bad = coroutine(|co| async move {
            drop(co.yield_(moment()));
            Ok(1)
        });
        let caught: Result<i32, Exception> = co.yield_(bad).await;
        Ok(caught.is_err())
    });
    without_panics(drain);
    assert!(future.result().unwrap());
}
