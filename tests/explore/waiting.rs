//! Bugs with coroutines that wait for each other.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use squall::testing::TestLoop;
use squall::{locks::Lock, moment, Exception, Future, Promise, Result};

use crate::seeded;

seeded!(deadlock_of_two_locks, |t, fixed| {
    #[squall::coroutine]
    fn both(first: Lock, second: Lock) -> Result<()> {
        let _first = yield_!(first.acquire())?;
        yield_!(moment())?;
        let _second = yield_!(second.acquire())?;
        Ok(())
    }
    let (a, b) = (Lock::new(), Lock::new());
    let other = if fixed { (a.clone(), b.clone()) } else { (b.clone(), a.clone()) };
    drop((t.spawn(move || both(a, b)), t.spawn(move || both(other.0, other.1))));
    t.run_until_idle();
});

/// A queue that is written by hand.
#[derive(Default)]
struct ByHand {
    items: RefCell<VecDeque<i32>>,
    waiters: RefCell<VecDeque<Promise<()>>>,
}

seeded!(queue_with_a_lost_wakeup, |t, fixed| {
    #[squall::coroutine]
    fn get(queue: Rc<ByHand>, fixed: bool) -> Result<i32> {
        loop {
            if let Some(item) = queue.items.borrow_mut().pop_front() {
                return Ok(item);
            }
            if !fixed {
                yield_!(moment())?;
            }
            let woken = Future::new();
            queue.waiters.borrow_mut().push_back(woken.promise());
            yield_!(woken)?;
        }
    }
    #[squall::coroutine]
    fn put(queue: Rc<ByHand>, item: i32) -> Result<()> {
        queue.items.borrow_mut().push_back(item);
        let waiter = queue.waiters.borrow_mut().pop_front();
        if let Some(waiter) = waiter {
            waiter.set_result(());
        }
        Ok(())
    }
    let queue = Rc::<ByHand>::default();
    let (other, kept) = (queue.clone(), queue.clone());
    let got = t.spawn(move || get(queue, fixed));
    drop(t.spawn(move || put(other, 5)));
    t.run_until_idle();
    assert!(got.done(), "there is an item, and it is not taken: {:?}", kept.items.borrow());
});

seeded!(notified_before_it_waits, |t, fixed| {
    #[squall::coroutine]
    fn wait(bell: Rc<ByHand>, fixed: bool) -> Result<()> {
        if fixed && !bell.items.borrow().is_empty() {
            return Ok(());
        }
        let rung = Future::new();
        bell.waiters.borrow_mut().push_back(rung.promise());
        yield_!(rung)
    }
    #[squall::coroutine]
    fn ring(bell: Rc<ByHand>) -> Result<()> {
        bell.items.borrow_mut().push_back(1);
        let waiter = bell.waiters.borrow_mut().pop_front();
        if let Some(waiter) = waiter {
            waiter.set_result(());
        }
        Ok(())
    }
    let bell = Rc::<ByHand>::default();
    let (other, _kept) = (bell.clone(), bell.clone());
    let heard = t.spawn(move || wait(bell, fixed));
    drop(t.spawn(move || ring(other)));
    t.run_until_idle();
    assert!(heard.done());
});

seeded!(permit_is_lost_with_an_exception, |t, fixed| {
    #[squall::coroutine]
    fn fails(lock: Lock, fixed: bool) -> Result<()> {
        let guard = yield_!(lock.acquire())?;
        if fixed {
            drop(guard);
        } else {
            std::mem::forget(guard);
        }
        Err(Exception::msg("on purpose"))
    }
    #[squall::coroutine]
    fn next(lock: Lock) -> Result<()> {
        let _guard = yield_!(lock.acquire())?;
        Ok(())
    }
    let lock = Lock::new();
    let other = lock.clone();
    let failed = t.spawn(move || fails(lock, fixed));
    let next = t.spawn(move || next(other));
    t.run_until_idle();
    assert!(failed.exception().is_some());
    assert!(next.done(), "the lock was not released");
});

seeded!(given_back_twice, |t, fixed| {
    #[squall::coroutine]
    fn clean_up(held: Rc<Cell<bool>>, free: Rc<Cell<i32>>, fixed: bool) -> Result<()> {
        if held.get() {
            held.set(!fixed);
            yield_!(moment())?;
            held.set(false);
            free.set(free.get() + 1);
        }
        Ok(())
    }
    let (held, free) = (Rc::new(Cell::new(true)), Rc::new(Cell::new(0)));
    for _ in 0..2 {
        let (held, free) = (held.clone(), free.clone());
        drop(t.spawn(move || clean_up(held, free, fixed)));
    }
    t.run_until_idle();
    assert_eq!(free.get(), 1);
});
