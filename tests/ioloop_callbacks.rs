//! Callbacks, timers and `run_sync`: counterparts of Tornado's `TestIOLoop`, `TestIOLoopCurrent` and
//! `TestIOLoopRunSync`.

mod reports;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use reports::reported;
use squall::testing::VirtualClock;
use squall::trace::Problem;
use squall::{moment, sleep, Error, Exception, Future, IoLoop, Result, Return};
use squall_runner::ready::ReadyQueue;

const MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);

#[derive(Debug, thiserror::Error)]
#[error("division by zero")]
struct ZeroDivision;

fn virtual_loop() -> IoLoop {
    IoLoop::with_clock(VirtualClock::new())
}

/// Returns a counter, and a callback that counts its calls.
fn counter() -> (Rc<Cell<u32>>, impl Fn() + Clone + 'static) {
    let calls = Rc::new(Cell::new(0));
    let count = calls.clone();
    (calls, move || count.set(count.get() + 1))
}

// Tornado: ioloop_test.TestIOLoop.test_add_callback_return_sequence
#[test]
fn callback_that_returns_an_empty_list_or_map_does_not_spin() {
    let io_loop = virtual_loop();
    io_loop.spawn_callback(Vec::<Future<()>>::new);
    io_loop.spawn_callback(std::collections::BTreeMap::<u8, Future<()>>::new);
    io_loop.run_sync(|| ()).unwrap();
    // Nothing is left that could run before the timer.
    let e = io_loop.run_sync_with_timeout(50 * MS, || {
        let never = Future::<()>::new();
        std::mem::forget(never.promise());
        never
    });
    assert!(matches!(e.unwrap_err().downcast_ref(), Some(Error::RunSyncTimeout { .. })));
    assert_eq!(io_loop.time(), 50 * MS);
}

// Tornado: ioloop_test.TestIOLoop.test_add_callback_wakeup
#[test]
fn callback_added_by_a_timer_runs_before_the_next_timer() {
    let io_loop = virtual_loop();
    let called_at = Rc::new(Cell::new(None));
    let (inner, at) = (io_loop.clone(), called_at.clone());
    io_loop.call_later(MS, move || {
        let (inner, now) = (inner.clone(), inner);
        inner.add_callback(move || at.set(Some(now.time())));
    });
    io_loop.run_sync(|| sleep(Duration::from_secs(3600))).unwrap();
    assert_eq!(called_at.get(), Some(MS));
}

// Tornado: ioloop_test.TestIOLoop.test_add_callback_wakeup_other_thread
#[test]
fn callback_from_another_thread_wakes_a_loop_that_has_nothing_else_to_wait_for() {
    let io_loop = IoLoop::new();
    let handle = io_loop.handle();
    let thread = std::thread::spawn(move || handle.add_callback(|| IoLoop::current().stop()));
    io_loop.start();
    thread.join().unwrap();
}

// Tornado: ioloop_test.TestIOLoop.test_add_timeout_timedelta
#[test]
fn timeout_of_a_microsecond_is_called() {
    let io_loop = IoLoop::new();
    let stop = io_loop.clone();
    io_loop.add_timeout(Duration::from_micros(1), move || stop.stop());
    io_loop.start();
}

// Tornado: ioloop_test.TestIOLoop.test_add_callback_while_closing
#[test]
fn callback_that_races_with_the_close_of_the_loop_is_dropped() {
    let (give, take) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let io_loop = IoLoop::new();
        give.send(io_loop.handle()).unwrap();
        io_loop.add_callback(|| IoLoop::current().stop());
        io_loop.start();
        io_loop.close();
    });
    let handle = take.recv().unwrap();
    let held = std::sync::Arc::new(());
    for _ in 0..1000 {
        let held = held.clone();
        handle.add_callback(move || drop(held));
    }
    thread.join().unwrap();
    let last = held.clone();
    handle.add_callback(move || drop(last));
    assert_eq!(std::sync::Arc::strong_count(&held), 1);
}

// Tornado: ioloop_test.TestIOLoop.test_remove_timeout_after_fire
#[test]
fn removing_a_timer_that_has_run_is_harmless() {
    let io_loop = virtual_loop();
    let (calls, count) = counter();
    let timeout = io_loop.call_later(Duration::ZERO, count);
    io_loop.run_sync(|| sleep(MS)).unwrap();
    io_loop.remove_timeout(&timeout);
    assert_eq!(calls.get(), 1);
}

// Tornado: ioloop_test.TestIOLoop.test_remove_timeout_cleanup
#[test]
fn removed_timers_leave_nothing_behind() {
    let io_loop = virtual_loop();
    let held = Rc::new(());
    for _ in 0..2000 {
        let held = held.clone();
        let timeout = io_loop.call_later(Duration::from_secs(3600), move || drop(held));
        io_loop.remove_timeout(&timeout);
    }
    assert_eq!(Rc::strong_count(&held), 1);
    io_loop.run_sync(moment).unwrap();
    assert_eq!(io_loop.time(), Duration::ZERO);
}

// Tornado: ioloop_test.TestIOLoop.test_remove_timeout_from_timeout
#[test]
fn timer_that_is_removed_by_one_due_with_it_does_not_run() {
    let clock = VirtualClock::new();
    let io_loop = IoLoop::with_clock(clock.clone());
    let (calls, count) = counter();
    let second = Rc::new(RefCell::new(None));
    let (remove, handle) = (io_loop.clone(), second.clone());
    io_loop.call_later(10 * MS, move || remove.remove_timeout(handle.borrow().as_ref().unwrap()));
    second.replace(Some(io_loop.call_later(20 * MS, count)));
    clock.advance(30 * MS);
    io_loop.run_sync(|| sleep(MS)).unwrap();
    assert_eq!(calls.get(), 0);
}

// Tornado: ioloop_test.TestIOLoop.test_timeout_with_arguments
#[test]
fn each_way_to_set_a_timer_calls_it_once() {
    let io_loop = virtual_loop();
    let results = Rc::new(RefCell::new(Vec::new()));
    let push = |n| {
        let results = results.clone();
        move || results.borrow_mut().push(n)
    };
    io_loop.add_timeout(Duration::ZERO, push(1));
    io_loop.call_at(io_loop.time(), push(2));
    io_loop.call_later(Duration::ZERO, push(3));
    io_loop.run_sync(|| sleep(MS)).unwrap();
    assert_eq!(*results.borrow(), [1, 2, 3]);
}

// Tornado: ioloop_test.TestIOLoop.test_add_timeout_return
// Tornado: ioloop_test.TestIOLoop.test_call_at_return
// Tornado: ioloop_test.TestIOLoop.test_call_later_return
#[test]
fn each_way_to_set_a_timer_returns_what_removes_it() {
    let io_loop = virtual_loop();
    let (calls, count) = counter();
    let timers = [
        io_loop.add_timeout(Duration::ZERO, count.clone()),
        io_loop.call_at(io_loop.time(), count.clone()),
        io_loop.call_later(Duration::ZERO, count),
    ];
    timers.iter().for_each(|timer| io_loop.remove_timeout(timer));
    io_loop.run_sync(|| sleep(MS)).unwrap();
    assert_eq!(calls.get(), 0);
}

#[test]
fn timer_of_another_loop_is_not_removed_by_one_of_the_same_age() {
    let (one, other) = (virtual_loop(), virtual_loop());
    let (calls, count) = counter();
    one.call_later(MS, count);
    let timeout = other.call_later(MS, || ());
    one.remove_timeout(&timeout);
    one.run_sync(|| sleep(2 * MS)).unwrap();
    assert_eq!(calls.get(), 1);
}

#[test]
fn what_a_removed_timer_holds_may_set_timers_as_it_is_dropped() {
    struct SetsATimer(IoLoop, Rc<Cell<u32>>);
    impl Drop for SetsATimer {
        fn drop(&mut self) {
            let count = self.1.clone();
            self.0.call_later(MS, move || count.set(count.get() + 1));
        }
    }
    let io_loop = virtual_loop();
    let calls = Rc::new(Cell::new(0));
    let holds = SetsATimer(io_loop.clone(), calls.clone());
    let timeout = io_loop.call_later(MS, move || drop(holds));
    io_loop.remove_timeout(&timeout);
    io_loop.run_sync(|| sleep(2 * MS)).unwrap();
    assert_eq!(calls.get(), 1);
}

// Tornado: ioloop_test.TestIOLoop.test_reentrant
#[test]
fn loop_that_runs_cannot_be_run_again() {
    let io_loop = virtual_loop();
    let inner = io_loop.clone();
    let ((), logged) = reported(|| {
        io_loop
            .run_sync(|| {
                inner.add_callback(|| IoLoop::current().start());
                sleep(MS)
            })
            .unwrap();
    });
    assert_eq!(logged.len(), 1);
    assert!(logged[0].1.contains("running already"), "{logged:?}");
    // Nor from within a coroutine: there it is an exception like any other.
    #[squall::coroutine]
    fn f() -> Result<()> {
        yield_!(moment())?;
        IoLoop::current().run_sync(moment)
    }
    let e = io_loop.run_sync(f).unwrap_err();
    assert!(matches!(e.downcast_ref(), Some(Error::Panic(_))));
    io_loop.run_sync(moment).unwrap();
}

// Tornado: ioloop_test.TestIOLoop.test_exception_logging
#[test]
fn panic_of_a_callback_is_logged() {
    let io_loop = virtual_loop();
    io_loop.add_callback(|| panic!("on purpose"));
    let (result, logged) = reported(|| io_loop.run_sync(|| sleep(MS)));
    result.unwrap();
    assert_eq!(logged, [(Problem::Callback, "panicked: on purpose".to_owned())]);
}

// Tornado: ioloop_test.TestIOLoop.test_exception_logging_future
// Tornado: ioloop_test.TestIOLoop.test_spawn_callback
#[test]
fn exception_of_a_spawned_coroutine_is_logged() {
    #[squall::coroutine]
    fn callback() -> Result<()> {
        Err(ZeroDivision)?
    }
    let io_loop = virtual_loop();
    io_loop.spawn_callback(callback);
    let (result, logged) = reported(|| io_loop.run_sync(|| sleep(MS)));
    result.unwrap();
    assert_eq!(logged, [(Problem::Callback, "division by zero".to_owned())]);
}

// Tornado: ioloop_test.TestIOLoop.test_exception_logging_native_coro
#[test]
fn exception_of_a_spawned_native_coroutine_is_logged() {
    let io_loop = virtual_loop();
    io_loop.spawn_callback(|| async { Err::<(), Exception>(ZeroDivision.into()) });
    let (result, logged) = reported(|| io_loop.run_sync(|| sleep(MS)));
    result.unwrap();
    assert_eq!(logged, [(Problem::Callback, "division by zero".to_owned())]);
}

#[test]
fn future_that_add_future_waits_for_in_vain_is_freed_with_the_loop() {
    let held = Rc::new(());
    let inner = held.clone();
    let io_loop = virtual_loop();
    let here = io_loop.make_current();
    let future = Future::<()>::new();
    std::mem::forget(future.promise());
    io_loop.add_future(future, move |_| drop(inner));
    drop(here);
    drop(io_loop);
    assert_eq!(Rc::strong_count(&held), 1);
}

// Tornado: ioloop_test.TestIOLoop.test_init_close_race
#[test]
fn loops_are_made_and_closed_on_several_threads_at_once() {
    let make = || {
        for _ in 0..10 {
            let io_loop = IoLoop::new();
            io_loop.run_sync(moment).unwrap();
            io_loop.close();
        }
    };
    let io_loop = IoLoop::new();
    io_loop
        .run_sync(|| squall::multi([io_loop.run_in_executor(make), io_loop.run_in_executor(make)]))
        .unwrap();
}

// Tornado: ioloop_test.TestIOLoopCurrent.test_non_current
#[test]
fn loop_is_the_current_one_while_it_runs() {
    let io_loop = virtual_loop();
    for n in 1..=3 {
        let seen = io_loop.clone();
        io_loop.add_callback(move || {
            assert_eq!(IoLoop::current().time(), seen.time());
            seen.stop();
        });
        io_loop.call_later(n * MS, || ());
        io_loop.start();
        io_loop.run_sync(|| sleep(MS)).unwrap();
        // The one outside is another, on the real clock.
        assert_ne!(IoLoop::current().time(), io_loop.time());
    }
}

// Tornado: ioloop_test.TestIOLoopCurrent.test_force_current
#[test]
fn loop_is_made_the_current_one_until_the_guard_goes() {
    let io_loop = virtual_loop();
    io_loop.run_sync(|| sleep(Duration::from_secs(3600))).unwrap();
    let guard = io_loop.make_current();
    assert_eq!(IoLoop::current().time(), Duration::from_secs(3600));
    drop(guard);
    assert!(IoLoop::current().time() < Duration::from_secs(3600));
}

#[test]
fn guards_of_current_loops_go_in_any_order() {
    let at = |hours: u32| {
        let io_loop = virtual_loop();
        io_loop.run_sync(|| sleep(hours * HOUR)).unwrap();
        io_loop
    };
    let hours = || IoLoop::current().time().as_secs() / 3600;
    let (one, two, three) = (at(1), at(2), at(3));
    let guards = [one.make_current(), two.make_current(), three.make_current()];
    drop((one, two, three));
    let [one, two, three] = guards;
    assert_eq!(hours(), 3);
    drop(two);
    assert_eq!(hours(), 3);
    // The queue of the loop is the current one, too.
    IoLoop::current().run_sync(moment).unwrap();
    drop(three);
    assert_eq!(hours(), 1);
    IoLoop::current().run_sync(moment).unwrap();
    drop(one);
    assert_eq!(hours(), 0);
    IoLoop::current().run_sync(moment).unwrap();
}

#[test]
fn what_a_loop_holds_goes_while_that_loop_is_the_current_one_also_below_another() {
    struct Seen(Rc<Cell<u64>>);
    impl Drop for Seen {
        fn drop(&mut self) {
            self.0.set(self.0.get() + ReadyQueue::current().len() as u64 + 1);
        }
    }
    let seen = Rc::new(Cell::new(0));
    let below = virtual_loop();
    let held = Seen(seen.clone());
    below.call_later(HOUR, move || drop(held));
    let guard = below.make_current();
    let above = virtual_loop();
    above.add_callback(|| ());
    let _above = above.make_current();
    drop((below, guard));
    assert_eq!(seen.get(), 1, "the queue of the loop above has one entry");
    assert_eq!(ReadyQueue::current().len(), 1);
}

// Tornado: ioloop_test.TestIOLoopRunSync.test_sync_exception
#[test]
fn panic_of_what_run_sync_calls_is_raised_by_it() {
    let e = virtual_loop().run_sync(|| -> Future<()> { panic!("on purpose") }).unwrap_err();
    assert_eq!(e.downcast_ref(), Some(&Error::Panic("on purpose".to_owned())));
}

// Tornado: ioloop_test.TestIOLoopRunSync.test_async_result
#[test]
fn run_sync_returns_what_the_coroutine_returns() {
    #[squall::coroutine]
    fn f() -> Result<i32> {
        yield_!(moment())?;
        Err(Return(42))?
    }
    assert_eq!(virtual_loop().run_sync(f).unwrap(), 42);
}

// Tornado: ioloop_test.TestIOLoopRunSync.test_async_exception
#[test]
fn run_sync_raises_what_the_coroutine_raises() {
    #[squall::coroutine]
    fn f() -> Result<i32> {
        yield_!(moment())?;
        Err(ZeroDivision)?
    }
    assert!(virtual_loop().run_sync(f).unwrap_err().is::<ZeroDivision>());
}

// Tornado: ioloop_test.TestIOLoopRunSync.test_current
#[test]
fn loop_of_run_sync_is_the_current_one() {
    let io_loop = virtual_loop();
    io_loop.run_sync(|| sleep(Duration::from_secs(3600))).unwrap();
    let time = io_loop.run_sync(|| Future::ready(IoLoop::current().time())).unwrap();
    assert_eq!(time, Duration::from_secs(3600));
}

// Tornado: ioloop_test.TestIOLoopRunSync.test_timeout
#[test]
fn run_sync_fails_after_its_timeout() {
    let io_loop = virtual_loop();
    let e = io_loop.run_sync_with_timeout(10 * MS, || sleep(Duration::from_secs(1))).unwrap_err();
    assert_eq!(e.downcast_ref(), Some(&Error::RunSyncTimeout { seconds: "0.01".to_owned() }));
    assert_eq!(io_loop.time(), 10 * MS);
}

// Tornado: ioloop_test.TestIOLoopRunSync.test_native_coroutine
#[test]
fn run_sync_runs_a_native_coroutine() {
    #[squall::coroutine]
    fn f1() -> Result<()> {
        yield_!(moment())
    }
    async fn f2() -> Result<()> {
        f1().await
    }
    virtual_loop().run_sync(f2).unwrap();
}

// Tornado: ioloop_test.TestIOLoopRunSync.test_stop_no_timeout
#[test]
fn stop_ends_run_sync_with_an_error() {
    async fn f() -> Result<()> {
        sleep(100 * MS).await?;
        IoLoop::current().stop();
        sleep(Duration::from_secs(10)).await
    }
    let e = virtual_loop().run_sync(f).unwrap_err();
    assert_eq!(e.to_string(), "Event loop stopped before Future completed.");
}

#[test]
fn nested_run_sync_of_another_loop_leaves_the_outer_one_current() {
    let (outer, inner) = (virtual_loop(), virtual_loop());
    outer.run_sync(|| sleep(MS)).unwrap();
    outer
        .run_sync(|| {
            inner.run_sync(|| sleep(5 * MS)).unwrap();
            assert_eq!(IoLoop::current().time(), MS);
            sleep(MS)
        })
        .unwrap();
    assert_eq!((outer.time(), inner.time()), (2 * MS, 5 * MS));
}
