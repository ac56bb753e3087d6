//! The behaviour of the heart, in order. There is no loop here: [`drain`] empties the queue.

// Mistakes, natives that only await, and values that are only held, are what these tests are about.
#![allow(
    clippy::let_underscore_future,
    clippy::no_effect_underscore_binding,
    clippy::redundant_async_block,
    clippy::unit_arg,
    clippy::unnecessary_literal_unwrap,
    clippy::unnecessary_map_on_constructor
)]

mod context;
mod drops;
mod exceptions;
mod generators;
mod guards;
mod natives;
mod observed;
mod order;
mod panics;
mod places;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Once;

use squall_runner::ready::ReadyQueue;
use squall_runner::trace::{exchange, Event, Observation, Observer};

/// How long a chain of coroutines is. A tenth of it would overflow the stack if anything called the next one
/// from within the one before.
const LONG: usize = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };

/// Runs what is ready now, like one turn of a loop, and returns how many callbacks ran.
fn turn() -> usize {
    let ready = ReadyQueue::current();
    let n = ready.len();
    for _ in 0..n {
        if let Some(callback) = ready.pop() {
            callback.run();
        }
    }
    n
}

/// Runs turns until nothing is ready, and returns how many.
fn drain() -> usize {
    let mut turns = 0;
    while turn() > 0 {
        turns += 1;
    }
    turns
}

/// Lines that coroutines write, in order.
#[derive(Clone, Default)]
struct Lines(Rc<RefCell<Vec<String>>>);

impl Lines {
    fn add(&self, line: impl Into<String>) {
        self.0.borrow_mut().push(line.into());
    }

    fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

/// Ends the observation that it began when it is dropped.
struct Observing(Observation);

impl Observing {
    fn by(observer: Rc<dyn Observer>) -> Self {
        Self(exchange(Observation { observer: Some(observer), ..Observation::default() }))
    }
}

impl Drop for Observing {
    fn drop(&mut self) {
        drop(exchange(std::mem::take(&mut self.0)));
    }
}

/// The problems that were reported on this thread, because no exception could report them.
struct Reports {
    lines: Lines,
    _observing: Observing,
}

impl Reports {
    fn new() -> Self {
        struct Report(Lines);
        impl Observer for Report {
            fn event(&self, event: &Event<'_>) {
                if let Event::Report { problem, exception, .. } = event {
                    self.0.add(format!("{problem:?}: {exception}"));
                }
            }
        }
        let lines = Lines::default();
        Self { _observing: Observing::by(Rc::new(Report(lines.clone()))), lines }
    }

    fn take(&self) -> Vec<String> {
        self.lines.take()
    }
}

/// Counts how many clones of it are alive.
#[derive(Default)]
struct Alive(Rc<()>);

impl Alive {
    fn one(&self) -> Rc<()> {
        self.0.clone()
    }

    fn count(&self) -> usize {
        Rc::strong_count(&self.0) - 1
    }
}

/// Calls `f` when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

thread_local! {
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

fn text<'a>(info: &'a std::panic::PanicHookInfo<'_>) -> Option<&'a str> {
    let text = info.payload().downcast_ref::<String>().map(String::as_str);
    text.or_else(|| info.payload().downcast_ref::<&str>().copied())
}

/// How often the panic hook was called on this thread while `f` ran. Panics that say that they are expected are
/// counted and not printed.
fn panics_in<R>(f: impl FnOnce() -> R) -> (usize, R) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            let expected = matches!(text(info), Some(text) if text.starts_with("expected"));
            if !expected {
                print(info);
            }
        }));
    });
    let before = PANICS.get();
    let result = f();
    (PANICS.get() - before, result)
}

/// Runs `f`, and checks that nothing in it panics.
fn without_panics<R>(f: impl FnOnce() -> R) -> R {
    let (panics, result) = panics_in(f);
    assert_eq!(panics, 0, "the panic hook was called");
    result
}
