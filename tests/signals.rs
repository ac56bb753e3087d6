//! Signals, handled on the loop.
#![cfg(all(target_os = "linux", feature = "signals"))]

use std::cell::Cell;
use std::io::ErrorKind;
use std::process::Command;
use std::rc::Rc;

use signal_hook::low_level::raise;
use squall::ioloop::signal::{SIGHUP, SIGKILL, SIGTERM, SIGUSR1, SIGUSR2};
use squall::IoLoop;

// Tornado: ioloop_test.TestIOLoop.test_add_callback_from_signal
#[test]
fn signal_that_comes_before_the_loop_runs_is_handled_when_it_does() {
    let io_loop = IoLoop::new();
    let stop = io_loop.clone();
    io_loop.add_signal_handler(SIGUSR1, move || stop.stop()).unwrap();
    raise(SIGUSR1).unwrap();
    io_loop.start();
    assert!(io_loop.remove_signal_handler(SIGUSR1));
    assert!(!io_loop.remove_signal_handler(SIGUSR1));
}

// Tornado: ioloop_test.TestIOLoop.test_add_callback_from_signal_other_thread
#[test]
fn signal_is_handled_by_the_loop_of_another_thread() {
    let (ready, wait) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let io_loop = IoLoop::new();
        let stop = io_loop.clone();
        io_loop.add_signal_handler(SIGUSR2, move || stop.stop()).unwrap();
        ready.send(()).unwrap();
        io_loop.start();
        io_loop.close();
    });
    wait.recv().unwrap();
    raise(SIGUSR2).unwrap();
    thread.join().unwrap();
}

#[test]
fn signal_during_its_handler_calls_it_once_more_and_later_handlers_replace_earlier_ones() {
    let io_loop = IoLoop::new();
    let calls = Rc::new(Cell::new(0));
    io_loop.add_signal_handler(SIGHUP, || panic!("this one was replaced")).unwrap();
    let (count, stop) = (calls.clone(), io_loop.clone());
    io_loop
        .add_signal_handler(SIGHUP, move || {
            count.set(count.get() + 1);
            if count.get() == 1 {
                raise(SIGHUP).unwrap();
            } else {
                stop.stop();
            }
        })
        .unwrap();
    raise(SIGHUP).unwrap();
    io_loop.start();
    assert_eq!(calls.get(), 2);
    io_loop.close();
}

#[test]
fn signal_that_cannot_be_handled_is_an_error() {
    let e = IoLoop::new().add_signal_handler(SIGKILL, || ()).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::InvalidInput);
}

/// The name of the test that a child process runs for the test below.
const DEFAULT: &str = "default_of_a_signal_is_back_when_its_handler_is_removed";

#[test]
fn default_of_a_signal_is_back_when_its_handler_is_removed() {
    use std::os::unix::process::ExitStatusExt;

    if std::env::var_os("SQUALL_TEST_CHILD").is_some() {
        let io_loop = IoLoop::new();
        io_loop.add_signal_handler(SIGTERM, || ()).unwrap();
        raise(SIGTERM).unwrap();
        io_loop.remove_signal_handler(SIGTERM);
        raise(SIGTERM).unwrap();
        std::process::exit(0);
    }
    let this = std::env::current_exe().unwrap();
    let child = Command::new(this).args([DEFAULT, "--exact"]).env("SQUALL_TEST_CHILD", "1").output().unwrap();
    assert_eq!(child.status.signal(), Some(SIGTERM));
}

#[test]
fn number_that_is_no_signal_is_an_error() {
    let io_loop = IoLoop::new();
    for number in [i32::MIN, -1, 0, 65, i32::MAX] {
        assert!(io_loop.add_signal_handler(number, || ()).is_err(), "{number}");
        assert!(!io_loop.remove_signal_handler(number));
    }
}
