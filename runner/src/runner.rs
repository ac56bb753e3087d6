//! [`Runner`]: drives a generator from Future to Future. The heart of the heart.
//!
//! Tornado's guide explains the Runner by a simplified loop:
//!
//! ```python
//! # Simplified inner loop of tornado.gen.Runner
//! def run(self):
//!     # send(x) makes the current yield return x.
//!     # It returns when the next yield is reached
//!     future = self.gen.send(self.next)
//!     def callback(f):
//!         self.next = f.result()
//!         self.run()
//!     future.add_done_callback(callback)
//! ```
//!
//! [`Runner::run`] below is the real one, to be read beside `Runner.run` in Tornado's `gen.py`: the same names
//! in the same order. What the simplified loop leaves out, and the real one must not:
//!
//! - a Future that failed: `f.result()` would raise in the callback, and the coroutine would wait for ever.
//!   The real loop catches it and **throws** it in at the yield;
//! - the end: `StopIteration` and `Return` resolve the result Future, any other exception fails it;
//! - a Future that is done already: the real loop goes on **at once**, without a turn of the event loop;
//! - `moment`, which is done and costs a turn all the same;
//! - what is not a Future: `convert_yielded` makes one of it, or raises `BadYield` inside the generator;
//! - a call while it runs: it returns, since the loop further up the stack goes on anyway.

mod unstarted;

use std::any::type_name;
use std::cell::Cell;
use std::panic::{catch_unwind, AssertUnwindSafe, Location};
use std::rc::Rc;

use crate::co::{Body, Co};
use crate::exception::Frame;
use crate::future::AnyFuture;
use crate::generator::{Coroutine, Generator, GeneratorState, Resume, Sent, Yielded};
use crate::ready::{call_soon, Alive, Ready, Run, Suspended, UNLISTED};
use crate::shared::{Resolvable, Shared};
use crate::trace::{self, emit, Event, FutureId, Problem, RunnerId, Shown, State};
use crate::{Context, Error, Exception, Future, Result};

pub use unstarted::{unstarted, Unstarted, Value};

/// Drives one generator: waits for each Future that it yields, and sends the result back in.
///
/// The Runner and the Future of its result are one allocation. While the generator is suspended, the Future
/// that it waits for holds the Runner. When the generator ends, or is abandoned, it is dropped at once.
pub struct Runner<G: Generator + 'static> {
    result_future: Shared<G::Return>,
    /// Empty while it runs, and once it is finished: this is Tornado's `running` and `finished`.
    gen: Cell<Option<G>>,
    /// What it waits for.
    future: Cell<Option<AnyFuture>>,
    /// The context variables as the generator left them.
    context: Cell<Context>,
    coroutine: &'static Coroutine,
    /// The line of the last yield.
    location: Cell<&'static Location<'static>>,
    /// Its place in the list of those that are suspended.
    key: Cell<u32>,
    /// Its number in the trace; 0 if nobody observed the call.
    id: u32,
}

impl<G: Generator + 'static> Runner<G> {
    /// Calls a coroutine: runs the generator at once, up to its first yield of a Future that is not done, and
    /// gives the Future of its result. Source: the wrapper that `tornado.gen.coroutine` makes.
    #[track_caller]
    pub fn start(coroutine: &'static Coroutine, mut gen: G) -> Future<G::Return> {
        if trace::observed() && unstarted::wanted() {
            return Self::defer(coroutine, gen);
        }
        let call = Call::new(coroutine, trace::Body::Generator);
        let caller = Context::current();
        // Inline the first iteration of `run`: a coroutine that never yields needs no Runner.
        let state = gen.resume(Resume::Send(Sent::Nothing));
        match state {
            GeneratorState::Yielded(first_yielded) => {
                let runner = Rc::new(Self {
                    result_future: Shared::new(),
                    gen: Cell::new(Some(gen)),
                    future: Cell::new(None),
                    context: Cell::default(),
                    coroutine,
                    location: Cell::new(call.location),
                    key: Cell::new(UNLISTED),
                    id: call.runner.0,
                });
                runner.result_future.set_id(call.future);
                // Still in the generator's context: what it yields may be a native coroutine, which starts in it.
                let ready = runner.handle_yield(first_yielded);
                runner.context.set(caller.swap());
                if ready {
                    Self::run(&runner, false);
                }
                Future::from_core(runner)
            }
            GeneratorState::Returned(value) => {
                caller.swap();
                discard(gen);
                call.finished(Ok(call.returned(value)))
            }
            GeneratorState::Raised(exception) => {
                caller.swap();
                discard(gen);
                call.finished(call.raised(exception, None))
            }
        }
    }

    /// Starts or resumes the generator, running until it reaches a yield of a Future that is not done.
    /// A tool may have it stop after each resume where it was called by the loop.
    fn run(self: &Rc<Self>, by_the_loop: bool) {
        let Some(mut gen) = self.gen.take() else { return };
        let outside = self.context.take().swap();
        while let Some(future) = self.future.take() {
            if !future.done() {
                self.future.set(Some(future));
                break;
            }
            let thrown = future.exception();
            let state = match thrown.clone() {
                Some(exception) => {
                    drop(future);
                    emit(|| Event::Throw { runner: self.id(), exception: &exception });
                    gen.resume(Resume::Throw(exception))
                }
                None => {
                    if trace::observed() {
                        future.look(&mut |value| emit(|| Event::Send { runner: self.id(), value }));
                    }
                    gen.resume(Resume::Send(Sent::Result(future)))
                }
            };
            let result = match state {
                GeneratorState::Yielded(yielded) => {
                    if self.handle_yield(yielded) && !(by_the_loop && Ready::went_on(self)) {
                        continue;
                    }
                    break;
                }
                GeneratorState::Returned(value) => Ok(self.call().returned(value)),
                GeneratorState::Raised(exception) => self.call().raised(exception, thrown),
            };
            discard(gen);
            self.finish(result);
            outside.swap();
            return;
        }
        self.gen.set(Some(gen));
        self.context.set(outside.swap());
    }

    /// Waits for what was yielded, or says that there is nothing to wait for.
    fn handle_yield(self: &Rc<Self>, yielded: Yielded) -> bool {
        self.location.set(yielded.location);
        emit(|| Event::Yield {
            runner: self.id(),
            kind: yielded.kind(),
            future: yielded.future().map(AnyFuture::id),
            location: yielded.location,
        });
        let future = yielded.convert().unwrap_or_else(|bad_yield| Future::<()>::failed(bad_yield).erase());
        let ready = if future.is_moment() {
            call_soon(self.clone());
            false
        } else if future.done() {
            true
        } else {
            future.add_callback(self.clone());
            false
        };
        if !ready {
            emit(|| Event::Wait { runner: self.id(), future: (!future.is_moment()).then(|| future.id()) });
            if self.key.get() == UNLISTED {
                self.key.set(Ready::with_current(|ready| ready.enlist(Rc::<Self>::downgrade(self))));
            }
        }
        self.future.set(Some(future));
        ready
    }

    /// Resolves the result Future, unless it was cancelled.
    fn finish(&self, result: Result<G::Return>) {
        self.discharge();
        let cancelled = self.result_future.state() == State::Cancelled;
        match result {
            Err(exception) if cancelled => trace::report(Problem::AfterCancel, &exception),
            result => drop(self.result_future.set(result)),
        }
    }

    fn discharge(&self) {
        let key = self.key.replace(UNLISTED);
        if key != UNLISTED {
            Ready::with_current(|ready| ready.discharge(key, std::ptr::from_ref(self).cast()));
        }
    }

    fn id(&self) -> RunnerId {
        RunnerId(self.id)
    }

    fn call(&self) -> Call {
        Call {
            runner: self.id(),
            future: FutureId(0),
            coroutine: self.coroutine,
            location: self.location.get(),
        }
    }
}

impl<G: Generator + 'static> Run for Runner<G> {
    fn run(self: Rc<Self>) {
        Self::run(&self, true);
    }

    fn coroutine(&self) -> Option<Suspended> {
        Some(self.suspended())
    }
}

impl<G: Generator + 'static> Resolvable for Runner<G> {
    type Output = G::Return;

    fn shared(&self) -> &Shared<G::Return> {
        &self.result_future
    }

    fn coroutine(&self) -> Option<&'static Coroutine> {
        Some(self.coroutine)
    }
}

impl<G: Generator + 'static> Alive for Runner<G> {
    fn suspended(&self) -> Suspended {
        Suspended { runner: self.id(), coroutine: self.coroutine, location: self.location.get() }
    }

    fn waits_for(&self) -> Option<&'static Coroutine> {
        let future = self.future.take();
        let coroutine = future.as_ref().and_then(AnyFuture::coroutine);
        self.future.set(future);
        coroutine
    }

    fn wakeable(&self) -> bool {
        false
    }

    fn abandon(&self) {
        self.key.set(UNLISTED);
        if let Some(gen) = self.gen.take() {
            discard(gen);
        }
        drop(self.future.take());
        self.result_future.forget_waiters();
    }
}

impl<G: Generator + 'static> Drop for Runner<G> {
    fn drop(&mut self) {
        self.discharge();
    }
}

impl<G: Generator + 'static> std::fmt::Debug for Runner<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Runner({} at {})", self.coroutine.name(), self.location.get())
    }
}

/// Calls a coroutine: runs `body` at once, up to its first yield of a Future that is not done, and gives the
/// Future of its result. This is the function form of `#[squall::coroutine]`.
///
/// ```
/// use squall_runner::{coroutine, Future};
///
/// let five = Future::ready(5);
/// let future = coroutine(|co| async move { Ok(co.yield_(five).await? + 1) });
/// assert_eq!(future.result().unwrap(), 6);       // what is done already is not waited for
/// ```
///
/// What the body raises, panics included, is trapped in the Future.
#[track_caller]
pub fn coroutine<T, F, B>(body: B) -> Future<T>
where
    T: 'static,
    F: std::future::Future<Output = Result<T>> + 'static,
    B: FnOnce(Co) -> F + 'static,
{
    call(Coroutine::of::<B>(), body)
}

/// Calls a coroutine that has a name: what `#[squall::coroutine]` makes of a function that yields.
///
/// `body` makes the async block; it must not panic.
#[track_caller]
pub fn call<T, F>(coroutine: &'static Coroutine, body: impl FnOnce(Co) -> F) -> Future<T>
where
    T: 'static,
    F: std::future::Future<Output = Result<T>> + 'static,
{
    Runner::start(coroutine, Body::new(body))
}

/// Calls a coroutine that never yields: a plain function whose exception is trapped. What
/// `#[squall::coroutine]` makes of a function without a yield.
#[track_caller]
pub fn call_plain<T: 'static>(
    coroutine: &'static Coroutine,
    body: impl FnOnce() -> Result<T> + 'static,
) -> Future<T> {
    if trace::observed() && unstarted::wanted() {
        return Runner::defer(coroutine, unstarted::Plain(Some(body)));
    }
    let call = Call::new(coroutine, trace::Body::Plain);
    let caller = Context::current();
    let result = catch_unwind(AssertUnwindSafe(body));
    caller.swap();
    call.finished(match result {
        Ok(Ok(value)) => Ok(call.returned(value)),
        Ok(Err(exception)) => call.raised(exception, None),
        Err(panic) => call.raised(Exception::from_panic(panic), None),
    })
}

/// One call of a coroutine, as far as it is the same for all kinds of bodies.
pub(crate) struct Call {
    pub(crate) runner: RunnerId,
    pub(crate) future: FutureId,
    pub(crate) coroutine: &'static Coroutine,
    /// The line of the last yield; that of the call before the first.
    pub(crate) location: &'static Location<'static>,
}

impl Call {
    #[track_caller]
    pub(crate) fn new(coroutine: &'static Coroutine, body: trace::Body) -> Self {
        let mut call =
            Self { runner: RunnerId(0), future: FutureId(0), coroutine, location: Location::caller() };
        if trace::observed() {
            call.runner = trace::next_runner();
            call.future = trace::next_future();
            emit(|| Event::Call { runner: call.runner, future: call.future, coroutine, body });
            if body == trace::Body::Generator {
                emit(|| Event::Start { runner: call.runner });
            }
        }
        call
    }

    pub(crate) fn returned<T: 'static>(&self, value: T) -> T {
        self.returns(value, false)
    }

    fn returns<T: 'static>(&self, value: T, raised: bool) -> T {
        emit(|| {
            let value = Shown::new(&value, self.coroutine.show);
            Event::Return { runner: self.runner, value, raised }
        });
        value
    }

    /// What becomes of an exception that leaves the body: the value of a `Return`, or itself with a frame more.
    #[cold]
    pub(crate) fn raised<T: 'static>(&self, exception: Exception, thrown: Option<Exception>) -> Result<T> {
        if exception.is_return() {
            return match exception.return_value() {
                Some(value) => Ok(self.returns(value, true)),
                None => self.raised(Error::WrongReturn { expected: type_name::<T>() }.into(), None),
            };
        }
        Err(self.leave(exception, thrown))
    }

    /// Adds the frame of this coroutine.
    pub(crate) fn leave(&self, mut exception: Exception, thrown: Option<Exception>) -> Exception {
        let came_in = thrown.is_some_and(|thrown| thrown.same(&exception));
        let raised_here = !came_in && exception.traceback().is_empty();
        let location = if raised_here { exception.origin() } else { self.location };
        exception.push_frame(Frame { location, name: self.coroutine.name() });
        emit(|| Event::Raise { runner: self.runner, exception: &exception });
        exception
    }

    /// The Future of a call that is over before it returns.
    fn finished<T: 'static>(&self, result: Result<T>) -> Future<T> {
        let shared = Shared::settled(result);
        shared.set_id(self.future);
        Future::from_core(Rc::new(shared))
    }
}

/// Drops a generator. A panic in a `Drop` of its body is logged, and the Runner goes on.
pub(crate) fn discard<G>(gen: G) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(gen))) {
        trace::report(Problem::Callback, &Exception::from_panic(panic));
    }
}
