//! The simplified Runner, which documents show instead of the real one, to be executed beside it. Nothing else uses it.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::rc::Rc;

use super::trap;
use crate::any_future::AnyFuture;
use crate::callback::{Run, Withdraw};
use crate::exception::{Exception, Result};
use crate::foreign::discard;
use crate::future::Future;
use crate::generator::{Generator, GeneratorState, Resume};
use crate::kind::Kind;
use crate::numbers::CallId;
use crate::problem::Problem;
use crate::queued::{moment_is_next, Queued};
use crate::ready::call_soon;
use crate::report::report;
use crate::trace::{emit, Event};

thread_local! {
    /// `true` while it drives the generators that are called.
    static SIMPLIFIED: Cell<bool> = const { Cell::new(false) };
}

/// Calls `f`. The generators that are called meanwhile, and are observed, are driven by the simplified Runner that documents
/// show, instead of the real one: an exception, or the end of the generator, leaves `run`, and the result goes nowhere.
///
/// ```
/// use std::rc::Rc;
/// use squall_runner::ready::ReadyQueue;
/// use squall_runner::runner::simplified;
/// use squall_runner::trace::{exchange, Event, Observation, Observer};
/// use squall_runner::{coroutine, moment};
///
/// struct Observes;
/// impl Observer for Observes {
///     fn event(&self, _event: &Event<'_>) {}
/// }
///
/// let before = exchange(Observation { observer: Some(Rc::new(Observes)), ..Observation::default() });
/// let future = simplified(|| coroutine(|co| async move { co.yield_(moment()).await }));
/// while let Some(callback) = ReadyQueue::current().pop() {
///     callback.run();
/// }
/// exchange(before);
/// assert!(!future.done());                       // the coroutine has returned
/// ```
pub fn simplified<R>(f: impl FnOnce() -> R) -> R {
    /// Puts back what was there, also when a panic passes.
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            SIMPLIFIED.set(self.0);
        }
    }
    let _before = Before(SIMPLIFIED.replace(true));
    f()
}

/// Returns whether the simplified Runner drives what is called.
pub(super) fn is_simplified() -> bool {
    SIMPLIFIED.get()
}

/// Calls a generator. What leaves the first run leaves the call, as it would in Python. `never` is the result, which nothing
/// resolves.
pub(super) fn start<G: Generator + 'static>(gen: G, never: Future<G::Return>) -> Future<G::Return> {
    match run(gen, Resume::Next) {
        Ok(()) => never,
        Err(exception) => resume_unwind(Box::new(format!("{}: {exception}", exception.name()))),
    }
}

/// Resumes the generator, and runs again with the result of the Future that it yields, once that is done.
fn run<G: Generator + 'static>(mut gen: G, next: Resume) -> Result<()> {
    let future = sent(trap(|| gen.resume(next)))?;
    add_done_callback(future, gen.observed(), |f| run(gen, Resume::Send(result(f)?)));
    Ok(())
}

/// Returns the Future that was yielded. Anything else is an exception, as it is for `generator.send` and for the line after it.
fn sent<T>(state: GeneratorState<T>) -> Result<AnyFuture> {
    match state {
        GeneratorState::Yielded(yielded) => {
            yielded.future().cloned().ok_or_else(|| no_callbacks(yielded.kind()))
        }
        GeneratorState::Returned(value) => {
            discard(value);
            Err(Exception::named("StopIteration", Surfaced("the generator has returned".into())))
        }
        GeneratorState::Raised(exception) => Err(exception),
    }
}

/// Returns a Future that has a value, and raises the exception of any other: `future.result()`.
fn result(future: AnyFuture) -> Result<AnyFuture> {
    future.exception().map_or(Ok(future), Err)
}

/// Returns the exception of `future.add_done_callback` where `future` is not a Future.
fn no_callbacks(kind: Kind) -> Exception {
    let of = match kind {
        Kind::None => "NoneType",
        Kind::List(_) => "list",
        Kind::Dict(_) => "dict",
        Kind::Awaitable => "coroutine",
        Kind::Other(name) => name,
        Kind::Moment | Kind::Future(_) | Kind::Bad => "object",
    };
    Exception::named(
        "AttributeError",
        Surfaced(format!("'{of}' object has no attribute 'add_done_callback'")),
    )
}

/// An exception that Python raises there.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Surfaced(String);

/// Calls `f` with the Future in the next turn of the loop after that is done. The loop logs what `f` raises.
fn add_done_callback(
    future: AnyFuture,
    call: Option<CallId>,
    f: impl FnOnce(AnyFuture) -> Result<()> + 'static,
) {
    let (is_moment, waits_for) = (future.is_moment(), future.clone());
    let callback = Rc::new(DoneCallback { call, f: Cell::new(Some((future, f))) });
    if let Some(runner) = call {
        let future = (!is_moment).then(|| waits_for.id());
        emit(|| Event::Wait { runner, future, place: None, on: waits_for.describe() });
        if is_moment {
            moment_is_next(runner);
        }
    }
    if is_moment {
        // It is done, and an observer knows it by no number.
        call_soon(callback);
    } else {
        waits_for.call_when_done(callback);
    }
}

/// A callback of a Future, under the name of the coroutine that it resumes.
struct DoneCallback<F> {
    call: Option<CallId>,
    /// Empty once it has run.
    f: Cell<Option<(AnyFuture, F)>>,
}

impl<F: FnOnce(AnyFuture) -> Result<()> + 'static> Run for DoneCallback<F> {
    fn run(self: Rc<Self>) {
        if let Some((future, f)) = self.f.take() {
            f(future).unwrap_or_else(|exception| report(Problem::Callback, &exception));
        }
    }

    fn queued_as(&self) -> Queued {
        self.call.map_or(Queued::Callback(self.type_name()), Queued::Call)
    }
}

impl<F: 'static> Withdraw for DoneCallback<F> {
    fn withdraw(&self) {
        self.f.take().into_iter().for_each(discard);
    }
}

impl<F> Drop for DoneCallback<F> {
    fn drop(&mut self) {
        self.f.take().into_iter().for_each(discard);
    }
}

#[cfg(test)]
mod tests {
    /// Returns the lines of `run` in a source, without what makes them a comment.
    fn of_run(source: &str) -> Vec<&str> {
        let lines = source.lines().map(|line| line.trim_start_matches("//! ").trim());
        let from = lines.skip_while(|line| !line.starts_with("fn run<G: Generator + 'static>(mut gen"));
        from.take_while(|line| *line != "}").collect()
    }

    #[test]
    fn the_first_page_of_the_runner_shows_what_is_executed() {
        let shown = of_run(include_str!("../runner.rs"));
        assert_eq!(shown, of_run(include_str!("simplified.rs")));
        assert_eq!(shown.len(), 4);
    }
}
