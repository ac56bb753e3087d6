//! Futures made by hand, and the loop's own calls.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use squall::testing::VirtualClock;
use squall::{Exception, Future, IoLoop, Result};

use crate::logged::Logged;

#[squall::coroutine]
fn waits(future: Future<i32>) -> Result<i32> {
    yield_!(future)
}

pub fn all(logged: &Logged) {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let current = io_loop.make_current();

    let future = Future::<i32>::new();
    let promise = future.promise();
    io_loop.call_later(Duration::from_secs(1), move || promise.set_result(5));
    let called = Rc::new(Cell::new(false));
    let seen = called.clone();
    future.add_done_callback(move |f| seen.set(f.exception().is_none()));
    assert_eq!(io_loop.run_sync(|| waits(future)).unwrap(), 5);
    assert!(called.get());

    let told = Future::<()>::new();
    TOLD.set(Some(told.promise()));
    let handle = io_loop.handle();
    let thread = std::thread::spawn(move || {
        handle.add_callback(|| TOLD.take().expect("on the loop's thread").set_result(()));
    });
    io_loop.run_sync(|| told).unwrap();
    thread.join().expect("it does not panic");
    drop(current);

    let e = Exception::msg("no such page");
    assert_eq!(format!("{e}"), "no such page");
    assert!(format!("{e:?}").starts_with("Traceback (most recent call last):\n"));
    assert!(logged.take().is_empty());
}

thread_local! {
    static TOLD: Cell<Option<squall::Promise<()>>> = const { Cell::new(None) };
}
