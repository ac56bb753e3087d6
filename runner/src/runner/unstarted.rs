//! [`unstarted`]: coroutines that are called and not started yet, for tools that step through them.
//!
//! ```
//! use squall_runner::ready::Run;
//! use squall_runner::runner::unstarted;
//! use squall_runner::trace::{self, Event, Observer};
//! # struct Nobody;
//! # impl Observer for Nobody { fn event(&self, _event: &Event<'_>) {} }
//!
//! let observing = trace::observe(std::rc::Rc::new(Nobody));
//! let (future, mut called) = unstarted(|| squall_runner::coroutine(|_co| async { Ok(5) }));
//! assert!(!future.done());
//! called.remove(0).run();                        // a call alone would have done this
//! assert_eq!(future.result().unwrap(), 5);
//! # drop(observing);
//! ```

use std::any::{type_name, Any};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::Runner;
use crate::call::Call;
use crate::generator::{Coroutine, Generator, GeneratorState, Resume};
use crate::ready::{Ready, Run};
use crate::shared::Shared;
use crate::trace::{self, FutureId, Shown};
use crate::{Context, Error, Future, Result};

thread_local! {
    /// The coroutines that were called and not started, while there is somebody who wants them so.
    static CALLED: RefCell<Option<Vec<Rc<dyn Unstarted>>>> = const { RefCell::new(None) };
}

/// A coroutine that was called, and of which nothing has run. `Run::run` starts it.
pub trait Unstarted: Run {
    /// The Future that the call gave.
    fn future(&self) -> FutureId;

    /// The generator, to be driven by hand; the Future of the call is never done then. `None` if it was
    /// started.
    fn take_generator(&self) -> Option<Box<dyn Generator<Return = Value>>>;
}

/// What a generator returned, without its type.
#[derive(Debug)]
pub struct Value {
    /// The value itself.
    pub value: Box<dyn Any>,
    /// The value as a trace shows it.
    pub shown: String,
    /// The name of its type.
    pub type_name: &'static str,
}

/// Calls `f`, and has no coroutine started that `f` calls: each is given, in order, to be started or driven
/// by hand. Only on a thread that is observed; elsewhere the coroutines run as ever.
pub fn unstarted<R>(f: impl FnOnce() -> R) -> (R, Vec<Rc<dyn Unstarted>>) {
    /// Puts the list of before back, also when `f` panics.
    struct Before(Option<Vec<Rc<dyn Unstarted>>>);
    impl Drop for Before {
        fn drop(&mut self) {
            drop(CALLED.replace(self.0.take()));
        }
    }
    let before = Before(CALLED.replace(Some(Vec::new())));
    let result = f();
    let called = CALLED.take().unwrap_or_default();
    drop(before);
    (result, called)
}

/// Whether coroutines are not to be started when they are called.
#[cold]
pub(super) fn wanted() -> bool {
    CALLED.with_borrow(Option::is_some)
}

impl<G: Generator + 'static> Runner<G> {
    /// A call that is not started.
    #[cold]
    #[track_caller]
    pub(super) fn defer(coroutine: &'static Coroutine, gen: G) -> Future<G::Return> {
        // To an observer it is like a native coroutine: it starts in a later turn.
        let (call, future) = Call::new(coroutine, trace::Body::Native);
        let runner = Rc::new(Self {
            result_future: Shared::new(),
            gen: Cell::new(Some(gen)),
            future: Cell::new(None),
            context: Cell::new(Context::current()),
            call,
        });
        runner.result_future.set_id(future);
        runner.call.place.set(Ready::current().hold(Rc::<Self>::downgrade(&runner)));
        CALLED.with_borrow_mut(|called| called.get_or_insert_default().push(runner.clone()));
        Future::from_core(runner)
    }
}

impl<G: Generator + 'static> Unstarted for Runner<G> {
    fn future(&self) -> FutureId {
        self.result_future.id()
    }

    fn take_generator(&self) -> Option<Box<dyn Generator<Return = Value>>> {
        Some(Box::new(AnyReturn { gen: self.gen.take()?, coroutine: self.call.coroutine }))
    }
}

/// A generator whose type of result is not known. A `Return` that it raises is what it returns.
struct AnyReturn<G> {
    gen: G,
    coroutine: &'static Coroutine,
}

impl<G: Generator> Generator for AnyReturn<G> {
    type Return = Value;

    fn resume(&mut self, resume: Resume) -> GeneratorState<Value> {
        let value = match super::trap(|| self.gen.resume(resume)) {
            GeneratorState::Yielded(yielded) => return GeneratorState::Yielded(yielded),
            GeneratorState::Returned(value) => value,
            GeneratorState::Raised(exception) => match exception.return_value() {
                Some(value) => value,
                None if exception.is_return() => {
                    let expected = type_name::<G::Return>();
                    return GeneratorState::Raised(Error::WrongReturn { expected }.into());
                }
                None => return GeneratorState::Raised(exception),
            },
        };
        let shown = Shown::new(&value, self.coroutine.show).to_string();
        GeneratorState::Returned(Value { value: Box::new(value), shown, type_name: type_name::<G::Return>() })
    }
}

/// A body that never yields, as a generator.
pub(super) struct Plain<B>(pub(super) Option<B>);

impl<T: 'static, B: FnOnce() -> Result<T>> Generator for Plain<B> {
    type Return = T;

    fn resume(&mut self, _resume: Resume) -> GeneratorState<T> {
        let body = self.0.take().expect("a generator that has returned is not resumed");
        body().map_or_else(GeneratorState::Raised, GeneratorState::Returned)
    }
}
