//! Bugs that depend on which coroutine comes first.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use squall::testing::TestLoop;
use squall::{moment, sleep, with_timeout, Future, Promise, Result};

use crate::seeded;

const MS: Duration = Duration::from_millis(1);

type Flag = Rc<Cell<bool>>;
type List = Rc<RefCell<Vec<i32>>>;

seeded!(forgotten_yield, |t, fixed| {
    #[squall::coroutine]
    fn save(saved: Flag) -> Result<()> {
        yield_!(moment())?;
        saved.set(true);
        Ok(())
    }
    #[squall::coroutine]
    fn answer(saved: Flag, fixed: bool) -> Result<()> {
        let saving = save(saved.clone());
        if fixed {
            yield_!(saving)?;
        }
        assert!(saved.get(), "answered before it was saved");
        Ok(())
    }
    drop(t.spawn(|| answer(Flag::default(), fixed)));
    t.run_until_idle();
});

seeded!(first_called_is_taken_for_first_done, |t, fixed| {
    #[squall::coroutine]
    fn fetch(n: i32, results: List) -> Result<i32> {
        yield_!(moment())?;
        results.borrow_mut().push(n);
        Ok(n)
    }
    let results = List::default();
    let (one, two) = (results.clone(), results.clone());
    let (one, two) = (t.spawn(move || fetch(1, one)), t.spawn(move || fetch(2, two)));
    t.run_until_idle();
    let results = if fixed { vec![one.result().unwrap(), two.result().unwrap()] } else { results.take() };
    assert_eq!(results, [1, 2]);
});

seeded!(ready_is_told_before_the_data_is_there, |t, fixed| {
    #[squall::coroutine]
    fn publish(ready: Flag, data: List, fixed: bool) -> Result<()> {
        ready.set(!fixed);
        yield_!(moment())?;
        data.borrow_mut().push(1);
        ready.set(true);
        Ok(())
    }
    #[squall::coroutine]
    fn read(ready: Flag, data: List) -> Result<()> {
        if ready.get() {
            assert_eq!(*data.borrow(), [1], "ready, and there is nothing");
        }
        Ok(())
    }
    let (ready, data) = (Flag::default(), List::default());
    let other = (ready.clone(), data.clone());
    drop((t.spawn(move || publish(ready, data, fixed)), t.spawn(move || read(other.0, other.1))));
    t.run_until_idle();
});

seeded!(write_after_close, |t, fixed| {
    #[squall::coroutine]
    fn write(closed: Flag, fixed: bool) -> Result<()> {
        if closed.get() {
            return Ok(());
        }
        yield_!(moment())?;
        if fixed && closed.get() {
            return Ok(());
        }
        assert!(!closed.get(), "written to what is closed");
        Ok(())
    }
    #[squall::coroutine]
    fn close(closed: Flag) -> Result<()> {
        closed.set(true);
        Ok(())
    }
    let closed = Flag::default();
    let other = closed.clone();
    drop((t.spawn(move || write(closed, fixed)), t.spawn(move || close(other))));
    t.run_until_idle();
});

seeded!(end_before_the_worker_is_counted, |t, fixed| {
    #[squall::coroutine]
    fn work(working: Rc<Cell<i32>>, done: Flag, fixed: bool) -> Result<()> {
        if !fixed {
            working.set(working.get() + 1);
        }
        yield_!(moment())?;
        done.set(true);
        working.set(working.get() - 1);
        Ok(())
    }
    #[squall::coroutine]
    fn end(working: Rc<Cell<i32>>, done: Flag) -> Result<()> {
        while working.get() > 0 {
            yield_!(sleep(MS))?;
        }
        assert!(done.get(), "ended before the work was done");
        Ok(())
    }
    let (working, done) = (Rc::new(Cell::new(i32::from(fixed))), Flag::default());
    let other = (working.clone(), done.clone());
    drop((t.spawn(move || work(working, done, fixed)), t.spawn(move || end(other.0, other.1))));
    t.run_until_idle();
});

seeded!(timers_of_the_same_moment_are_taken_to_come_in_order, |t, fixed| {
    let list = List::default();
    for (n, later) in [(1, MS), (2, 2 * MS)] {
        let list = list.clone();
        drop(t.io_loop().call_later(if fixed { later } else { MS }, move || list.borrow_mut().push(n)));
    }
    t.run_until_idle();
    assert_eq!(*list.borrow(), [1, 2]);
});

seeded!(timeout_races_the_result, |t, fixed| {
    #[squall::coroutine]
    fn charge(charged: Rc<Cell<i32>>, fixed: bool) -> Result<()> {
        yield_!(sleep(5 * MS))?;
        if !fixed || charged.get() == 0 {
            charged.set(charged.get() + 1);
        }
        Ok(())
    }
    #[squall::coroutine]
    fn pay(charged: Rc<Cell<i32>>, fixed: bool) -> Result<()> {
        if yield_!(with_timeout(5 * MS, charge(charged.clone(), fixed))).is_err() {
            // It was charged all the same: this charges again, unless charging twice is the same as once.
            yield_!(charge(charged, fixed))?;
        }
        Ok(())
    }
    let charged = Rc::new(Cell::new(0));
    let other = charged.clone();
    drop(t.spawn(move || pay(other, fixed)));
    t.run_until_idle();
    assert_eq!(charged.get(), 1);
});

seeded!(stop_does_not_wake_who_waits, |t, fixed| {
    type Wake = Rc<RefCell<Option<Promise<()>>>>;
    #[squall::coroutine]
    fn work(stopped: Flag, wake: Wake) -> Result<()> {
        while !stopped.get() {
            let next = Future::new();
            wake.replace(Some(next.promise()));
            yield_!(next)?;
        }
        Ok(())
    }
    #[squall::coroutine]
    fn stop(stopped: Flag, wake: Wake, fixed: bool) -> Result<()> {
        stopped.set(true);
        if fixed {
            if let Some(promise) = wake.take() {
                promise.set_result(());
            }
        }
        Ok(())
    }
    let (stopped, wake) = (Flag::default(), Wake::default());
    let (other, _kept) = ((stopped.clone(), wake.clone()), wake.clone());
    drop((t.spawn(move || work(stopped, wake)), t.spawn(move || stop(other.0, other.1, fixed))));
    t.run_until_idle();
    assert!(t.waiting().is_empty(), "it waits still: {}", t.waiting());
});
