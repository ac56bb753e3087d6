//! The report of callbacks that hold the loop for too long.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use squall::testing::VirtualClock;
use squall::trace::{observe, Event, Observer};
use squall::{moment, sleep, IoLoop, Result};

#[derive(Default)]
struct Notes(RefCell<Vec<String>>);

impl Observer for Notes {
    fn event(&self, event: &Event<'_>) {
        if let Event::Note { text, .. } = event {
            self.0.borrow_mut().push((*text).to_owned());
        }
    }
}

/// Returns what was reported of callbacks that took 100 ms or more while `f` ran.
fn reported(f: impl FnOnce(&IoLoop, &VirtualClock)) -> Vec<String> {
    let clock = VirtualClock::new();
    let io_loop = IoLoop::with_clock(clock.clone());
    io_loop.set_blocking_log_threshold(Some(Duration::from_millis(100)));
    let notes = Rc::new(Notes::default());
    let observing = observe(notes.clone());
    f(&io_loop, &clock);
    drop(observing);
    notes.0.take()
}

#[squall::coroutine]
fn report(clock: VirtualClock, busy: u64) -> Result<u32> {
    yield_!(moment())?;
    clock.advance(Duration::from_millis(busy));
    yield_!(moment())?;
    Ok(line!())
}

#[test]
fn coroutine_that_holds_the_loop_is_named_with_its_lines() {
    let mut last = 0;
    let reports = reported(|io_loop, clock| last = io_loop.run_sync(|| report(clock.clone(), 100)).unwrap());
    let [text] = &reports[..] else { panic!("{reports:?}") };
    let (resumed, again) = (last - 3, last - 1);
    let file = file!();
    assert!(text.starts_with("report held the loop for 100ms: resumed at"), "{text}");
    assert!(text.contains(&format!("resumed at {file}:{resumed}:")), "{text}");
    assert!(text.contains(&format!("last yield at {file}:{again}:")), "{text}");
}

#[test]
fn coroutine_that_is_quick_is_not_reported() {
    let reports = reported(|io_loop, clock| {
        io_loop.run_sync(|| report(clock.clone(), 99)).unwrap();
    });
    assert!(reports.is_empty(), "{reports:?}");
}

#[test]
fn callback_that_holds_the_loop_is_named_by_the_function_it_stands_in() {
    let reports = reported(|io_loop, clock| {
        let clock = clock.clone();
        io_loop.add_callback(move || clock.advance(Duration::from_secs(1)));
        io_loop.run_sync(|| sleep(Duration::from_millis(1))).unwrap();
    });
    let [text] = &reports[..] else { panic!("{reports:?}") };
    assert!(text.starts_with("a callback held the loop for 1s"), "{text}");
    assert!(text.contains("callback_that_holds_the_loop_is_named_by_the_function_it_stands_in"), "{text}");
}

#[test]
fn nothing_is_reported_unless_it_is_asked_for() {
    let reports = reported(|io_loop, clock| {
        io_loop.set_blocking_log_threshold(None);
        io_loop.run_sync(|| report(clock.clone(), 1000)).unwrap();
    });
    assert!(reports.is_empty(), "{reports:?}");
}
