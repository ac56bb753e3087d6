//! `PeriodicCallback`: when it calls, what it waits for, and what stops it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use squall::ioloop::Clock;
use squall::testing::VirtualClock;
use squall::{coroutine, sleep, Exception, Future, IoLoop, PeriodicCallback};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// A clock that can be set back as well.
#[derive(Debug, Clone, Default)]
struct WallClock(Rc<Cell<Duration>>);

impl Clock for WallClock {
    fn now(&self) -> Duration {
        self.0.get()
    }
    fn until(&self, deadline: Duration) -> Duration {
        self.0.set(self.0.get().max(deadline));
        Duration::ZERO
    }
}

/// Returns the times at which a callback with a period of 10 s is called, if its calls take these numbers of seconds.
/// A negative one sets the clock back during the call.
fn simulate_calls(jitter: Option<Vec<f64>>, durations: &[i64]) -> Vec<Duration> {
    let clock = WallClock(Rc::new(Cell::new(1000 * SECOND)));
    let io_loop = IoLoop::with_clock(clock.clone());
    let calls = Rc::new(RefCell::new(Vec::new()));
    let (seen, stopped, durations) = (calls.clone(), io_loop.clone(), durations.to_vec());
    let mut pc = PeriodicCallback::new(
        move || {
            let duration = durations[seen.borrow().len()];
            seen.borrow_mut().push(clock.now());
            let by = Duration::from_secs(duration.unsigned_abs());
            clock.0.set(if duration < 0 { clock.now().saturating_sub(by) } else { clock.now() + by });
            if seen.borrow().len() == durations.len() {
                stopped.stop();
            }
        },
        10 * SECOND,
    );
    if let Some(random) = jitter {
        let mut random = random.into_iter();
        pc = pc.jitter_by(0.5, move || random.next().unwrap_or(0.5));
    }
    io_loop.add_callback(move || pc.start());
    io_loop.start();
    io_loop.close();
    calls.take()
}

fn seconds(times: &[u64]) -> Vec<Duration> {
    times.iter().map(|&s| Duration::from_secs(s)).collect()
}

// Tornado: ioloop_test.TestPeriodicCallbackMath.test_basic
#[test]
fn calls_come_a_period_apart() {
    assert_eq!(simulate_calls(None, &[0; 5]), seconds(&[1010, 1020, 1030, 1040, 1050]));
}

// Tornado: ioloop_test.TestPeriodicCallbackMath.test_overrun
#[test]
fn call_that_takes_too_long_skips_whole_periods() {
    assert_eq!(
        simulate_calls(None, &[9, 9, 10, 11, 20, 20, 35, 35, 0, 0, 0]),
        seconds(&[1010, 1020, 1030, 1050, 1070, 1100, 1130, 1170, 1210, 1220, 1230]),
    );
}

// Tornado: ioloop_test.TestPeriodicCallbackMath.test_clock_backwards
#[test]
fn clock_that_goes_backwards_does_not_move_the_schedule() {
    assert_eq!(simulate_calls(None, &[-2, -1, -3, -2, 0]), seconds(&[1010, 1020, 1030, 1040, 1050]));
    assert_eq!(simulate_calls(None, &[-100, 0, 0]), seconds(&[1010, 1020, 1030]));
}

// Tornado: ioloop_test.TestPeriodicCallbackMath.test_jitter
#[test]
fn jitter_moves_each_period_within_its_window() {
    let expected = [1_010_000, 1_022_500, 1_030_000, 1_041_250].map(Duration::from_millis);
    assert_eq!(simulate_calls(Some(vec![0.5, 1.0, 0.0, 0.75]), &[0; 4]), expected);
}

#[test]
fn random_jitter_stays_within_its_window() {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let calls = Rc::new(RefCell::new(Vec::new()));
    let (seen, inner) = (calls.clone(), io_loop.clone());
    let pc = PeriodicCallback::new(move || seen.borrow_mut().push(inner.time()), 10 * SECOND).jitter(0.5);
    io_loop
        .run_sync(|| {
            pc.start();
            sleep(2000 * SECOND)
        })
        .unwrap();
    pc.stop();
    let calls = calls.take();
    let periods: Vec<Duration> = calls.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    assert!(periods.iter().all(|period| (7500 * MS..=12500 * MS).contains(period)), "{periods:?}");
    assert!(periods.windows(2).any(|pair| pair[0] != pair[1]), "{periods:?}");
}

#[test]
fn jitter_stays_within_its_window_whatever_the_random_numbers_are() {
    for (random, calls) in [(f64::NAN, 10), (f64::INFINITY, 6), (-1e300, 20)] {
        let io_loop = IoLoop::with_clock(VirtualClock::new());
        let _current = io_loop.make_current();
        let called = Rc::new(Cell::new(0));
        let count = called.clone();
        let pc =
            PeriodicCallback::new(move || count.set(count.get() + 1), 10 * MS).jitter_by(1.0, move || random);
        pc.start();
        io_loop.run_sync(|| squall::sleep(104 * MS)).unwrap();
        pc.stop();
        assert_eq!(called.get(), calls, "{random}");
    }
}

// Tornado: ioloop_test.TestPeriodicCallbackMath.test_timedelta
#[test]
fn period_is_any_duration() {
    let pc = PeriodicCallback::new(|| (), MS + SECOND);
    assert_eq!(pc.period(), 1001 * MS);
}

#[test]
#[should_panic(expected = "the period of a PeriodicCallback must be more than zero")]
fn period_of_zero_panics() {
    let _ = PeriodicCallback::new(|| (), Duration::ZERO);
}

/// A loop whose callback stops everything when it has ended three times; how often it was called and ended.
fn three_calls<F: std::future::Future<Output = Result<(), Exception>> + 'static>(
    callback: impl Fn(Rc<Cell<u32>>, Box<dyn FnOnce()>) -> F + 'static,
) -> (u32, u32, Duration) {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let (begun, ended) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let handle = Rc::new(RefCell::new(None::<PeriodicCallback>));
    let (calls, end, own, inner) = (begun.clone(), ended.clone(), handle.clone(), io_loop.clone());
    let pc = PeriodicCallback::new(
        move || {
            calls.set(calls.get() + 1);
            let (end, own, inner) = (end.clone(), own.clone(), inner.clone());
            let finished = end.clone();
            callback(
                finished,
                Box::new(move || {
                    end.set(end.get() + 1);
                    if end.get() == 3 {
                        own.borrow().as_ref().unwrap().stop();
                        inner.stop();
                    }
                }),
            )
        },
        10 * MS,
    );
    handle.replace(Some(pc.clone()));
    io_loop.add_callback(move || pc.start());
    io_loop.start();
    let time = io_loop.time();
    handle.take();
    (begun.get(), ended.get(), time)
}

// Tornado: ioloop_test.TestPeriodicCallbackAsync.test_periodic_plain
#[test]
fn plain_callback_is_called_every_period() {
    let counted = three_calls(|_, end| {
        end();
        std::future::ready(Ok(()))
    });
    assert_eq!(counted, (3, 3, 30 * MS));
}

// Tornado: ioloop_test.TestPeriodicCallbackAsync.test_periodic_coro
#[test]
fn coroutine_is_waited_for_before_it_is_called_again() {
    let counted = three_calls(|_, end| {
        coroutine(|co| async move {
            co.yield_(sleep(25 * MS)).await?;
            end();
            Ok(())
        })
    });
    // Called at 10, ends at 35; at 40, ends at 65; at 70.
    assert_eq!(counted, (3, 3, 95 * MS));
}

// Tornado: ioloop_test.TestPeriodicCallbackAsync.test_periodic_async
#[test]
fn native_coroutine_is_waited_for_before_it_is_called_again() {
    let counted = three_calls(|_, end| async move {
        sleep(25 * MS).await?;
        end();
        Ok(())
    });
    assert_eq!(counted, (3, 3, 95 * MS));
}

/// How often a callback was called within 35 ms, the period being 10 ms, whose every call does `what`.
fn calls_within_35_ms(what: impl Fn() -> Result<(), Exception> + 'static) -> u32 {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let calls = Rc::new(Cell::new(0));
    let count = calls.clone();
    let pc = PeriodicCallback::new(
        move || {
            count.set(count.get() + 1);
            what()
        },
        10 * MS,
    );
    io_loop
        .run_sync(|| {
            pc.start();
            sleep(35 * MS)
        })
        .unwrap();
    assert!(pc.is_running());
    calls.get()
}

#[test]
fn callback_that_raises_is_called_again() {
    assert_eq!(calls_within_35_ms(|| Err(Exception::msg("on purpose"))), 3);
}

#[test]
fn callback_that_panics_is_called_again() {
    assert_eq!(calls_within_35_ms(|| panic!("on purpose")), 3);
}

#[test]
fn native_coroutine_that_panics_is_called_again() {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let calls = Rc::new(Cell::new(0));
    let count = calls.clone();
    let pc = PeriodicCallback::new(
        move || {
            let count = count.clone();
            async move {
                count.set(count.get() + 1);
                sleep(MS).await?;
                assert_eq!(count.get(), 0, "on purpose");
                Ok::<_, Exception>(())
            }
        },
        10 * MS,
    );
    io_loop
        .run_sync(|| {
            pc.start();
            sleep(35 * MS)
        })
        .unwrap();
    assert_eq!(calls.get(), 3);
}

#[test]
fn stopped_callback_is_not_called_and_can_be_started_again() {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let calls = Rc::new(RefCell::new(Vec::new()));
    let (seen, inner) = (calls.clone(), io_loop.clone());
    let pc = PeriodicCallback::new(move || seen.borrow_mut().push(inner.time()), 10 * MS);
    let again = pc.clone();
    io_loop
        .run_sync(|| {
            coroutine(move |co| async move {
                pc.start();
                assert!(pc.is_running());
                co.yield_(sleep(15 * MS)).await?;
                pc.stop();
                assert!(!pc.is_running());
                co.yield_(sleep(85 * MS)).await?;
                pc.start();
                co.yield_(sleep(15 * MS)).await
            })
        })
        .unwrap();
    again.stop();
    assert_eq!(*calls.borrow(), [10 * MS, 110 * MS]);
}

/// Notes when it is dropped.
struct Dropped(Rc<Cell<bool>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

#[test]
fn dropping_the_handle_does_not_stop_it_and_the_end_of_the_loop_frees_it() {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let (calls, dropped) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
    let (count, held) = (calls.clone(), Dropped(dropped.clone()));
    let pc = PeriodicCallback::new(
        move || {
            let _held = &held;
            count.set(count.get() + 1);
        },
        10 * MS,
    );
    io_loop
        .run_sync(move || {
            pc.start();
            drop(pc);
            sleep(35 * MS)
        })
        .unwrap();
    assert_eq!(calls.get(), 3);
    assert!(!dropped.get());
    drop(io_loop);
    assert!(dropped.get());
}

#[test]
fn callback_that_holds_its_own_handle_weakly_is_freed_with_the_last_handle() {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let dropped = Rc::new(Cell::new(false));
    let held = Dropped(dropped.clone());
    let pc = Rc::new_cyclic(|own: &std::rc::Weak<PeriodicCallback>| {
        let own = own.clone();
        PeriodicCallback::new(
            move || {
                let _held = &held;
                own.upgrade().expect("the test has it").stop();
            },
            10 * MS,
        )
    });
    io_loop
        .run_sync(|| {
            pc.start();
            sleep(35 * MS)
        })
        .unwrap();
    assert!(!pc.is_running());
    drop(io_loop);
    assert!(!dropped.get());
    drop(pc);
    assert!(dropped.get());
}

#[test]
fn call_under_way_when_it_is_stopped_runs_to_its_end() {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let ended = Rc::new(Cell::new(0));
    let end = ended.clone();
    let gate = Future::<()>::new();
    let promise = gate.promise();
    let pc = PeriodicCallback::new(
        move || {
            let (end, gate) = (end.clone(), gate.clone());
            async move {
                gate.await?;
                end.set(end.get() + 1);
                Ok::<_, Exception>(())
            }
        },
        10 * MS,
    );
    io_loop
        .run_sync(|| {
            coroutine(move |co| async move {
                pc.start();
                co.yield_(sleep(15 * MS)).await?;
                pc.stop();
                promise.set_result(());
                co.yield_(sleep(100 * MS)).await
            })
        })
        .unwrap();
    assert_eq!(ended.get(), 1);
}

/// How often the callback is called on a loop of its own within 35 ms. `end` is what becomes of it and its loop.
fn calls_on_a_new_loop(pc: &PeriodicCallback, calls: &Cell<u32>, end: impl FnOnce(IoLoop)) -> u32 {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    calls.set(0);
    io_loop
        .run_sync(|| {
            pc.start();
            sleep(35 * MS)
        })
        .unwrap();
    end(io_loop);
    calls.get()
}

#[test]
fn callback_that_was_stopped_before_its_loop_ended_is_called_on_another() {
    let calls = Rc::new(Cell::new(0));
    let count = calls.clone();
    let pc = PeriodicCallback::new(move || count.set(count.get() + 1), 10 * MS);
    let stop = |io_loop| {
        pc.stop();
        drop(io_loop);
    };
    for _ in 0..3 {
        assert_eq!(calls_on_a_new_loop(&pc, &calls, stop), 3);
    }
    let stop_and_close = |io_loop: IoLoop| {
        pc.stop();
        io_loop.close();
    };
    for _ in 0..3 {
        assert_eq!(calls_on_a_new_loop(&pc, &calls, stop_and_close), 3);
        assert!(!pc.is_running());
    }
}

#[test]
fn callback_that_ran_when_its_loop_ended_is_called_on_another() {
    let calls = Rc::new(Cell::new(0));
    let count = calls.clone();
    let pc = PeriodicCallback::new(move || count.set(count.get() + 1), 10 * MS);
    let ends: [fn(IoLoop); 3] = [
        drop,
        |io_loop| io_loop.close(),
        |io_loop| {
            // The end of a run is not that of its loop.
            io_loop.run_sync(|| sleep(5 * MS)).unwrap();
            io_loop.close();
        },
    ];
    for (end, called) in ends.into_iter().zip([3, 3, 4]) {
        let running = |io_loop| {
            assert!(pc.is_running());
            end(io_loop);
            assert!(!pc.is_running());
        };
        assert_eq!(calls_on_a_new_loop(&pc, &calls, running), called);
    }
}

#[test]
fn callback_under_way_when_its_loop_ended_is_called_on_another() {
    let (calls, ended) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (count, end) = (calls.clone(), ended.clone());
    let pc = PeriodicCallback::new(
        move || {
            count.set(count.get() + 1);
            let end = end.clone();
            async move {
                sleep(SECOND).await?;
                end.set(end.get() + 1);
                Ok::<_, Exception>(())
            }
        },
        10 * MS,
    );
    for _ in 0..3 {
        assert_eq!(calls_on_a_new_loop(&pc, &calls, drop), 1);
    }
    assert_eq!(ended.get(), 0);
}

#[test]
fn callback_that_was_started_again_elsewhere_goes_on_when_its_first_loop_ends() {
    let (first, second) = (IoLoop::with_clock(VirtualClock::new()), IoLoop::with_clock(VirtualClock::new()));
    let calls = Rc::new(Cell::new(0));
    let count = calls.clone();
    let pc = PeriodicCallback::new(move || count.set(count.get() + 1), 10 * MS);
    first.run_sync(|| pc.start()).unwrap();
    second.run_sync(|| pc.start()).unwrap();
    drop(first);
    assert!(pc.is_running());
    second.run_sync(|| sleep(35 * MS)).unwrap();
    assert_eq!(calls.get(), 3);
}

#[test]
fn callback_that_stops_itself_is_called_on_another_loop() {
    let calls = Rc::new(Cell::new(0));
    let own = Rc::new(RefCell::new(None::<PeriodicCallback>));
    let (count, stop) = (calls.clone(), own.clone());
    let pc = PeriodicCallback::new(
        move || {
            count.set(count.get() + 1);
            if count.get() == 2 {
                stop.borrow().as_ref().unwrap().stop();
            }
        },
        10 * MS,
    );
    own.replace(Some(pc.clone()));
    assert_eq!(calls_on_a_new_loop(&pc, &calls, drop), 2);
    assert_eq!(calls_on_a_new_loop(&pc, &calls, drop), 2);
    own.take();
}

#[test]
fn callback_is_not_started_on_a_closed_loop() {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let _here = io_loop.make_current();
    io_loop.close();
    let pc = PeriodicCallback::new(|| (), MS);
    pc.start();
    assert!(!pc.is_running());
}

#[test]
fn period_may_be_as_long_as_there_are_durations() {
    for jitter in [None, Some(0.0), Some(0.5), Some(1.99)] {
        for random in [0.0, 0.5, 1.0] {
            let io_loop = IoLoop::with_clock(VirtualClock::new());
            let calls = Rc::new(Cell::new(0));
            let count = calls.clone();
            let mut pc = PeriodicCallback::new(move || count.set(count.get() + 1), Duration::MAX);
            if let Some(fraction) = jitter {
                pc = pc.jitter_by(fraction, move || random);
            }
            io_loop
                .run_sync(|| {
                    pc.start();
                    sleep(Duration::from_secs(3600))
                })
                .unwrap();
            // The virtual clock jumps to the end of time, where each is called at most once.
            let never = Future::<()>::new();
            let _promise = never.promise();
            io_loop.run_sync(|| never).unwrap_err();
            assert!(calls.get() <= 2, "{jitter:?} {random}: {}", calls.get());
        }
    }
    PeriodicCallback::new(|| (), Duration::MAX).jitter(0.5).start();
}
