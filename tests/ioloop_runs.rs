//! Several runs of one loop: nothing that a run leaves behind ends another one.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use squall::testing::VirtualClock;
use squall::{moment, sleep, Error, Future, IoLoop, Promise, Result};

const MS: Duration = Duration::from_millis(1);

/// Returns a loop, and its clock, which only the test moves between two timers.
fn virtual_loop() -> (IoLoop, VirtualClock) {
    let clock = VirtualClock::new();
    (IoLoop::with_clock(clock.clone()), clock)
}

/// Returns a Future that is resolved at the end of the test, unless the test does so before.
fn pending() -> (Future<i32>, Promise<i32>) {
    let future = Future::new();
    let promise = future.promise();
    (future, promise)
}

/// A run ended, by something else than the Future that it waited for, which is done since. No other run knows of it.
fn later_runs_go_on(io_loop: &IoLoop) {
    io_loop.run_sync(|| sleep(20 * MS)).unwrap();
    let (until, stop) = (io_loop.time() + 20 * MS, io_loop.clone());
    io_loop.call_later(20 * MS, move || stop.stop());
    io_loop.start();
    assert_eq!(io_loop.time(), until);
}

#[test]
fn run_that_is_done_in_the_turn_of_its_timeout_does_not_stop_the_next() {
    let (io_loop, clock) = virtual_loop();
    let ended = io_loop.run_sync_with_timeout(5 * MS, || {
        IoLoop::current().add_callback(move || clock.advance(10 * MS));
        sleep(4 * MS)
    });
    ended.unwrap();
    later_runs_go_on(&io_loop);
}

#[test]
fn future_that_is_done_after_the_timeout_of_its_run_does_not_stop_the_next() {
    // A native coroutine may catch its cancellation, which is how a Future outlives the timeout of its run.
    let (io_loop, _) = virtual_loop();
    let (future, promise) = pending();
    let e = io_loop.run_sync_with_timeout(5 * MS, || future.clone()).unwrap_err();
    assert!(matches!(e.downcast_ref(), Some(Error::RunSyncTimeout { .. })));
    promise.set_result(1);
    later_runs_go_on(&io_loop);
}

#[test]
fn future_that_is_done_after_its_run_was_stopped_does_not_stop_the_next() {
    for resolve_in_the_next_run in [false, true] {
        let (io_loop, _) = virtual_loop();
        let (future, promise) = pending();
        let e = io_loop.run_sync(|| {
            IoLoop::current().stop();
            future
        });
        assert_eq!(e.unwrap_err().downcast_ref(), Some(&Error::LoopStopped));
        if resolve_in_the_next_run {
            io_loop.add_callback(move || promise.set_result(1));
        } else {
            promise.set_result(1);
        }
        later_runs_go_on(&io_loop);
    }
}

#[test]
fn run_that_is_done_in_the_turn_in_which_it_is_stopped_does_not_stop_the_next() {
    let (io_loop, _) = virtual_loop();
    let (future, promise) = pending();
    let waits = future.clone();
    let e = io_loop.run_sync(|| {
        IoLoop::current().add_callback(move || {
            promise.set_result(1);
            IoLoop::current().stop();
        });
        waits
    });
    // The loop has not come to know that it is done; its result is there all the same.
    assert_eq!(e.unwrap(), 1);
    later_runs_go_on(&io_loop);
    assert_eq!(future.result().unwrap(), 1);
}

#[test]
fn future_that_is_done_after_the_deadlock_of_its_run_does_not_stop_the_next() {
    let (io_loop, _) = virtual_loop();
    let (future, promise) = pending();
    let e = io_loop.run_sync(|| future).unwrap_err();
    assert!(matches!(e.downcast_ref(), Some(Error::Deadlock { .. })));
    promise.set_result(1);
    later_runs_go_on(&io_loop);
}

#[test]
fn coroutine_of_a_stopped_run_ends_in_the_next_without_ending_it() {
    let (io_loop, _) = virtual_loop();
    let ended = Rc::new(Cell::new(false));
    let end = ended.clone();
    let e = io_loop.run_sync(|| async move {
        IoLoop::current().stop();
        sleep(5 * MS).await?;
        end.set(true);
        Ok::<_, squall::Exception>(())
    });
    e.unwrap_err();
    io_loop.run_sync(|| sleep(10 * MS)).unwrap();
    assert!(ended.get());
    assert_eq!(io_loop.time(), 10 * MS);
}

#[test]
fn stop_between_two_runs_lets_the_next_do_one_turn() {
    let (io_loop, _) = virtual_loop();
    io_loop.run_sync(moment).unwrap();
    io_loop.stop();
    io_loop.stop();
    assert_eq!(io_loop.run_sync(|| sleep(MS)).unwrap_err().downcast_ref(), Some(&Error::LoopStopped));
    io_loop.run_sync(|| sleep(MS)).unwrap();
}

/// The log of this process, from all threads.
static LOGGED: Mutex<Vec<(std::thread::ThreadId, log::Level, String)>> = Mutex::new(Vec::new());

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        let thread = std::thread::current().id();
        LOGGED.lock().unwrap().push((thread, record.level(), record.args().to_string()));
    }
    fn flush(&self) {}
}

/// Returns what this thread logs while `f` runs.
fn logged(f: impl FnOnce()) -> Vec<(log::Level, String)> {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        log::set_logger(&Logger).unwrap();
        log::set_max_level(log::LevelFilter::Debug);
    });
    f();
    let here = std::thread::current().id();
    let mut logged = LOGGED.lock().unwrap();
    let (mine, others): (Vec<_>, Vec<_>) = logged.drain(..).partition(|(thread, ..)| *thread == here);
    *logged = others;
    mine.into_iter().map(|(_, level, text)| (level, text)).collect()
}

#[test]
fn start_with_nothing_left_returns_and_warns_once_of_those_that_wait() {
    #[squall::coroutine]
    fn waits(never: Future<i32>) -> Result<i32> {
        yield_!(never)
    }
    let (io_loop, _) = virtual_loop();
    let (never, promise) = pending();
    let line = line!() + 2;
    io_loop.spawn_callback(move || waits(never));
    let said = logged(|| io_loop.start());
    let [(level, text)] = &said[..] else { panic!("{said:?}") };
    assert_eq!(*level, log::Level::Warn);
    assert!(text.contains(&format!("start at {}:{line}", file!())), "{text}");
    assert!(text.contains("waits waits at"), "{text}");
    assert!(!text.contains("exception"), "{text}");
    drop(promise);
}

#[test]
fn start_whose_coroutines_have_ended_returns_and_says_so_in_one_warning() {
    let (io_loop, _) = virtual_loop();
    let ran = Rc::new(RefCell::new(0));
    let count = ran.clone();
    io_loop.spawn_callback(move || async move {
        sleep(MS).await?;
        *count.borrow_mut() += 1;
        Ok::<_, squall::Exception>(())
    });
    let said = logged(|| io_loop.start());
    assert_eq!(*ran.borrow(), 1);
    let [(log::Level::Warn, text)] = &said[..] else { panic!("{said:?}") };
    assert!(text.contains("no coroutine waits"), "{text}");
    // A loop that is stopped has nothing to warn of.
    io_loop.add_callback(|| IoLoop::current().stop());
    assert_eq!(logged(|| io_loop.start()), []);
}

#[test]
fn start_warns_of_the_waiters_of_its_own_loop_each_time() {
    #[squall::coroutine]
    fn waits(never: Future<i32>) -> Result<i32> {
        yield_!(never)
    }
    let ((one, _), (other, _)) = (virtual_loop(), virtual_loop());
    let (never, promise) = pending();
    one.spawn_callback(move || waits(never));
    one.call_later(Duration::from_secs(5), || ());
    let names = |said: Vec<(log::Level, String)>| {
        let [(log::Level::Warn, text)] = &said[..] else { panic!("{said:?}") };
        text.contains("waits waits at")
    };
    assert!(names(logged(|| one.start())));
    assert_eq!(one.time(), Duration::from_secs(5));
    assert!(!names(logged(|| other.start())));
    // Within a run of another loop.
    let inner = one.clone();
    let said = logged(|| {
        other
            .run_sync(move || {
                squall::coroutine(|_co| async move {
                    inner.start();
                    Ok(())
                })
            })
            .unwrap();
    });
    assert!(names(said));
    promise.set_result(5);
    assert!(!names(logged(|| one.start())));
}
