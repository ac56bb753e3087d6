//! Observed calls: Runners that report what they do.

use std::any::Any;
use std::cell::Cell;
use std::panic::Location;

use super::simplified::{self, is_simplified};
use super::Runner;
use crate::any_future::AnyFuture;
use crate::call::{tell, Call};
use crate::context::Context;
use crate::coroutine::Coroutine;
use crate::exception::Exception;
use crate::future::Future;
use crate::generator::{Generator, GeneratorState, Resume};
use crate::numbers::{next_call, CallId, FutureId};
use crate::place::Place;
use crate::queued::moment_is_next;
use crate::shared::lend;
use crate::shown::Shown;
use crate::state::State;
use crate::telling::{at_line, take_arguments};
use crate::trace::{self, emit, running_as, running_call, Body, Event};
use crate::yielded::Yielded;

/// A generator whose call is observed: it reports its input and output. It is a type of its own, so that the Runners of
/// other generators need not even check for an observer.
pub(super) struct Observed<T> {
    runner: CallId,
    coroutine: &'static Coroutine,
    /// `true` if its start is reported. The start of a plain body is its call, unless it was held back then.
    starts: bool,
    /// The line of the call.
    called_at: Place,
    /// `true` once it has yielded.
    has_yielded: bool,
    /// The line at which the body said that it returns.
    returns_at: Option<Place>,
    /// `true` if the simplified Runner drives it, which does not convert what is yielded.
    simplified: bool,
    /// The Future that it waits for, or waited for last.
    future: Option<FutureId>,
    /// The generator itself. It is boxed, so that the Runner of an observed call is compiled once for each type of
    /// result.
    generator: Box<dyn Generator<Return = T>>,
}

impl<T: 'static> Generator for Observed<T> {
    type Return = T;

    fn resume(&mut self, resume: Resume) -> GeneratorState<T> {
        let runner = self.runner;
        match &resume {
            Resume::Next if self.starts => emit(|| Event::Start { runner }),
            Resume::Next => {}
            Resume::Send(future) => {
                let sent = self.future;
                future.look(&mut |value| emit(|| Event::Send { runner, value, future: sent }));
            }
            Resume::Throw(exception) => emit(|| Event::Throw { runner, exception, future: self.future }),
        }
        let (state, returns_at) = trace::body(|| running_as(Some(runner), || self.generator.resume(resume)));
        // What is returned may be yielded for: then the line was told before.
        self.returns_at = returns_at.or(self.returns_at);
        match state {
            GeneratorState::Yielded(yielded) => GeneratorState::Yielded(self.yielded(yielded)),
            GeneratorState::Returned(value) => {
                let shown = Shown::new(&value, self.coroutine.show);
                let place = self.returns_at;
                emit(|| Event::Return { runner, value: shown, raised: false, place });
                GeneratorState::Returned(value)
            }
            GeneratorState::Raised(exception) if self.simplified => {
                self.tell_raised(&exception);
                GeneratorState::Raised(exception)
            }
            // The exception is reported once it has its frame.
            GeneratorState::Raised(exception) => GeneratorState::Raised(exception),
        }
    }

    /// Before the first yield this is the line of the definition: that of the call is in the caller's body.
    fn place(&self) -> Option<Place> {
        let first = || self.coroutine.place().filter(|_| !self.has_yielded);
        self.generator.place().or_else(first)
    }

    fn held(&self, visit: &mut dyn FnMut(&dyn Any)) {
        self.generator.held(visit);
    }

    fn is_observed() -> bool {
        true
    }

    fn observed(&self) -> Option<CallId> {
        Some(self.runner)
    }

    fn into_unobserved(self) -> Box<dyn Generator<Return = T>> {
        self.generator
    }
}

impl<T: 'static> Observed<T> {
    /// Reports a yield, and whether it is waited for, which is known once it is converted to a Future.
    fn yielded(&mut self, yielded: Yielded) -> Yielded {
        let (runner, carried) = (self.runner, yielded.place());
        self.has_yielded = true;
        let place = carried.or_else(|| self.generator.place()).unwrap_or(self.called_at);
        let of = yielded.futures();
        emit(|| {
            let future = yielded.future().filter(|future| !future.is_moment()).map(AnyFuture::id);
            Event::Yield { runner, kind: yielded.kind(), future, of: &of, place }
        });
        if self.simplified {
            self.future = yielded.future().filter(|future| !future.is_moment()).map(AnyFuture::id);
            return yielded;
        }
        let convert =
            || yielded.convert().unwrap_or_else(|bad_yield| Future::<()>::failed(bad_yield).erase());
        let future = at_line(Some(place), || running_as(Some(runner), convert));
        let is_moment = future.is_moment();
        self.future = (!is_moment).then(|| future.id());
        if is_moment || future.state() == State::Pending {
            emit(|| Event::Wait { runner, future: self.future, place: None, on: future.describe() });
            if is_moment {
                moment_is_next(runner);
            }
        } else {
            emit(|| Event::Already { runner, future: future.id(), state: future.state() });
        }
        Yielded::erased(future, carried)
    }

    /// Reports what the body raised, if nothing traps it.
    fn tell_raised(&self, exception: &Exception) {
        let runner = self.runner;
        match exception.return_value::<T>() {
            Some(value) => {
                let value = Shown::new(&value, self.coroutine.show);
                let place = self.returns_at;
                emit(|| Event::Return { runner, value, raised: true, place });
            }
            None => emit(|| Event::Raise { runner, exception, place: exception.origin() }),
        }
    }
}

impl<T: 'static> Runner<Observed<T>> {
    /// Calls the coroutine, unless the observer stops it before it starts.
    #[cold]
    #[track_caller]
    pub(super) fn start_observed(
        coroutine: &'static Coroutine,
        body: Body,
        generator: impl Generator<Return = T> + 'static,
        called_at: Place,
    ) -> Future<T> {
        let call = Call::new(coroutine);
        let (runner_id, location, generator) = (next_call(), Location::caller(), Box::new(generator));
        let starts = body == Body::Generator;
        let arguments = take_arguments();
        let simplified = starts && is_simplified();
        let gen = Observed {
            runner: runner_id,
            coroutine,
            starts,
            called_at,
            has_yielded: false,
            returns_at: None,
            simplified,
            future: None,
            generator,
        };
        let runner = Self::new(call, location, Some(gen), Cell::new(Context::current()));
        let future = runner.result_future.id();
        let stops = trace::stops(&runner, false);
        // For an observer, a coroutine that is held back is like a native one: it starts in a later turn.
        let body = if stops { Body::Native } else { body };
        let (caller, place) = (running_call(), called_at);
        let arguments = arguments.as_deref();
        tell(Some(runner_id), |runner| Event::Call {
            runner,
            future,
            coroutine,
            body,
            caller,
            place,
            arguments,
        });
        if stops {
            // What a tool drives needs no other Runner.
            lend(&runner.gen, |gen| {
                gen.iter_mut().for_each(|gen| (gen.starts, gen.simplified) = (true, false));
            });
            runner.register();
        } else if simplified {
            let gen = runner.gen.take().expect("it has not run");
            return simplified::start(gen, Future::from_core(runner));
        } else {
            Self::run(&runner, false);
        }
        Future::from_core(runner)
    }
}
