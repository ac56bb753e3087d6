//! [`unstarted`]: coroutines that are called and not started, for tools that step through them.

use std::any::{type_name, Any};
use std::cell::RefCell;
use std::rc::Rc;

use squall_runner::ready::Callback;
use squall_runner::trace::{observed, Event, Observer, Shown};
use squall_runner::{Coroutine, Exception, Generator, GeneratorState, Place, Resume};

use crate::trace::{observe_in_front, Printed};

/// Calls `f`, and returns the coroutines that `f` calls, in order, without starting them: the caller starts them or
/// drives them by hand. Observers of the thread are told of the calls as usual.
pub(super) fn unstarted<R>(f: impl FnOnce() -> R) -> (R, Vec<Callback>) {
    let called = Rc::new(RefCell::new(Vec::new()));
    let observing = observe_in_front(|observer| {
        Rc::new(HoldingBack { called: called.clone(), observer }) as Rc<dyn Observer>
    });
    let result = f();
    drop(observing);
    (result, called.take())
}

/// Calls `f`, and tells observers of the thread nothing of it but problems and notes: a generator that is stepped by
/// hand is on a loop that never runs, and may never end.
pub(super) fn apart<R>(f: impl FnOnce() -> R) -> R {
    let _observing = observed().then(|| observe_in_front(|observer| Rc::new(Apart(observer))));
    f()
}

struct Apart(Option<Rc<dyn Observer>>);

impl Observer for Apart {
    fn event(&self, event: &Event<'_>) {
        if let (Some(observer), Event::Report { .. } | Event::Note { .. }) = (&self.0, event) {
            observer.event(event);
        }
    }
}

/// Holds back every coroutine that is called.
struct HoldingBack {
    called: Rc<RefCell<Vec<Callback>>>,
    observer: Option<Rc<dyn Observer>>,
}

impl Observer for HoldingBack {
    fn event(&self, event: &Event<'_>) {
        self.observer.iter().for_each(|observer| observer.event(event));
    }

    fn stops(&self, runner: Callback, started: bool) -> bool {
        if started {
            return self.observer.as_ref().is_some_and(|observer| observer.stops(runner, started));
        }
        self.called.borrow_mut().push(runner);
        true
    }
}

/// The result of a generator, without its type.
#[derive(Debug)]
pub(super) struct Returned {
    pub(super) value: Box<dyn Any>,
    /// The value, as a trace shows it.
    pub(super) shown: String,
    /// The name of the value's type.
    pub(super) type_name: &'static str,
}

/// A generator with the type of its result erased. A `Return` that it raises becomes its result.
pub(super) struct AnyReturn<T> {
    pub(super) generator: Box<dyn Generator<Return = T>>,
    pub(super) coroutine: &'static Coroutine,
}

impl<T: 'static> Generator for AnyReturn<T> {
    type Return = Returned;

    fn resume(&mut self, resume: Resume) -> GeneratorState<Returned> {
        let resumed = Exception::trap(|| self.generator.resume(resume), GeneratorState::Raised);
        let value = match resumed {
            GeneratorState::Yielded(yielded) => return GeneratorState::Yielded(yielded),
            GeneratorState::Returned(value) => Ok(value),
            GeneratorState::Raised(exception) => exception.into_return::<T>(),
        };
        let returned = value.map(|value| {
            let shown = Printed(Shown::new(&value, self.coroutine.show)).to_string();
            Returned { value: Box::new(value), shown, type_name: type_name::<T>() }
        });
        returned.into()
    }

    fn place(&self) -> Option<Place> {
        self.generator.place()
    }
}
