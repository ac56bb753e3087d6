//! Going back: to a checkpoint, by one step, in a fork; and worlds that do not repeat themselves.

use std::cell::{Cell, RefCell};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;
use std::time::Duration;

use squall::testing::{Rewindable, TestLoop};
use squall::{moment, sleep, Future, IoLoop, Result};

const SECOND: Duration = Duration::from_secs(1);

#[squall::coroutine]
fn adds(total: Rc<Cell<u32>>, n: u32) -> Result<u32> {
    for _ in 0..3 {
        let before = total.get();
        yield_!(moment())?;
        total.set(before + n);
        yield_!(sleep(SECOND))?;
    }
    Ok(total.get())
}

/// Returns a world with two coroutines that lose each other's updates.
fn world() -> Rewindable {
    TestLoop::rewindable(|t| {
        let total = Rc::new(Cell::new(0));
        let other = total.clone();
        drop((t.spawn(move || adds(total, 1)), t.spawn(move || adds(other, 10))));
    })
}

fn lines(r: &Rewindable) -> Vec<String> {
    r.steps().iter().map(|step| format!("{step} {} {:?}", step.turn(), step.now())).collect()
}

#[test]
fn restored_twice_the_traces_are_equal() {
    let mut r = world();
    for _ in 0..5 {
        r.step();
    }
    let c = r.checkpoint();
    let at_checkpoint = (lines(&r), r.trace().to_string());
    r.run_until_idle();
    let at_end = (lines(&r), r.trace().to_string());
    assert_ne!(at_checkpoint, at_end);
    for _ in 0..2 {
        r.restore(&c);
        assert_eq!((lines(&r), r.trace().to_string()), at_checkpoint);
        r.run_until_idle();
        assert_eq!((lines(&r), r.trace().to_string()), at_end);
    }
    assert!(at_end.0.last().unwrap().contains("return"));
}

#[test]
fn step_back_undoes_one_step_whatever_made_it() {
    let mut r = world();
    let mut before = vec![lines(&r)];
    while r.try_step().is_some() {
        before.push(lines(&r));
    }
    r.restore(&Rewindable::checkpoint(&r));
    for lines_before in before.iter().rev().skip(1) {
        assert!(r.step_back());
        assert_eq!(lines(&r), *lines_before);
    }
    assert!(!r.step_back());
    r.run_until_idle();
    assert_eq!(lines(&r), *before.last().unwrap());
}

#[test]
fn clock_goes_back_too() {
    let mut r = world();
    r.advance(SECOND);
    let c = r.checkpoint();
    r.advance(3 * SECOND);
    assert_eq!(r.now(), 4 * SECOND);
    r.restore(&c);
    assert_eq!(r.now(), SECOND);
    r.advance(3 * SECOND);
    assert_eq!(r.now(), 4 * SECOND);
}

#[test]
fn fork_goes_its_own_way() {
    let mut r = world();
    r.step();
    r.step();
    let mut other = r.fork();
    assert_eq!(lines(&r), lines(&other));
    other.schedule(["adds#2", "adds"]);
    let (here, there) = (r.step(), other.step());
    assert_eq!((here.runner().nth(), there.runner().nth()), (1, 2));
    r.run_until_idle();
    other.run_until_idle();
    assert_ne!(lines(&r), lines(&other));
    // What a script has chosen is chosen again.
    let after = lines(&other);
    other.restore(&other.checkpoint());
    assert_eq!(lines(&other), after);
    assert!(r.waiting().is_empty());
    r.assert_idle();
}

#[test]
fn loop_of_the_thread_is_left_alone_between_calls() {
    let outside = IoLoop::with_clock(squall::testing::VirtualClock::new());
    let _current = outside.make_current();
    let mut r = world();
    let mut other = r.fork();
    r.step();
    outside.run_sync(|| sleep(SECOND)).unwrap();
    other.step();
    drop(r);
    other.run_until_idle();
    assert_eq!(outside.time(), SECOND);
}

#[test]
fn world_that_does_not_repeat_itself_is_told_at_the_first_step_that_differs() {
    thread_local!(static RUNS: Cell<u32> = const { Cell::new(0) });
    #[squall::coroutine]
    fn steady() -> Result<()> {
        yield_!(moment())
    }
    #[squall::coroutine]
    fn forgetful(run: u32) -> Result<u32> {
        yield_!(moment())?;
        yield_!(Future::ready(run))
    }
    let mut r = TestLoop::rewindable(|t| {
        RUNS.set(RUNS.get() + 1);
        drop((t.spawn(steady), t.spawn(|| forgetful(RUNS.get()))));
    });
    let start = r.checkpoint();
    r.run_until_idle();
    let end = r.checkpoint();
    r.restore(&start);
    let panic = catch_unwind(AssertUnwindSafe(|| r.restore(&end))).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message
        .starts_with("the world does not repeat itself: step 5 is another\n  before  forgetful: send 1 "));
    assert!(message.contains("\n  now     forgetful: send 3 -> return 3 "), "{message}");
    // It may go on from the beginning, nevertheless.
    r.restore(&start);
    r.step();
}

#[test]
fn world_that_holds_more_than_it_made_is_told_too() {
    let queue = Rc::new(RefCell::new(vec![1, 2, 3]));
    #[squall::coroutine]
    fn takes(queue: Rc<RefCell<Vec<i32>>>) -> Result<()> {
        while let Some(_item) = {
            let item = queue.borrow_mut().pop();
            item
        } {
            yield_!(moment())?;
        }
        Ok(())
    }
    let mut r = TestLoop::rewindable(move |t| {
        let queue = queue.clone();
        drop(t.spawn(|| takes(queue)));
    });
    r.run_until_idle();
    let c = r.checkpoint();
    let panic = catch_unwind(AssertUnwindSafe(|| r.restore(&c))).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("step 1 is another\n  before  takes: start -> yield moment at"), "{message}");
    assert!(message.contains("now     takes: start -> return ()"), "{message}");
}
