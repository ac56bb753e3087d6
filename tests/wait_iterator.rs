//! `WaitIterator`: results one by one, as they finish.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use squall::testing::VirtualClock;
use squall::{coroutine, sleep, with_timeout, Error, Exception, Future, IoLoop, Promise, WaitIterator};

const MS: Duration = Duration::from_millis(1);

#[derive(Debug, thiserror::Error)]
#[error("division by zero")]
struct ZeroDivision;

fn virtual_loop() -> IoLoop {
    IoLoop::with_clock(VirtualClock::new())
}

fn after(ms: u32) -> Future<u32> {
    coroutine(move |co| async move {
        co.yield_(sleep(ms * MS)).await?;
        Ok(ms)
    })
}

// Tornado: gen_test.WaitIteratorTest.test_empty_iterator
#[test]
fn empty_iterator_is_done_and_has_no_current() {
    let it = WaitIterator::<i32>::new([]);
    assert!(it.done());
    assert_eq!(it.current_index(), None);
    assert!(it.current_future().is_none());
    let keyed = WaitIterator::<i32, &str>::keyed([]);
    assert!(keyed.done());
    assert_eq!(keyed.current_key(), None);
}

// Tornado: gen_test.WaitIteratorTest.test_already_done
#[test]
fn those_that_are_done_already_come_in_the_order_of_the_list() {
    virtual_loop()
        .run_sync(|| {
            coroutine(|co| async move {
                let futures = [Future::ready(24), Future::ready(42), Future::ready(84)];
                let mut it = WaitIterator::new(futures.clone());
                for (index, value) in [24, 42, 84].into_iter().enumerate() {
                    assert!(!it.done());
                    assert_eq!(co.yield_(it.next()).await?, value);
                    assert_eq!(it.current_index(), Some(index));
                    assert_eq!(it.current_future().unwrap().id(), futures[index].id());
                }
                assert!(it.done());
                assert_eq!(it.current_index(), None);
                assert!(it.current_future().is_none());

                let [f1, f2, _] = futures;
                let mut keyed = WaitIterator::keyed([("f1", f1.clone()), ("f2", f2.clone())]);
                for (key, value, future) in [("f1", 24, f1), ("f2", 42, f2)] {
                    assert_eq!(co.yield_(keyed.next()).await?, value);
                    assert_eq!(keyed.current_key(), Some(&key));
                    assert_eq!(keyed.current_future().unwrap().id(), future.id());
                }
                assert!(keyed.done());
                assert_eq!(keyed.current_key(), None);
                Ok(())
            })
        })
        .unwrap();
}

type Promises = Rc<RefCell<Vec<Option<Promise<i32>>>>>;

/// Returns four Futures that finish in the turns 3, 5 and 8 of the loop.
fn finishing() -> Vec<Future<i32>> {
    let futures: Vec<_> = (0..4).map(|_| Future::new()).collect();
    let promises = futures.iter().map(|future| Some(future.promise())).collect();
    finish(0, Rc::new(RefCell::new(promises)));
    futures
}

fn finish(turn: u32, promises: Promises) {
    let take = |index: usize| promises.borrow_mut()[index].take().unwrap();
    match turn {
        3 => take(2).set_result(24),
        5 => take(0).set_exception(ZeroDivision),
        8 => {
            take(1).set_result(42);
            take(3).set_result(84);
        }
        _ => {}
    }
    if turn < 8 {
        IoLoop::current().add_callback(move || finish(turn + 1, promises));
    }
}

/// Checks a result of `finishing` by its index.
fn check(index: Option<usize>, result: &squall::Result<i32>) {
    match (index, result) {
        (Some(2), Ok(24)) | (Some(1), Ok(42)) | (Some(3), Ok(84)) => {}
        (Some(0), Err(e)) => assert!(e.is::<ZeroDivision>()),
        other => panic!("{other:?}"),
    }
}

// Tornado: gen_test.WaitIteratorTest.test_iterator
#[test]
fn results_come_as_they_finish_and_a_failure_does_not_end_it() {
    let order = virtual_loop()
        .run_sync(|| {
            coroutine(|co| async move {
                let mut it = WaitIterator::new(finishing());
                let mut order = Vec::new();
                while !it.done() {
                    let result = co.yield_(it.next()).await;
                    check(it.current_index(), &result);
                    order.push(it.current_index().unwrap());
                }
                Ok(order)
            })
        })
        .unwrap();
    assert_eq!(order, [2, 0, 1, 3]);
}

// Tornado: gen_test.WaitIteratorTest.test_iterator_async_await
#[test]
fn native_coroutine_awaits_results_as_they_finish() {
    let order = virtual_loop()
        .run_sync(|| async {
            let mut it = WaitIterator::new(finishing());
            let mut order = Vec::new();
            while !it.done() {
                let result = it.next().await;
                check(it.current_index(), &result);
                order.push(it.current_index().unwrap());
            }
            Ok::<_, Exception>(order)
        })
        .unwrap();
    assert_eq!(order, [2, 0, 1, 3]);
}

// Tornado: gen_test.WaitIteratorTest.test_no_ref
#[test]
fn next_is_done_although_the_iterator_is_dropped() {
    virtual_loop()
        .run_sync(|| with_timeout(100 * MS, WaitIterator::new([sleep(Duration::ZERO)]).next()))
        .unwrap();
}

#[test]
fn slow_consumer_finds_what_finished_meanwhile_in_the_order_in_which_it_did() {
    let order = virtual_loop()
        .run_sync(|| {
            coroutine(|co| async move {
                let mut it = WaitIterator::new([after(3), after(1), after(2)]);
                co.yield_(sleep(10 * MS)).await?;
                let mut order = Vec::new();
                while !it.done() {
                    let next = it.next();
                    assert!(next.done());
                    order.push(co.yield_(next).await?);
                }
                Ok(order)
            })
        })
        .unwrap();
    assert_eq!(order, [1, 2, 3]);
}

#[test]
fn same_future_twice_comes_twice() {
    let order = virtual_loop()
        .run_sync(|| {
            coroutine(|co| async move {
                let once = after(1);
                let mut it = WaitIterator::new([once.clone(), after(2), once]);
                let mut order = Vec::new();
                while !it.done() {
                    let value = co.yield_(it.next()).await?;
                    order.push((it.current_index().unwrap(), value));
                }
                Ok(order)
            })
        })
        .unwrap();
    assert_eq!(order, [(0, 1), (2, 1), (1, 2)]);
}

#[test]
fn value_that_cannot_be_cloned_is_moved_through() {
    struct Socket(u8);
    let mut it = WaitIterator::new([Future::ready(Socket(5))]);
    assert_eq!(it.next().into_result().unwrap().0, 5);
    assert!(it.done());
}

#[test]
fn cancelled_next_loses_no_result() {
    let value = virtual_loop()
        .run_sync(|| {
            coroutine(|co| async move {
                let mut it = WaitIterator::new([after(5)]);
                assert!(it.next().cancel());
                co.yield_(sleep(10 * MS)).await?;
                assert!(!it.done());
                co.yield_(it.next()).await
            })
        })
        .unwrap();
    assert_eq!(value, 5);
}

#[test]
fn cancelled_child_comes_as_cancelled() {
    virtual_loop()
        .run_sync(|| {
            coroutine(|co| async move {
                let child = sleep(5 * MS);
                let mut it = WaitIterator::new([child.clone(), sleep(10 * MS)]);
                child.cancel();
                let result = co.yield_(it.next()).await;
                assert_eq!(result.unwrap_err().downcast_ref(), Some(&Error::Cancelled));
                assert_eq!(it.current_index(), Some(0));
                co.yield_(it.next()).await
            })
        })
        .unwrap();
}

#[test]
fn next_after_the_last_is_never_done() {
    let mut it = WaitIterator::new([Future::ready(1)]);
    assert_eq!(it.next().into_result().unwrap(), 1);
    assert!(!it.next().done());
}

#[test]
fn end_of_the_loop_frees_what_waits_for_the_iterator_and_what_it_waits_for() {
    let alive = Rc::new(());
    let io_loop = virtual_loop();
    let current = io_loop.make_current();
    let held = alive.clone();
    let waiting = coroutine(move |co| async move {
        let never = Future::<()>::new();
        let promise = never.promise();
        let result = co.yield_(WaitIterator::new([never]).next()).await;
        drop((promise, held));
        result
    });
    drop(waiting);
    assert_eq!(Rc::strong_count(&alive), 2);
    drop((current, io_loop));
    assert_eq!(Rc::strong_count(&alive), 1);
}

#[test]
fn result_of_a_next_that_was_dropped_comes_with_the_next() {
    let mut it = WaitIterator::keyed([("a", Future::ready(1)), ("b", Future::ready(2))]);
    drop(it.next());
    assert!(!it.done());
    assert_eq!(it.current_index(), None);
    let (first, second) = (it.next(), it.next());
    assert!(it.done());
    // They come in the order in which they finished, whichever comes back first.
    drop(second);
    drop(first);
    assert_eq!(it.next().result().unwrap(), 1);
    assert_eq!(it.current_key(), Some(&"a"));
    assert_eq!(it.next().result().unwrap(), 2);
    assert_eq!(it.current_key(), Some(&"b"));
    assert!(it.done());
}

#[test]
fn result_of_a_next_that_was_dropped_goes_to_the_one_that_waits() {
    let mut it = WaitIterator::new([Future::ready(1), Future::new()]);
    let (first, second) = (it.next(), it.next());
    assert!(first.done() && !second.done());
    drop(first);
    assert_eq!(second.result().unwrap(), 1);
    assert_eq!(it.current_index(), Some(0));
    assert!(!it.done());
}

#[test]
fn result_that_was_taken_does_not_come_back() {
    let mut it = WaitIterator::new([Future::ready(1), Future::ready(2)]);
    let next = it.next();
    assert_eq!(next.result().unwrap(), 1);
    drop(next);
    assert_eq!(it.next().into_result().unwrap(), 2);
    assert!(it.done());
}

#[test]
fn exception_of_a_next_that_was_dropped_comes_with_the_next() {
    let mut it = WaitIterator::new([Future::<i32>::failed(ZeroDivision)]);
    drop(it.next());
    assert!(!it.done());
    let next = it.next();
    assert!(next.exception().unwrap().is::<ZeroDivision>());
    drop(next);
    assert!(it.done());
}

#[test]
fn next_that_runs_out_of_time_loses_no_result() {
    virtual_loop()
        .run_sync(|| {
            coroutine(|co| async move {
                // The second limit is over in the turn in which the first result is there: the limit wins.
                let mut it = WaitIterator::new([after(2), after(5), after(4)]);
                let (mut results, mut timeouts) = (Vec::new(), 0);
                while !it.done() {
                    match co.yield_(with_timeout(MS, it.next())).await {
                        Ok(result) => results.push((it.current_index(), result)),
                        Err(_) => timeouts += 1,
                    }
                }
                assert_eq!(results, [(Some(0), 2), (Some(2), 4), (Some(1), 5)]);
                assert!(timeouts >= 2, "{timeouts}");
                Ok(())
            })
        })
        .unwrap();
}

#[test]
fn next_that_a_native_coroutine_gave_up_loses_no_result() {
    let order = virtual_loop()
        .run_sync(|| async {
            let mut it = WaitIterator::new([after(3), after(1), after(2)]);
            let mut order = Vec::new();
            while !it.done() {
                let (mut next, mut limit) = (it.next(), sleep(Duration::from_micros(700)));
                let first = std::future::poll_fn(|cx| {
                    use std::future::Future;
                    if let std::task::Poll::Ready(next) = std::pin::Pin::new(&mut next).poll(cx) {
                        return std::task::Poll::Ready(Some(next));
                    }
                    std::pin::Pin::new(&mut limit).poll(cx).map(|_| None)
                });
                if let Some(result) = first.await {
                    order.push(result?);
                }
            }
            Ok::<_, Exception>(order)
        })
        .unwrap();
    assert_eq!(order, [1, 2, 3]);
}

#[test]
fn done_callback_gets_the_result_of_a_next_without_a_handle() {
    let io_loop = virtual_loop();
    let _current = io_loop.make_current();
    let seen = Rc::new(RefCell::new(None));
    let inner = seen.clone();
    let mut it = WaitIterator::new([after(1)]);
    it.next().add_done_callback(move |next| *inner.borrow_mut() = Some(next.result()));
    drop(it);
    io_loop.run_sync(|| sleep(2 * MS)).unwrap();
    assert_eq!(seen.take().unwrap().unwrap(), 1);
}

#[test]
fn dropped_iterator_drops_its_handles() {
    let alive = Rc::new(());
    let never = Future::<Rc<()>>::new();
    let promise = never.promise();
    let mut it = WaitIterator::new([never, Future::ready(alive.clone())]);
    drop(it.next());
    drop(it);
    assert_eq!(Rc::strong_count(&alive), 1);
    promise.set_result(alive.clone());
    assert_eq!(Rc::strong_count(&alive), 1);
}

#[test]
fn iterators_over_a_future_that_stays_pending_leave_nothing_with_it() {
    let _current = virtual_loop().make_current();
    let never = Future::<i32>::new();
    let promise = never.promise();
    for _ in 0..10_000 {
        let mut it = WaitIterator::new([never.clone()]);
        drop(it.next());
    }
    // Each that still waits for it is called.
    promise.set_result(1);
    let called = squall_runner::ready::ReadyQueue::current().len();
    assert!(called <= 100, "{called}");
}
