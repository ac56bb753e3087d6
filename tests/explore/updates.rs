//! Bugs with values that are read before a yield and used after it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use squall::testing::TestLoop;
use squall::{locks::Lock, moment, Result};

use crate::seeded;

type Number = Rc<Cell<i32>>;

seeded!(lost_update, |t, fixed| {
    #[squall::coroutine]
    fn deposit(balance: Number, fixed: bool) -> Result<()> {
        let before = balance.get();
        yield_!(moment())?;
        balance.set(if fixed { balance.get() } else { before } + 50);
        Ok(())
    }
    let balance = Number::default();
    for balance in [balance.clone(), balance.clone()] {
        drop(t.spawn(move || deposit(balance, fixed)));
    }
    t.run_until_idle();
    assert_eq!(balance.get(), 100);
});

seeded!(check_then_act_over_a_yield, |t, fixed| {
    #[squall::coroutine]
    fn withdraw(balance: Number, fixed: bool) -> Result<()> {
        let enough = balance.get() >= 80;
        yield_!(moment())?;
        if enough && (!fixed || balance.get() >= 80) {
            balance.set(balance.get() - 80);
        }
        Ok(())
    }
    let balance = Rc::new(Cell::new(100));
    for balance in [balance.clone(), balance.clone()] {
        drop(t.spawn(move || withdraw(balance, fixed)));
    }
    t.run_until_idle();
    assert!(balance.get() >= 0);
});

seeded!(lock_released_too_early, |t, fixed| {
    #[squall::coroutine]
    fn add(total: Number, lock: Lock, fixed: bool) -> Result<()> {
        let guard = yield_!(lock.acquire())?;
        let before = total.get();
        let kept = fixed.then_some(guard);
        yield_!(moment())?;
        total.set(before + 1);
        drop(kept);
        Ok(())
    }
    let (total, lock) = (Number::default(), Lock::new());
    for total in [total.clone(), total.clone()] {
        let lock = lock.clone();
        drop(t.spawn(move || add(total, lock, fixed)));
    }
    t.run_until_idle();
    assert_eq!(total.get(), 2);
});

seeded!(made_twice, |t, fixed| {
    #[squall::coroutine]
    fn connect(connected: Rc<Cell<bool>>, made: Number, fixed: bool) -> Result<()> {
        if connected.get() {
            return Ok(());
        }
        connected.set(fixed);
        yield_!(moment())?;
        connected.set(true);
        made.set(made.get() + 1);
        Ok(())
    }
    let (connected, made) = (Rc::default(), Number::default());
    for _ in 0..2 {
        let (connected, made) = (Rc::clone(&connected), made.clone());
        drop(t.spawn(move || connect(connected, made, fixed)));
    }
    t.run_until_idle();
    assert_eq!(made.get(), 1);
});

seeded!(setting_read_too_early, |t, fixed| {
    #[squall::coroutine]
    fn change(setting: Number) -> Result<()> {
        setting.set(2);
        Ok(())
    }
    #[squall::coroutine]
    fn uses(setting: Number, fixed: bool) -> Result<()> {
        let early = setting.get();
        yield_!(moment())?;
        let used = if fixed { setting.get() } else { early };
        assert_eq!(used, setting.get(), "an old setting was used");
        Ok(())
    }
    let setting = Number::default();
    let other = setting.clone();
    drop((t.spawn(move || uses(setting, fixed)), t.spawn(move || change(other))));
    t.run_until_idle();
});

seeded!(list_that_shrinks_while_it_is_walked, |t, fixed| {
    #[squall::coroutine]
    fn walk(list: Rc<RefCell<Vec<i32>>>, fixed: bool) -> Result<i32> {
        let (len, mut sum) = (list.borrow().len(), 0);
        for i in 0..len {
            sum += if fixed { list.borrow().get(i).copied().unwrap_or(0) } else { list.borrow()[i] };
            yield_!(moment())?;
        }
        Ok(sum)
    }
    #[squall::coroutine]
    fn shrink(list: Rc<RefCell<Vec<i32>>>) -> Result<()> {
        yield_!(moment())?;
        list.borrow_mut().pop();
        Ok(())
    }
    let list = Rc::new(RefCell::new(vec![1, 2]));
    let other = list.clone();
    drop((t.spawn(move || walk(list, fixed)), t.spawn(move || shrink(other))));
    t.run_until_idle();
});

seeded!(torn_read_of_two_values, |t, fixed| {
    #[squall::coroutine]
    fn write(x: Number, y: Number, fixed: bool) -> Result<()> {
        x.set(1);
        if !fixed {
            yield_!(moment())?;
        }
        y.set(1);
        yield_!(moment())
    }
    #[squall::coroutine]
    fn read(x: Number, y: Number) -> Result<()> {
        assert_eq!(x.get(), y.get(), "a torn read");
        Ok(())
    }
    let (x, y) = (Number::default(), Number::default());
    let other = (x.clone(), y.clone());
    drop((t.spawn(move || write(x, y, fixed)), t.spawn(move || read(other.0, other.1))));
    t.run_until_idle();
});

seeded!(value_that_came_back_is_taken_for_unchanged, |t, fixed| {
    #[squall::coroutine]
    fn there_and_back(value: Number, version: Number) -> Result<()> {
        for to in [2, 1] {
            value.set(to);
            version.set(version.get() + 1);
        }
        Ok(())
    }
    #[squall::coroutine]
    fn replace(value: Number, version: Number, fixed: bool) -> Result<()> {
        let (before, of) = (value.get(), version.get());
        yield_!(moment())?;
        if value.get() == before && (!fixed || version.get() == of) {
            assert_eq!(version.get(), of, "it was another in between");
        }
        Ok(())
    }
    let (value, version) = (Rc::new(Cell::new(1)), Number::default());
    let other = (value.clone(), version.clone());
    drop(t.spawn(move || replace(value, version, fixed)));
    drop(t.spawn(move || there_and_back(other.0, other.1)));
    t.run_until_idle();
});
