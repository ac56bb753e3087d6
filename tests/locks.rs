//! Locks: which coroutine waits, which is let in, in which order; with counterparts of Tornado's own tests.

use std::cell::RefCell;
use std::fmt::Debug;
use std::rc::Rc;
use std::time::Duration;

use squall::locks::{BoundedSemaphore, Condition, Event, Lock, NotLocked, ReleasedTooOften, Semaphore};
use squall::testing::VirtualClock;
use squall::{coroutine, moment, sleep, with_timeout, Error, Exception, Future, IoLoop, Result};

const MS: Duration = Duration::from_millis(1);

/// Runs a coroutine on a loop of its own, on a virtual clock.
fn run<T: 'static>(body: impl FnOnce() -> Future<T>) -> T {
    IoLoop::with_clock(VirtualClock::new()).run_sync(body).unwrap()
}

/// Runs everything that is queued on the loop.
fn loop_briefly(io_loop: &IoLoop) {
    io_loop.run_sync(moment).unwrap();
}

fn is_timeout(result: Result<impl Debug>) -> bool {
    result.unwrap_err().downcast_ref() == Some(&Error::Timeout)
}

type History = Rc<RefCell<Vec<String>>>;

/// Notes the end of a `Condition::wait`.
fn record_done(history: &History, waiter: &Future<bool>, key: impl ToString) {
    let (history, key) = (history.clone(), key.to_string());
    waiter.add_done_callback(move |waiter| {
        let notified = waiter.result().unwrap();
        history.borrow_mut().push(if notified { key } else { "timeout".to_owned() });
    });
}

mod condition {
    use super::*;

    // Tornado: locks_test.ConditionTest.test_repr
    #[test]
    fn debug_tells_how_many_wait() {
        let c = Condition::new();
        assert_eq!(format!("{c:?}"), "<Condition>");
        let _waiter = c.wait();
        assert_eq!(format!("{c:?}"), "<Condition waiters[1]>");
    }

    // Tornado: locks_test.ConditionTest.test_notify
    #[test]
    fn notify_wakes_a_waiter() {
        let notified = run(|| {
            let c = Condition::new();
            let notifier = c.clone();
            IoLoop::current().call_later(10 * MS, move || notifier.notify(1));
            c.wait()
        });
        assert!(notified);
    }

    // Tornado: locks_test.ConditionTest.test_notify_1
    #[test]
    fn notify_one_wakes_one_at_a_time_and_nothing_runs_inside_it() {
        let io_loop = IoLoop::with_clock(VirtualClock::new());
        let _current = io_loop.make_current();
        let (c, history) = (Condition::new(), History::default());
        let waiters = [c.wait(), c.wait()];
        record_done(&history, &waiters[0], "wait1");
        record_done(&history, &waiters[1], "wait2");
        for notified in ["notify1", "notify2"] {
            c.notify(1);
            assert!(!history.borrow().iter().any(|entry| *entry == notified.replace("notify", "wait")));
            loop_briefly(&io_loop);
            history.borrow_mut().push(notified.to_owned());
        }
        assert_eq!(*history.borrow(), ["wait1", "notify1", "wait2", "notify2"]);
    }

    // Tornado: locks_test.ConditionTest.test_notify_n
    #[test]
    fn notify_n_wakes_the_n_oldest_waiters() {
        let io_loop = IoLoop::with_clock(VirtualClock::new());
        let _current = io_loop.make_current();
        let (c, history) = (Condition::new(), History::default());
        let waiters: Vec<_> = (0..6).map(|_| c.wait()).collect();
        waiters.iter().enumerate().for_each(|(i, waiter)| record_done(&history, waiter, i));
        for (n, woken) in [(3, 3), (1, 4), (2, 6)] {
            c.notify(n);
            loop_briefly(&io_loop);
            let expected: Vec<_> = (0..woken).map(|i| i.to_string()).collect();
            assert_eq!(*history.borrow(), expected);
        }
    }

    // Tornado: locks_test.ConditionTest.test_notify_all
    #[test]
    fn notify_all_wakes_everybody_in_the_order_in_which_they_came() {
        let io_loop = IoLoop::with_clock(VirtualClock::new());
        let _current = io_loop.make_current();
        let (c, history) = (Condition::new(), History::default());
        let waiters: Vec<_> = (0..4).map(|_| c.wait()).collect();
        waiters.iter().enumerate().for_each(|(i, waiter)| record_done(&history, waiter, i));
        c.notify_all();
        loop_briefly(&io_loop);
        assert_eq!(*history.borrow(), ["0", "1", "2", "3"]);
    }

    // Tornado: locks_test.ConditionTest.test_wait_timeout
    #[test]
    fn wait_returns_false_after_its_time() {
        let notified = run(|| {
            coroutine(|co| async move {
                let c = Condition::new();
                let wait = c.wait_within(10 * MS);
                IoLoop::current().call_later(20 * MS, move || c.notify(1));
                co.yield_(sleep(30 * MS)).await?;
                co.yield_(wait).await
            })
        });
        assert!(!notified);
    }

    // Tornado: locks_test.ConditionTest.test_wait_timeout_preempted
    #[test]
    fn wait_that_is_notified_in_time_returns_true_also_later() {
        let notified = run(|| {
            coroutine(|co| async move {
                let c = Condition::new();
                let notifier = c.clone();
                IoLoop::current().call_later(10 * MS, move || notifier.notify(1));
                let wait = c.wait_within(20 * MS);
                co.yield_(sleep(30 * MS)).await?;
                co.yield_(wait).await
            })
        });
        assert!(notified);
    }

    // Tornado: locks_test.ConditionTest.test_notify_n_with_timeout
    #[test]
    fn who_has_run_out_of_time_does_not_count_for_notify_n() {
        run(|| {
            coroutine(|co| async move {
                let (c, history) = (Condition::new(), History::default());
                let waiters = [c.wait(), c.wait_within(10 * MS), c.wait(), c.wait()];
                waiters.iter().enumerate().for_each(|(i, waiter)| record_done(&history, waiter, i));
                co.yield_(sleep(20 * MS)).await?;
                assert_eq!(*history.borrow(), ["timeout"]);
                c.notify(2);
                co.yield_(sleep(10 * MS)).await?;
                assert_eq!(*history.borrow(), ["timeout", "0", "2"]);
                c.notify(1);
                co.yield_(moment()).await?;
                assert_eq!(*history.borrow(), ["timeout", "0", "2", "3"]);
                Ok(())
            })
        });
    }

    // Tornado: locks_test.ConditionTest.test_notify_all_with_timeout
    #[test]
    fn notify_all_passes_over_waiters_that_ran_out_of_time() {
        run(|| {
            coroutine(|co| async move {
                let (c, history) = (Condition::new(), History::default());
                let waiters = [c.wait(), c.wait_within(10 * MS), c.wait()];
                waiters.iter().enumerate().for_each(|(i, waiter)| record_done(&history, waiter, i));
                co.yield_(sleep(20 * MS)).await?;
                c.notify_all();
                co.yield_(moment()).await?;
                assert_eq!(*history.borrow(), ["timeout", "0", "2"]);
                Ok(())
            })
        });
    }

    // Tornado: locks_test.ConditionTest.test_nested_notify
    #[test]
    fn waiter_that_notifies_in_turn_loses_no_notification() {
        run(|| {
            coroutine(|co| async move {
                let c = Condition::new();
                let waiters: Vec<_> = (0..3).map(|_| c.wait()).collect();
                let inner = c.clone();
                waiters[1].add_done_callback(move |_| inner.notify(1));
                c.notify(2);
                co.yield_(moment()).await?;
                assert!(waiters.iter().all(Future::done));
                Ok(())
            })
        });
    }

    // Tornado: locks_test.ConditionTest.test_garbage_collection
    #[test]
    fn waiter_that_ran_out_of_time_is_dropped_from_a_line_that_is_never_served() {
        run(|| {
            coroutine(|co| async move {
                let c = Condition::new();
                let waiters: Vec<_> = (0..101).map(|_| c.wait_within(10 * MS)).collect();
                let last = c.wait();
                assert_eq!(format!("{c:?}"), "<Condition waiters[102]>");
                co.yield_(sleep(20 * MS)).await?;
                assert_eq!(format!("{c:?}"), "<Condition waiters[1]>");
                assert!(waiters.iter().all(Future::done) && !last.done());
                c.notify(1);
                assert!(last.done());
                Ok(())
            })
        });
    }

    #[test]
    fn cancelled_waiters_do_not_pile_up() {
        let c = Condition::new();
        for _ in 0..10_000 {
            c.wait().cancel();
        }
        assert_eq!(format!("{c:?}"), "<Condition>");
    }
}

mod event {
    use super::*;

    // Tornado: locks_test.EventTest.test_repr
    #[test]
    fn debug_tells_whether_it_is_set() {
        let event = Event::new();
        assert_eq!(format!("{event:?}"), "<Event clear>");
        event.set();
        assert_eq!(format!("{event:?}"), "<Event set>");
    }

    // Tornado: locks_test.EventTest.test_event
    #[test]
    fn wait_is_done_while_it_is_set() {
        let e = Event::new();
        let before = e.wait();
        e.set();
        let during = e.wait();
        e.clear();
        let after = e.wait();
        assert!(before.done() && during.done() && !after.done());
    }

    // Tornado: locks_test.EventTest.test_event_timeout
    #[test]
    fn wait_that_runs_out_of_time_leaves_the_event_usable() {
        run(|| {
            coroutine(|co| async move {
                let e = Event::new();
                assert!(is_timeout(co.yield_(e.wait_within(10 * MS)).await));
                let setter = e.clone();
                IoLoop::current().add_timeout(10 * MS, move || setter.set());
                co.yield_(e.wait_within(Duration::from_secs(1))).await
            })
        });
    }

    // Tornado: locks_test.EventTest.test_event_set_multiple
    #[test]
    fn set_twice_is_set() {
        let e = Event::new();
        e.set();
        e.set();
        assert!(e.is_set());
    }

    // Tornado: locks_test.EventTest.test_event_wait_clear
    #[test]
    fn clear_takes_no_waiter_out_of_the_line() {
        let e = Event::new();
        let f0 = e.wait();
        e.clear();
        let f1 = e.wait();
        e.set();
        assert!(f0.done() && f1.done());
    }

    #[test]
    fn wait_with_a_limit_goes_on_one_turn_later_than_without() {
        run(|| {
            coroutine(|co| async move {
                let (e, history) = (Event::new(), History::default());
                let noted = |what: &'static str| {
                    let history = history.clone();
                    move |_: &Future<()>| history.borrow_mut().push(what.to_owned())
                };
                e.wait_within(MS).add_done_callback(noted("with a limit"));
                e.wait().add_done_callback(noted("without"));
                e.set();
                co.yield_(moment()).await?;
                assert_eq!(*history.borrow(), ["without"]);
                co.yield_(moment()).await?;
                assert_eq!(*history.borrow(), ["without", "with a limit"]);
                Ok(())
            })
        });
    }

    #[test]
    fn waiting_for_an_event_that_is_gone_is_waiting_for_ever() {
        let e = IoLoop::with_clock(VirtualClock::new()).run_sync(|| Event::new().wait()).unwrap_err();
        assert!(matches!(e.downcast_ref(), Some(Error::Deadlock { .. })));
    }
}

mod semaphore {
    use super::*;

    // Tornado: locks_test.SemaphoreTest.test_repr
    #[test]
    fn debug_tells_value_and_waiters() {
        let sem = Semaphore::new(1);
        assert_eq!(format!("{sem:?}"), "<Semaphore [unlocked,value:1]>");
        let _first = sem.acquire();
        assert_eq!(format!("{sem:?}"), "<Semaphore [locked]>");
        let _second = sem.acquire();
        assert_eq!(format!("{sem:?}"), "<Semaphore [locked,waiters:1]>");
    }

    // Tornado: locks_test.SemaphoreTest.test_acquire
    #[test]
    fn each_release_lets_the_next_one_in() {
        let sem = Semaphore::new(1);
        assert!(sem.acquire_unguarded().done());
        let (f1, f2) = (sem.acquire_unguarded(), sem.acquire_unguarded());
        assert!(!f1.done());
        sem.release();
        assert!(f1.done() && !f2.done());
        sem.release();
        assert!(f2.done());
        sem.release();
        assert!(sem.acquire_unguarded().done());
        assert_eq!(format!("{sem:?}"), "<Semaphore [locked]>");
    }

    #[test]
    fn each_guard_that_goes_lets_the_next_one_in() {
        let sem = Semaphore::new(1);
        let [f0, f1, f2] = std::array::from_fn(|_| sem.acquire());
        let g0 = f0.into_result().unwrap();
        assert!(!f1.done());
        drop(g0);
        let g1 = f1.into_result().unwrap();
        assert!(!f2.done());
        drop(g1);
        assert!(f2.done());
    }

    // Tornado: locks_test.SemaphoreTest.test_acquire_timeout
    #[test]
    fn acquire_that_runs_out_of_time_takes_nothing() {
        run(|| {
            coroutine(|co| async move {
                let sem = Semaphore::new(2);
                co.yield_(sem.acquire_unguarded()).await?;
                co.yield_(sem.acquire_unguarded()).await?;
                let acquire = sem.acquire_within(10 * MS);
                let late = sem.clone();
                IoLoop::current().call_later(20 * MS, move || late.release());
                co.yield_(sleep(300 * MS)).await?;
                assert!(is_timeout(co.yield_(acquire).await));
                assert!(sem.acquire_unguarded().done());
                let next = sem.acquire();
                assert!(!next.done());
                sem.release();
                assert!(next.done());
                Ok(())
            })
        });
    }

    // Tornado: locks_test.SemaphoreTest.test_acquire_timeout_preempted
    #[test]
    fn acquire_that_is_let_in_in_time_has_it_also_later() {
        run(|| {
            coroutine(|co| async move {
                let sem = Semaphore::new(1);
                let guard = co.yield_(sem.acquire()).await?;
                IoLoop::current().call_later(10 * MS, move || drop(guard));
                let acquire = sem.acquire_within(20 * MS);
                co.yield_(sleep(30 * MS)).await?;
                co.yield_(acquire).await.map(drop)
            })
        });
    }

    // Tornado: locks_test.SemaphoreTest.test_release_unacquired
    #[test]
    fn release_of_what_was_not_acquired_lets_one_more_in() {
        let sem = Semaphore::new(1);
        sem.release();
        sem.release();
        let futures: [_; 4] = std::array::from_fn(|_| sem.acquire());
        assert_eq!(futures.each_ref().map(Future::done), [true, true, true, false]);
    }

    // Tornado: locks_test.SemaphoreTest.test_garbage_collection
    #[test]
    fn waiter_that_ran_out_of_time_is_dropped_from_a_line_that_is_never_served() {
        run(|| {
            coroutine(|co| async move {
                let sem = Semaphore::new(0);
                let futures: Vec<_> = (0..101).map(|_| sem.acquire_within(10 * MS)).collect();
                let last = sem.acquire();
                assert_eq!(format!("{sem:?}"), "<Semaphore [locked,waiters:102]>");
                co.yield_(sleep(20 * MS)).await?;
                assert_eq!(format!("{sem:?}"), "<Semaphore [locked,waiters:1]>");
                assert!(!last.done());
                sem.release();
                assert!(last.done());
                assert!(futures.into_iter().all(|future| is_timeout(future.into_result())));
                Ok(())
            })
        });
    }

    // Tornado: locks_test.SemaphoreContextManagerTest.test_context_manager
    #[test]
    fn guard_releases_at_the_end_of_its_block() {
        run(|| {
            coroutine(|co| async move {
                let sem = Semaphore::new(1);
                {
                    let _guard = co.yield_(sem.acquire()).await?;
                    assert!(!sem.acquire().done());
                }
                assert!(sem.acquire().done());
                Ok(())
            })
        });
    }

    // Tornado: locks_test.SemaphoreContextManagerTest.test_context_manager_async_await
    #[test]
    fn guard_releases_in_a_native_coroutine_too() {
        let sem = Semaphore::new(1);
        let inner = sem.clone();
        IoLoop::with_clock(VirtualClock::new())
            .run_sync(|| async move {
                let _guard = inner.acquire().await?;
                assert!(!inner.acquire().done());
                Ok::<_, Exception>(())
            })
            .unwrap();
        assert!(sem.acquire().done());
    }

    // Tornado: locks_test.SemaphoreContextManagerTest.test_context_manager_exception
    #[test]
    fn guard_releases_when_an_exception_passes() {
        let sem = Semaphore::new(1);
        let inner = sem.clone();
        let failed = coroutine(move |co| async move {
            let _guard = co.yield_(inner.acquire()).await?;
            Err::<(), _>(Exception::msg("on purpose"))
        });
        assert_eq!(failed.exception().unwrap().to_string(), "on purpose");
        assert!(sem.acquire().done());
    }

    #[test]
    fn guard_releases_when_a_panic_passes() {
        let sem = Semaphore::new(1);
        let inner = sem.clone();
        let failed = coroutine(move |co| async move {
            let _guard = co.yield_(inner.acquire()).await?;
            assert!(inner.acquire().done(), "on purpose");
            Ok(())
        });
        assert!(failed.exception().unwrap().to_string().contains("on purpose"));
        assert!(sem.acquire().done());
    }

    // Tornado: locks_test.SemaphoreContextManagerTest.test_context_manager_timeout
    #[test]
    fn guard_of_an_acquire_with_a_limit_releases_too() {
        run(|| {
            coroutine(|co| async move {
                let sem = Semaphore::new(1);
                drop(co.yield_(sem.acquire_within(10 * MS)).await?);
                assert!(sem.acquire().done());
                Ok(())
            })
        });
    }

    // Tornado: locks_test.SemaphoreContextManagerTest.test_context_manager_timeout_error
    #[test]
    fn acquire_that_fails_releases_nothing() {
        run(|| {
            coroutine(|co| async move {
                let sem = Semaphore::new(0);
                assert!(is_timeout(co.yield_(sem.acquire_within(10 * MS)).await));
                assert!(!sem.acquire().done());
                Ok(())
            })
        });
    }

    // Tornado: locks_test.SemaphoreContextManagerTest.test_context_manager_contended
    #[test]
    fn two_contenders_are_in_one_after_the_other() {
        run(|| {
            coroutine(|co| async move {
                let (sem, history) = (Semaphore::new(1), History::default());
                let visit = |index: usize| {
                    let (sem, history) = (sem.clone(), history.clone());
                    coroutine(move |co| async move {
                        let _guard = co.yield_(sem.acquire()).await?;
                        history.borrow_mut().push(format!("acquired {index}"));
                        co.yield_(sleep(10 * MS)).await?;
                        history.borrow_mut().push(format!("release {index}"));
                        Ok(())
                    })
                };
                co.yield_([visit(0), visit(1)]).await?;
                assert_eq!(*history.borrow(), ["acquired 0", "release 0", "acquired 1", "release 1"]);
                Ok(())
            })
        });
    }

    #[test]
    fn late_comer_does_not_overtake_a_waiter() {
        let sem = Semaphore::new(1);
        let first = sem.acquire();
        let waiting = sem.acquire();
        drop(first);
        let late = sem.acquire();
        assert!(waiting.done() && !late.done());
    }

    #[test]
    fn acquire_with_a_limit_raises_timeout_at_its_own_line() {
        let io_loop = IoLoop::with_clock(VirtualClock::new());
        let _current = io_loop.make_current();
        let line = line!() + 1;
        let acquire = Semaphore::new(0).acquire_within(MS);
        let e = io_loop.run_sync(|| acquire).unwrap_err();
        assert_eq!((e.origin().file(), e.origin().line()), (file!(), line));
    }

    #[test]
    fn who_is_let_in_stops_its_timer() {
        let io_loop = IoLoop::with_clock(VirtualClock::new());
        let _guard = io_loop
            .run_sync(|| {
                let sem = Semaphore::new(0);
                let acquire = sem.acquire_within(Duration::from_secs(3600));
                IoLoop::current().call_later(MS, move || sem.release());
                acquire
            })
            .unwrap();
        // Nothing is left that could wake the loop: the hour is not waited for.
        assert!(io_loop.run_sync(Future::<()>::new).is_err());
        assert_eq!(io_loop.time(), MS);
    }
}

mod bounded_semaphore {
    use super::*;

    // Tornado: locks_test.BoundedSemaphoreTest.test_release_unacquired
    #[test]
    fn release_beyond_the_bound_is_an_error() {
        let sem = BoundedSemaphore::new(1);
        assert_eq!(sem.release(), Err(ReleasedTooOften));
        assert!(sem.acquire_unguarded().done());
        let next = sem.acquire_unguarded();
        assert!(!next.done());
        sem.release().unwrap();
        assert!(next.done());
        sem.release().unwrap();
        let e = sem.release().unwrap_err();
        assert_eq!(e.to_string(), "Semaphore released too many times");
    }

    #[test]
    fn release_of_what_a_guard_holds_is_an_error() {
        let sem = BoundedSemaphore::new(2);
        let guard = sem.acquire().into_result().unwrap();
        assert!(sem.acquire_unguarded().done());
        sem.release().unwrap();
        assert_eq!(sem.release(), Err(ReleasedTooOften));
        guard.forget();
        sem.release().unwrap();
        assert_eq!(format!("{sem:?}"), "<BoundedSemaphore [unlocked,value:2]>");
    }
}

mod lock {
    use super::*;

    // Tornado: locks_test.LockTests.test_repr
    #[test]
    fn debug_tells_whether_it_is_held() {
        let lock = Lock::new();
        assert_eq!(format!("{lock:?}"), "<Lock [unlocked,value:1]>");
        let _held = lock.acquire();
        assert_eq!(format!("{lock:?}"), "<Lock [locked]>");
    }

    // Tornado: locks_test.LockTests.test_acquire_release
    #[test]
    fn release_lets_the_next_one_in() {
        let lock = Lock::new();
        assert!(lock.acquire_unguarded().done());
        let next = lock.acquire_unguarded();
        assert!(!next.done());
        lock.release().unwrap();
        assert!(next.done());
    }

    // Tornado: locks_test.LockTests.test_acquire_fifo
    #[test]
    fn they_are_let_in_in_the_order_in_which_they_came() {
        run(|| {
            coroutine(|co| async move {
                let (lock, history) = (Lock::new(), Rc::new(RefCell::new(Vec::new())));
                let held = lock.acquire();
                let visit = |index: usize| {
                    let (lock, history) = (lock.clone(), history.clone());
                    coroutine(move |co| async move {
                        let _guard = co.yield_(lock.acquire()).await?;
                        history.borrow_mut().push(index);
                        Ok(())
                    })
                };
                let visits: Vec<_> = (0..5).map(visit).collect();
                assert!(!visits.iter().any(Future::done));
                drop(held);
                co.yield_(visits).await?;
                assert_eq!(*history.borrow(), [0, 1, 2, 3, 4]);
                Ok(())
            })
        });
    }

    // Tornado: locks_test.LockTests.test_acquire_fifo_async_with
    #[test]
    fn native_coroutines_are_let_in_in_the_order_in_which_they_came() {
        run(|| {
            coroutine(|co| async move {
                let (lock, history) = (Lock::new(), Rc::new(RefCell::new(Vec::new())));
                let held = lock.acquire();
                let visit = |index: usize| {
                    let (lock, history) = (lock.clone(), history.clone());
                    async move {
                        let _guard = lock.acquire().await?;
                        history.borrow_mut().push(index);
                        Ok::<_, Exception>(())
                    }
                };
                let visits: Vec<_> = (0..5).map(visit).collect();
                drop(held);
                co.yield_(visits).await?;
                assert_eq!(*history.borrow(), [0, 1, 2, 3, 4]);
                Ok(())
            })
        });
    }

    // Tornado: locks_test.LockTests.test_acquire_timeout
    #[test]
    fn acquire_that_runs_out_of_time_leaves_it_locked() {
        run(|| {
            coroutine(|co| async move {
                let lock = Lock::new();
                let _held = lock.acquire();
                assert!(is_timeout(co.yield_(lock.acquire_within(10 * MS)).await));
                assert!(!lock.acquire().done());
                Ok(())
            })
        });
    }

    // Tornado: locks_test.LockTests.test_multi_release
    #[test]
    fn release_of_a_free_lock_is_an_error() {
        let lock = Lock::new();
        assert_eq!(lock.release(), Err(NotLocked));
        assert!(lock.acquire_unguarded().done());
        lock.release().unwrap();
        let e = lock.release().unwrap_err();
        assert_eq!(e.to_string(), "release unlocked lock");
    }

    #[test]
    fn release_of_what_a_guard_holds_is_an_error_and_leaves_it_locked() {
        let lock = Lock::new();
        let guard = lock.acquire().into_result().unwrap();
        assert_eq!(lock.release(), Err(NotLocked));
        assert!(!lock.acquire().done());
        drop(guard);
        assert!(lock.acquire().done());
    }

    #[test]
    fn guard_that_was_not_taken_passes_on_however_many_there_are() {
        let lock = Lock::new();
        let held = lock.acquire();
        for _ in 0..100_000 {
            drop(lock.acquire());
        }
        let last = lock.acquire();
        drop(held);
        assert!(last.done());
    }

    #[test]
    fn lock_that_with_timeout_gave_up_on_passes_on() {
        run(|| {
            coroutine(|co| async move {
                let lock = Lock::new();
                let guard = co.yield_(lock.acquire()).await?;
                assert!(is_timeout(co.yield_(with_timeout(MS, lock.acquire())).await));
                let next = lock.acquire();
                drop(guard);
                co.yield_(moment()).await?;
                co.yield_(next).await.map(drop)
            })
        });
    }

    #[test]
    fn end_of_the_loop_frees_the_waiters_of_a_lock_that_only_they_hold() {
        let alive = Rc::new(());
        let io_loop = IoLoop::with_clock(VirtualClock::new());
        let current = io_loop.make_current();
        let lock = Lock::new();
        drop(lock.acquire_unguarded());
        for _ in 0..3 {
            let (lock, alive) = (lock.clone(), alive.clone());
            let waiter = lock.acquire();
            // A circle of callbacks, in which there is no coroutine that the loop could drop.
            waiter.add_done_callback(move |_| drop((lock, alive)));
        }
        drop(lock);
        assert_eq!(Rc::strong_count(&alive), 4);
        drop((current, io_loop));
        assert_eq!(Rc::strong_count(&alive), 1);
    }
}
