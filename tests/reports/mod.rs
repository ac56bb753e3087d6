//! The problems that a program reports while it runs, which are logged because they have no waiter.

use std::cell::RefCell;
use std::rc::Rc;

use squall::trace::{self, Event, Observer, Problem};

#[derive(Default)]
struct Reports(RefCell<Vec<(Problem, String)>>);

impl Observer for Reports {
    fn event(&self, event: &Event<'_>) {
        if let Event::Report { problem, exception, .. } = event {
            self.0.borrow_mut().push((*problem, exception.to_string()));
        }
    }
}

/// Runs `f`; returns its result and the problems that were reported meanwhile.
pub(crate) fn reported<R>(f: impl FnOnce() -> R) -> (R, Vec<(Problem, String)>) {
    let reports = Rc::new(Reports::default());
    let observing = trace::observe(reports.clone());
    let result = f();
    drop(observing);
    (result, reports.0.take())
}
