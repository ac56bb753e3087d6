//! The line at which a panic is reported. This file has a single test, since a process has a single panic hook.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

use squall::{coroutine, moment, Exception, Future, IoLoop, Place};

/// Collects what is logged.
struct Lines(Mutex<String>);

impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().unwrap().push_str(&record.args().to_string());
    }
    fn flush(&self) {}
}

static HOOKS: AtomicUsize = AtomicUsize::new(0);

/// Returns whether the traceback says that it was raised there.
fn is_raised_at(exception: &Exception, line: u32, column: u32) -> bool {
    let place = Place::new("tests/panic_line.rs", line, column);
    exception.raised_at() == place && format!("{exception:?}").contains(&format!("  {place}"))
}

/// Returns whether it was made and raised in that line, where it panicked.
fn at_line(exception: &Exception, line: u32) -> bool {
    [exception.raised_at(), exception.origin()].iter().all(|at| (at.file(), at.line()) == (file!(), line))
}

/// A coroutine that panics three lines after its yield.
fn panics(text: &'static str) -> Future<()> {
    coroutine(move |co| async move {
        co.yield_(moment()).await?;
        match text {
            "" => Ok(()),
            _ => panic!("{text}"),
        }
    })
}

const YIELD: (u32, u32) = (37, 12);
const PANIC: (u32, u32) = (40, 18);

#[test]
fn panic_is_reported_at_its_line_as_long_as_the_hook_is_there() {
    // The hook that a program has before is called as ever.
    std::panic::set_hook(Box::new(|_| _ = HOOKS.fetch_add(1, Ordering::SeqCst)));
    // The first thing that the process does with squall is to drop a value that panics.
    static FIRST: Lines = Lines(Mutex::new(String::new()));
    log::set_logger(&FIRST).unwrap();
    log::set_max_level(log::LevelFilter::Error);
    struct Hostile;
    impl Drop for Hostile {
        fn drop(&mut self) {
            panic!("in its Drop")
        }
    }
    let line = line!() - 3;
    drop(Future::ready(Hostile));
    let first = FIRST.0.lock().unwrap().clone();
    assert!(first.contains(&format!("tests/panic_line.rs:{line}:13")), "{first}");

    let io_loop = IoLoop::new();
    let raised = io_loop.run_sync(|| panics("first")).unwrap_err();
    assert!(is_raised_at(&raised, PANIC.0, PANIC.1), "{raised:?}");
    assert_eq!(HOOKS.load(Ordering::SeqCst), 2);

    // A panic that the program itself catches is not reported.
    std::panic::catch_unwind(|| panic!("caught")).unwrap_err();
    let raised =
        io_loop.run_sync(|| async { std::panic::resume_unwind(Box::new("other")) as squall::Result<()> });
    assert!(!format!("{:?}", raised.unwrap_err()).contains("panic_line.rs:73"));

    // A job of another thread, and a native coroutine.
    let line = line!() + 1;
    let job = io_loop.run_sync(|| io_loop.run_in_executor(|| -> () { panic!("in a job") })).unwrap_err();
    assert!(at_line(&job, line), "{job:?}");
    let line = line!() + 2;
    async fn native() -> squall::Result<()> {
        panic!("native")
    }
    let native = io_loop.run_sync(native);
    let native = native.unwrap_err();
    assert!(at_line(&native, line), "{native:?}");

    // A hook that the program sets later takes the place of ours: the last yield is known still.
    std::panic::set_hook(Box::new(|_| ()));
    let raised = io_loop.run_sync(|| panics("second")).unwrap_err();
    assert!(is_raised_at(&raised, YIELD.0, YIELD.1), "{raised:?}");
    drop(std::panic::take_hook());
}
