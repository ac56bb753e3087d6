//! Tests of what a program without a logger prints to standard error. Each program is a child process of this binary.

use std::cell::RefCell;
use std::process::{Command, Output};
use std::rc::Rc;
use std::time::Duration;

use squall::testing::VirtualClock;
use squall::{
    convert_yielded, coroutine, moment, report_to_stderr, sleep, with_timeout, Exception, Future, IoLoop,
    PeriodicCallback, Result,
};

const MS: Duration = Duration::from_millis(1);

const PROGRAM: &str = "SQUALL_TEST_PROGRAM";

#[squall::coroutine]
fn serve() -> Result<()> {
    yield_!(())?;
    Ok(std::fs::read("no such file").map(drop)?)
}

fn fails() {
    let io_loop = IoLoop::current();
    io_loop.spawn_callback(serve);
    io_loop.run_sync(|| squall::sleep(std::time::Duration::from_millis(1))).unwrap();
}

/// Runs the test of that name in a process of its own, with that variable set. It calls `program` there.
fn child(test: &str, variable: Option<(&str, &str)>, program: fn()) -> Option<Output> {
    if std::env::var(PROGRAM).is_ok_and(|name| name == test) {
        program();
        return None;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]).env(PROGRAM, test).env_remove("RUST_LOG").envs(variable);
    let output = child.output().unwrap();
    Some(output)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn failure_without_a_logger_goes_to_standard_error() {
    let Some(output) = child("failure_without_a_logger_goes_to_standard_error", None, fails) else { return };
    assert!(output.status.success());
    let printed = stderr(&output);
    assert_eq!(printed.matches("[ERROR squall::ioloop] exception in callback\n").count(), 1, "{printed}");
    let line =
        include_str!("report_to_stderr.rs").lines().position(|line| line.contains("no such file")).unwrap()
            + 1;
    assert!(printed.contains(&format!("report_to_stderr.rs:{line}:")), "{printed}");
    assert!(printed.contains(" in serve\n"), "{printed}");
}

#[test]
fn failure_is_silent_once_that_is_turned_off() {
    let program = || {
        report_to_stderr(false);
        fails();
    };
    let Some(output) = child("failure_is_silent_once_that_is_turned_off", None, program) else { return };
    assert_eq!(stderr(&output), "");
}

#[test]
fn failure_is_silent_if_rust_log_is_set() {
    let off = Some(("RUST_LOG", "off"));
    let Some(output) = child("failure_is_silent_if_rust_log_is_set", off, fails) else { return };
    assert_eq!(stderr(&output), "");
}

#[test]
fn failure_goes_to_the_logger_only_where_there_is_one() {
    struct Logger;
    impl log::Log for Logger {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }
        fn log(&self, record: &log::Record<'_>) {
            eprintln!("logged: {}", record.args());
        }
        fn flush(&self) {}
    }
    let program = || {
        log::set_logger(&Logger).unwrap();
        log::set_max_level(log::LevelFilter::Error);
        fails();
    };
    let Some(output) = child("failure_goes_to_the_logger_only_where_there_is_one", None, program) else {
        return;
    };
    let printed = stderr(&output);
    assert!(printed.starts_with("logged: exception in callback\n"), "{printed}");
    assert_eq!(printed.matches("exception in callback").count(), 1, "{printed}");
}

/// Makes each kind of failure without a waiter once.
fn fail_in_each_way() {
    // The first panic of the process.
    let io_loop = IoLoop::current();
    io_loop.add_callback(|| -> () { panic!("added") });
    io_loop.call_later(Duration::ZERO, || -> () { panic!("later") });
    io_loop.run_sync(|| sleep(MS)).unwrap();

    let handle = io_loop.handle();
    std::thread::spawn(move || handle.add_callback(|| -> () { panic!("other thread") })).join().unwrap();
    let running = Rc::new(RefCell::new(None::<PeriodicCallback>));
    let stopped = running.clone();
    let fails = move || {
        stopped.take().unwrap().stop();
        Future::<()>::failed(Exception::msg("periodic"))
    };
    let periodic = PeriodicCallback::new(fails, MS);
    let future = Future::ready(());
    future.add_done_callback(|_| panic!("done callback"));
    io_loop.add_future(future, |_| panic!("future"));
    drop(Future::<()>::failed(Exception::msg("dropped")));
    io_loop
        .run_sync(|| {
            periodic.start();
            running.replace(Some(periodic));
            let cancelled = native("cancelled");
            drop(convert_yielded(native("never retrieved")));
            let cancelled = coroutine(|co| async move { co.yield_(cancelled).await });
            cancelled.cancel();
            sleep(5 * MS)
        })
        .unwrap();
    let same = io_loop.clone();
    let job = async move {
        let job = same.run_in_executor(|| -> () { panic!("job") });
        // The thread of the job has printed its panic then.
        while !job.done() {
            sleep(MS).await?;
        }
        Ok::<_, Exception>(())
    };
    io_loop.run_sync(move || job).unwrap();
    drop(io_loop.run_sync(|| [native("first"), native("second")]));
    let late = async {
        sleep(2 * MS).await?;
        native("late").await
    };
    // On a virtual clock, since a busy machine may be late for both times at once.
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    drop(io_loop.run_sync(|| with_timeout(MS, late)));
    io_loop.run_sync(|| sleep(20 * MS)).unwrap();
}

async fn native(text: &'static str) -> Result<()> {
    moment().await?;
    Err(Exception::msg(text))
}

#[test]
fn each_failure_that_nothing_sees_is_printed_once() {
    let test = "each_failure_that_nothing_sees_is_printed_once";
    let Some(output) = child(test, None, fail_in_each_way) else { return };
    assert!(output.status.success());
    let printed = stderr(&output);
    let reports = printed.split("[ERROR squall::ioloop] ").skip(1);
    let mut reports: Vec<_> = reports
        .map(|report| {
            let (problem, exception) = report.split_once('\n').unwrap();
            let is_exception = |line: &&str| line.starts_with("Exception: ") || line.starts_with("Panic: ");
            let message = exception.lines().find(is_exception).unwrap();
            assert!(exception.contains("report_to_stderr.rs:"), "{report}");
            format!("{problem}: {}", message.rsplit(": ").next().unwrap())
        })
        .collect();
    reports.sort();
    assert_eq!(
        reports,
        [
            "exception after Future was cancelled: cancelled",
            "exception in Future after timeout: late",
            "exception in callback: added",
            "exception in callback: future",
            "exception in callback: later",
            "exception in callback: other thread",
            "exception in callback: periodic",
            "exception in done callback: done callback",
            "exception was never retrieved: dropped",
            "exception was never retrieved: job",
            "exception was never retrieved: never retrieved",
            "multiple exceptions in yield list: second",
        ],
        "{printed}"
    );
    let silent = child(test, Some(("RUST_LOG", "off")), fail_in_each_way).unwrap();
    assert!(!stderr(&silent).contains("[ERROR squall::ioloop]"));
}

/// Fails in a job. It is run by the test below.
#[squall::test]
#[ignore = "fails on purpose"]
fn failing_in_a_job() -> Result<()> {
    yield_!(IoLoop::current().run_in_executor(|| -> () { panic!("told once") }))
}

/// Fails. It is run by the test below.
#[squall::test]
#[ignore = "fails on purpose"]
fn failing() -> Result<()> {
    yield_!(())?;
    assert_eq!(1, 2, "told once");
    Ok(())
}

#[test]
fn panic_of_a_failing_test_is_printed_once_with_its_line() {
    let line = |text: &str| {
        include_str!("report_to_stderr.rs").lines().position(|line| line.contains(text)).unwrap() + 1
    };
    for (name, place) in [
        ("failing", format!("{}:5 in failing", line("assert_eq!(1, 2, \"told once\")"))),
        ("failing_in_a_job", format!("{}:58 in failing_in_a_job", line("panic!(\"told once\")"))),
    ] {
        let mut test = Command::new(std::env::current_exe().unwrap());
        let output = test.args(["--exact", name, "--ignored", "--nocapture"]).output().unwrap();
        assert!(!output.status.success());
        let printed = stderr(&output);
        assert_eq!(printed.matches("panicked at").count(), 1, "{printed}");
        assert_eq!(printed.matches("\nPanic: panicked: ").count(), 1, "{printed}");
        assert!(printed.contains(&format!("report_to_stderr.rs:{place}")), "{printed}");
    }
}
