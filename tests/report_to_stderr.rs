//! Tests of what a program without a logger prints to standard error. Each program is a child process of this binary.

use std::process::{Command, Output};

use squall::{report_to_stderr, IoLoop, Result};

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
    assert!(printed.contains("report_to_stderr.rs:12:"), "{printed}");
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
    let mut test = Command::new(std::env::current_exe().unwrap());
    let output = test.args(["--exact", "failing", "--ignored", "--nocapture"]).output().unwrap();
    assert!(!output.status.success());
    let printed = stderr(&output);
    let line = line!() - 10;
    assert_eq!(printed.matches("panicked at").count(), 1, "{printed}");
    assert_eq!(printed.matches("\nPanic: panicked: assertion").count(), 1, "{printed}");
    assert!(printed.contains(&format!("report_to_stderr.rs:{line}:5 in failing")), "{printed}");
}
