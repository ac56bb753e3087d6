//! The references that the collector of cycles is shown.
//!
//! The references between suspended coroutines and Futures are Python references, so that the collector can follow them.
//!
//! | from | to | shown by |
//! |---|---|---|
//! | a Future object that is pending | the result of each coroutine that waits for it; its callbacks; the lists that it is in | the waiters of the Future |
//! | the Future object of a coroutine | generator, context, the Future object that it waits for | [`Body`] |
//! | a Future object that is done | value or exception, if nothing else has the Future | its state |
//! | a lock or a queue | its pending requests, its items | `requests.rs` |
//!
//! A reference that is not shown keeps alive what it leads to: a ready queue, a timer, another thread, a generator that
//! runs. So a coroutine is collected only if nothing can resume it.

use std::any::Any;
use std::collections::BTreeSet;
use std::rc::Rc;

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};
use squall::AnyFuture;
use squall_runner::Holding;

use crate::affine::Context;
use crate::body::{peek, Body};
use crate::raised::Raised;
use crate::value::Value;
use crate::waiters::{Done, Keep};

/// One visit of the collector to one object.
pub(crate) struct Visit<'a, 'b> {
    visit: &'a PyVisit<'b>,
    outcome: Result<(), PyTraverseError>,
}

impl Visit<'_, '_> {
    pub(crate) fn show<T>(&mut self, it: &Py<T>) {
        if self.outcome.is_ok() {
            self.outcome = self.visit.call(it);
        }
    }

    pub(crate) fn show_context(&mut self, context: &Context) {
        self.show(context.object());
    }
}

/// Calls `f` with a visit, and returns how it ended.
pub(crate) fn traverse(
    visit: PyVisit<'_>,
    f: impl FnOnce(&mut Visit<'_, '_>),
) -> Result<(), PyTraverseError> {
    let mut visit = Visit { visit: &visit, outcome: Ok(()) };
    f(&mut visit);
    visit.outcome
}

/// Shows what a suspended coroutine holds.
pub(crate) fn body(body: &Body, visit: &mut Visit<'_, '_>) {
    peek(&body.inner, |inner| inner.into_iter().for_each(|inner| visit.show(inner)));
    peek(&body.context, |context| context.into_iter().for_each(|context| visit.show_context(context)));
    peek(&body.awaited, |awaited| awaited.into_iter().for_each(|awaited| visit.show(awaited)));
}

/// Calls `f` with what each waiter of a pending Future shows, once for each waiter.
pub(crate) fn each_waiter(core: &AnyFuture, f: &mut dyn FnMut(&dyn Any)) {
    let (mut first, mut seen) = (None, BTreeSet::new());
    core.held(&mut |it| {
        let Holding::Waiter(waiter) = it else { return };
        let address = Rc::as_ptr(waiter).cast::<()>();
        // A native coroutine that awaits the Future again after a cancellation is in the list twice.
        let is_new = match first {
            None => {
                first = Some(address);
                true
            }
            Some(first) => first != address && seen.insert(address),
        };
        if is_new {
            waiter.held(f);
        }
    });
}

/// Shows what the waiters of a pending Future hold.
pub(crate) fn waiters(core: &AnyFuture, visit: &mut Visit<'_, '_>) {
    each_waiter(core, &mut |it| {
        if let Some(body) = it.downcast_ref::<Rc<Body>>() {
            peek(&body.result, |result| result.into_iter().for_each(|result| visit.show(result)));
        } else if let Some(done) = it.downcast_ref::<Done>() {
            done.traverse(visit);
        } else if let Some(keep) = it.downcast_ref::<Keep>() {
            keep.traverse(visit);
        }
    });
}

/// Shows the result of a Future that is done.
pub(crate) fn result(core: &AnyFuture, visit: &mut Visit<'_, '_>) {
    core.held(&mut |it| match it {
        Holding::Value(value) => {
            value.downcast_ref::<Value>().into_iter().for_each(|value| visit.show(&value.0));
        }
        Holding::Raised(exception) if exception.is_sole() => {
            if let Some(raised) = exception.downcast_ref::<Raised>() {
                visit.show(&raised.exception);
                raised.traceback.iter().for_each(|traceback| visit.show(traceback));
            }
        }
        _ => {}
    });
}

/// Calls `f` with the exception of a Future that has failed, which does not count as retrieving it.
pub(crate) fn peek_exception(core: &AnyFuture, f: &mut dyn FnMut(&Py<PyBaseException>)) {
    let mut raised = None;
    core.held(&mut |it| {
        if let Holding::Raised(exception) = it {
            raised = Some(exception.clone());
        }
    });
    if let Some(Raised { exception, .. }) = raised.as_ref().and_then(|raised| raised.downcast_ref()) {
        f(exception);
    }
}
