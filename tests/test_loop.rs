//! The whole machine by hand: one resume at a time, a clock that the test moves, and a choice of the next coroutine.

use std::cell::{Cell, RefCell};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;
use std::time::Duration;

use squall::testing::{Step, TestLoop};
use squall::{moment, sleep, with_timeout, Error, Exception, Future, IoLoop, Promise, Result};

const SECOND: Duration = Duration::from_secs(1);

type Log = Rc<RefCell<Vec<String>>>;

#[squall::coroutine]
fn worker(name: &'static str, steps: u32, log: Log) -> Result<u32> {
    for step in 1..steps {
        log.borrow_mut().push(format!("{name}{step}"));
        yield_!(moment())?;
    }
    log.borrow_mut().push(format!("{name}{steps}"));
    Ok(steps)
}

#[squall::coroutine]
fn sleeper(name: &'static str, seconds: u32, log: Log) -> Result<()> {
    yield_!(sleep(seconds * SECOND))?;
    log.borrow_mut().push(format!("{name} at {:?}", IoLoop::current().time()));
    Ok(())
}

#[squall::coroutine]
fn waiter(future: Future<i32>) -> Result<i32> {
    yield_!(future)
}

/// Returns the message of the panic in `f`.
fn panic_of(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it should have panicked");
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string)).unwrap()
}

#[test]
fn one_step_is_one_resume_of_one_coroutine() {
    let log = Log::default();
    let mut t = TestLoop::new();
    let (a, b) = (log.clone(), log.clone());
    let f = t.spawn(move || worker("a", 2, a));
    drop(t.spawn(move || worker("b", 1, b)));
    assert!(log.borrow().is_empty(), "spawn starts nothing");

    let s = t.step();
    assert_eq!((s.runner().name(), s.started(), s.sent(), s.hops()), ("worker", true, None, 1));
    assert_eq!(s.yielded().map(|kind| kind.to_string()).as_deref(), Some("moment"));
    assert_eq!(s.place().unwrap().file(), file!());
    assert_eq!(*log.borrow(), ["a1"]);

    let s = t.step();
    assert_eq!((s.runner().to_string().as_str(), s.runner().nth(), s.returned()), ("worker#2", 2, Some("1")));
    assert_eq!(s.turn(), 1);

    let s = t.step();
    assert_eq!((s.runner().nth(), s.sent(), s.returned(), s.turn()), (1, Some("()"), Some("2"), 2));
    assert_eq!(*log.borrow(), ["a1", "b1", "a2"]);
    assert_eq!(f.result().unwrap(), 2);
    assert!(t.try_step().is_none());
    t.assert_idle();
}

#[test]
fn yield_of_what_is_done_is_a_step_of_its_own_and_nothing_gets_in_between() {
    #[squall::coroutine]
    fn three() -> Result<i32> {
        let one = yield_!(Future::ready(1))?;
        let two = yield_!(Future::ready(2))?;
        Ok(one + two)
    }
    let mut t = TestLoop::new();
    let log = Log::default();
    let sum = t.spawn(three);
    drop(t.spawn(|| worker("a", 1, log)));
    let steps: Vec<Step> = std::iter::from_fn(|| t.try_step()).collect();
    let lines: Vec<String> = steps.iter().map(Step::without_line).collect();
    assert_eq!(
        lines,
        [
            "three: start -> yield future:done",
            "three: send 1 -> yield future:done",
            "three: send 2 -> return 3",
            "worker: start -> return 1",
        ]
    );
    assert_eq!(steps.iter().map(Step::hops).collect::<Vec<_>>(), [1, 0, 0, 1]);
    assert_eq!(sum.result().unwrap(), 3);
}

#[test]
fn coroutine_that_is_called_runs_in_the_step_of_its_caller() {
    #[squall::coroutine]
    fn inner() -> Result<i32> {
        yield_!(Future::ready(1))?;
        yield_!(moment())?;
        Ok(5)
    }
    #[squall::coroutine]
    fn outer() -> Result<i32> {
        let inner = inner();
        assert!(!inner.done());
        Ok(yield_!(inner)? + 1)
    }
    let mut t = TestLoop::new();
    let six = t.spawn(outer);
    assert_eq!(t.step().without_line(), "outer: start -> yield future:pending");
    assert_eq!(t.step().without_line(), "inner: send () -> return 5");
    let s = t.step();
    assert_eq!((s.without_line().as_str(), s.hops()), ("outer: send 5 -> return 6", 2));
    assert_eq!(six.result().unwrap(), 6);
}

#[test]
fn exceptions_are_thrown_and_raised_in_steps() {
    let mut t = TestLoop::new();
    let source = Future::<i32>::new();
    let promise = source.promise();
    let f = t.spawn(|| waiter(source));
    t.step();
    promise.set_exception(Error::Timeout);
    let s = t.step();
    assert_eq!(s.thrown().unwrap().downcast_ref(), Some(&Error::Timeout));
    assert_eq!(s.raised().unwrap().to_string(), "Timeout");
    assert!(f.exception().is_some());
}

#[test]
fn native_coroutines_are_stepped_too() {
    async fn native(log: Log) -> Result<i32> {
        log.borrow_mut().push("started".into());
        sleep(SECOND).await?;
        Ok(7)
    }
    let log = Log::default();
    let mut t = TestLoop::new();
    let seen = log.clone();
    let future = t.spawn(move || native(seen));
    assert!(log.borrow().is_empty());
    assert_eq!(t.step().without_line(), "native: start -> await");
    assert_eq!(t.waiting().to_string().lines().count(), 1);
    assert_eq!(t.step().without_line(), "native: go on -> return 7");
    assert_eq!(t.now(), SECOND);
    assert_eq!(future.result().unwrap(), 7);
}

#[test]
fn run_current_does_not_move_the_clock_and_advance_moves_it_just_so_far() {
    let log = Log::default();
    let mut t = TestLoop::new();
    for (name, seconds) in [("late", 3), ("early", 1), ("also early", 1)] {
        let log = log.clone();
        drop(t.spawn(move || sleeper(name, seconds, log)));
    }
    t.run_current();
    assert!(log.borrow().is_empty());
    assert_eq!(t.now(), Duration::ZERO);
    t.advance(2 * SECOND);
    assert_eq!(*log.borrow(), ["early at 1s", "also early at 1s"]);
    assert_eq!(t.now(), 2 * SECOND);
    t.run_until_idle();
    assert_eq!(log.borrow()[2], "late at 3s");
}

#[test]
fn advancing_m_times_by_n_is_advancing_once_by_both() {
    #[squall::coroutine]
    fn ticks(ms: u64, log: Log) -> Result<()> {
        for _ in 0..6 {
            yield_!(sleep(Duration::from_millis(ms)))?;
            log.borrow_mut().push(format!("{ms} at {:?}", IoLoop::current().time()));
        }
        Ok(())
    }
    let run = |parts: u32| {
        let log = Log::default();
        let mut t = TestLoop::new();
        for ms in [7, 10, 35] {
            let log = log.clone();
            drop(t.spawn(move || ticks(ms, log)));
        }
        for _ in 0..parts {
            t.advance(Duration::from_millis(120) / parts);
        }
        (log.take(), t.now(), t.trace().text().without_lines().to_string())
    };
    assert_eq!(run(1).0.len(), 6 + 6 + 3);
    for parts in [2, 5, 12, 120] {
        assert_eq!(run(parts).0, run(1).0);
        assert_eq!(run(parts).1, run(1).1);
    }
    assert_eq!(run(12).2, run(12).2);
}

#[test]
fn without_autojump_only_advance_moves_the_clock() {
    let log = Log::default();
    let mut t = TestLoop::new();
    t.autojump(false);
    let seen = log.clone();
    drop(t.spawn(move || sleeper("a", 1, seen)));
    t.run_until_idle();
    assert!(log.borrow().is_empty());
    assert_eq!(t.waiting().iter().next().unwrap().on(), "sleep until 1s");
    t.advance(SECOND);
    assert_eq!(log.borrow().len(), 1);
}

#[test]
fn run_until_is_a_breakpoint() {
    let log = Log::default();
    let mut t = TestLoop::new();
    let (a, b) = (log.clone(), log.clone());
    drop((t.spawn(move || worker("a", 3, a)), t.spawn(move || sleeper("b", 1, b))));
    let s = t.run_until(|s| s.runner().name() == "sleeper");
    assert!(s.started());
    let s = t.run_until(|s| s.now() == SECOND);
    assert_eq!(s.runner().name(), "sleeper");
    let message = panic_of(|| drop(t.run_until(|_| true)));
    assert!(message.starts_with("the loop is idle, and there was no such step"), "{message}");
}

#[test]
fn schedule_chooses_the_next_coroutine() {
    let order = |names: &[&str]| {
        let log = Log::default();
        let mut t = TestLoop::new();
        for (name, steps) in [("a", 3), ("b", 3)] {
            let log = log.clone();
            drop(t.spawn(move || worker(name, steps, log)));
        }
        t.schedule(names.iter().copied());
        t.run_until_idle();
        log.take().join(" ")
    };
    assert_eq!(order(&[]), "a1 b1 a2 b2 a3 b3");
    assert_eq!(order(&["worker#2", "worker#2"]), "b1 b2 a1 b3 a2 a3");
    // A name without a number means its oldest call that is ready.
    assert_eq!(order(&["worker", "worker", "worker", "worker"]), "a1 a2 a3 b1 b2 b3");
}

#[test]
fn schedule_says_why_the_named_one_cannot_run() {
    let mut t = TestLoop::new();
    let (future, log) = (Future::<i32>::new(), Log::default());
    let promise = future.promise();
    let seen = log.clone();
    drop((t.spawn(|| waiter(future)), t.spawn(move || worker("a", 5, seen))));
    t.schedule(["waiter", "waiter"]);
    t.step();
    let message = panic_of(|| drop(t.step()));
    assert!(message.starts_with("the schedule of tests/test_loop.rs:"), "{message}");
    assert!(
        message.contains("`waiter`, number 2 of it, cannot run now\n  waiter waits at tests/"),
        "{message}"
    );
    assert!(message.contains("which was not resolved"), "{message}");
    assert!(message.contains("ready: worker\n"), "{message}");

    t.schedule(["nobody"]);
    let message = panic_of(|| t.run_until_idle());
    assert!(message.contains("no coroutine of that name was called"), "{message}");
    t.schedule(["worker", "worker", "worker", "worker", "worker", "worker"]);
    let message = panic_of(|| t.run_until_idle());
    assert!(message.contains("`worker`, number 6 of it, cannot run now: it has finished"), "{message}");
    promise.set_result(1);
    t.run_until_idle();
}

#[test]
fn the_tree_shows_which_coroutine_waits_for_which() {
    #[squall::coroutine]
    fn outer(future: Future<i32>) -> Result<i32> {
        let (a, b) = yield_!((waiter(future), with_timeout(5 * SECOND, waiter(Future::new()))))?;
        Ok(a + b)
    }
    let mut t = TestLoop::new();
    let future = Future::<i32>::new();
    let promise = future.promise();
    let other = t.spawn(|| outer(future));
    t.autojump(false);
    t.run_until_idle();
    let tree = t.waiting();
    let names: Vec<_> = tree.iter().map(|wait| (wait.depth(), wait.runner().to_string())).collect();
    assert_eq!(names, [(0, "outer".to_owned()), (1, "waiter".to_owned()), (1, "waiter#2".to_owned())]);
    assert_eq!(tree.iter().next().unwrap().on(), "[waiter, waiter#2, at most until 5s]");
    assert!(tree.iter().all(|wait| wait.place().unwrap().file() == file!()));

    let message = panic_of(|| t.assert_idle());
    assert!(message.starts_with("3 coroutines still wait\n"), "{message}");
    assert!(message.contains("\n    waiter waits at tests/test_loop.rs:"), "{message}");
    drop((promise, other));
    t.run_until_idle();
}

#[test]
fn two_that_wait_for_each_other_are_both_in_the_tree() {
    let mut t = TestLoop::new();
    let (a, b) = (Future::<i32>::new(), Future::<i32>::new());
    let promises: Rc<[Cell<Option<Promise<i32>>>; 2]> =
        Rc::new([Cell::new(Some(a.promise())), Cell::new(Some(b.promise()))]);
    #[squall::coroutine]
    fn one(wait: Future<i32>, give: Promise<i32>) -> Result<()> {
        let value = yield_!(wait)?;
        give.set_result(value);
        Ok(())
    }
    let (first, second) = (promises[0].take().unwrap(), promises[1].take().unwrap());
    drop((t.spawn(|| one(a, second)), t.spawn(|| one(b, first))));
    t.run_until_idle();
    assert_eq!(t.waiting().len(), 2);
    let message = panic_of(|| t.assert_idle());
    assert!(message.contains("one waits at") && message.contains("one#2 waits at"), "{message}");
}

#[test]
fn failure_shows_columns_the_wait_and_the_time_in_at_most_forty_lines() {
    let log = Log::default();
    let mut t = TestLoop::new();
    for (name, steps) in [("a", 30), ("b", 30)] {
        let log = log.clone();
        drop(t.spawn(move || worker(name, steps, log)));
    }
    let stuck = Future::<i32>::new();
    let _promise = stuck.promise();
    drop(t.spawn(|| waiter(stuck)));
    drop(t.spawn(|| sleeper("s", 5, log)));
    t.run_until_idle();
    let message = panic_of(|| t.assert_idle());
    assert!(message.lines().count() <= 40, "{message}");
    assert!(message.contains("virtual time 5s"), "{message}");
    assert!(message.contains("worker#2") && message.contains("├ send ()"), "{message}");
    assert!(message.contains("  waiter waits at tests/test_loop.rs:"), "{message}");
    let path = message.lines().last().unwrap().strip_prefix("the whole trace: ").unwrap();
    let whole = std::fs::read_to_string(path).unwrap();
    assert!(whole.lines().count() > 100);
    assert_eq!(whole, t.trace().to_text());
}

#[test]
fn trace_is_the_same_every_time_and_need_not_have_lines() {
    let run = |_: u32| {
        let log = Log::default();
        let mut t = TestLoop::new();
        let (a, b) = (log.clone(), log);
        drop((t.spawn(move || worker("a", 3, a)), t.spawn(move || sleeper("b", 1, b))));
        t.run_until_idle();
        (t.trace().to_string(), t.trace().text().without_lines().to_string())
    };
    assert_eq!(run(1), run(2));
    assert!(run(1).0.contains(':'), "it has lines");
    assert!(!run(1).1.contains(':'), "{}", run(1).1);
}

#[test]
fn program_that_never_ends_is_told_so() {
    #[squall::coroutine]
    fn spins() -> Result<()> {
        loop {
            yield_!(moment())?;
        }
    }
    let mut t = TestLoop::new();
    t.step_limit(50);
    drop(t.spawn(spins));
    let message = panic_of(|| t.run_until_idle());
    assert!(message.starts_with("50 steps, and the loop is not idle"), "{message}");
}

#[test]
fn assertions_over_steps_are_strict_or_loose() {
    let log = Log::default();
    let mut t = TestLoop::new();
    let (a, b) = (log.clone(), log);
    drop((t.spawn(move || worker("a", 2, a)), t.spawn(move || sleeper("b", 1, b))));
    t.run_until_idle();
    let steps = t.steps();
    steps.exactly(["worker: start", "sleeper: start", "worker: send () -> return 2", "sleeper: send ()"]);
    steps.eventually("return 2");
    steps.never("raise");
    steps.before("worker: start", "sleeper");
    steps.before(|s: &Step| s.started(), |s: &Step| s.returned().is_some());

    assert!(
        panic_of(|| steps.exactly(["worker", "worker"])).contains("step 2 should be a step with `worker`")
    );
    assert!(panic_of(|| steps.exactly(["worker"])).contains("should be 1 step, and there are 4"));
    assert!(panic_of(|| steps.exactly(["r"; 5])).contains("after 4 steps there should be"));
    assert!(panic_of(|| steps.eventually("raise")).contains("and there is none"));
    assert!(panic_of(|| steps.never("sleeper")).contains("is step 2"));
    assert!(panic_of(|| steps.before("sleeper", "worker")).contains("steps 2 and 1"));
    assert!(panic_of(|| steps.before("nobody", "worker")).contains("a step with `nobody`, and there is none"));
}

#[test]
fn loop_of_before_is_the_current_one_again_when_the_test_loop_goes() {
    let before = IoLoop::with_clock(squall::testing::VirtualClock::new());
    let _current = before.make_current();
    let t = TestLoop::new();
    drop(sleep(SECOND));
    drop(t);
    before.run_sync(|| sleep(2 * SECOND)).unwrap();
    assert_eq!(before.time(), 2 * SECOND);
}

#[test]
fn callback_that_starts_a_coroutine_is_a_step() {
    let mut t = TestLoop::new();
    let log = Log::default();
    let seen = log.clone();
    t.io_loop().spawn_callback(move || worker("a", 2, seen));
    assert!(t.step().started());
    assert_eq!(t.step().returned(), Some("2"));
    t.io_loop().add_callback(|| ());
    assert!(t.try_step().is_none());
    t.assert_idle();
}

#[test]
fn result_of_another_thread_is_waited_for() {
    let mut t = TestLoop::new();
    let future = Future::<i32>::new();
    thread_local!(static PROMISE: Cell<Option<Promise<i32>>> = const { Cell::new(None) });
    PROMISE.set(Some(future.promise()));
    let handle = t.io_loop().handle();
    let thread = std::thread::spawn(move || handle.add_callback(|| PROMISE.take().unwrap().set_result(5)));
    let five = t.spawn(|| waiter(future));
    t.run_until_idle();
    thread.join().unwrap();
    assert_eq!(five.result().unwrap(), 5);
}

#[test]
fn failure_without_a_waiter_is_in_the_report() {
    let mut t = TestLoop::new();
    #[squall::coroutine]
    fn fails() -> Result<()> {
        Err(Exception::msg("on purpose"))
    }
    drop(t.spawn(fails));
    let stuck = t.spawn(|| waiter(Future::new()));
    t.run_until_idle();
    let message = panic_of(|| t.assert_idle());
    assert!(message.contains("exception was never retrieved: Exception: on purpose at tests/test_loop.rs:"));
    drop(stuck);
}

#[test]
fn another_loop_that_runs_within_a_step_runs_on() {
    #[squall::coroutine]
    fn thrice() -> Result<i32> {
        yield_!(moment())?;
        for _ in 0..3 {
            yield_!(Future::ready(()))?;
        }
        Ok(5)
    }
    let mut t = TestLoop::new();
    let result = Rc::new(Cell::new(0));
    let inner = result.clone();
    t.io_loop().add_callback(move || inner.set(IoLoop::new().run_sync(thrice).unwrap()));
    t.run_until_idle();
    assert_eq!(result.get(), 5);
}

#[test]
fn each_of_two_test_loops_runs_what_was_spawned_on_it() {
    let (mut a, mut b) = (TestLoop::new(), TestLoop::new());
    let (one, other) = (Log::default(), Log::default());
    let (seen, also) = (one.clone(), other.clone());
    drop((a.spawn(move || sleeper("a", 1, seen)), b.spawn(move || sleeper("b", 5, also))));
    let (seen, also) = (one.clone(), other.clone());
    drop((b.spawn(move || worker("b", 2, also)), a.spawn(move || worker("a", 3, seen))));
    assert_eq!(
        (a.step().without_line(), b.step().runner().name()),
        ("sleeper: start -> yield future:pending".to_owned(), "sleeper")
    );
    assert_eq!(
        (a.step().runner().to_string(), b.step().runner().to_string()),
        ("worker".to_owned(), "worker".to_owned())
    );
    assert_eq!((a.waiting().len(), b.waiting().len()), (2, 2));
    b.run_until_idle();
    a.run_until_idle();
    assert_eq!(*one.borrow(), ["a1", "a2", "a3", "a at 1s"]);
    assert_eq!(*other.borrow(), ["b1", "b2", "b at 5s"]);
    assert_eq!((a.now(), b.now()), (SECOND, 5 * SECOND));
    a.assert_idle();
    b.assert_idle();
    // What is called in between is of the loop that was made last.
    drop(sleep(SECOND));
    a.run_until_idle();
    b.run_until_idle();
    assert_eq!((a.now(), b.now()), (SECOND, 6 * SECOND));
}

#[test]
fn test_loops_go_in_any_order() {
    let works = |t: &mut TestLoop| {
        let log = Log::default();
        let f = t.spawn(|| worker("a", 2, log));
        t.run_until_idle();
        assert_eq!(f.result().unwrap(), 2);
        assert_eq!(t.steps().iter().last().unwrap().returned(), Some("2"));
    };
    let mut t = TestLoop::new();
    works(&mut t);
    t = TestLoop::new();
    works(&mut t);
    let mut loops: Vec<TestLoop> = std::iter::repeat_with(TestLoop::new).take(3).collect();
    loops.iter_mut().for_each(works);
    drop(loops.remove(1));
    loops.iter_mut().for_each(works);
    drop(t);
    loops.iter_mut().for_each(works);
    drop(loops.remove(0));
    // The one that is left is the current one, and observes what is called.
    let waits = waiter(Future::new());
    assert_eq!(loops[0].waiting().len(), 1);
    drop(loops);
    assert!(!waits.done() && !squall::trace::observed());
    IoLoop::current().run_sync(moment).unwrap();
}

#[test]
fn test_loop_within_a_recording_restores_the_observer_of_before() {
    let trace = squall::trace::record(|| {
        let (a, b) = (TestLoop::new(), TestLoop::new());
        drop((a, b));
        squall::trace::note("here again");
        let (a, b) = (TestLoop::new(), TestLoop::new());
        drop((b, a));
        squall::trace::note("and here");
    });
    assert_eq!(trace.entries().len(), 2);
}

#[test]
fn test_loop_that_a_coroutine_makes_and_keeps_is_the_current_one_only_within_its_calls() {
    #[squall::coroutine]
    fn makes() -> Result<Duration> {
        let mut inner = TestLoop::new();
        let nap = inner.spawn(|| sleep(7 * SECOND));
        yield_!(sleep(SECOND))?;
        assert_eq!(IoLoop::current().time(), SECOND);
        inner.run_until_idle();
        nap.result()?;
        yield_!(moment())?;
        Ok(inner.now())
    }
    let mut t = TestLoop::new();
    drop(t.spawn(makes));
    let log = Log::default();
    drop(t.spawn(|| worker("a", 3, log)));
    t.run_until_idle();
    assert_eq!(t.now(), SECOND);
    t.steps().eventually("makes: start -> yield future:pending");
    t.steps().eventually("makes: send () -> return 7s");
    t.steps().eventually("worker: send () -> return 3");
    t.assert_idle();

    // A real loop is left alone as well.
    let clock = squall::testing::VirtualClock::new();
    assert_eq!(IoLoop::with_clock(clock).run_sync(makes).unwrap(), 7 * SECOND);
}

#[test]
fn loop_that_is_stepped_cannot_be_run_from_within() {
    #[squall::coroutine]
    fn nested(again: bool) -> Result<()> {
        yield_!(())?;
        if again {
            return IoLoop::current().run_sync(moment);
        }
        IoLoop::current().close();
        Ok(())
    }
    let mut t = TestLoop::new();
    let runs = t.spawn(|| nested(true));
    t.run_until_idle();
    let e = runs.result().unwrap_err();
    assert!(e.to_string().contains("this IoLoop is running already"), "{e}");
    let closes = t.spawn(|| nested(false));
    t.run_until_idle();
    let e = closes.result().unwrap_err();
    assert!(e.to_string().contains("stop it before it is closed"), "{e}");
    // Between the steps it does not run.
    t.io_loop().clone().run_sync(moment).unwrap();
}

/// Returns the message of a loop that has five milliseconds to become idle.
fn not_idle(t: &mut TestLoop) -> String {
    t.limit(Duration::from_millis(5));
    let message = panic_of(|| t.run_until_idle());
    assert!(message.starts_with("the test is not over after 5ms"), "{message}");
    assert!(message.lines().count() <= 40, "{message}");
    message
}

#[test]
fn loop_that_only_something_outside_could_wake_is_given_up() {
    let mut t = TestLoop::new();
    drop(t.spawn(|| waiter(Future::new())));
    let handle = t.io_loop().handle();
    let message = not_idle(&mut t);
    assert!(message.contains("over after 5ms: it waits for something outside (a LoopHandle is kept)\n"));
    assert!(message.contains("\n  waiter waits at tests/test_loop.rs:"), "{message}");
    drop(handle);
    t.run_until_idle();

    let mut t = TestLoop::new();
    let kept = Rc::new(Cell::new(None));
    let keeps = kept.clone();
    drop(t.spawn(move || async move {
        std::future::poll_fn(|cx| {
            keeps.set(Some(cx.waker().clone()));
            std::task::Poll::<()>::Pending
        })
        .await;
        Ok::<_, Exception>(())
    }));
    assert!(not_idle(&mut t).contains("(a Waker is kept)"));

    let mut t = TestLoop::new();
    drop(t.spawn(|| waiter(Future::new())));
    let (_ends, end) = std::sync::mpsc::channel::<()>();
    let job = t.io_loop().run_in_executor(move || end.recv().is_ok());
    t.io_loop().call_later(SECOND, || ());
    assert!(not_idle(&mut t).contains("(a job is under way)"));
    drop(job);
}

#[cfg(target_os = "linux")]
#[test]
fn loop_that_a_silent_socket_could_wake_is_given_up() {
    let (socket, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut t = TestLoop::new();
    t.io_loop().add_handler(socket, squall::ioloop::FdEvents::READ, |_| ()).unwrap();
    drop(t.spawn(|| waiter(Future::new())));
    assert!(not_idle(&mut t).contains("(a descriptor is watched)"));
}

#[test]
fn loop_on_which_callbacks_never_end_is_given_up() {
    let mut t = TestLoop::new();
    let periodic = squall::PeriodicCallback::new(|| (), Duration::from_millis(1));
    periodic.start();
    assert!(not_idle(&mut t).starts_with("the test is not over after 5ms\n"));
    periodic.stop();

    fn again(io_loop: IoLoop) {
        io_loop.clone().add_callback(move || again(io_loop));
    }
    let mut t = TestLoop::new();
    again(t.io_loop().clone());
    t.limit(Duration::from_millis(5));
    assert!(panic_of(|| t.run_current()).starts_with("the test is not over after 5ms\n"));
    assert!(panic_of(|| t.advance(SECOND)).starts_with("the test is not over after 5ms\n"));
}

#[test]
fn last_handle_that_goes_is_the_end_of_waiting() {
    let mut t = TestLoop::new();
    drop(t.spawn(|| waiter(Future::new())));
    let handle = t.io_loop().handle();
    let thread = std::thread::spawn(move || drop(handle));
    t.run_until_idle();
    thread.join().unwrap();
    assert_eq!(t.waiting().len(), 1);
}

#[test]
fn report_of_a_long_test_has_its_end_and_says_what_is_left_out() {
    #[squall::coroutine]
    fn spins(turns: usize) -> Result<()> {
        for _ in 0..turns {
            yield_!(moment())?;
        }
        Ok(())
    }
    #[squall::coroutine]
    fn outer(inner: Future<i32>, early: Future<u32>, go: Future<()>) -> Result<u32> {
        yield_!((go, inner))?;
        yield_!(early)
    }
    let mut t = TestLoop::new();
    let (inner, go, log) = (Future::<i32>::new(), Future::<()>::new(), Log::default());
    let (promise, start) = (inner.promise(), go.promise());
    let early = t.spawn(|| worker("a", 1, log));
    let f = t.spawn(|| outer(waiter(inner), early, go));
    drop(t.spawn(|| spins(1)));
    t.run_until_idle();
    let spun = t.spawn(|| spins(26_000));
    t.run_until_idle();
    assert!(spun.done());
    start.set_result(());
    promise.set_result(7);
    drop(t.spawn(|| spins(2)));
    t.run_until_idle();
    assert_eq!(f.result().unwrap(), 1);

    let trace = t.trace();
    assert!(trace.entries().len() <= 100_001, "{}", trace.entries().len());
    let text = trace.text().width(200).to_string();
    let says = |text: &str| text.contains(" events came before those that are shown\n");
    assert!(says(&text));
    let end: Vec<&str> = text.lines().rev().take(40).collect();
    let has = |what: &str| end.iter().any(|line| line.contains(what));
    // Earlier calls, Futures and turns keep their names and numbers.
    assert!(has("waiter done") || has("send 7"), "{end:#?}");
    assert!(has("yield worker, done already"), "{end:#?}");
    assert!(text.contains("call spins#3") && !text.contains("call spins#2"), "{end:#?}");
    assert!(end.iter().any(|line| line.contains("turn 2600")), "{end:#?}");

    drop(t.spawn(|| waiter(Future::new())));
    t.run_until_idle();
    let message = panic_of(|| t.assert_idle());
    assert!(message.lines().count() <= 40, "{message}");
    assert!(message.contains("waiter#2") && message.contains("call waiter#2"), "{message}");
    let said = message.lines().rev().nth(1).unwrap();
    assert!(
        said.starts_with("the trace has the last 100000 events; ")
            && said.ends_with(" before them are left out")
    );
    let path = message.lines().last().unwrap().strip_prefix("the whole trace: ");
    assert!(path.is_none(), "it is not the whole");
    let path = message.lines().last().unwrap().strip_prefix("the trace: ").unwrap();
    assert!(says(&std::fs::read_to_string(path).unwrap()));
}
