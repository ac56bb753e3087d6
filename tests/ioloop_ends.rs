//! How a loop sleeps, is woken, and ends: threads that end, foreign wakers, what is dropped last.

use std::cell::{Cell, RefCell};
use std::future::Future as _;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use squall::{multi, sleep, with_timeout, Error, Exception, Future, IoLoop, Result};

/// A Future that another thread resolves.
#[derive(Clone, Default)]
struct Signal(Arc<Mutex<(bool, Option<Waker>)>>);

impl Signal {
    fn set(&self) {
        let waker = {
            let mut state = self.0.lock().unwrap();
            state.0 = true;
            state.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    async fn wait(self) -> Result<()> {
        std::future::poll_fn(|cx| {
            let mut state = self.0.lock().unwrap();
            if state.0 {
                return Poll::Ready(Ok(()));
            }
            state.1 = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }
}

/// The line that a traceback of one line names.
fn raised_at(exception: &Exception) -> (&'static str, u32) {
    assert_eq!(exception.traceback(), [], "{exception:?}");
    (exception.origin().file(), exception.origin().line())
}

#[test]
fn what_ends_a_run_says_which_run() {
    let io_loop = IoLoop::new();
    let line = line!() + 1;
    let deadlock = io_loop.run_sync(|| async { Future::<()>::new().await }).unwrap_err();
    assert_eq!(raised_at(&deadlock), (file!(), line));
    let Some(Error::Deadlock { waiting }) = deadlock.downcast_ref() else { panic!("{deadlock:?}") };
    assert_eq!((waiting[0].place.file(), waiting[0].place.line()), (file!(), line));

    let late = || io_loop.run_sync_with_timeout(Duration::from_millis(1), Future::<()>::new).unwrap_err();
    assert_eq!(raised_at(&late()), (file!(), line!() - 1));
    io_loop.add_callback({
        let io_loop = io_loop.clone();
        move || io_loop.stop()
    });
    let stopped = || io_loop.run_sync(Future::<()>::new).unwrap_err();
    assert_eq!(raised_at(&stopped()), (file!(), line!() - 1));
}

#[test]
fn spawned_native_coroutine_waits_where_it_was_spawned() {
    let io_loop = IoLoop::new();
    io_loop.spawn_callback(|| async { Future::<()>::new().await });
    let line = line!() - 1;
    io_loop.run_sync(squall::moment).unwrap();
    assert_eq!(io_loop.dump().waiting()[0].place.line(), line);
}

#[test]
fn native_coroutine_woken_by_another_thread_is_never_missed() {
    // The thread wakes the loop at any moment around the one in which it falls asleep.
    for _ in 0..2000 {
        let signal = Signal::default();
        let set = signal.clone();
        let (start, started) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            started.recv().unwrap();
            set.set();
        });
        IoLoop::new()
            .run_sync(|| {
                IoLoop::current().add_callback(move || start.send(()).unwrap());
                signal.wait()
            })
            .unwrap();
        thread.join().unwrap();
    }
}

#[test]
fn callback_of_another_thread_is_never_missed() {
    for _ in 0..2000 {
        let io_loop = IoLoop::new();
        let handle = io_loop.handle();
        let thread = std::thread::spawn(move || handle.add_callback(|| IoLoop::current().stop()));
        io_loop.start();
        thread.join().unwrap();
    }
}

#[test]
fn loop_that_waits_for_a_handle_sees_that_it_is_dropped() {
    let io_loop = IoLoop::new();
    let handle = io_loop.handle();
    let never = Future::<()>::new();
    let _promise = never.promise();
    let (start, started) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        started.recv().unwrap();
        drop(handle);
    });
    let e = io_loop.run_sync(|| {
        IoLoop::current().add_callback(move || start.send(()).unwrap());
        never
    });
    assert!(matches!(e.unwrap_err().downcast_ref(), Some(Error::Deadlock { .. })));
    thread.join().unwrap();
}

#[test]
fn loop_that_waits_for_a_waker_sees_that_the_last_clone_is_dropped_by_another_thread() {
    // The thread drops it at any moment around the one in which the loop falls asleep.
    for _ in 0..1000 {
        let signal = Signal::default();
        let other = signal.clone();
        let (start, started) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            started.recv().unwrap();
            let waker = other.0.lock().unwrap().1.take();
            let second = waker.clone();
            drop(waker);
            drop(second);
        });
        let e = IoLoop::new().run_sync(|| {
            let waits = squall::convert_yielded(signal.wait()).unwrap();
            // By then it has been polled.
            IoLoop::current().add_callback(move || start.send(()).unwrap());
            waits
        });
        assert!(matches!(e.unwrap_err().downcast_ref(), Some(Error::Deadlock { .. })));
        thread.join().unwrap();
    }
}

#[test]
fn waker_that_is_dropped_beside_a_future_that_is_awaited_too_ends_the_wait_of_the_loop() {
    let signal = Signal::default();
    let other = signal.clone();
    let (start, started) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        started.recv().unwrap();
        drop(other.0.lock().unwrap().1.take());
    });
    let never = Future::<()>::new();
    let _promise = never.promise();
    let e = IoLoop::new().run_sync(|| async move {
        let mut waits = std::pin::pin!(signal.wait());
        let mut never = std::pin::pin!(never);
        let mut start = Some(start);
        std::future::poll_fn(move |cx| {
            let both = (waits.as_mut().poll(cx), never.as_mut().poll(cx));
            start.take().into_iter().for_each(|start| start.send(()).unwrap());
            if both.0.is_ready() {
                both.0
            } else {
                both.1
            }
        })
        .await
    });
    assert!(matches!(e.unwrap_err().downcast_ref(), Some(Error::Deadlock { .. })));
    thread.join().unwrap();
}

#[test]
fn deadlock_names_what_waits_behind_lists_timeouts_and_native_coroutines() {
    #[squall::coroutine]
    fn waits_for_ever(never: Future<()>) -> Result<()> {
        yield_!(never)
    }
    #[squall::coroutine]
    fn waits_for_a_list(never: Future<()>) -> Result<()> {
        yield_!([waits_for_ever(never.clone()), waits_for_ever(never)])?;
        Ok(())
    }
    async fn native(never: Future<()>) -> Result<()> {
        multi([waits_for_a_list(never)]).await?;
        Ok(())
    }
    let never = Future::<()>::new();
    let _promise = never.promise();
    let e = IoLoop::new().run_sync(|| native(never)).unwrap_err();
    let Some(Error::Deadlock { waiting }) = e.downcast_ref() else { panic!("{e:?}") };
    let mut names: Vec<_> = waiting.iter().map(|waiting| waiting.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["native", "waits_for_a_list", "waits_for_ever", "waits_for_ever"]);
    let text = e.to_string();
    assert_eq!(text.matches("waits_for_ever waits at").count(), 1, "equal lines are one: {text}");
    assert!(text.contains("(2 of them)"), "{text}");
    assert!(waiting.iter().all(|waiting| waiting.place.file() == file!() || waiting.name == "native"));
}

#[test]
fn timeout_of_what_never_comes_is_no_deadlock() {
    let never = Future::<()>::new();
    let _promise = never.promise();
    let e = IoLoop::new().run_sync(|| with_timeout(Duration::from_millis(1), never)).unwrap_err();
    assert_eq!(e.downcast_ref(), Some(&Error::Timeout));
}

/// Asks for the loop when it is dropped, and sets a timer on it.
struct AsksForTheLoop;

impl Drop for AsksForTheLoop {
    fn drop(&mut self) {
        IoLoop::current().call_later(Duration::from_secs(1), || ());
        drop(sleep(Duration::from_secs(1)));
    }
}

#[test]
fn thread_ends_although_what_its_loop_holds_asks_for_the_loop() {
    let thread = std::thread::spawn(|| {
        let (in_timer, in_callback) = (AsksForTheLoop, AsksForTheLoop);
        let io_loop = IoLoop::current();
        io_loop.call_later(Duration::from_secs(3600), move || drop(in_timer));
        io_loop.spawn_callback(|| {
            squall::coroutine(|co| async move {
                let _in_coroutine = AsksForTheLoop;
                co.yield_(sleep(Duration::from_secs(3600))).await
            })
        });
        io_loop.run_sync(|| sleep(Duration::from_millis(1))).unwrap();
        io_loop.add_callback(move || drop(in_callback));
    });
    thread.join().unwrap();
}

#[test]
fn closed_loop_drops_what_it_holds_and_what_is_added() {
    let io_loop = IoLoop::new();
    let held = Rc::new(());
    let own = io_loop.clone();
    let (callback, timer, late) = (held.clone(), held.clone(), held.clone());
    io_loop.add_callback(move || drop((callback, own)));
    io_loop.call_later(Duration::from_secs(1), move || drop(timer));
    io_loop.close();
    assert_eq!(Rc::strong_count(&held), 2);
    io_loop.add_callback(move || drop(late));
    assert_eq!(Rc::strong_count(&held), 1);
    let again = held.clone();
    io_loop.call_later(Duration::ZERO, move || drop(again));
    assert_eq!(Rc::strong_count(&held), 1);
    let e = io_loop.run_sync(|| ()).unwrap_err();
    assert_eq!(e.downcast_ref(), Some(&Error::InvalidState("the IoLoop is closed")));
}

#[test]
fn loop_that_runs_cannot_be_closed() {
    let e = IoLoop::new().run_sync(|| -> Future<()> {
        IoLoop::current().close();
        Future::ready(())
    });
    assert!(e.unwrap_err().to_string().contains("stop it before it is closed"));
}

#[test]
fn last_handle_of_a_loop_dropped_in_its_own_callback_ends_the_loop_after_the_run() {
    let own = Rc::new(RefCell::new(Some(IoLoop::new())));
    let io_loop = own.borrow().clone().unwrap();
    let (ran, dropped) = (Rc::new(Cell::new(false)), own.clone());
    let after = ran.clone();
    io_loop.add_callback(move || drop(dropped.take()));
    io_loop.call_later(Duration::from_millis(1), move || {
        after.set(true);
        IoLoop::current().stop();
    });
    io_loop.start();
    assert!(ran.get() && own.borrow().is_none());
}

#[test]
fn flood_of_callbacks_from_another_thread_does_not_keep_timers_waiting() {
    let io_loop = IoLoop::new();
    let handle = io_loop.handle();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = stop.clone();
    let thread = std::thread::spawn(move || {
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            handle.add_callback(|| ());
        }
    });
    let result: Result<(), Exception> = io_loop.run_sync(|| sleep(Duration::from_millis(1)));
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    thread.join().unwrap();
    result.unwrap();
}

#[test]
fn cancelled_sleep_takes_its_timer_with_it() {
    let io_loop = IoLoop::with_clock(squall::testing::VirtualClock::new());
    let never = Future::<()>::new();
    let _promise = never.promise();
    let e = io_loop.run_sync(|| {
        let sleeps: Vec<_> = (1..=3).map(|n| sleep(Duration::from_secs(3600 * n))).collect();
        assert!(sleeps.iter().all(Future::cancel));
        assert!(sleeps.iter().all(|sleep| !sleep.cancel() && sleep.cancelled()));
        never
    });
    assert!(matches!(e.unwrap_err().downcast_ref(), Some(Error::Deadlock { .. })));
    assert_eq!(io_loop.time(), Duration::ZERO, "no timer was left to wait for");
}

#[test]
fn sleep_that_is_cancelled_on_another_loop_takes_its_timer_from_its_own() {
    let clocks = [(); 2].map(|()| squall::testing::VirtualClock::new());
    let [one, other] = clocks.map(IoLoop::with_clock);
    let here = one.make_current();
    let slept = sleep(Duration::from_secs(1));
    let there = other.make_current();
    let kept = sleep(Duration::from_secs(2));
    assert!(slept.cancel());
    drop((here, there));
    let never = Future::<()>::new();
    let _promise = never.promise();
    one.run_sync(|| never).unwrap_err();
    assert_eq!(one.time(), Duration::ZERO);
    other.run_sync(|| kept).unwrap();
    assert_eq!(other.time(), Duration::from_secs(2));
}

#[test]
fn sleep_on_a_closed_loop_fails() {
    let io_loop = IoLoop::new();
    let _here = io_loop.make_current();
    io_loop.close();
    let closed = |e: Option<Exception>| {
        assert_eq!(e.unwrap().downcast_ref(), Some(&Error::InvalidState("the IoLoop is closed")));
    };
    closed(sleep(Duration::from_secs(1)).exception());
    closed(sleep(Duration::MAX).exception());
    let never = Future::<()>::new();
    let _promise = never.promise();
    closed(with_timeout(Duration::from_secs(1), sleep(Duration::from_secs(2))).exception());
    closed(with_timeout(Duration::from_secs(1), never).exception());
    let second = Duration::from_secs(1);
    let (lock, queue) = (squall::locks::Lock::new(), squall::queues::Queue::<i32>::new(1));
    let _held = lock.acquire().into_result().unwrap();
    closed(lock.acquire_within(second).exception());
    closed(squall::locks::Condition::new().wait_within(second).exception());
    closed(squall::locks::Event::new().wait_within(second).exception());
    closed(queue.get_within(second).exception());
    queue.put(1).into_result().unwrap();
    closed(queue.put_within(2, second).exception());
    let native = squall::convert_yielded(async { Ok::<_, Exception>(5) }).unwrap();
    assert!(matches!(native.exception().unwrap().downcast_ref(), Some(Error::InvalidState(_))));
}

#[test]
fn times_may_be_as_long_as_there_are_durations() {
    let io_loop = IoLoop::with_clock(squall::testing::VirtualClock::new());
    let real = IoLoop::new();
    for io_loop in [&io_loop, &real] {
        let timer = io_loop.call_at(Duration::MAX, || panic!("it is removed"));
        io_loop.remove_timeout(&timer);
        let (add, later) =
            (io_loop.add_timeout(Duration::MAX, || ()), io_loop.call_later(Duration::MAX, || ()));
        io_loop.set_blocking_log_threshold(Some(Duration::MAX));
        io_loop.run_sync_with_timeout(Duration::MAX, || sleep(Duration::from_millis(1))).unwrap();
        io_loop.run_sync(|| with_timeout(Duration::MAX, sleep(Duration::from_millis(1)))).unwrap();
        io_loop
            .run_sync(|| async {
                drop(sleep(Duration::MAX));
                Ok::<_, Exception>(())
            })
            .unwrap();
        [add, later].iter().for_each(|timer| io_loop.remove_timeout(timer));
    }
    // A virtual clock jumps even that far.
    io_loop.run_sync(|| sleep(Duration::MAX)).unwrap();
    io_loop.run_sync(|| sleep(Duration::MAX)).unwrap();
    let e = io_loop.run_sync_with_timeout(Duration::MAX, Future::<()>::new).unwrap_err();
    assert!(matches!(e.downcast_ref(), Some(Error::RunSyncTimeout { .. })));
}
