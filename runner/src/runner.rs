//! [`Runner`]: drives a generator from Future to Future. The heart of the heart.
//!
//! Tornado's guide explains the Runner by a simplified loop in six lines:
//!
//! ```python
//! def run(self):
//!     future = self.gen.send(self.next)
//!     def callback(f):
//!         self.next = f.result()
//!         self.run()
//!     future.add_done_callback(callback)
//! ```
//!
//! In Rust:
//!
//! ```
//! # use squall_runner::{moment, AnyFuture, Exception, Generator, GeneratorState, Result, Resume, Yielded};
//! # use squall_runner::ready::ReadyQueue;
//! # use squall_runner::trace::CallId;
//! # fn trap<T>(f: impl FnOnce() -> T) -> T { f() }
//! # fn sent<T>(state: GeneratorState<T>) -> Result<AnyFuture> {
//! #     match state {
//! #         GeneratorState::Yielded(yielded) => yielded.convert(),
//! #         _ => Err(Exception::msg("StopIteration")),
//! #     }
//! # }
//! # fn result(f: AnyFuture) -> Result<AnyFuture> { Ok(f) }
//! # fn add_done_callback(future: AnyFuture, _: Option<CallId>, f: impl FnOnce(AnyFuture) -> Result<()> + 'static) {
//! #     future.clone().add_callback(|| drop(f(future)));
//! # }
//! /// Resumes the generator, and runs again with the result of the Future that it yields, once that is done.
//! fn run<G: Generator + 'static>(mut gen: G, next: Resume) -> Result<()> {
//!     let future = sent(trap(|| gen.resume(next)))?;
//!     add_done_callback(future, gen.observed(), |f| run(gen, Resume::Send(result(f)?)));
//!     Ok(())
//! }
//! # struct Twice;
//! # impl Generator for Twice {
//! #     type Return = ();
//! #     fn resume(&mut self, resume: Resume) -> GeneratorState<()> {
//! #         match resume {
//! #             Resume::Next => GeneratorState::Yielded(Yielded::new(moment())),
//! #             _ => GeneratorState::Returned(()),
//! #         }
//! #     }
//! # }
//! # run(Twice, Resume::Next)?;
//! # assert_eq!(ReadyQueue::current().len(), 1);
//! # ReadyQueue::current().pop().unwrap().run();
//! # assert!(ReadyQueue::current().is_empty());
//! # Ok::<(), Exception>(())
//! ```
//!
//! `runner/simplified.rs` has this function with those that it calls, and `squall compare` runs it beside the real Runner.
//!
//! [`Runner`] below is the real one, with the names and the order of `Runner` in Tornado's `gen.py`, to be read side by
//! side. It also handles what the simplified loop leaves out:
//!
//! - A Future that failed has no result to send. The exception is **thrown** in at the yield.
//! - At the end, the generator's result, or a `Return` that it raises, resolves the result Future; any other exception
//!   fails it.
//! - If the Future is already done, the loop goes on **at once**, without a turn of the event loop.
//! - `moment` is already done, and takes a turn nevertheless.
//! - `convert_yielded` converts anything other than a Future into one, or raises `BadYield` inside the generator.
//! - A call while the generator runs returns at once, since the loop further up the stack goes on.
//! - The context variables are those of the generator, and not those of the code that resolves the Future.
//!
//! The words that it uses:
//!
//! | word | meaning |
//! |---|---|
//! | [`Generator`], [`Resume`], [`GeneratorState`] | the body of the coroutine, its input, and its output |
//! | [`Yielded`], [`AnyFuture`] | a yielded thing, and the Future that it is converted to, whose type is erased |
//! | [`State`] | the state of a Future: pending, done, failed or cancelled |
//! | [`Shared`], [`Resolvable`] | the state of the result Future, which the Runner contains, and the trait by which it is a Future |
//! | `Call` | the description of the coroutine, and its entry in the list of suspended coroutines |
//! | [`call_soon`], [`Run`] | puts a callback on the ready queue; a Runner is such a callback |
//! | [`Withdraw`] | ends a suspended Runner when its loop ends |
//! | `Context::run` | makes the context variables of the coroutine current until the returned value is dropped |
//! | `trap` | calls code of the user; a panic becomes an exception |
//! | `discard` | drops a value of the user; a panic is reported |
//! | `fill`, `lend` | put a value into an empty `Cell`, and lend out the value of a `Cell` |
//! | `observed`, `trace::stops` | the number of a call that an observer follows, and its wish to stop the coroutine |

mod made;
mod observed;
mod placed;
mod simplified;

use std::any::Any;
use std::cell::Cell;
use std::panic::Location;
use std::rc::Rc;

use crate::any_future::AnyFuture;
use crate::body::Body;
use crate::call::{tell, Call};
use crate::callback::{Run, Suspended, Withdraw};
use crate::co::Co;
use crate::context::Context;
use crate::coroutine::Coroutine;
use crate::exception::{Exception, Result};
use crate::foreign::{discard, discard_in_place};
use crate::future::Future;
use crate::generator::{Generator, GeneratorState, Resume};
use crate::place::Place;
use crate::problem::Problem;
use crate::queued::Queued;
use crate::ready::call_soon;
use crate::report::report;
use crate::shared::{fill, lend, Resolvable, Shared};
use crate::state::State;
use crate::trace;
use crate::yielded::Yielded;
use made::{Made, Plain};
use placed::Placed;

pub use simplified::simplified;

/// Drives one generator: waits for each Future that it yields, and sends the result back in.
///
/// The Runner and the Future of its result are one allocation. While the generator is suspended, the Future that it
/// waits for holds the Runner. The generator is dropped as soon as it ends or is given up.
#[repr(C)] // What a resume touches comes first, beside the counts of the handles: that is fewer cache lines.
pub struct Runner<G: Generator + 'static> {
    /// `None` while it runs, and once it is finished: Tornado's `running` and `finished`.
    gen: Cell<Option<G>>,
    /// The Future that it waits for; `None` while it runs, and before it is started.
    future: Cell<Option<AnyFuture>>,
    /// The context variables, as the generator left them: Tornado's `ctx_run`.
    context: Cell<Context>,
    /// The Rust line of the last yield; before the first yield, the line of the call. Not used for a generator that
    /// reports its own place.
    location: Cell<&'static Location<'static>>,
    call: Call,
    result_future: Shared<G::Return>,
}

impl<G: Generator + 'static> Runner<G> {
    /// Calls a coroutine: runs the generator at once, up to its first yield of a Future that is not done, and returns
    /// the Future of its result. Source: the wrapper that `tornado.gen.coroutine` creates.
    ///
    /// The module [`generator`](crate::generator) has an example.
    #[track_caller]
    pub fn start(coroutine: &'static Coroutine, gen: G) -> Future<G::Return> {
        Runner::start_with(coroutine, || Placed::new(gen))
    }

    /// Calls a coroutine like [`start`](Self::start), and reports `place` as the line of the call.
    ///
    /// ```
    /// use squall_runner::{Coroutine, Generator, GeneratorState, Place, Resume, Runner};
    ///
    /// struct Five;
    /// impl Generator for Five {
    ///     type Return = i32;
    ///     fn resume(&mut self, _resume: Resume) -> GeneratorState<i32> {
    ///         GeneratorState::Returned(5)
    ///     }
    /// }
    ///
    /// static FIVE: Coroutine = Coroutine::new("five", "visit.py", 10);
    /// let five = Runner::start_at(&FIVE, Five, Place::new("visit.py", 12, 5));
    /// assert_eq!(five.result().unwrap(), 5);
    /// ```
    #[track_caller]
    pub fn start_at(coroutine: &'static Coroutine, gen: G, place: Place) -> Future<G::Return> {
        if trace::observed() {
            let made = Made::new(|| Placed::new(gen));
            return Runner::start_observed(coroutine, trace::Body::Generator, made, place);
        }
        Self::start(coroutine, gen)
    }

    /// Calls a coroutine like [`start`](Self::start). Creating the generator is a part of the call.
    #[track_caller]
    #[inline]
    fn start_with(coroutine: &'static Coroutine, make: impl FnOnce() -> G + 'static) -> Future<G::Return> {
        if trace::observed() {
            let gen = Made::new(make);
            return Runner::start_observed(coroutine, trace::Body::Generator, gen, Place::caller());
        }
        let (call, location) = (Call::new(coroutine), Location::caller());
        let context = Cell::new(Context::current());
        let mut gen = None;
        let ctx_run = Context::run(&context, Some(coroutine));
        // Inline the first iteration of `run`: a coroutine that never yields needs no Runner.
        let state = trap(|| gen.insert(make()).resume(Resume::Next));
        drop(ctx_run);
        let result = match state {
            GeneratorState::Yielded(first_yielded) => {
                let runner = Self::new(call, location, gen, context);
                let ctx_run = Context::run(&runner.context, Some(coroutine));
                let ready = runner.handle_yield(first_yielded);
                drop(ctx_run);
                if ready {
                    Self::run(&runner, false);
                }
                return Future::from_core(runner);
            }
            GeneratorState::Returned(value) => Ok(value),
            GeneratorState::Raised(exception) => {
                let place = gen.as_ref().and_then(Generator::place).or(coroutine.place());
                let place = place.unwrap_or(location.into());
                call.raised(exception, None, place, None)
            }
        };
        discard_in_place(|| drop(gen));
        Future::settled(result)
    }

    fn new(
        call: Call,
        location: &'static Location<'static>,
        gen: Option<G>,
        context: Cell<Context>,
    ) -> Rc<Self> {
        let (result_future, gen, future) = (Shared::new(), Cell::new(gen), Cell::new(None));
        Rc::new(Self { result_future, gen, future, context, location: Cell::new(location), call })
    }

    /// Returns the line at which the generator is suspended.
    fn place(&self, gen: &G) -> Place {
        gen.place().unwrap_or(self.location.get().into())
    }

    /// Starts or resumes the generator, and runs it until it yields a Future that is not done. If the loop called this,
    /// an observer may stop it after each resume.
    fn run(self: &Rc<Self>, by_the_loop: bool) {
        let Some(mut gen) = self.gen.take() else { return };
        let _ctx_run = Context::run(&self.context, Some(self.call.coroutine));
        loop {
            let mut exc = None;
            let resumed = match self.future.take() {
                None => trap(|| gen.resume(Resume::Next)),
                Some(future) => match future.state() {
                    State::Pending => {
                        fill(&self.future, future);
                        return fill(&self.gen, gen);
                    }
                    State::Done => trap(|| gen.resume(Resume::Send(future))),
                    State::Failed | State::Cancelled => {
                        exc = future.exception();
                        drop(future);
                        throw(&mut gen, exc.as_ref().expect("it has failed"))
                    }
                },
            };
            let yielded = match resumed {
                GeneratorState::Yielded(yielded) => yielded,
                GeneratorState::Returned(value) => return self.finish(gen, Ok(value)),
                GeneratorState::Raised(raised) => return self.raised(gen, raised, exc),
            };
            let ready = self.handle_yield(yielded);
            if !ready || (gen.observed().is_some() && by_the_loop && trace::stops(self, true)) {
                return fill(&self.gen, gen);
            }
        }
    }

    /// Begins to wait for the yielded thing, and returns `false`; returns `true` if there is nothing to wait for.
    #[inline(always)]
    fn handle_yield(self: &Rc<Self>, yielded: Yielded) -> bool {
        let future = match yielded.into_future() {
            Ok((future, location)) => {
                self.location.set(location);
                future
            }
            Err(other) => self.convert(other),
        };
        let header = future.0.header();
        let ready = if header.is_moment() {
            call_soon(self.clone());
            false
        } else if header.state() == State::Pending {
            future.call_when_done(self.clone());
            false
        } else {
            true
        };
        if !ready && !self.call.registration.is_there() {
            self.register();
        }
        fill(&self.future, future);
        ready
    }

    /// Returns the Future of a yield other than a Future at a line of Rust, or a failed Future if there is none.
    #[inline(never)]
    fn convert(&self, yielded: Yielded) -> AnyFuture {
        if let Some(location) = yielded.location() {
            self.location.set(location);
        }
        yielded.convert().unwrap_or_else(|bad_yield| Future::<()>::failed(bad_yield).erase())
    }

    /// Tells the observer, if the generator is going to be dropped before its end.
    #[cold]
    fn tell_abandoned(&self) {
        let call = lend(&self.gen, |gen| gen.as_ref().and_then(Generator::observed));
        tell(call, |runner| trace::Event::Abandon { runner });
    }

    /// Adds it to the suspended coroutines.
    fn register(self: &Rc<Self>) {
        self.call.registration.register(Rc::<Self>::downgrade(self));
    }

    /// Ends a generator that has raised; `exc` is what had been thrown in just before.
    #[cold]
    fn raised(&self, gen: G, raised: Exception, exc: Option<Exception>) {
        let result = self.call.raised(raised, exc, self.place(&gen), gen.observed());
        self.finish(gen, result);
    }

    /// Resolves the result Future, unless it was cancelled.
    fn finish(&self, gen: G, result: Result<G::Return>) {
        discard_in_place(|| drop(gen));
        self.call.release(self);
        match result {
            result if self.result_future.state() == State::Pending => drop(self.result_future.set(result)),
            Ok(value) => discard(value),
            Err(exception) => report(Problem::AfterCancel, &exception),
        }
    }
}

impl<G: Generator + 'static> Run for Runner<G> {
    fn run(self: Rc<Self>) {
        Self::run(&self, true);
    }

    fn is_over(&self, _holders: usize) -> bool {
        lend(&self.gen, |gen| gen.is_none())
    }

    fn held(&self, visit: &mut dyn FnMut(&dyn Any)) {
        lend(&self.gen, |gen| gen.iter().for_each(|gen| gen.held(visit)));
    }

    fn queued_as(&self) -> Queued {
        let call = lend(&self.gen, |gen| gen.as_ref().and_then(Generator::observed));
        call.map_or(Queued::Callback(self.call.coroutine.name()), Queued::Call)
    }
}

impl<G: Generator + 'static> Withdraw for Runner<G> {
    fn withdraw(&self) {
        if G::is_observed() {
            self.tell_abandoned();
        }
        self.call.registration.forget();
        // The generator no longer waits for what is dropped with it.
        drop(self.future.take());
        self.gen.take().into_iter().for_each(discard);
        self.result_future.end_with_loop();
    }

    fn suspended(&self) -> Option<Suspended> {
        let waits_for = lend(&self.future, |future| future.clone());
        let call = |gen: &G| (gen.observed(), self.place(gen));
        let (call, place) = lend(&self.gen, |gen| gen.as_ref().map(call))?;
        self.call.suspended(call, place, waits_for, false)
    }
}

impl<G: Generator + 'static> Resolvable for Runner<G> {
    type Output = G::Return;

    fn shared(&self) -> &Shared<G::Return> {
        &self.result_future
    }

    fn coroutine(&self) -> Option<&'static Coroutine> {
        Some(self.call.coroutine)
    }

    fn take_origin(&self) -> Option<Box<dyn Any>> {
        let gen: Box<dyn Generator<Return = G::Return>> = self.gen.take()?.into_unobserved();
        Some(Box::new(gen))
    }
}

impl<G: Generator + 'static> Drop for Runner<G> {
    fn drop(&mut self) {
        if G::is_observed() {
            self.tell_abandoned();
            self.result_future.tell_dropped();
        }
        self.call.release(self);
        self.gen.take().into_iter().for_each(discard);
    }
}

impl<G: Generator + 'static> std::fmt::Debug for Runner<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Runner({} at {})", self.call.coroutine.name(), self.location.get())
    }
}

/// Calls a coroutine: runs `body` at once, up to its first yield of a Future that is not done, and returns the Future
/// of its result. This is the function form of `#[squall::coroutine]`.
///
/// ```
/// use squall_runner::{coroutine, Future};
///
/// let five = Future::ready(5);
/// let future = coroutine(|co| async move { Ok(co.yield_(five).await? + 1) });
/// assert_eq!(future.result().unwrap(), 6);       // a done Future is not waited for
/// ```
///
/// Exceptions and panics in the body are trapped in the Future.
#[track_caller]
pub fn coroutine<T, F, B>(body: B) -> Future<T>
where
    T: 'static,
    F: std::future::Future<Output = Result<T>> + 'static,
    B: FnOnce(Co) -> F + 'static,
{
    call(Coroutine::of::<B>(), body)
}

/// Calls a coroutine that has a name. `#[squall::coroutine]` expands a function that yields to this.
///
/// ```
/// use squall_runner::{runner::call, Coroutine, Future};
///
/// static ADD_ONE: Coroutine = Coroutine::new("add_one", file!(), line!());
/// let future = call(&ADD_ONE, |co| async move { Ok(co.yield_(Future::ready(5)).await? + 1) });
/// assert_eq!(future.result().unwrap(), 6);
/// ```
#[track_caller]
pub fn call<T, F>(coroutine: &'static Coroutine, body: impl FnOnce(Co) -> F + 'static) -> Future<T>
where
    T: 'static,
    F: std::future::Future<Output = Result<T>> + 'static,
{
    Runner::start_with(coroutine, || Body::new(body))
}

/// Calls a coroutine that never yields: a plain function whose exception is trapped. `#[squall::coroutine]` expands a
/// function without a yield to this.
///
/// ```
/// use squall_runner::{runner::call_plain, Coroutine};
///
/// static PARSE: Coroutine = Coroutine::new("parse", file!(), line!());
/// let failed = call_plain(&PARSE, || Ok("x".parse::<i32>()?));
/// assert!(failed.exception().unwrap().is::<std::num::ParseIntError>());
/// ```
#[track_caller]
pub fn call_plain<T: 'static>(
    coroutine: &'static Coroutine,
    body: impl FnOnce() -> Result<T> + 'static,
) -> Future<T> {
    if trace::observed() {
        let plain = Plain::new(body);
        return Runner::start_observed(coroutine, trace::Body::Plain, plain, Place::caller());
    }
    let call = Call::new(coroutine);
    let context = Cell::new(Context::current());
    let ctx_run = Context::run(&context, Some(coroutine));
    let result = Exception::trap(body, Err);
    drop(ctx_run);
    let place = coroutine.place().unwrap_or(Place::caller());
    Future::settled(result.or_else(|exception| call.raised(exception, None, place, None)))
}

/// Throws an exception into a generator: `gen.throw(exc)`.
#[cold]
fn throw<G: Generator>(gen: &mut G, exc: &Exception) -> GeneratorState<G::Return> {
    trap(|| gen.resume(Resume::Throw(exc.clone())))
}

/// Resumes a generator. A panic becomes an exception of the generator.
fn trap<T>(resume: impl FnOnce() -> GeneratorState<T>) -> GeneratorState<T> {
    Exception::trap(resume, GeneratorState::Raised)
}
