//! `#[squall::test]`: what it runs, and why it fails. Failing tests are called by tests that check their messages.

use std::cell::Cell;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::time::Duration;

use squall::{moment, sleep, Error, Future, IoLoop, Result};

const HOUR: Duration = Duration::from_secs(3600);

#[squall::test]
fn an_hour_passes_at_once() -> Result<()> {
    yield_!(sleep(HOUR))?;
    assert_eq!(IoLoop::current().time(), HOUR);
    Ok(())
}

#[squall::test]
async fn native_body_runs_too() -> Result<()> {
    sleep(HOUR).await?;
    assert_eq!(IoLoop::current().time(), HOUR);
    Ok(())
}

#[squall::test(limit = 60)]
fn result_of_a_thread_is_waited_for() -> Result<()> {
    assert_eq!(yield_!(IoLoop::current().run_in_executor(|| 5))?, 5);
    assert_eq!(IoLoop::current().time(), Duration::ZERO);
    Ok(())
}

#[squall::test]
#[should_panic(expected = "assertion `left == right` failed")]
fn assertion_in_the_body_fails_the_test() -> Result<()> {
    yield_!(())?;
    assert_eq!(1, 2);
    Ok(())
}

#[squall::test(allow = "waiting, timers")]
fn what_is_allowed_may_be_left_over() -> Result<()> {
    drop(naps(5));
    yield_!(moment())
}

#[squall::test]
fn loop_of_the_test_cannot_be_run_from_within() -> Result<()> {
    yield_!(())?;
    let run = std::panic::catch_unwind(|| IoLoop::current().run_sync(moment));
    assert!(run.unwrap_err().downcast_ref::<&str>().unwrap().contains("is running already"));
    Ok(())
}

#[squall::test]
fn stepper_leaves_nothing_over() -> Result<()> {
    #[squall::coroutine]
    fn asks(first: Future<()>) -> Result<u32> {
        yield_!(first)?;
        drop(naps_and_waits(Future::new()));
        yield_!(Future::new())
    }
    #[squall::coroutine]
    fn naps_and_waits(never: Future<()>) -> Result<()> {
        yield_!(naps(5))?;
        yield_!(never)
    }
    let mut step = squall::testing::Stepper::new(|| asks(naps_and_waits(Future::new())));
    step.next();
    assert_eq!(step.send(()).send(4_u32).returned::<u32>(), 4);
    // And one that is not over.
    squall::testing::Stepper::new(|| asks(naps(1))).next();
    yield_!(fails()).unwrap_err();
    yield_!(sleep(HOUR))
}

#[squall::coroutine]
fn naps(seconds: u64) -> Result<()> {
    yield_!(sleep(Duration::from_secs(seconds)))
}

#[squall::coroutine]
fn naps_for_ever() -> Result<()> {
    loop {
        yield_!(naps(1))?;
    }
}

#[squall::test]
fn what_is_in_the_background_is_not_left_over() -> Result<()> {
    squall::background(|| {
        drop(naps_for_ever());
        IoLoop::current().call_later(1000 * HOUR, || ());
        IoLoop::current().spawn_callback(|| async {
            drop(naps_for_ever());
            IoLoop::current().call_later(1000 * HOUR, || ());
            sleep(1000 * HOUR).await
        });
        drop(squall::locks::Lock::new().acquire());
    });
    yield_!(sleep(Duration::from_millis(2500)))
}

#[squall::coroutine]
fn fails() -> Result<()> {
    yield_!(moment())?;
    Err(Error::Timeout)?
}

/// Tests that fail. They are called by the tests below.
mod failing {
    use super::*;

    #[squall::test]
    #[ignore = "it fails on purpose"]
    pub(super) fn raises() -> Result<()> {
        yield_!(fails())
    }

    #[squall::test]
    #[ignore = "it fails on purpose"]
    pub(super) fn leaves_over() -> Result<()> {
        drop((naps(5), fails(), IoLoop::current().call_later(HOUR, || ())));
        yield_!(moment())?;
        yield_!(moment())
    }

    #[squall::test]
    #[ignore = "it fails on purpose"]
    pub(super) fn waits_beside_a_stepper() -> Result<()> {
        squall::testing::Stepper::new(|| naps(1)).next();
        let never = Future::<()>::new();
        let _promise = never.promise();
        let waits = naps(2);
        squall::testing::Stepper::new(|| naps(3)).next();
        yield_!((waits, never)).map(drop)
    }

    #[squall::test]
    #[ignore = "it fails on purpose"]
    pub(super) fn waits_for_ever() -> Result<()> {
        let never = Future::<()>::new();
        let _promise = never.promise();
        yield_!(never)
    }

    #[squall::test(limit = 60)]
    #[ignore = "it fails on purpose"]
    pub(super) fn spins() -> Result<()> {
        loop {
            yield_!(moment())?;
        }
    }

    #[squall::test(limit = 0.05)]
    #[ignore = "it fails on purpose"]
    pub(super) fn hangs_in_the_loop() -> Result<()> {
        loop {
            yield_!(moment())?;
        }
    }

    #[squall::test(limit = 0.05)]
    #[ignore = "it fails on purpose"]
    pub(super) fn hangs_in_a_call() -> Result<()> {
        drop(naps(1));
        yield_!(moment())?;
        loop {
            std::thread::yield_now();
        }
    }

    #[squall::coroutine]
    fn holds(lock: squall::locks::Lock) -> Result<()> {
        let _held = yield_!(lock.acquire())?;
        yield_!(Future::<()>::new())
    }

    #[squall::test(limit = 0.05)]
    #[ignore = "it fails on purpose"]
    pub(super) fn hangs_while_another_waits_for_a_lock() -> Result<()> {
        let lock = squall::locks::Lock::new().named("door");
        drop((holds(lock.clone()), holds(lock)));
        yield_!(moment())?;
        loop {
            std::thread::yield_now();
        }
    }

    #[squall::test]
    #[ignore = "it fails on purpose"]
    pub(super) fn leaves_over_beside_the_background() -> Result<()> {
        squall::background(|| {
            drop(naps_for_ever());
            IoLoop::current().call_later(HOUR, || ());
            IoLoop::current().spawn_callback(naps_for_ever);
        });
        drop(naps(5));
        yield_!(moment())?;
        yield_!(moment())
    }

    #[squall::test(limit = 0.05)]
    #[ignore = "it fails on purpose"]
    pub(super) fn hangs_outside() -> Result<()> {
        let handle = IoLoop::current().handle();
        let never = Future::<()>::new();
        let promise = Cell::new(Some(never.promise()));
        yield_!(never)?;
        drop((handle, promise));
        Ok(())
    }
}

fn message_of(test: fn()) -> String {
    let payload = catch_unwind(test).expect_err("it should have failed");
    payload.downcast_ref::<String>().cloned().unwrap()
}

#[test]
fn exception_fails_the_test_with_its_traceback_and_the_columns() {
    let message = message_of(failing::raises);
    assert!(
        message.starts_with("Traceback (most recent call last):\n  tests/testing_attribute.rs:"),
        "{message}"
    );
    assert!(
        message.contains(" in raises\n") && message.contains(" in fails\nTimeoutError: Timeout\n"),
        "{message}"
    );
    assert!(message.contains("├ call fails"), "{message}");
    assert!(message.lines().count() <= 40, "{message}");
}

#[test]
fn what_is_left_over_fails_the_test_each_with_its_line() {
    let message = message_of(failing::leaves_over);
    let lines: Vec<&str> = message.lines().collect();
    assert!(lines[0].contains("has left something over"), "{message}");
    assert!(lines[1].starts_with(
        "  exception was never retrieved: TimeoutError: Timeout at tests/testing_attribute.rs:"
    ));
    assert!(lines[2].starts_with("  naps waits at tests/testing_attribute.rs:"), "{message}");
    assert!(lines[2].ends_with("for sleep until 5s, since 0s"), "{message}");
    assert!(lines[3].starts_with("  a timer was set at tests/testing_attribute.rs:"), "{message}");
    assert!(lines[3].ends_with("due at 5s") && lines[4].ends_with("due at 3600s"), "{message}");
}

#[test]
fn what_is_left_over_beside_the_background_fails_the_test() {
    let message = message_of(failing::leaves_over_beside_the_background);
    let (left, report) = message.split_once("waiting:").unwrap();
    let left: Vec<&str> = left.lines().filter(|line| line.starts_with("  ")).collect();
    assert!(left[0].starts_with("  naps#2 waits at tests/testing_attribute.rs:"), "{message}");
    assert!(left[1].starts_with("  a timer was set at ") && left[1].ends_with("due at 5s"), "{message}");
    assert!(
        report.contains("naps_for_ever waits at ") && report.contains(", in the background"),
        "{message}"
    );
}

#[test]
fn test_that_nothing_can_wake_fails_at_once() {
    let message = message_of(failing::waits_for_ever);
    assert!(message.starts_with("the test waits, and nothing is left that could wake it\n"), "{message}");
    assert!(message.contains("  waits_for_ever waits at tests/testing_attribute.rs:"), "{message}");
    let message = message_of(failing::waits_beside_a_stepper);
    assert!(message.contains("  waits_beside_a_stepper waits at tests/"), "{message}");
    assert!(message.contains("for [future ") && !message.contains("naps waits"), "{message}");
    assert!(message.contains("┴ return ()") && !message.contains("naps#2"), "{message}");
}

#[test]
fn test_that_spins_fails_at_its_own_line() {
    static FILES: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let this = "test_that_spins_fails_at_its_own_line";
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().name() == Some(this) {
            FILES.lock().unwrap().push(info.location().unwrap().file().to_owned());
        } else {
            before(info);
        }
    }));
    let message = message_of(failing::spins);
    assert!(message.starts_with("100000 steps, and the loop is not idle"), "{message}");
    let files = std::mem::take(&mut *FILES.lock().unwrap());
    assert_eq!(files, [file!()]);
}

#[squall::test]
fn test_loop_that_the_test_keeps_is_stepped_between_yields() -> Result<()> {
    let mut inner = squall::testing::TestLoop::new();
    let nap = inner.spawn(|| naps(5));
    yield_!(sleep(HOUR))?;
    assert_eq!(IoLoop::current().time(), HOUR);
    inner.run_until_idle();
    assert_eq!((nap.result()?, inner.now()), ((), Duration::from_secs(5)));
    Ok(())
}

#[squall::test]
fn worlds_that_the_test_makes_are_on_loops_of_their_own() -> Result<()> {
    let naps = |t: &mut squall::testing::TestLoop| {
        drop(naps(5));
        t.run_until_idle();
        assert_eq!(t.now(), Duration::from_secs(5));
    };
    squall::testing::explore(naps);
    squall::testing::replay("v1:", naps);
    drop(squall::testing::TestLoop::rewindable(naps));
    yield_!(moment())?;
    assert_eq!(IoLoop::current().time(), Duration::ZERO);
    Ok(())
}

#[test]
fn test_that_hangs_is_ended_with_the_tree_and_the_running_coroutine() {
    let message = message_of(failing::hangs_in_a_call);
    assert!(message
        .starts_with("the test is not over after 50ms; hangs_in_a_call runs, since its yield at tests/"));
    assert!(message.contains("  naps waits at tests/testing_attribute.rs:"), "{message}");
    let message = message_of(failing::hangs_while_another_waits_for_a_lock);
    let waits = "holds#2 waits at tests/testing_attribute.rs:175:21 for door, held by holds since tests/testing_attribute.rs:";
    assert!(message.contains(waits), "{message}");
    let message = message_of(failing::hangs_in_the_loop);
    assert!(message.starts_with("the test is not over after 50ms") || message.contains("seems never to end"));
    let message = message_of(failing::hangs_outside);
    assert!(message.contains("  hangs_outside waits at tests/testing_attribute.rs:"), "{message}");
}

/// As it stands in the guide, where the compiler leaves tests out.
#[squall::test]
fn a_timeout_of_an_hour() -> Result<()> {
    let slow = sleep(Duration::from_secs(7200));
    let e = yield_!(squall::with_timeout(Duration::from_secs(3600), slow)).unwrap_err();
    assert_eq!(e.downcast_ref(), Some(&Error::Timeout));
    yield_!(sleep(Duration::from_secs(3600)))
}

/// Tests that fail where a test of their pages runs them, in a process of its own.
mod of_a_page {
    use std::cell::Cell;
    use std::rc::Rc;

    use squall::testing::{explore, TestLoop};
    use squall::{moment, trace::note, Exception, Result};

    /// The environment variable that lets them fail.
    pub(super) const FAIL: &str = "SQUALL_TEST_CHILD";

    fn fails() -> bool {
        std::env::var_os(FAIL).is_some()
    }

    #[squall::test]
    fn raising() -> Result<()> {
        if fails() {
            yield_!(moment())?;
            note("this is </script> its end");
            return Err(Exception::msg("expected"));
        }
        Ok(())
    }

    #[squall::coroutine]
    fn withdraw(balance: Rc<Cell<i32>>, name: &'static str) -> Result<()> {
        yield_!(moment())?;
        let before = balance.get();
        note(&format!("{name} sees {before}"));
        if name == "late" {
            yield_!(moment())?;
        }
        balance.set(before - 80);
        Ok(())
    }

    /// Fails in one order only, which is not the usual one.
    #[test]
    fn exploring() {
        if fails() {
            explore(|t: &mut TestLoop| {
                let balance = Rc::new(Cell::new(100));
                let (one, other) = (balance.clone(), balance.clone());
                drop((t.spawn(|| withdraw(one, "early")), t.spawn(|| withdraw(other, "late"))));
                t.run_until_idle();
                assert_eq!(balance.get(), -60);
            });
        }
    }

    /// Has two failures: the first one is caught.
    #[test]
    fn twice() {
        if fails() {
            let fail = |message: &'static str| {
                let mut t = TestLoop::new();
                drop(t.spawn(|| withdraw(Rc::default(), message)));
                t.run_until_idle();
                panic!("{message}");
            };
            std::panic::catch_unwind(|| fail("first")).unwrap_err();
            fail("second");
        }
    }
}

/// Runs the tests that fail, with that directory for their pages, and returns what they print.
fn fail_into(directory: &std::path::Path) -> String {
    let this = std::env::current_exe().unwrap();
    let mut child = std::process::Command::new(this);
    child.args(["of_a_page::", "--nocapture", "--test-threads=1"]);
    let output = child.env(of_a_page::FAIL, "1").env("SQUALL_FAILURE", directory).output().unwrap();
    assert!(!output.status.success());
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(out.contains("0 passed; 3 failed"), "{out}\n{err}");
    err
}

#[test]
fn a_failed_test_writes_its_page_and_names_it() {
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages/of failed tests");
    drop(std::fs::remove_dir_all(&directory));
    let printed = fail_into(&directory);
    let named: Vec<_> =
        printed.lines().filter_map(|line| line.trim().strip_prefix("to step through it: ")).collect();
    let mut written: Vec<_> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|file| file.unwrap().path().display().to_string())
        .collect();
    written.sort();
    let sorted = |mut all: Vec<&str>| {
        all.sort_unstable();
        all.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(sorted(named.clone()), written, "{printed}");
    assert_eq!(written.len(), 4);
    let page = |test: &str| {
        let path = named.iter().find(|path| path.ends_with(&format!("{test}.html")));
        std::fs::read_to_string(path.unwrap_or_else(|| panic!("{test}: {named:?}"))).unwrap()
    };
    let raising = page("of_a_page--raising");
    assert!(raising.starts_with("<!doctype html>") && raising.contains("of_a_page--raising"));
    assert!(raising.contains(r"this is \u003c/script\u003e its end"));
    // The page of an exploration is that of the order that fails, the first.
    let exploring = page("of_a_page--exploring");
    assert!(exploring.contains("early sees 100") && exploring.contains("late sees 100"));
    assert!(page("of_a_page--twice").contains("first sees 0"));
    assert!(page("of_a_page--twice-2").contains("second sees 0"));
}

#[test]
fn a_page_that_cannot_be_written_does_not_hide_the_failure() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("no directory");
    std::fs::write(&file, "").unwrap();
    let printed = fail_into(&file);
    let told = format!("its page could not be written to SQUALL_FAILURE={}: ", file.display());
    assert_eq!(printed.matches(&told).count(), 4, "{printed}");
    for failure in ["Exception: expected", "left: 20", "first", "second"] {
        assert!(printed.contains(failure), "{failure}\n{printed}");
    }
}
