//! Lines of locks and queues: which requests leave them, and which the end of a loop removes.

use std::cell::{Cell, RefCell};
use std::future::{poll_fn, Future as StdFuture};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use squall::locks::{BoundedSemaphore, Condition, Event, Lock, Semaphore};
use squall::queues::{LifoQueue, PriorityQueue, Queue};
use squall::testing::VirtualClock;
use squall::{coroutine, moment, sleep, with_timeout, Error, Exception, Future, IoLoop, WaitIterator};

const MS: Duration = Duration::from_millis(1);

fn virtual_loop() -> IoLoop {
    IoLoop::with_clock(VirtualClock::new())
}

/// Waits for the first of the two; the other one is dropped.
async fn first<A, B>(a: impl StdFuture<Output = A>, b: impl StdFuture<Output = B>) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    poll_fn(|cx| match (a.as_mut().poll(cx), b.as_mut().poll(cx)) {
        (Poll::Pending, Poll::Pending) => Poll::Pending,
        _ => Poll::Ready(()),
    })
    .await;
}

mod dropped {
    use super::*;

    #[test]
    fn those_that_wait_leave_the_line_with_their_last_handle() {
        let (lock, condition, event) = (Lock::new(), Condition::new(), Event::new());
        let guard = lock.acquire();
        drop([lock.acquire(), lock.acquire_within(MS)]);
        drop((lock.acquire_unguarded(), lock.acquire_unguarded_within(MS)));
        assert_eq!(format!("{lock:?}"), "<Lock [locked]>");
        drop(guard);
        assert_eq!(format!("{lock:?}"), "<Lock [unlocked,value:1]>");
        drop((condition.wait(), condition.wait_within(MS)));
        assert_eq!(format!("{condition:?}"), "<Condition>");
        let queue = Queue::new(1);
        drop([queue.get(), queue.get_within(MS)]);
        assert_eq!(format!("{queue:?}"), "<Queue maxsize=1>");
        queue.put_nowait(1).unwrap();
        drop((event.wait(), queue.join()));
        assert_eq!(queue.get_nowait(), Ok(1));
    }

    #[test]
    fn one_in_the_middle_of_the_line_is_passed_over() {
        let lock = Lock::new();
        let guard = lock.acquire();
        let [first, second, third] = std::array::from_fn(|_| lock.acquire());
        drop(second);
        assert_eq!(format!("{lock:?}"), "<Lock [locked,waiters:2]>");
        drop(guard);
        assert!(first.done() && !third.done());
        drop(first);
        assert!(third.done());
    }

    #[test]
    fn request_with_a_limit_takes_its_timer_with_it() {
        let io_loop = virtual_loop();
        let end = io_loop.run_sync(|| {
            coroutine(|co| async move {
                let queue = Queue::<i32>::new(0);
                drop(queue.get_within(Duration::from_secs(3600)));
                co.yield_(Future::<()>::new()).await
            })
        });
        assert!(matches!(end.unwrap_err().downcast_ref(), Some(Error::Deadlock { .. })));
        assert!(io_loop.time() < Duration::from_secs(3600), "{:?}", io_loop.time());
    }

    #[test]
    fn handle_that_is_cloned_is_in_line_until_the_last_one_goes() {
        let queue = Queue::new(0);
        let get = queue.get();
        drop(get.clone());
        queue.put_nowait(5).unwrap();
        assert_eq!(get.into_result().unwrap(), 5);
    }

    #[test]
    fn done_callback_keeps_its_place_without_a_handle() {
        let io_loop = virtual_loop();
        let _current = io_loop.make_current();
        let (queue, lock, condition) = (Queue::new(0), Lock::new(), Condition::new());
        let seen = Rc::new(RefCell::new(Vec::new()));
        let note = |what: &'static str| {
            let seen = seen.clone();
            move || seen.borrow_mut().push(what)
        };
        let guard = lock.acquire();
        let (got, notified, locked, late) = (note("got"), note("notified"), note("locked"), note("late"));
        queue.get().add_done_callback(move |_| got());
        condition.wait().add_done_callback(move |_| notified());
        lock.acquire().add_done_callback(move |_| locked());
        Queue::<i32>::new(0).get_within(MS).add_done_callback(move |get| {
            assert_eq!(get.exception().unwrap().downcast_ref(), Some(&Error::Timeout));
            late();
        });
        queue.put_nowait(5).unwrap();
        condition.notify(1);
        drop(guard);
        io_loop.run_sync(|| sleep(2 * MS)).unwrap();
        assert_eq!(*seen.borrow(), ["got", "notified", "locked", "late"]);
    }

    #[test]
    fn done_callback_goes_with_the_last_handle_of_its_lock() {
        let alive = Rc::new(());
        let (lock, held) = (Semaphore::new(0), alive.clone());
        lock.acquire().add_done_callback(move |_| drop(held));
        assert_eq!(Rc::strong_count(&alive), 2);
        drop(lock);
        assert_eq!(Rc::strong_count(&alive), 1);
    }

    #[test]
    fn coroutine_that_waits_keeps_its_place() {
        let (queue, seen) = (Queue::new(0), Rc::new(Cell::new(0)));
        virtual_loop()
            .run_sync(|| {
                let (items, seen) = (queue.clone(), seen.clone());
                drop(coroutine(move |co| async move {
                    seen.set(co.yield_(items.get()).await?);
                    Ok(())
                }));
                queue.put_nowait(5).unwrap();
                moment()
            })
            .unwrap();
        assert_eq!(seen.get(), 5);
    }

    #[test]
    fn rounds_of_a_select_leave_nothing_in_an_idle_line() {
        let io_loop = virtual_loop();
        io_loop
            .run_sync(|| async {
                let (queue, event, lock, condition) =
                    (Queue::<i32>::new(0), Event::new(), Lock::new(), Condition::new());
                let worked = Queue::new(0);
                worked.put_nowait(1)?;
                let _guard = lock.acquire().await?;
                for _ in 0..20_000 {
                    first(queue.get(), sleep(Duration::ZERO)).await;
                    first(lock.acquire_within(MS), event.wait()).await_pending().await;
                    first(first(event.wait(), condition.wait()), sleep(Duration::ZERO)).await;
                    first(worked.join(), sleep(Duration::ZERO)).await;
                }
                assert_eq!(format!("{queue:?}"), "<Queue maxsize=0>");
                assert_eq!(format!("{lock:?}"), "<Lock [locked]>");
                assert_eq!(format!("{condition:?}"), "<Condition>");
                Ok::<_, Exception>(())
            })
            .unwrap();
    }

    /// Polls a Future once.
    trait AwaitPending: StdFuture + Sized {
        async fn await_pending(self) {
            let mut this = pin!(self);
            let is_pending = poll_fn(|cx| Poll::Ready(this.as_mut().poll(cx).is_pending())).await;
            assert!(is_pending);
        }
    }
    impl<F: StdFuture> AwaitPending for F {}

    #[test]
    fn item_is_not_lost_on_those_that_with_timeout_gave_up() {
        virtual_loop()
            .run_sync(|| {
                coroutine(|co| async move {
                    let queue = Queue::new(0);
                    for _ in 0..3 {
                        co.yield_(with_timeout(MS, queue.get())).await.unwrap_err();
                    }
                    assert_eq!(format!("{queue:?}"), "<Queue maxsize=0>");
                    (1..=3).for_each(|item| queue.put_nowait(item).unwrap());
                    for item in 1..=3 {
                        assert_eq!(co.yield_(queue.get()).await?, item);
                    }
                    Ok(())
                })
            })
            .unwrap();
    }

    #[test]
    fn iterator_takes_what_it_waits_for_out_of_the_line() {
        let (lock, event) = (Lock::new(), Event::new());
        let guard = lock.acquire();
        let mut it = WaitIterator::new([lock.acquire_unguarded(), event.wait()]);
        let next = it.next();
        assert_eq!(format!("{lock:?}"), "<Lock [locked,waiters:1]>");
        drop(it);
        assert_eq!(format!("{lock:?}"), "<Lock [locked,waiters:1]>");
        drop(next);
        assert_eq!(format!("{lock:?}"), "<Lock [locked]>");
        drop(guard);
    }
}

mod ended_loops {
    use super::*;

    /// Calls `wait` on two loops, ends one of them, and checks that exactly the requests of the other one are served.
    fn only_its_own_are_withdrawn<T: 'static>(wait: impl Fn() -> Future<T>, serve: impl Fn()) {
        for ended_is_first in [true, false] {
            let (one, other) = (virtual_loop(), virtual_loop());
            let (first, second) = if ended_is_first { (&other, &one) } else { (&one, &other) };
            let on = |io_loop: &IoLoop| {
                let _current = io_loop.make_current();
                wait()
            };
            let waiting = [on(first), on(second), on(second), on(first)];
            other.close();
            (0..2).for_each(|_| serve());
            let done = waiting.each_ref().map(Future::done);
            let (of_first, of_second) = (!ended_is_first, ended_is_first);
            assert_eq!(done, [of_first, of_second, of_second, of_first], "{ended_is_first}");
            // Items would come back.
            waiting.into_iter().for_each(|future| drop(future.into_result()));
        }
    }

    #[test]
    fn end_of_a_loop_withdraws_its_own_requests_and_no_others() {
        let lock = Lock::new();
        lock.acquire().into_result().unwrap().forget();
        only_its_own_are_withdrawn(|| lock.acquire_unguarded(), || lock.release().unwrap());
        let semaphore = Semaphore::new(0);
        only_its_own_are_withdrawn(|| semaphore.acquire_unguarded(), || semaphore.release());
        let condition = Condition::new();
        only_its_own_are_withdrawn(|| condition.wait(), || condition.notify(1));
        let event = Event::new();
        only_its_own_are_withdrawn(
            || event.wait(),
            || {
                event.set();
                event.clear();
            },
        );
        let queue = Queue::new(0);
        only_its_own_are_withdrawn(|| queue.get(), || queue.put_nowait(1).unwrap());
        let full = Queue::new(1);
        full.put_nowait(0).unwrap();
        only_its_own_are_withdrawn(|| full.put(1), || full.get_nowait().map(drop).unwrap_or_default());
        let worked = Queue::new(0);
        only_its_own_are_withdrawn(
            || {
                worked.put_nowait(1).unwrap();
                worked.join()
            },
            || while worked.task_done().is_ok() {},
        );
    }

    #[test]
    fn withdrawn_request_swallows_nothing() {
        let (semaphore, queue, condition) = (Semaphore::new(0), Queue::new(0), Condition::new());
        let (here, gone) = (virtual_loop(), virtual_loop());
        let kept = {
            let _current = gone.make_current();
            (semaphore.acquire(), queue.get(), condition.wait())
        };
        gone.close();
        let _current = here.make_current();
        let (permit, item, notified) = (semaphore.acquire(), queue.get(), condition.wait());
        semaphore.release();
        queue.put_nowait(5).unwrap();
        condition.notify(1);
        assert!(permit.done() && item.done() && notified.done());
        drop(kept);
        semaphore.release();
        assert!(semaphore.acquire().done());
    }

    #[test]
    fn request_with_a_limit_fails_on_a_closed_loop() {
        let io_loop = virtual_loop();
        let _current = io_loop.make_current();
        io_loop.close();
        let (queue, event, semaphore) = (Queue::<i32>::new(1), Event::new(), Semaphore::new(0));
        queue.put_nowait(1).unwrap();
        queue.get_nowait().unwrap();
        let failed = [
            queue.get_within(MS).exception(),
            event.wait_within(MS).exception(),
            queue.join_within(MS).exception(),
            semaphore.acquire_within(MS).exception(),
            Condition::new().wait_within(MS).exception(),
        ];
        assert!(failed.iter().flatten().all(Exception::is::<Error>), "{failed:?}");
        assert_eq!(failed.iter().flatten().count(), failed.len(), "{failed:?}");
        semaphore.release();
        assert!(semaphore.acquire().done());
    }

    #[test]
    fn line_goes_on_after_any_number_of_ended_loops() {
        let (lock, queue) = (Lock::new(), Queue::new(0));
        for round in 0..100 {
            let io_loop = virtual_loop();
            let _current = io_loop.make_current();
            let guard = lock.acquire().into_result().unwrap();
            let waiting = (lock.acquire(), queue.get());
            if round % 2 == 0 {
                drop(guard);
                queue.put_nowait(round).unwrap();
                assert!(waiting.0.done() && waiting.1.done());
                waiting.1.into_result().unwrap();
            }
        }
        assert!(lock.acquire().done() && !queue.get().done());
    }

    #[test]
    fn coroutines_of_an_ended_loop_are_freed_and_those_of_another_go_on() {
        let (lock, alive) = (Lock::new(), Rc::new(()));
        let guard = lock.acquire().into_result().unwrap();
        let wait = |io_loop: &IoLoop| {
            let _current = io_loop.make_current();
            let (lock, alive) = (lock.clone(), alive.clone());
            coroutine(move |co| async move {
                let _guard = co.yield_(lock.acquire()).await?;
                drop(alive);
                Ok(())
            })
        };
        let (here, gone) = (virtual_loop(), virtual_loop());
        let waiting = [wait(&gone), wait(&here)];
        drop(gone);
        assert_eq!(Rc::strong_count(&alive), 2);
        let [lost, waiting] = waiting;
        here.run_sync(|| {
            drop(guard);
            waiting
        })
        .unwrap();
        assert!(!lost.done());
        assert_eq!(Rc::strong_count(&alive), 1);
    }
}

mod huge {
    use super::*;

    #[test]
    fn as_many_permits_as_can_be_counted_are_no_limit() {
        let semaphore = Semaphore::new(usize::MAX);
        semaphore.release();
        let guard = semaphore.acquire();
        semaphore.release();
        drop(guard);
        assert!(semaphore.acquire().done());
        let bounded = BoundedSemaphore::new(usize::MAX);
        assert!(bounded.release().is_err());
        drop(bounded.acquire_unguarded());
        assert_eq!(bounded.release(), Ok(()));
        assert!(bounded.release().is_err());
    }

    #[test]
    fn limits_that_never_come_and_sizes_that_are_never_reached() {
        let (condition, event) = (Condition::new(), Event::new());
        let wait = condition.wait_within(Duration::MAX);
        let set = event.wait_within(Duration::MAX);
        condition.notify(usize::MAX);
        event.set();
        assert!(wait.done());
        virtual_loop().run_sync(|| set).unwrap_err();
        for queue in [
            Queue::new(usize::MAX),
            (*PriorityQueue::new(usize::MAX)).clone(),
            (*LifoQueue::new(usize::MAX)).clone(),
        ] {
            let get = queue.get_within(Duration::MAX);
            queue.put_nowait(1).unwrap();
            assert!(!queue.full() && queue.join_within(Duration::MAX).state() == get.state() || get.done());
        }
    }
}
