//! Cancellation: a test for each line of `docs/cancellation.md`, and one that looks for them.

use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use squall::locks::{Condition, Event, Lock};
use squall::queues::Queue;
use squall::testing::VirtualClock;
use squall::trace::{self, Event as Happened, Observer, Problem};
use squall::{
    convert_yielded, coroutine, moment, multi, sleep, task, with_timeout, Error, Exception, Future, IoLoop,
    Result,
};

const MS: Duration = Duration::from_millis(1);

/// A loop on a virtual clock, which is the current loop of the thread.
struct World {
    io_loop: IoLoop,
    _current: squall::ioloop::CurrentLoop,
}

fn world() -> World {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    World { _current: io_loop.make_current(), io_loop }
}

impl World {
    /// Lets a second pass.
    fn run(&self) {
        self.io_loop.run_sync(|| sleep(1000 * MS)).unwrap();
    }

    /// Runs this many turns of the loop.
    fn turn(&self, turns: u32) {
        for _ in 0..turns {
            self.io_loop.add_callback({
                let io_loop = self.io_loop.clone();
                move || io_loop.stop()
            });
            self.io_loop.start();
        }
    }
}

/// Returns a Future that is never resolved.
fn never() -> Future<()> {
    Event::new().wait()
}

/// Awaits a Future in a native coroutine.
async fn wait<T>(future: Future<T>) -> Result<T> {
    future.await
}

fn is_cancelled(result: Result<impl Debug>) -> bool {
    result.unwrap_err().downcast_ref() == Some(&Error::Cancelled)
}

/// A flag that a test sets when it reaches a line.
#[derive(Clone, Default)]
struct Flag(Rc<Cell<bool>>);

impl Flag {
    fn set(&self) {
        self.0.set(true);
    }

    fn is_set(&self) -> bool {
        self.0.get()
    }
}

/// Sets its flag when it is dropped.
struct OnDrop(Flag);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// Returns the problems that were reported while `f` ran.
fn reports(f: impl FnOnce()) -> Vec<Problem> {
    #[derive(Default)]
    struct Reports(RefCell<Vec<Problem>>);
    impl Observer for Reports {
        fn event(&self, event: &Happened<'_>) {
            if let Happened::Report { problem, .. } = event {
                self.0.borrow_mut().push(*problem);
            }
        }
    }
    let reports = Rc::new(Reports::default());
    let observing = trace::observe(reports.clone());
    f();
    drop(observing);
    reports.0.take()
}

#[test]
fn cancelled_future_is_raised_at_the_yield() {
    let world = world();
    let waited = never();
    let waiting = coroutine({
        let waited = waited.clone();
        move |co| async move { Ok(is_cancelled(co.yield_(waited).await)) }
    });
    assert!(waited.cancel());
    world.turn(1);
    assert!(waiting.into_result().unwrap());
}

#[test]
fn coroutine_that_lets_cancelled_pass_has_failed() {
    let world = world();
    let waited = never();
    let waiting = coroutine({
        let waited = waited.clone();
        move |co| async move { co.yield_(waited).await }
    });
    waited.cancel();
    world.turn(1);
    assert!(!waiting.cancelled());
    assert!(is_cancelled(waiting.into_result()));
}

#[test]
fn coroutine_whose_future_is_cancelled_runs_on() {
    let world = world();
    let (slept, done) = (Flag::default(), Flag::default());
    let future = coroutine({
        let (slept, done) = (slept.clone(), done.clone());
        move |co| async move {
            let sleep = sleep(MS);
            sleep.add_done_callback(move |sleep| {
                assert!(!sleep.cancelled());
                slept.set();
            });
            co.yield_(sleep).await?;
            done.set();
            Ok(5)
        }
    });
    assert!(future.cancel());
    assert!(future.cancelled());
    world.run();
    assert!(slept.is_set() && done.is_set());
    assert!(is_cancelled(future.into_result()));
}

#[test]
fn exception_of_a_coroutine_whose_future_is_cancelled_is_logged() {
    let world = world();
    let reports = reports(|| {
        let future = coroutine(|co| async move {
            co.yield_(moment()).await?;
            Err::<(), _>(Exception::msg("too late"))
        });
        future.cancel();
        world.turn(1);
    });
    assert_eq!(reports, [Problem::AfterCancel]);
}

#[test]
fn native_coroutine_that_is_cancelled_before_it_starts_never_runs() {
    let world = world();
    let ran = Flag::default();
    let inner = ran.clone();
    let future = convert_yielded(async move {
        inner.set();
        Ok::<_, Exception>(())
    })
    .unwrap();
    assert!(future.cancel());
    world.run();
    assert!(future.cancelled() && !ran.is_set());
}

#[test]
fn cancelling_a_native_coroutine_cancels_what_it_awaits() {
    let world = world();
    let innermost = never();
    let inner = convert_yielded({
        let innermost = innermost.clone();
        wait(innermost)
    })
    .unwrap();
    let outer = convert_yielded({
        let inner = inner.clone();
        async move { Ok::<_, Exception>(is_cancelled(inner.await)) }
    })
    .unwrap();
    world.turn(2);
    assert!(outer.cancel());
    assert!(innermost.cancelled());
    world.turn(2);
    assert!(inner.cancelled());
    assert!(outer.into_result().unwrap());
}

#[test]
fn native_coroutine_that_catches_cancelled_goes_on() {
    let world = world();
    let future = convert_yielded(async {
        assert!(is_cancelled(never().await));
        sleep(MS).await?;
        Ok::<_, Exception>(5)
    })
    .unwrap();
    world.turn(1);
    assert!(future.cancel());
    assert!(!future.cancelled());
    world.run();
    assert_eq!(future.result().unwrap(), 5);
}

#[test]
fn native_coroutine_that_lets_cancelled_pass_is_cancelled() {
    let world = world();
    let native = convert_yielded(wait(never())).unwrap();
    world.turn(1);
    native.cancel();
    world.turn(1);
    assert!(native.cancelled());
}

#[test]
fn native_coroutine_that_is_cancelled_just_before_it_goes_on_gets_cancelled() {
    let world = world();
    let waited = Future::<i32>::new();
    let promise = waited.promise();
    let future = convert_yielded(async { Ok::<_, Exception>(is_cancelled(waited.await)) }).unwrap();
    world.turn(1);
    promise.set_result(5);
    assert!(future.cancel());
    world.turn(1);
    assert!(future.into_result().unwrap());
}

#[test]
fn native_coroutine_that_awaits_something_foreign_is_dropped() {
    let world = world();
    let dropped = Flag::default();
    let inner = OnDrop(dropped.clone());
    let future = convert_yielded(async move {
        squall::native(pending::<()>()).await?;
        drop(inner);
        Ok::<_, Exception>(())
    })
    .unwrap();
    world.turn(1);
    future.cancel();
    world.turn(1);
    assert!(future.cancelled() && dropped.is_set());
}

#[test]
fn decorated_coroutine_that_a_cancelled_native_one_awaits_runs_on() {
    let world = world();
    let done = Flag::default();
    let inner = done.clone();
    let decorated = coroutine(move |co| async move {
        co.yield_(sleep(MS)).await?;
        inner.set();
        Ok(())
    });
    let native = convert_yielded({
        let decorated = decorated.clone();
        wait(decorated)
    })
    .unwrap();
    world.turn(1);
    native.cancel();
    assert!(decorated.cancelled());
    world.run();
    assert!(native.cancelled() && done.is_set());
}

#[test]
fn cancelled_sleep_is_not_done_at_its_time() {
    let world = world();
    let sleep = sleep(MS);
    assert!(sleep.cancel());
    world.run();
    assert!(is_cancelled(sleep.into_result()));
}

#[test]
fn cancelled_child_fails_its_list_after_all_are_done() {
    let world = world();
    let (cancelled, slow) = (never(), sleep(MS));
    let all = multi([cancelled.clone(), slow.clone()]);
    cancelled.cancel();
    world.turn(1);
    assert!(!all.done());
    world.run();
    assert!(slow.done());
    assert!(is_cancelled(all.into_result()));
}

#[test]
fn children_of_a_cancelled_list_run_on() {
    let world = world();
    let (first, second) = (sleep(MS), sleep(2 * MS));
    let all = multi([first.clone(), second.clone()]);
    assert!(all.cancel());
    world.run();
    assert!(all.cancelled());
    first.result().unwrap();
    second.result().unwrap();
}

#[test]
fn with_timeout_raises_the_cancellation_of_what_it_waits_for() {
    let world = world();
    let waited = never();
    let limited = with_timeout(100 * MS, waited.clone());
    waited.cancel();
    world.turn(2);
    assert!(is_cancelled(limited.into_result()));
}

#[test]
fn what_a_cancelled_with_timeout_waits_for_runs_on() {
    let world = world();
    let waited = sleep(MS);
    let limited = with_timeout(100 * MS, waited.clone());
    assert!(limited.cancel());
    world.run();
    waited.result().unwrap();
}

#[test]
fn cancellation_after_the_timeout_is_not_logged() {
    let world = world();
    let waited = never();
    let reports = reports(|| {
        let limited = with_timeout(MS, waited.clone());
        world.run();
        assert_eq!(limited.exception().unwrap().downcast_ref(), Some(&Error::Timeout));
        waited.cancel();
        world.turn(2);
    });
    assert!(reports.is_empty(), "{reports:?}");
}

#[test]
fn what_is_set_after_cancellation_is_dropped() {
    let dropped = Flag::default();
    let future = Future::<Rc<OnDrop>>::new();
    let promise = future.promise();
    future.cancel();
    promise.set_result(Rc::new(OnDrop(dropped.clone())));
    assert!(future.cancelled() && dropped.is_set());

    let slot = Rc::new(Cell::new(None));
    let keep = slot.clone();
    let future = task::<i32>(move |callback| keep.set(Some(callback)));
    future.cancel();
    slot.take().unwrap()(5);
    assert!(future.cancelled());
}

#[test]
fn cancelled_acquire_leaves_the_line() {
    let lock = Lock::new();
    let [held, cancelled, next] = std::array::from_fn(|_| lock.acquire());
    assert!(cancelled.cancel());
    drop(held);
    assert!(cancelled.cancelled() && next.done());
}

/// Lets a native coroutine wait for `future`, calls `give` to resolve that, and cancels the coroutine before it goes
/// on.
fn cancel_after<T: 'static>(world: &World, future: Future<T>, give: impl FnOnce()) {
    let waiting = convert_yielded(async move { future.await.map(drop) }).unwrap();
    world.turn(1);
    give();
    assert!(waiting.cancel());
    world.turn(1);
    assert!(waiting.cancelled());
}

#[test]
fn lock_granted_to_a_cancelled_coroutine_passes_on() {
    let world = world();
    let lock = Lock::new();
    let held = lock.acquire();
    let acquire = lock.acquire();
    let next = lock.acquire();
    cancel_after(&world, acquire, || drop(held));
    assert!(next.done());
}

#[test]
fn lock_granted_without_a_guard_to_a_cancelled_coroutine_stays_locked() {
    let world = world();
    let lock = Lock::new();
    let held = lock.acquire();
    let acquire = lock.acquire_unguarded();
    let next = lock.acquire();
    cancel_after(&world, acquire, || drop(held));
    assert!(!next.done());
    lock.release().unwrap();
    assert!(next.done());
}

#[test]
fn cancelled_wait_does_not_count_for_notify() {
    let condition = Condition::new();
    let (cancelled, next) = (condition.wait(), condition.wait());
    assert!(cancelled.cancel());
    condition.notify(1);
    assert!(next.result().unwrap());
}

#[test]
fn notification_of_a_cancelled_coroutine_is_spent() {
    let world = world();
    let condition = Condition::new();
    let wait = condition.wait();
    let next = condition.wait();
    cancel_after(&world, wait, || condition.notify(1));
    assert!(!next.done());
}

#[test]
fn cancelled_wait_leaves_the_event_to_the_others() {
    let world = world();
    let event = Event::new();
    let (plain, limited, other) = (event.wait(), event.wait_within(100 * MS), event.wait());
    assert!(plain.cancel() && limited.cancel());
    world.turn(2);
    event.set();
    assert!(plain.cancelled() && limited.cancelled());
    other.result().unwrap();

    let queue = Queue::new(0);
    queue.put_nowait(5).unwrap();
    let (join, other) = (queue.join(), queue.join());
    assert!(join.cancel());
    queue.task_done().unwrap();
    other.result().unwrap();
}

#[test]
fn item_passes_over_a_cancelled_getter() {
    let queue = Queue::new(0);
    let (cancelled, next, last) = (queue.get(), queue.get(), queue.get());
    assert!(cancelled.cancel());
    queue.put_nowait(1).unwrap();
    assert_eq!(next.into_result().unwrap(), 1);
    assert!(last.cancel());
    queue.put_nowait(2).unwrap();
    assert_eq!(queue.get_nowait(), Ok(2));
}

#[test]
fn item_given_to_a_cancelled_coroutine_comes_back() {
    let world = world();
    let queue = Queue::new(0);
    cancel_after(&world, queue.get(), || {
        queue.put_nowait(1).unwrap();
        queue.put_nowait(2).unwrap();
    });
    assert_eq!(queue.get_nowait(), Ok(1));
    assert_eq!(queue.get_nowait(), Ok(2));
    let get = queue.get();
    let next = queue.get();
    cancel_after(&world, get, || queue.put_nowait(3).unwrap());
    assert_eq!(next.into_result().unwrap(), 3);
}

#[test]
fn item_of_a_cancelled_putter_is_dropped() {
    let queue = Queue::new(1);
    let dropped = Flag::default();
    queue.put_nowait(OnDrop(Flag::default())).unwrap();
    let put = queue.put(OnDrop(dropped.clone()));
    assert!(put.cancel());
    assert!(dropped.is_set());
    drop(queue.get_nowait());
    assert!(queue.empty());
}

#[test]
fn run_sync_of_something_cancelled_says_so() {
    let world = world();
    let waited = never();
    let cancel = waited.clone();
    world.io_loop.call_later(MS, move || {
        cancel.cancel();
    });
    let e = world.io_loop.run_sync(|| waited).unwrap_err();
    assert_eq!(e.downcast_ref(), Some(&Error::LoopStopped));
}

#[test]
fn run_sync_that_runs_out_of_time_cancels() {
    let world = world();
    let waited = never();
    let e = world.io_loop.run_sync_with_timeout(MS, || waited.clone()).unwrap_err();
    assert!(matches!(e.downcast_ref(), Some(Error::RunSyncTimeout { .. })));
    assert!(waited.cancelled());
}

#[test]
fn cancelled_spawned_coroutine_is_not_logged() {
    let world = world();
    let waited = never();
    let reports = reports(|| {
        let inner = waited.clone();
        world.io_loop.spawn_callback(move || inner);
        world.turn(1);
        waited.cancel();
        world.turn(2);
    });
    assert!(reports.is_empty(), "{reports:?}");
}

#[test]
fn done_callback_is_called_on_cancellation() {
    let world = world();
    let called = Flag::default();
    let inner = called.clone();
    let future = never();
    future.add_done_callback(move |future| {
        assert!(future.cancelled());
        inner.set();
    });
    future.cancel();
    assert!(!called.is_set());
    world.turn(1);
    assert!(called.is_set());
}

#[test]
fn cancelling_what_is_done_does_nothing() {
    let done = Future::ready(5);
    assert!(!done.cancel());
    assert_eq!(done.result().unwrap(), 5);
    let failed = Future::<()>::failed(Exception::msg("on purpose"));
    assert!(!failed.cancel());
    assert_eq!(failed.exception().unwrap().to_string(), "on purpose");
    let cancelled = never();
    assert!(cancelled.cancel());
    assert!(!cancelled.cancel());
}

#[test]
fn dropped_coroutines_run_on() {
    let world = world();
    let (decorated, native) = (Flag::default(), Flag::default());
    let reports = reports(|| {
        let flag = decorated.clone();
        drop(coroutine(move |co| async move {
            co.yield_(sleep(MS)).await?;
            flag.set();
            Err::<(), _>(Exception::msg("on purpose"))
        }));
        let flag = native.clone();
        drop(convert_yielded(async move {
            sleep(MS).await?;
            flag.set();
            Err::<(), _>(Exception::msg("on purpose"))
        }));
        world.run();
    });
    assert!(decorated.is_set() && native.is_set());
    assert_eq!(reports, [Problem::NeverRetrieved; 2]);
}

#[test]
fn dropped_native_coroutine_that_awaits_something_foreign_runs_on() {
    let world = world();
    let (waker, done) = (Rc::new(Cell::new(None::<Waker>)), Flag::default());
    let (keep, inner) = (waker.clone(), done.clone());
    world.io_loop.spawn_callback(move || async move {
        let mut polled = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut polled, true) {
                return Poll::Ready(());
            }
            keep.set(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
        inner.set();
        Ok::<_, Exception>(())
    });
    world.turn(2);
    waker.take().unwrap().wake();
    world.turn(1);
    assert!(done.is_set());
}

#[test]
fn dropped_sleep_still_calls_back() {
    let world = world();
    let called = Flag::default();
    let inner = called.clone();
    sleep(MS).add_done_callback(move |_| inner.set());
    world.run();
    assert!(called.is_set());
}

#[test]
fn dropped_lists_and_limits_leave_nothing_behind() {
    let world = world();
    let (queue, event) = (Queue::<i32>::new(0), Event::new());
    drop(multi([queue.get(), queue.get()]));
    drop(with_timeout(1000 * MS, queue.get()));
    drop(with_timeout(1000 * MS, (queue.get(), event.wait())));
    drop(multi((with_timeout(1000 * MS, queue.get()), event.wait_within(1000 * MS))));
    let inner = queue.clone();
    let awaits = convert_yielded(async move {
        let requests = (multi([inner.get()]), with_timeout(1000 * MS, [inner.get()]));
        let mut requests = (Box::pin(requests.0), Box::pin(requests.1));
        poll_fn(|cx| {
            use std::future::Future as _;
            assert!(requests.0.as_mut().poll(cx).is_pending() && requests.1.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        drop(requests);
        moment().await
    });
    drop(awaits.map(|awaits| world.io_loop.run_sync(|| awaits)));
    assert_eq!(format!("{queue:?}"), "<Queue maxsize=0>");
    queue.put_nowait(5).unwrap();
    assert_eq!(queue.get_nowait(), Ok(5));
    let deadlock = world.io_loop.run_sync(never);
    assert!(matches!(deadlock.unwrap_err().downcast_ref(), Some(Error::Deadlock { .. })));
    assert_eq!(world.io_loop.time(), Duration::ZERO);
}

#[test]
fn dropped_lists_and_limits_still_call_back() {
    let world = world();
    let called = Rc::new(Cell::new(0));
    let count = || {
        let called = called.clone();
        move || called.set(called.get() + 1)
    };
    let (one, two, three) = (count(), count(), count());
    multi([sleep(MS), sleep(2 * MS)]).add_done_callback(move |_| one());
    with_timeout(9 * MS, sleep(MS)).add_done_callback(move |_| two());
    with_timeout(MS, [never()]).add_done_callback(move |limited| {
        assert!(limited.exception().is_some());
        three();
    });
    world.run();
    assert_eq!(called.get(), 3);
}

#[test]
fn list_that_a_limit_has_given_up_takes_no_item() {
    let world = world();
    let queue = Queue::<i32>::new(0);
    let limited = with_timeout(MS, (queue.get(), vec![queue.get()], never()));
    world.run();
    assert!(limited.exception().is_some());
    assert_eq!(format!("{queue:?}"), "<Queue maxsize=0>");
}

#[test]
fn late_failures_in_a_list_that_was_given_up_are_logged() {
    async fn fails() -> Result<()> {
        sleep(5 * MS).await?;
        Err(Error::Timeout)?
    }
    for (quiet, expected) in [(false, 2), (true, 0)] {
        let world = world();
        let reports = reports(|| {
            let list = (fails(), [fails()], sleep(5 * MS));
            let limited = squall::with_timeout_quiet(MS, list, move |_| quiet);
            world.run();
            assert!(limited.exception().is_some());
        });
        assert_eq!(reports.len(), expected, "{reports:?}");
        assert!(reports.iter().all(|problem| *problem == Problem::LateFailure), "{reports:?}");
    }
}

#[test]
fn dropped_acquire_leaves_the_line_or_releases() {
    let lock = Lock::new();
    let granted = lock.acquire();
    drop(lock.acquire());
    assert_eq!(format!("{lock:?}"), "<Lock [locked]>");
    let next = lock.acquire();
    assert!(granted.done() && !next.done());
    drop(granted);
    assert!(next.done());
}

#[test]
fn item_of_a_dropped_putter_goes_in() {
    let queue = Queue::new(1);
    queue.put_nowait(1).unwrap();
    drop(queue.put(2));
    assert_eq!(queue.get_nowait(), Ok(1));
    assert_eq!(queue.get_nowait(), Ok(2));
}

#[test]
fn dropped_wait_does_not_count_for_notify() {
    let condition = Condition::new();
    drop(condition.wait());
    let next = condition.wait();
    condition.notify(1);
    assert!(next.done());
}

#[test]
fn dropped_wait_leaves_the_event() {
    let (event, queue) = (Event::new(), Queue::new(0));
    queue.put_nowait(()).unwrap();
    let (alive, called) = (Rc::new(()), Flag::default());
    for future in [event.wait(), queue.join()] {
        let (held, called) = (alive.clone(), called.clone());
        let waiting = coroutine(move |co| async move {
            co.yield_(future).await?;
            called.set();
            drop(held);
            Ok(())
        });
        drop(waiting);
    }
    drop((event.wait(), queue.join()));
    assert_eq!(Rc::strong_count(&alive), 3);
    event.set();
    queue.task_done().unwrap();
    IoLoop::current().run_sync(moment).unwrap();
    assert!(called.is_set());
    assert_eq!(Rc::strong_count(&alive), 1);
}

#[test]
fn dropped_get_leaves_the_line() {
    let queue = Queue::new(0);
    drop((queue.get(), queue.get_within(MS)));
    assert_eq!(format!("{queue:?}"), "<Queue maxsize=0>");
    let next = queue.get();
    queue.put_nowait(5).unwrap();
    assert_eq!(next.into_result().unwrap(), 5);
}

#[test]
fn request_that_a_done_callback_waits_for_stays_in_line() {
    let (lock, called) = (Lock::new(), Flag::default());
    let guard = lock.acquire();
    let inner = called.clone();
    lock.acquire().add_done_callback(move |_| inner.set());
    drop(guard);
    IoLoop::current().run_sync(moment).unwrap();
    assert!(called.is_set());
}

#[test]
fn dropped_promise_fails_its_future() {
    let future = Future::<()>::new();
    drop(future.promise());
    assert_eq!(future.exception().unwrap().downcast_ref(), Some(&Error::BrokenPromise));
}

#[test]
fn end_of_the_loop_drops_what_is_suspended() {
    let world = world();
    let (dropped, resumed) = (Flag::default(), Flag::default());
    let (inner, flag) = (OnDrop(dropped.clone()), resumed.clone());
    drop(coroutine(move |co| async move {
        let waited = co.yield_(never()).await;
        flag.set();
        drop(inner);
        waited
    }));
    let (inner, flag) = (OnDrop(Flag::default()), resumed.clone());
    let native = inner.0.clone();
    let future = convert_yielded(async move {
        let _inner = inner;
        squall::native(pending::<()>()).await?;
        flag.set();
        Ok::<_, Exception>(())
    });
    world.turn(1);
    assert!(!dropped.is_set() && !native.is_set());
    drop(world);
    assert!(dropped.is_set() && native.is_set() && !resumed.is_set());
    drop(future);
}

#[test]
fn each_line_of_the_table_names_a_test_that_exists() {
    let source = |name: &str| match name {
        "wait_iterator" => include_str!("wait_iterator.rs"),
        "executor" => include_str!("executor.rs"),
        "ioloop_ends" => include_str!("ioloop_ends.rs"),
        "queues" => include_str!("queues.rs"),
        "locks" => include_str!("locks.rs"),
        "httpclient" => {
            concat!(include_str!("httpclient/cancelling.rs"), include_str!("httpclient/streaming.rs"))
        }
        "lines" => include_str!("lines.rs"),
        "loops" => include_str!("loops.rs"),
        "net" => concat!(include_str!("net/listeners.rs"), include_str!("net/streams.rs")),
        other => panic!("no such file: {other}"),
    };
    let mut lines = 0;
    for line in include_str!("../docs/cancellation.md").lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, _, _, test, _, _] = cells[..] else { panic!("not four cells: {line}") };
        if test == "test" {
            continue;
        }
        for path in test.split(", ").map(|path| path.trim_matches('`')) {
            let (file, name) = match path.rsplit_once("::") {
                Some((module, name)) => (source(module.split("::").next().unwrap()), name),
                None => (include_str!("cancellation.rs"), path),
            };
            assert!(
                file.contains(&format!("#[test]\nfn {name}()"))
                    || file.contains(&format!("#[test]\n    fn {name}()")),
                "{path}"
            );
        }
        lines += 1;
    }
    assert!(lines > 40, "{lines}");
}
