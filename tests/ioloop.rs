//! The loop: what runs when, and what it survives.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use squall::testing::VirtualClock;
use squall::{coroutine, moment, multi, sleep, with_timeout, Error, Exception, Future, IoLoop};

const MS: Duration = Duration::from_millis(1);

/// Returns a loop on a virtual clock, and a list for notes.
fn virtual_loop() -> (IoLoop, Rc<RefCell<Vec<String>>>) {
    (IoLoop::with_clock(VirtualClock::new()), Rc::default())
}

fn note(log: &Rc<RefCell<Vec<String>>>, what: &'static str) -> impl FnOnce() + 'static {
    let log = log.clone();
    move || log.borrow_mut().push(what.to_owned())
}

#[test]
fn callbacks_run_in_order_and_what_they_add_runs_in_the_next_turn() {
    let (io_loop, log) = virtual_loop();
    let (inner, inner_log) = (io_loop.clone(), log.clone());
    io_loop.add_callback(move || {
        inner_log.borrow_mut().push("a".into());
        inner.add_callback(note(&inner_log, "c"));
    });
    io_loop.add_callback(note(&log, "b"));
    io_loop.run_sync(|| sleep(MS)).unwrap();
    assert_eq!(*log.borrow(), ["a", "b", "c"]);
}

#[test]
fn due_timers_join_the_end_of_the_queue_by_deadline_then_age() {
    let (io_loop, log) = virtual_loop();
    io_loop.call_later(2 * MS, note(&log, "late"));
    io_loop.call_later(MS, note(&log, "first of two"));
    io_loop.call_later(MS, note(&log, "second of two"));
    io_loop.call_later(Duration::ZERO, note(&log, "zero"));
    io_loop.add_callback(note(&log, "callback"));
    io_loop.run_sync(|| sleep(5 * MS)).unwrap();
    assert_eq!(*log.borrow(), ["callback", "zero", "first of two", "second of two", "late"]);
}

#[test]
fn removed_timer_does_not_run_even_if_it_is_ready_already() {
    let (io_loop, log) = virtual_loop();
    let victim = Rc::new(RefCell::new(None));
    let (inner, later) = (io_loop.clone(), victim.clone());
    io_loop.call_later(MS, move || inner.remove_timeout(later.borrow().as_ref().unwrap()));
    *victim.borrow_mut() = Some(io_loop.call_later(MS, note(&log, "removed")));
    io_loop.run_sync(|| sleep(5 * MS)).unwrap();
    assert!(log.borrow().is_empty());
}

#[test]
fn panicking_callback_is_logged_and_the_loop_goes_on() {
    let (io_loop, log) = virtual_loop();
    io_loop.add_callback(|| panic!("on purpose"));
    io_loop.add_callback(note(&log, "still here"));
    io_loop.run_sync(|| sleep(MS)).unwrap();
    assert_eq!(*log.borrow(), ["still here"]);
}

#[test]
fn run_sync_times_out_and_names_the_limit() {
    let (io_loop, _) = virtual_loop();
    let e = io_loop.run_sync_with_timeout(20 * MS, || sleep(Duration::from_secs(1))).unwrap_err();
    assert_eq!(e.to_string(), "Operation timed out after 0.02 seconds");
}

#[test]
fn run_sync_that_is_stopped_says_so() {
    let (io_loop, _) = virtual_loop();
    let inner = io_loop.clone();
    io_loop.call_later(MS, move || inner.stop());
    let e = io_loop.run_sync(|| sleep(Duration::from_secs(1))).unwrap_err();
    assert_eq!(e.downcast_ref(), Some(&Error::LoopStopped));
}

#[test]
fn run_sync_that_can_never_finish_names_what_waits() {
    let io_loop = IoLoop::new();
    let e = io_loop
        .run_sync(|| {
            coroutine(|co| async move {
                let never = Future::<()>::new();
                let _promise = never.promise();
                co.yield_(never).await
            })
        })
        .unwrap_err();
    let Some(Error::Deadlock { waiting }) = e.downcast_ref() else { panic!("{e:?}") };
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].name, "run_sync_that_can_never_finish_names_what_waits");
    assert_eq!(waiting[0].place.file(), file!());
}

#[test]
fn virtual_hour_passes_at_once() {
    let (io_loop, _) = virtual_loop();
    io_loop.run_sync(|| sleep(Duration::from_secs(3600))).unwrap();
    assert_eq!(io_loop.time(), Duration::from_secs(3600));
}

#[test]
fn multi_waits_for_all_and_raises_the_first() {
    let (io_loop, _) = virtual_loop();
    let failing = |ms: u32, message: &'static str| {
        coroutine(move |co| async move {
            co.yield_(sleep(ms * MS)).await?;
            Err::<(), _>(Exception::msg(message))
        })
    };
    let e = io_loop.run_sync(|| multi([failing(5, "first"), failing(1, "second")])).unwrap_err();
    assert_eq!(e.to_string(), "first");
    assert_eq!(io_loop.time(), 5 * MS);
}

#[test]
fn timeout_wins_against_a_result_of_the_same_turn() {
    let (io_loop, _) = virtual_loop();
    let e = io_loop.run_sync(|| with_timeout(5 * MS, sleep(5 * MS))).unwrap_err();
    assert_eq!(e.downcast_ref(), Some(&Error::Timeout));
    io_loop.run_sync(|| with_timeout(5 * MS, sleep(4 * MS))).unwrap();
}

#[test]
fn moment_lets_what_is_ready_run() {
    let (io_loop, log) = virtual_loop();
    let inner = log.clone();
    io_loop
        .run_sync(|| {
            coroutine(move |co| async move {
                IoLoop::current().add_callback(note(&inner, "callback"));
                co.yield_(moment()).await?;
                inner.borrow_mut().push("after".into());
                Ok(())
            })
        })
        .unwrap();
    assert_eq!(*log.borrow(), ["callback", "after"]);
}

#[test]
fn callback_of_another_thread_runs_on_the_loop() {
    let io_loop = IoLoop::new();
    let future = Future::<std::thread::ThreadId>::new();
    let handle = io_loop.handle();
    let promise = Rc::new(RefCell::new(Some(future.promise())));
    thread_local!(static PROMISE: RefCell<Option<squall::Promise<std::thread::ThreadId>>> = const { RefCell::new(None) });
    PROMISE.set(promise.borrow_mut().take());
    let thread = std::thread::spawn(move || {
        handle.add_callback(|| PROMISE.take().unwrap().set_result(std::thread::current().id()));
    });
    assert_eq!(io_loop.run_sync(|| future).unwrap(), std::thread::current().id());
    thread.join().unwrap();
}
