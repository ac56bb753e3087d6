//! The number of orders, their sequence, and the report of a failure.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use squall::testing::{explore, replay, Explore, Failure, TestLoop};
use squall::{moment, sleep, Exception, Future, Result};

type Log = Rc<RefCell<String>>;

/// Makes four steps: it is resumed four times.
#[squall::coroutine]
fn four(name: char, log: Log) -> Result<()> {
    for _ in 0..3 {
        log.borrow_mut().push(name);
        yield_!(moment())?;
    }
    log.borrow_mut().push(name);
    Ok(())
}

/// Returns the orders that `explore` tries, as texts.
fn orders_of(explore: Explore, set_up: impl Fn(&mut TestLoop, &Log)) -> (Vec<String>, bool) {
    let all = RefCell::new(Vec::new());
    let explored = explore.run(|t| {
        let log = Log::default();
        set_up(t, &log);
        t.run_until_idle();
        all.borrow_mut().push(log.take());
    });
    assert_eq!(explored.orders(), all.borrow().len());
    (all.take(), explored.complete())
}

fn two_of_four(t: &mut TestLoop, log: &Log) {
    for name in ['a', 'b'] {
        let log = log.clone();
        drop(t.spawn(move || four(name, log)));
    }
}

#[test]
fn two_coroutines_of_four_steps_have_seventy_interleavings() {
    let (orders, complete) = orders_of(Explore::new(), two_of_four);
    assert!(complete);
    assert_eq!(orders.len(), 70);
    assert_eq!(orders.iter().collect::<BTreeSet<_>>().len(), 70);
    assert_eq!(orders[0], "abababab", "the usual order comes first");
    assert!(orders.contains(&"bbbbaaaa".to_owned()));
}

/// Spawns `count` coroutines, called `a`, `b` and so on, of `steps` steps each.
fn coroutines(count: u8, steps: usize) -> impl Fn(&mut TestLoop, &Log) {
    #[squall::coroutine]
    fn steps_of(name: char, steps: usize, log: Log) -> Result<()> {
        for _ in 1..steps {
            log.borrow_mut().push(name);
            yield_!(moment())?;
        }
        log.borrow_mut().push(name);
        Ok(())
    }
    move |t, log| {
        for name in (b'a'..).take(count.into()).map(char::from) {
            let log = log.clone();
            drop(t.spawn(move || steps_of(name, steps, log)));
        }
        t.run_until_idle();
    }
}

/// Returns the failure of a test that fails in each order for which `found` holds, and checks that its line replays it.
fn failure_if(
    explore: Explore,
    world: impl Fn(&mut TestLoop, &Log),
    found: impl Fn(&str) -> bool,
) -> Failure {
    let test = |t: &mut TestLoop| {
        let log = Log::default();
        world(t, &log);
        assert!(!found(&log.borrow()), "found {}", log.borrow());
    };
    let failure = explore.check(test).unwrap_err();
    assert!(failure.problem().starts_with("found "), "{failure}");
    let again = panic_of(|| replay(failure.schedule(), test));
    assert_eq!(again.lines().next(), failure.problem().lines().next(), "{failure}");
    failure
}

#[test]
fn coroutine_that_comes_whole_before_others_is_one_preemption() {
    let failure = failure_if(Explore::new(), coroutines(8, 6), |order| order.starts_with("hhhhhh"));
    assert_eq!(failure.preemptions(), 1);
    assert_eq!(
        failure.schedule(),
        ["v1", "steps_of#8,steps_of#8,steps_of#8,steps_of#8,steps_of#8,steps_of#8"].join(":")
    );

    let failure = failure_if(Explore::new(), coroutines(3, 4), |order| order == "ccccbbbbaaaa");
    assert_eq!(failure.preemptions(), 2);

    let three_first = |order: &str| order.find('a') == Some(12);
    assert_eq!(failure_if(Explore::new(), coroutines(4, 4), three_first).preemptions(), 3);
}

#[test]
fn row_is_over_when_another_coroutine_is_picked() {
    let failure = failure_if(Explore::new(), coroutines(3, 3), |order| order.starts_with("cac"));
    assert_eq!(failure.preemptions(), 2);
    // The second row is in turn from its second step on.
    let failure = failure_if(Explore::new(), coroutines(2, 3), |order| order == "bbbaaa");
    assert_eq!(failure.preemptions(), 1);
}

#[test]
fn more_orders_than_the_limit_fail_and_say_what_to_do() {
    let message = panic_of(|| {
        explore(|t| coroutines(4, 6)(t, &Log::default()));
    });
    assert!(
        message.starts_with("there are more than 10000 orders, so not every order was tried"),
        "{message}"
    );
    for remedy in ["preemptions(2)", "orders(100_000)", "random(1)"] {
        assert!(message.contains(remedy), "{message}");
    }
    let failure = Explore::new().check(|t| coroutines(2, 1_002)(t, &Log::default())).unwrap_err();
    assert!(failure.problem().starts_with("one order has more than 1000 choices"), "{failure}");
    assert_eq!((failure.schedule(), failure.preemptions(), failure.is_limit()), ("", 0, true));
}

#[test]
fn test_that_says_what_is_enough_passes_with_that() {
    let of = |explore: Explore| orders_of(explore, |t, log| coroutines(4, 6)(t, log));
    for (explore, orders) in [
        (Explore::new().orders(500), 500),
        (Explore::new().preemptions(1), 217),
        (Explore::new().steps(5), 1_024),
        (Explore::new().random(3).orders(50), 50),
    ] {
        let (tried, complete) = of(explore);
        assert_eq!((tried.len(), complete), (orders, false));
    }
    let long = |t: &mut TestLoop| coroutines(2, 1_002)(t, &Log::default());
    assert_eq!(Explore::new().preemptions(0).check(long).unwrap().orders(), 1);
    assert_eq!(Explore::new().orders(5).check(long).unwrap().orders(), 5);
}

#[test]
fn bound_on_preemptions_has_no_limit_of_orders_but_its_own() {
    let (orders, complete) = orders_of(Explore::new().preemptions(4), |t, log| coroutines(3, 4)(t, log));
    assert_eq!((orders.len(), complete), (12_893, false));
    assert_eq!(orders.iter().collect::<BTreeSet<_>>().len(), 12_893);
}

#[test]
fn failure_at_random_is_replayed_by_its_line() {
    let failure = failure_if(Explore::new().random(11), coroutines(4, 4), |order| order.ends_with("ab"));
    let again = failure_if(Explore::new().random(11), coroutines(4, 4), |order| order.ends_with("ab"));
    assert_eq!(failure.to_string(), again.to_string());
    assert!(
        failure.to_string().contains("SQUALL_SEED=11; to replay it:\n  replay(\"v1:steps_of"),
        "{failure}"
    );
}

#[test]
fn preemptions_and_steps_and_orders_are_bounded_and_that_is_said() {
    let (orders, complete) = orders_of(Explore::new().preemptions(0), two_of_four);
    assert_eq!((orders.len(), complete), (1, false));
    let (orders, complete) = orders_of(Explore::new().preemptions(1), two_of_four);
    assert!(!complete && orders.len() > 1 && orders.len() < 70);
    let (orders, complete) = orders_of(Explore::new().steps(2), two_of_four);
    assert_eq!((orders.len(), complete), (4, false));
    let (orders, complete) = orders_of(Explore::new().orders(10), two_of_four);
    assert_eq!((orders.len(), complete), (10, false));
    let (orders, complete) = orders_of(Explore::new().orders(70), two_of_four);
    assert_eq!((orders.len(), complete), (70, true));
}

#[test]
fn due_timers_come_in_every_order_and_timers_that_are_not_due_do_not() {
    #[squall::coroutine]
    fn after(ms: u64, name: char, log: Log) -> Result<()> {
        yield_!(sleep(Duration::from_millis(ms)))?;
        log.borrow_mut().push(name);
        Ok(())
    }
    let with = |times: [u64; 2]| {
        orders_of(Explore::new(), move |t, log| {
            for (ms, name) in times.into_iter().zip(['a', 'b']) {
                let log = log.clone();
                drop(t.spawn(move || after(ms, name, log)));
            }
        })
    };
    let distinct = |orders: (Vec<String>, bool)| {
        orders.0.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(distinct(with([5, 5])), ["ab", "ba"]);
    assert_eq!(distinct(with([5, 6])), ["ab"]);
}

#[test]
fn callbacks_keep_their_order() {
    let (orders, complete) = orders_of(Explore::new(), |t, log| {
        for name in ['1', '2', '3'] {
            let log = log.clone();
            t.io_loop().add_callback(move || log.borrow_mut().push(name));
        }
        let log = log.clone();
        drop(t.spawn(move || four('a', log)));
    });
    assert_eq!((orders, complete), (vec!["123aaaa".to_owned()], true));
}

/// Loses the update of another call that is resumed between its steps.
#[squall::coroutine]
fn deposit(balance: Rc<Cell<u32>>) -> Result<()> {
    let before = balance.get();
    yield_!(moment())?;
    balance.set(before + 50);
    Ok(())
}

fn two_deposits(t: &mut TestLoop) {
    let balance = Rc::new(Cell::new(0));
    let (one, other) = (balance.clone(), balance.clone());
    drop((t.spawn(|| deposit(one)), t.spawn(|| deposit(other))));
    t.run_until_idle();
    assert_eq!(balance.get(), 100);
}

fn panic_of(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it should have panicked");
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string)).unwrap()
}

#[test]
fn failure_shows_what_went_wrong_and_the_columns_and_how_to_replay_it() {
    let message = panic_of(|| {
        explore(two_deposits);
    });
    assert!(
        message.starts_with(
            "assertion `left == right` failed\n  left: 50\n right: 100\nat tests/explore/orders.rs:"
        ),
        "{message}"
    );
    assert!(
        message.contains(
            "that is in the usual order, after 1 order; to replay it:\n  replay(\"v1:\", |t| ..)\n"
        ),
        "{message}"
    );
    assert!(message.contains("deposit#2") && message.contains("├ send ()"), "{message}");
    assert!(message.lines().count() <= 40, "{message}");
}

/// Fails only if `late` comes before `early`, which does not happen in the usual order.
fn needs_one_preemption(t: &mut TestLoop) {
    #[squall::coroutine]
    fn early(seen: Rc<Cell<bool>>) -> Result<()> {
        seen.set(true);
        Ok(())
    }
    #[squall::coroutine]
    fn late(seen: Rc<Cell<bool>>) -> Result<()> {
        assert!(seen.get(), "late came first");
        Ok(())
    }
    let seen = Rc::new(Cell::new(false));
    let other = seen.clone();
    drop((t.spawn(|| early(seen)), t.spawn(|| late(other))));
    t.run_until_idle();
}

#[test]
fn shortest_schedule_that_fails_is_found_and_replayed() {
    let failure = Explore::new().check(needs_one_preemption).unwrap_err();
    assert_eq!((failure.schedule(), failure.preemptions(), failure.tried()), ("v1:late", 1, 2));
    assert!(failure.problem().contains("late came first"), "{failure}");
    let message = panic_of(|| replay(failure.schedule(), needs_one_preemption));
    assert!(message.contains("late came first"), "{message}");
    replay("v1:early", needs_one_preemption);
    replay("v1:", needs_one_preemption);
}

#[test]
fn random_orders_are_the_same_with_the_same_seed_and_the_failure_is_made_short() {
    let orders = |seed| orders_of(Explore::new().random(seed).orders(20), two_of_four);
    assert_eq!(orders(1), orders(1));
    assert_ne!(orders(1), orders(2));
    assert!(!orders(1).1);

    let failure = Explore::new().random(7).check(needs_one_preemption).unwrap_err();
    assert_eq!((failure.schedule(), failure.preemptions()), ("v1:late", 1));
    assert!(failure.to_string().contains("SQUALL_SEED=7"), "{failure}");
}

#[test]
fn schedule_that_does_not_fit_is_told() {
    let message = panic_of(|| replay("v2:late", needs_one_preemption));
    assert!(message.contains("should begin with `v1:`"), "{message}");
    let message = panic_of(|| replay("v1:early,nobody", needs_one_preemption));
    assert!(
        message.contains("`nobody`, number 2 of it, cannot run now: no coroutine of that name was called"),
        "{message}"
    );
    let message = panic_of(|| replay("v1:late#2", needs_one_preemption));
    assert!(message.contains("ready: early, late"), "{message}");
}

#[test]
fn who_waits_for_ever_is_a_failure_unless_that_is_allowed() {
    #[squall::coroutine]
    fn waits(future: Future<()>) -> Result<()> {
        yield_!(future)
    }
    let stuck = |t: &mut TestLoop| {
        let future = Future::new();
        let promise = future.promise();
        drop(t.spawn(|| waits(future)));
        t.run_until_idle();
        drop(promise);
    };
    let kept = |t: &mut TestLoop| {
        let future = Future::new();
        std::mem::forget(future.promise());
        drop(t.spawn(|| waits(future)));
    };
    let failure = Explore::new().check(kept).unwrap_err();
    assert!(
        failure
            .problem()
            .starts_with("nothing can wake the coroutines that still wait:\n  waits waits at tests/"),
        "{failure}"
    );
    assert!(Explore::new().allow("waiting").check(kept).unwrap().complete());
    // What is dropped wakes it.
    assert!(Explore::new().allow("unretrieved").check(stuck).is_ok());
}

#[test]
fn exception_that_is_not_retrieved_is_a_failure_unless_that_is_allowed() {
    #[squall::coroutine]
    fn fails() -> Result<()> {
        yield_!(moment())?;
        Err(Exception::msg("on purpose"))
    }
    let failure = Explore::new().check(|t| drop(t.spawn(fails))).unwrap_err();
    assert!(failure.problem().contains("never retrieved: Exception: on purpose at tests/"), "{failure}");
    assert!(Explore::new().allow("unretrieved").check(|t| drop(t.spawn(fails))).is_ok());
    let retrieved = |t: &mut TestLoop| {
        let future = t.spawn(fails);
        t.run_until_idle();
        assert!(future.exception().is_some());
    };
    assert!(explore(retrieved).complete());
}

#[test]
fn test_that_does_not_repeat_itself_is_told() {
    let runs = Cell::new(0);
    let message = panic_of(|| {
        explore(|t| {
            runs.set(runs.get() + 1);
            for name in ['a', 'b', 'c'].into_iter().take(2 + runs.get() % 2) {
                drop(t.spawn(|| four(name, Log::default())));
            }
            t.run_until_idle();
        });
    });
    assert!(message.contains("the test does not repeat itself"), "{message}");
}

#[test]
fn order_that_never_ends_is_a_failure() {
    #[squall::coroutine]
    fn spins(stop: Rc<Cell<bool>>) -> Result<()> {
        while !stop.get() {
            yield_!(moment())?;
        }
        Ok(())
    }
    let failure = Explore::new().check(|t| drop(t.spawn(|| spins(Rc::default()))));
    assert!(failure.unwrap_err().problem().contains("it seems never to end"));
}

#[test]
fn no_order_is_not_every_order() {
    let explored = Explore::new().orders(0).run(|t| drop(t.spawn(moment)));
    assert_eq!((explored.orders(), explored.complete()), (0, false));
    assert_eq!(explored.to_string(), "0 orders, and there are more");
    let all = Explore::new().orders(1).run(|t| drop(t.spawn(moment)));
    assert_eq!(all.to_string(), "1 order, which is all there are");
}

#[test]
fn program_that_never_ends_fails_without_a_line_of_the_library() {
    #[squall::coroutine]
    fn spins() -> Result<()> {
        loop {
            yield_!(moment())?;
        }
    }
    let failure = Explore::new().check(|t| drop(t.spawn(spins))).unwrap_err();
    assert_eq!(failure.problem(), "10000 steps, and the loop is not idle: it seems never to end");
}

#[test]
fn schedule_with_a_wrong_name_fails_at_the_line_of_the_test() {
    static LINE: AtomicU32 = AtomicU32::new(0);
    let this = std::thread::current().id();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let here = info.location().filter(|at| at.file() == file!() && std::thread::current().id() == this);
        match here {
            Some(here) => LINE.store(here.line(), Ordering::SeqCst),
            None => before(info),
        }
    }));
    let replayed = catch_unwind(|| replay("v1:nobody", |t| drop(t.spawn(moment))));
    let line = line!() - 1;
    assert!(replayed.is_err());
    assert_eq!(LINE.load(Ordering::SeqCst), line);
}

/// Returns all interleavings of coroutines with these numbers of steps, each with its number of preemptions.
fn interleavings(shape: &[usize]) -> BTreeMap<String, usize> {
    type Queue = Vec<(char, usize)>;
    fn go(
        queue: &Queue,
        order: &str,
        row: Option<char>,
        preemptions: usize,
        all: &mut BTreeMap<String, usize>,
    ) {
        if queue.is_empty() {
            all.insert(order.to_owned(), preemptions);
        }
        for pick in 0..queue.len() {
            let mut queue = queue.clone();
            let (name, left) = queue.remove(pick);
            let is_alone = queue.is_empty();
            queue.extend((left > 1).then_some((name, left - 1)));
            let prolongs = row == Some(name);
            let (row, more) = match pick {
                0 => (row.filter(|_| prolongs && is_alone), 0),
                _ => (Some(name), usize::from(!prolongs)),
            };
            go(&queue, &format!("{order}{name}"), row, preemptions + more, all);
        }
    }
    let mut all = BTreeMap::new();
    go(&('a'..).zip(shape.iter().copied()).collect(), "", None, 0, &mut all);
    all
}

#[test]
fn orders_within_a_bound_are_those_whose_rows_out_of_turn_are_that_many() {
    #[squall::coroutine]
    fn steps_of(name: char, steps: usize, log: Log) -> Result<()> {
        log.borrow_mut().push(name);
        for _ in 1..steps {
            yield_!(moment())?;
            log.borrow_mut().push(name);
        }
        Ok(())
    }
    for shape in [&[5][..], &[1, 3], &[4, 2], &[1, 1, 1, 1], &[3, 1, 2], &[2, 2, 1]] {
        let all = interleavings(shape);
        let most = all.values().max().unwrap();
        for bound in 0..=most + 1 {
            let within: Vec<_> = all.iter().filter(|(_, preemptions)| **preemptions <= bound).collect();
            let (mut orders, complete) = orders_of(Explore::new().preemptions(bound), |t, log| {
                for (name, &steps) in ('a'..).zip(shape) {
                    let log = log.clone();
                    drop(t.spawn(move || steps_of(name, steps, log)));
                }
            });
            orders.sort();
            assert!(
                orders.iter().eq(within.iter().map(|(order, _)| *order)),
                "{shape:?}, {bound}: {orders:?}"
            );
            assert_eq!(complete, orders.len() == all.len(), "{shape:?}, {bound}");
        }
    }
}
