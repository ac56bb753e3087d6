//! Calls that are observed: their Runners tell what they do.

use std::cell::Cell;

use super::Runner;
use crate::any_future::AnyFuture;
use crate::call::{tell, Call};
use crate::context::Context;
use crate::coroutine::Coroutine;
use crate::future::Future;
use crate::generator::{Generator, GeneratorState, Resume};
use crate::numbers::{next_call, CallId};
use crate::shared::lend;
use crate::shown::Shown;
use crate::state::State;
use crate::trace::{self, emit, Body, Event};
use crate::yielded::{What, Yielded};

/// A generator whose call is observed: it tells what goes in and what comes out. It is another type, so that the Runners
/// of all others need not even ask whether somebody wants to know what they do.
pub(super) struct Observed<T> {
    runner: CallId,
    coroutine: &'static Coroutine,
    /// Whether its start is told: that of a plain body is its call, unless it was held back then.
    starts: bool,
    generator: Unobserved<T>,
}

/// The generator itself. It is boxed, so that the Runner of an observed call is compiled once for each type of result.
struct Unobserved<T>(Box<dyn FnMut(Resume) -> GeneratorState<T>>);

impl<T: 'static> Generator for Unobserved<T> {
    type Return = T;

    fn resume(&mut self, resume: Resume) -> GeneratorState<T> {
        (self.0)(resume)
    }
}

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
        let runner = self.runner;
        match &resume {
            Resume::Next if self.starts => emit(|| Event::Start { runner }),
            Resume::Next => {}
            Resume::Send(future) => future.look(&mut |value| emit(|| Event::Send { runner, value })),
            Resume::Throw(exception) => emit(|| Event::Throw { runner, exception }),
        }
        let state = self.generator.resume(resume);
        match state {
            GeneratorState::Yielded(yielded) => GeneratorState::Yielded(self.yielded(yielded)),
            GeneratorState::Returned(value) => {
                let shown = Shown::new(&value, self.coroutine.show);
                emit(|| Event::Return { runner, value: shown, raised: false });
                GeneratorState::Returned(value)
            }
            // What becomes of it is told when it has its frame.
            GeneratorState::Raised(exception) => GeneratorState::Raised(exception),
        }
    }

    fn observed(&self) -> Option<CallId> {
        Some(self.runner)
    }

    fn into_unobserved(self) -> Box<dyn Generator<Return = T>> {
        Box::new(self.generator)
    }
}

impl<T> Observed<T> {
    /// Tells what was yielded, and whether that is waited for, which is known once it is a Future.
    fn yielded(&self, yielded: Yielded) -> Yielded {
        let (runner, location) = (self.runner, yielded.location);
        emit(|| {
            let future = yielded.future().filter(|future| !future.is_moment()).map(AnyFuture::id);
            Event::Yield { runner, kind: yielded.kind(), future, location }
        });
        let future = yielded.convert().unwrap_or_else(|bad_yield| Future::<()>::failed(bad_yield).erase());
        let is_moment = future.is_moment();
        if is_moment || future.state() == State::Pending {
            emit(|| Event::Wait {
                runner,
                future: (!is_moment).then(|| future.id()),
                awaited_at: None,
                on: future.describe(),
            });
        }
        Yielded { what: What::Future(future), location }
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
        let call = Call::new(coroutine);
        let (runner_id, generator) = (next_call(), Unobserved(Box::new(resume)));
        let gen = Observed { runner: runner_id, coroutine, starts: body == Body::Generator, generator };
        let runner = Self::new(call, Some(gen), Cell::new(Context::current()));
        let future = runner.result_future.id();
        let stops = trace::stops(&runner, false);
        // To an observer one that does not start is like a native coroutine: it starts in a later turn.
        let body = if stops { Body::Native } else { body };
        tell(Some(runner_id), |runner| Event::Call { runner, future, coroutine, body });
        if stops {
            lend(&runner.gen, |gen| gen.iter_mut().for_each(|gen| gen.starts = true));
            runner.register();
        } else {
            Self::run(&runner, false);
        }
        Future::from_core(runner)
    }
}
