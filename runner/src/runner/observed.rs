//! Calls that are observed: their Runners tell what they do.

use std::cell::Cell;

use super::Runner;
use crate::call::Call;
use crate::generator::{Coroutine, Generator, GeneratorState, Resume};
use crate::trace::{self, emit, Body, Event};
use crate::{Context, Future};

/// A generator whose call is observed. It is another type, so that the Runners of all others need not even ask whether
/// somebody wants to know what they do.
pub(super) struct Observed<T>(Box<dyn FnMut(Resume) -> GeneratorState<T>>);

/// A generator that is made as it is resumed for the first time.
#[cold]
pub(super) fn made<G: Generator>(
    make: impl FnOnce() -> G,
) -> impl FnMut(Resume) -> GeneratorState<G::Return> {
    let (mut make, mut gen) = (Some(make), None);
    move |resume| {
        if let Some(make) = make.take() {
            gen = Some(make());
        }
        gen.as_mut().expect("it is resumed no more if that panicked").resume(resume)
    }
}

impl<T: 'static> Generator for Observed<T> {
    type Return = T;

    fn resume(&mut self, resume: Resume) -> GeneratorState<T> {
        (self.0)(resume)
    }

    fn is_observed() -> bool {
        true
    }
}

impl<T: 'static> Runner<Observed<T>> {
    /// Calls it, unless the observer has it stop before it starts.
    #[cold]
    #[track_caller]
    pub(super) fn start_observed(
        coroutine: &'static Coroutine,
        body: Body,
        resume: impl FnMut(Resume) -> GeneratorState<T> + 'static,
    ) -> Future<T> {
        let call = Call::new(coroutine, trace::next_runner());
        let runner = Self::new(call, Some(Observed(Box::new(resume))), Cell::new(Context::current()));
        let (this, future) = (runner.call.runner, runner.result_future.id());
        let stops = trace::stops(&runner, false);
        // To an observer one that does not start is like a native coroutine: it starts in a later turn.
        let body = if stops { Body::Native } else { body };
        emit(|| Event::Call { runner: this, future, coroutine, body });
        if stops {
            runner.hold();
        } else {
            if body == Body::Generator {
                emit(|| Event::Start { runner: this });
            }
            Self::run(&runner, false);
        }
        Future::from_core(runner)
    }
}
