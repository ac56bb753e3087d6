//! Foreign code that calls squall again from within squall: an `Ord`, a `Hash`, a `Clone`, a waker.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::future::Future as _;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use squall::locks::{Condition, Semaphore};
use squall::queues::{PriorityQueue, Queue};
use squall::testing::VirtualClock;
use squall::{sleep, Future, IoLoop, Result};

/// The hook that a comparison of items calls first.
type Hook = Rc<RefCell<Box<dyn Fn()>>>;

/// An item of a queue, by its number. Each comparison calls the hook.
struct Item(i32, Hook);

impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        self.1.borrow()();
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Item {}

fn nothing() -> Hook {
    Rc::new(RefCell::new(Box::new(|| ())))
}

/// Returns a queue of these numbers, and the hook of its items.
fn queue_of(numbers: &[i32]) -> (PriorityQueue<Item>, Hook) {
    let (queue, hook) = (PriorityQueue::new(0), nothing());
    for &n in numbers {
        queue.put_nowait(Item(n, hook.clone())).unwrap();
    }
    (queue, hook)
}

fn set(hook: &Hook, f: impl Fn() + 'static) {
    let before = hook.replace(Box::new(f));
    drop(before);
}

/// Returns everything that can be taken, in order.
fn all(queue: &PriorityQueue<Item>) -> Vec<i32> {
    std::iter::from_fn(|| queue.get_nowait().ok()).map(|item| item.0).collect()
}

#[test]
fn comparison_sees_all_items_of_its_queue() {
    let (queue, hook) = queue_of(&[5, 3, 8]);
    let (seen, looked) = (Rc::new(RefCell::new(Vec::new())), queue.clone());
    let note = seen.clone();
    set(&hook, move || {
        note.borrow_mut().push((looked.qsize(), looked.empty(), looked.full()));
        let _ = format!("{looked:?}");
    });
    queue.put_nowait(Item(1, hook.clone())).unwrap();
    assert_eq!(all(&queue), [1, 3, 5, 8]);
    let seen = seen.take();
    assert!(seen.len() >= 4, "{seen:?}");
    assert_eq!(seen[0], (4, false, false));
    assert!(seen.iter().all(|(size, empty, _)| *size > 0 && !empty), "{seen:?}");
}

#[test]
fn item_that_is_put_during_a_comparison_comes_in_its_order() {
    let (queue, hook) = queue_of(&[5, 3, 8]);
    let (next, put, quiet) = (Cell::new(4), queue.clone(), nothing());
    set(&hook, move || {
        put.put_nowait(Item(next.get(), quiet.clone())).unwrap();
        next.set(next.get() - 2);
    });
    queue.put_nowait(Item(1, hook.clone())).unwrap();
    set(&hook, || ());
    assert_eq!(all(&queue), [1, 2, 3, 4, 5, 8]);
}

#[test]
fn get_during_a_comparison_takes_nothing_and_is_served_after_it() {
    let (queue, hook) = queue_of(&[5, 3, 8]);
    let (waiting, inner) = (Rc::new(RefCell::new(Vec::new())), queue.clone());
    let gets = waiting.clone();
    set(&hook, move || {
        assert!(inner.get_nowait().is_err());
        if gets.borrow().is_empty() {
            gets.borrow_mut().push(inner.get());
        }
    });
    queue.put_nowait(Item(1, hook.clone())).unwrap();
    set(&hook, || ());
    let got = waiting.take().pop().unwrap();
    assert_eq!(got.into_result().unwrap().0, 1);
    assert_eq!(all(&queue), [3, 5, 8]);
}

#[test]
fn get_that_is_dropped_during_a_comparison_returns_its_item() {
    let (queue, hook) = queue_of(&[5, 3, 8, 9, 7]);
    let held = Rc::new(Cell::new(Some(queue.get())));
    set(&hook, move || drop(held.take()));
    assert_eq!(queue.get_nowait().unwrap().0, 5);
    assert_eq!(all(&queue), [3, 7, 8, 9]);
}

#[test]
fn comparison_that_panics_loses_no_item_wherever_it_panics() {
    for at in 0..12 {
        let (queue, hook) = queue_of(&[5, 3, 8, 1, 9, 2]);
        let count = Cell::new(0);
        set(&hook, move || {
            count.set(count.get() + 1);
            if count.get() == at + 1 {
                std::panic::resume_unwind(Box::new("its Ord"));
            }
        });
        let (mut got, mut panics) = (Vec::new(), 0);
        let put = catch_unwind(AssertUnwindSafe(|| queue.put_nowait(Item(4, hook.clone())).unwrap()));
        panics += i32::from(put.is_err());
        while !queue.empty() {
            match catch_unwind(AssertUnwindSafe(|| queue.get_nowait())) {
                Ok(item) => got.push(item.unwrap().0),
                Err(_) => panics += 1,
            }
        }
        assert_eq!((got, panics), (vec![1, 2, 3, 4, 5, 8, 9], 1), "at comparison {at}");
    }
}

#[test]
fn items_that_go_back_or_are_handed_on_survive_a_comparison_that_panics() {
    let (queue, hook) = queue_of(&[5, 3, 8]);
    let got = queue.get();
    set(&hook, || std::panic::resume_unwind(Box::new("its Ord")));
    // It goes back, which compares. Only the log reports the panic.
    drop(got);
    assert_eq!(queue.qsize(), 3);
    set(&hook, || ());
    assert_eq!(all(&queue), [3, 5, 8]);

    // One waits for an item that goes back while nothing can be compared: it gets one.
    let (queue, hook) = queue_of(&[5]);
    let (first, second) = (queue.get(), queue.get());
    queue.put_nowait(Item(7, hook.clone())).unwrap();
    let third = queue.get();
    set(&hook, || std::panic::resume_unwind(Box::new("its Ord")));
    drop((first, second));
    set(&hook, || ());
    let third = third.into_result().unwrap().0;
    let mut left = all(&queue);
    left.push(third);
    left.sort_unstable();
    assert_eq!(left, [5, 7]);
}

#[test]
fn coroutine_that_puts_is_told_that_the_comparison_panicked() {
    let (queue, hook) = queue_of(&[5, 3]);
    set(&hook, || std::panic::resume_unwind(Box::new("its Ord")));
    let (put, item) = (queue.clone(), Item(4, hook.clone()));
    let raised = IoLoop::with_clock(VirtualClock::new()).run_sync(|| async move {
        sleep(std::time::Duration::from_secs(1)).await?;
        put.put(item).await
    });
    assert!(raised.unwrap_err().to_string().contains("its Ord"));
    set(&hook, || ());
    assert_eq!(all(&queue), [3, 4, 5]);
}

#[test]
fn keys_of_a_yielded_map_may_use_the_loop_as_they_are_compared() -> Result<()> {
    use std::collections::{BTreeMap, HashMap};

    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let (hook, calls) = (nothing(), Rc::new(Cell::new(0)));
    let count = calls.clone();
    set(&hook, move || {
        let count = count.clone();
        IoLoop::current().add_callback(move || count.set(count.get() + 1));
        drop(squall::coroutine(|_| async { Ok(()) }));
    });
    #[allow(clippy::mutable_key_type)] // What is in the cell does not take part in the order.
    let results = io_loop.run_sync(|| {
        let children = [3, 1, 2].map(|n| {
            (
                Item(n, hook.clone()),
                squall::coroutine(move |co| async move {
                    co.yield_(squall::moment()).await?;
                    Ok(n)
                }),
            )
        });
        BTreeMap::from(children)
    })?;
    assert_eq!(results.into_values().collect::<Vec<_>>(), [1, 2, 3]);
    io_loop.run_sync(|| ())?;
    assert!(calls.get() >= 3);

    #[derive(PartialEq, Eq)]
    struct Hashed(i32);
    impl std::hash::Hash for Hashed {
        fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
            drop(sleep(std::time::Duration::ZERO));
            self.0.hash(state);
        }
    }
    let results = io_loop
        .run_sync(|| HashMap::from([1, 2].map(|n| (Hashed(n), sleep(std::time::Duration::from_secs(1))))))?;
    assert_eq!(results.len(), 2);
    Ok(())
}

mod wakers {
    use super::*;

    type Called = RefCell<Option<Box<dyn FnOnce()>>>;

    thread_local! {
        /// What the next waker calls.
        static CALLED: Called = const { RefCell::new(None) };
    }

    struct Calls;

    impl Wake for Calls {
        fn wake(self: Arc<Self>) {
            let called = CALLED.take();
            called.into_iter().for_each(|f| f());
        }
    }

    /// Polls a pending Future with a waker that calls `f`.
    fn calls<T: 'static>(future: &mut Future<T>, f: impl FnOnce() + 'static) {
        CALLED.replace(Some(Box::new(f)));
        let waker = Waker::from(Arc::new(Calls));
        assert!(Pin::new(future).poll(&mut Context::from_waker(&waker)).is_pending());
    }

    fn results<T: 'static>(futures: impl IntoIterator<Item = Future<T>>) -> Vec<T> {
        futures.into_iter().map(|future| future.into_result().unwrap()).collect()
    }

    #[test]
    fn item_that_a_waker_puts_goes_behind_those_that_came_back() {
        for queue in [Queue::new(0), (*PriorityQueue::new(0)).clone()] {
            let held = [queue.get(), queue.get()];
            (1..=2).for_each(|item| queue.put_nowait(item).unwrap());
            let mut gets = [(); 4].map(|()| queue.get());
            let putting = queue.clone();
            calls(&mut gets[0], move || {
                drop(held);
                putting.put_nowait(4).unwrap();
            });
            queue.put_nowait(3).unwrap();
            assert_eq!(results(gets), [3, 1, 2, 4]);
        }
    }

    #[test]
    fn what_a_waker_asks_for_goes_behind_the_requests_in_line() {
        let queue = Queue::new(0);
        let mut gets = [(); 3].map(|()| queue.get());
        let (asked, inner) = (Rc::new(RefCell::new(None)), queue.clone());
        let asks = asked.clone();
        calls(&mut gets[0], move || {
            (2..=3).for_each(|item| inner.put_nowait(item).unwrap());
            assert!(inner.get_nowait().is_err(), "both are for those in line");
            asks.replace(Some(inner.get()));
            inner.put_nowait(4).unwrap();
        });
        queue.put_nowait(1).unwrap();
        assert_eq!(results(gets), [1, 2, 3]);
        assert_eq!(results(asked.take()), [4]);

        let semaphore = Semaphore::new(0);
        let mut acquires = [(); 2].map(|()| semaphore.acquire_unguarded());
        let (asked, inner) = (Rc::new(RefCell::new(None)), semaphore.clone());
        let asks = asked.clone();
        calls(&mut acquires[0], move || {
            inner.release();
            asks.replace(Some(inner.acquire_unguarded()));
        });
        semaphore.release();
        assert!(acquires.iter().all(Future::done));
        let asked = asked.take().unwrap();
        assert!(!asked.done());
        semaphore.release();
        assert!(asked.done());
    }

    #[test]
    fn queue_with_a_limit_keeps_it_whatever_a_waker_puts() {
        let queue = Queue::new(1);
        queue.put_nowait(1).unwrap();
        let (mut put, third) = (queue.put(2), Rc::new(RefCell::new(None)));
        let (inner, puts) = (queue.clone(), third.clone());
        calls(&mut put, move || _ = puts.replace(Some(inner.put(3))));
        assert_eq!(queue.get_nowait(), Ok(1));
        // The second one is in the queue before its waker is called, so there is no room for the third.
        assert_eq!((put.done(), queue.qsize()), (true, 1));
        assert!(!third.borrow().as_ref().unwrap().done());
        assert_eq!([queue.get_nowait(), queue.get_nowait()], [Ok(2), Ok(3)]);

        let mut gets = [(); 3].map(|()| queue.get());
        let inner = queue.clone();
        calls(&mut gets[0], move || {
            (5..=7).for_each(|item| inner.put_nowait(item).unwrap());
            assert!(inner.put_nowait(8).is_err());
            drop(inner.put(8));
        });
        queue.put_nowait(4).unwrap();
        assert_eq!(results(gets), [4, 5, 6]);
        assert_eq!([queue.get_nowait(), queue.get_nowait()], [Ok(7), Ok(8)]);
    }

    #[test]
    fn waker_that_waits_again_at_once_is_notified_once() {
        fn waits(condition: &Condition, notified: &Rc<Cell<u32>>) {
            let mut wait = condition.wait();
            let (condition, notified) = (condition.clone(), notified.clone());
            calls(&mut wait, move || {
                notified.set(notified.get() + 1);
                assert!(notified.get() < 100);
                waits(&condition, &notified);
            });
            KEPT.with_borrow_mut(|kept| kept.push(wait));
        }
        thread_local!(static KEPT: RefCell<Vec<Future<bool>>> = const { RefCell::new(Vec::new()) });
        let (condition, notified) = (Condition::new(), Rc::new(Cell::new(0)));
        waits(&condition, &notified);
        condition.notify(usize::MAX);
        assert_eq!(notified.get(), 1);
        condition.notify_all();
        assert_eq!(notified.get(), 2);
    }
}
