//! Generators that are not made by `genawaiter`, which the Runner drives like any other.

use std::cell::RefCell;
use std::rc::Rc;

use squall_runner::{
    moment, Coroutine, Error, Exception, Future, Generator, GeneratorState, Resume, Return, Runner, Yielded,
};

use crate::{drain, turn, Alive, Lines};

static HAND_MADE: Coroutine = Coroutine::new("hand_made", file!(), line!());

/// A generator that follows a list, and notes what comes in.
struct Scripted {
    steps: std::vec::IntoIter<Box<dyn FnOnce() -> GeneratorState<i32>>>,
    noted: Lines,
    _alive: Rc<()>,
}

impl Generator for Scripted {
    type Return = i32;

    fn resume(&mut self, resume: Resume) -> GeneratorState<i32> {
        self.noted.add(match resume {
            Resume::Next => "next".to_owned(),
            Resume::Send(future) => match future.into_result::<i32>() {
                Ok(value) => format!("send {value}"),
                Err(_) => "send something".to_owned(),
            },
            Resume::Throw(exception) => format!("throw {exception}"),
        });
        (self.steps.next().expect("it is never resumed after its end"))()
    }
}

type Step = Box<dyn FnOnce() -> GeneratorState<i32>>;

fn yields(future: Future<i32>) -> Step {
    Box::new(move || GeneratorState::Yielded(Yielded::new(future)))
}

fn start(steps: Vec<Step>) -> (Future<i32>, Lines, Alive) {
    let (noted, alive) = (Lines::default(), Alive::default());
    let scripted = Scripted { steps: steps.into_iter(), noted: noted.clone(), _alive: alive.one() };
    (Runner::start(&HAND_MADE, scripted), noted, alive)
}

#[test]
fn values_are_sent_and_exceptions_thrown_into_a_generator_made_by_hand() {
    let waited = Future::new();
    let promise = waited.promise();
    let (future, noted, alive) = start(vec![
        yields(Future::ready(1)),
        yields(Future::failed(Exception::msg("no"))),
        Box::new(|| GeneratorState::Yielded(Yielded::new(moment()))),
        yields(waited),
        Box::new(|| GeneratorState::Returned(7)),
    ]);
    assert_eq!(noted.take(), ["next", "send 1", "throw no"]);
    assert_eq!(turn(), 1);
    assert_eq!(noted.take(), ["send something"]);
    assert!(!future.done());
    promise.set_result(5);
    assert_eq!(turn(), 1);
    assert_eq!(noted.take(), ["send 5"]);
    assert_eq!(future.result().unwrap(), 7);
    assert_eq!(alive.count(), 0, "it is dropped as it ends, though its Future lives on");
}

#[test]
fn generator_made_by_hand_may_raise_and_return() {
    let (raised, ..) = start(vec![Box::new(|| GeneratorState::Raised(Exception::msg("no")))]);
    let exception = raised.exception().unwrap();
    assert_eq!(exception.traceback()[0].name, "hand_made");
    let (returned, ..) = start(vec![
        Box::new(|| GeneratorState::Yielded(Yielded::new(()))),
        Box::new(|| GeneratorState::Raised(Return(5).into())),
    ]);
    drain();
    assert_eq!(returned.result().unwrap(), 5);
}

#[test]
fn panic_of_a_generator_made_by_hand_is_trapped() {
    let (_, (at_once, _, alive)) = crate::panics_in(|| start(vec![Box::new(|| panic!("expected, at once"))]));
    assert_eq!(at_once.exception().unwrap().downcast_ref(), Some(&Error::Panic("expected, at once".into())));
    assert_eq!(alive.count(), 0);

    let (later, _, alive) = start(vec![
        Box::new(|| GeneratorState::Yielded(Yielded::new(()))),
        Box::new(|| panic!("expected, later")),
    ]);
    crate::panics_in(drain);
    assert_eq!(later.exception().unwrap().downcast_ref(), Some(&Error::Panic("expected, later".into())));
    assert_eq!(alive.count(), 0);
}

#[test]
fn coroutines_and_generators_made_by_hand_yield_each_other() {
    let inner = squall_runner::coroutine(|co| async move {
        co.yield_(moment()).await?;
        Ok(5)
    });
    let (outer, noted, _) = start(vec![yields(inner), Box::new(|| GeneratorState::Returned(6))]);
    let outermost = squall_runner::coroutine(|co| async move { Ok(co.yield_(outer).await? + 1) });
    drain();
    assert_eq!(outermost.result().unwrap(), 7);
    assert_eq!(noted.take(), ["next", "send 5"]);
}

#[test]
fn what_was_yielded_can_be_looked_at() {
    let yielded = Yielded::new(Future::ready(5));
    assert!(yielded.is::<Future<i32>>() && !yielded.is::<Future<u8>>());
    assert_eq!(yielded.kind().to_string(), "future:done");
    assert_eq!(yielded.place().unwrap().file(), file!());
    assert!(yielded.future().is_some());
    assert_eq!(yielded.convert().unwrap().into_result::<i32>().unwrap(), 5);

    assert_eq!(Yielded::new(()).kind().to_string(), "none");
    assert_eq!(Yielded::new(moment()).kind().to_string(), "moment");
    let awaitable = Yielded::new(async { Ok::<_, Exception>(5) });
    assert_eq!(awaitable.kind().to_string(), "awaitable");
    assert!(awaitable.future().is_none());
    let converted = awaitable.convert().unwrap();
    assert_eq!(converted.coroutine().unwrap().name(), "what_was_yielded_can_be_looked_at");
    drain();
    assert_eq!(converted.into_result::<i32>().unwrap(), 5);
}

#[test]
fn future_of_another_type_is_not_taken() {
    let erased = Future::ready(5_i32).erase();
    assert!(erased.is::<Future<i32>>());
    let exception = erased.into_result::<String>().unwrap_err();
    assert!(matches!(exception.downcast_ref(), Some(Error::WrongType { .. })));
}

#[test]
fn generator_that_resumes_others_while_it_runs_is_not_confused() {
    let inner = Rc::new(RefCell::new(None));
    let made = inner.clone();
    let (outer, ..) = start(vec![
        Box::new(|| GeneratorState::Yielded(Yielded::new(()))),
        Box::new(move || {
            *made.borrow_mut() = Some(squall_runner::coroutine(|co| async move { co.yield_(()).await }));
            drain();
            GeneratorState::Returned(1)
        }),
    ]);
    turn();
    assert!(inner.borrow().as_ref().unwrap().done());
    assert_eq!(outer.result().unwrap(), 1);
}
