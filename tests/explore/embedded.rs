//! Programs that run the loop themselves, in every order.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use squall::testing::{replay_program, Explore, SharedTestLoop, TestLoop};
use squall::{moment, sleep, Error, Future, IoLoop, Result};

#[squall::coroutine]
fn withdraw(balance: Rc<Cell<u32>>) -> Result<()> {
    let before = balance.get();
    yield_!(sleep(Duration::from_millis(10)))?;
    balance.set(before - 10);
    Ok(())
}

#[squall::coroutine]
fn both(balance: Rc<Cell<u32>>) -> Result<()> {
    yield_!([withdraw(balance.clone()), withdraw(balance)])?;
    Ok(())
}

/// Runs the loop until `f` returned a Future and that is done, as an embedded program's `run_sync` does.
fn run_sync(shared: &SharedTestLoop, f: impl FnOnce() -> Future<()> + 'static) -> Result<()> {
    let called = Rc::new(RefCell::new(None));
    let slot = called.clone();
    let io_loop = shared.borrow().io_loop().clone();
    io_loop.add_callback(move || drop(slot.replace(Some(f()))));
    let done = || called.borrow().as_ref().is_some_and(Future::done);
    shared.borrow_mut().run_turns(done)?;
    let future = called.take().unwrap();
    future.into_result()
}

fn program(shared: &SharedTestLoop) -> std::result::Result<(), String> {
    let balance = Rc::new(Cell::new(100));
    let ours = balance.clone();
    run_sync(shared, move || both(ours)).map_err(|e| e.to_string())?;
    match balance.get() {
        80 => Ok(()),
        other => Err(format!("the balance is {other}")),
    }
}

#[test]
fn program_that_runs_the_loop_is_explored_and_its_failure_replayed() {
    let failure = Explore::new().check_program(program).unwrap_err();
    assert_eq!(failure.problem(), "the balance is 90");
    assert!(failure.report().contains("withdraw#2"), "{}", failure.report());
    assert_eq!(replay_program(failure.schedule(), program), Err("the balance is 90".to_owned()));
}

#[squall::coroutine]
fn ticks(log: Rc<RefCell<Vec<u32>>>, n: u32) -> Result<()> {
    for _ in 0..2 {
        yield_!(moment())?;
        log.borrow_mut().push(n);
    }
    Ok(())
}

#[test]
fn several_runs_of_one_program_have_every_order_each() {
    let orders = Rc::new(RefCell::new(std::collections::BTreeSet::new()));
    let explored = Explore::new().check_program(|shared| {
        let log = Rc::new(RefCell::new(Vec::new()));
        for _ in 0..2 {
            let logs = [log.clone(), log.clone()];
            let both = move || {
                let [one, two] = logs;
                let of = [ticks(one, 1), ticks(two, 2)];
                squall::coroutine(move |co| async move { co.yield_(of).await.map(drop) })
            };
            run_sync(shared, both).map_err(|e| e.to_string())?;
        }
        orders.borrow_mut().insert(log.take());
        Ok(())
    });
    assert!(explored.unwrap().complete());
    // 6 orders of two times two steps, in each of the two runs.
    assert_eq!(orders.borrow().len(), 36);
}

#[test]
fn run_of_turns_ends_by_stop_or_by_a_deadlock() {
    let mut t = TestLoop::new();
    t.io_loop().stop();
    t.run_turns(|| false).unwrap();
    let never = t.spawn(Future::<()>::new);
    let waits = t.spawn(move || squall::coroutine(|co| async move { co.yield_(never).await }));
    let deadlock = t.run_turns(|| false).unwrap_err();
    assert!(matches!(deadlock.downcast_ref(), Some(Error::Deadlock { waiting }) if waiting.len() == 1));
    drop(waits);
    t.io_loop().call_later(Duration::from_secs(1), || IoLoop::current().stop());
    t.run_turns(|| false).unwrap();
    assert_eq!(t.now(), Duration::from_secs(1));
}

#[test]
fn exception_that_a_program_leaves_unretrieved_fails_unless_it_is_allowed() {
    fn program(shared: &SharedTestLoop) -> std::result::Result<(), String> {
        run_sync(shared, || {
            drop(squall::coroutine(|_co| async { Err::<(), squall::Exception>(Error::Timeout.into()) }));
            Future::ready(())
        })
        .map_err(|e| e.to_string())
    }
    let failure = Explore::new().check_program(program).unwrap_err();
    assert!(failure.problem().starts_with("exception was never retrieved"), "{}", failure.problem());
    Explore::new().allow("unretrieved").check_program(program).unwrap();
}
