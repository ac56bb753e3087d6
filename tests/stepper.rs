//! One coroutine by hand: what goes in, what comes out, and where a wrong test panics.

use std::cell::Cell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

use squall::testing::Stepper;
use squall::{moment, sleep, ContextVar, Coroutine, Error, Exception, Future, Place, Result, Return, Runner};
use squall::{Generator, GeneratorState, Resume, Yielded};

#[derive(Debug, thiserror::Error)]
#[error("division by zero")]
struct ZeroDivision;

#[squall::coroutine]
fn divide(x: i32, y: i32) -> Result<i32> {
    if y == 0 {
        Err(ZeroDivision)?;
    }
    Ok(x / y)
}

#[squall::coroutine]
fn good_call() -> Result<i32> {
    match yield_!(divide(1, 0)) {
        Err(e) if e.is::<ZeroDivision>() => Ok(0),
        other => other,
    }
}

#[squall::coroutine]
fn counts(steps: Rc<Cell<u32>>) -> Result<String> {
    steps.set(1);
    yield_!(())?;
    steps.set(2);
    let (n, list) = (yield_!(Future::<i64>::new())?, yield_!(vec![Future::<u8>::new()])?);
    Ok(format!("{n} {list:?}"))
}

#[test]
fn yields_are_looked_at_and_answered_by_hand() {
    let mut step = Stepper::new(good_call);
    let yielded = step.next().yielded();
    assert!(yielded.is::<Future<i32>>());
    assert_eq!(yielded.place().unwrap().file(), file!());
    assert_eq!(step.place(), yielded.place().unwrap());
    assert!(!step.is_done());
    assert_eq!(step.throw(ZeroDivision).returned::<i32>(), 0);
    assert!(step.is_done());

    let mut step = Stepper::new(good_call);
    assert_eq!(step.next().send(5).returned::<i32>(), 5);

    let mut step = Stepper::new(good_call);
    assert!(step.next().throw(Exception::msg("other")).raised().to_string().contains("other"));
}

#[test]
fn nothing_runs_before_the_first_next_and_then_one_yield_at_a_time() {
    let steps = Rc::new(Cell::new(0));
    let seen = steps.clone();
    let mut step = Stepper::new(move || counts(seen));
    assert_eq!(steps.get(), 0);
    step.next();
    assert_eq!(steps.get(), 1);
    assert!(step.next().yielded().is::<Future<i64>>());
    assert_eq!(steps.get(), 2);
    assert!(step.send(7_i64).yielded().is::<Vec<Future<u8>>>());
    assert_eq!(step.send(vec![1_u8]).returned::<String>(), "7 [1]");
}

#[test]
fn coroutine_without_a_yield_does_not_run_before_next_either() {
    let steps = Rc::new(Cell::new(0));
    #[squall::coroutine]
    fn plain(steps: Rc<Cell<u32>>) -> Result<u32> {
        steps.set(steps.get() + 1);
        Ok(steps.get())
    }
    let seen = steps.clone();
    let mut step = Stepper::new(move || plain(seen));
    assert_eq!(steps.get(), 0);
    assert_eq!(step.next().returned::<u32>(), 1);
}

#[test]
fn return_that_is_raised_is_what_the_coroutine_returned() {
    #[squall::coroutine]
    fn returns() -> Result<i32> {
        yield_!(())?;
        Err(Return(42))?
    }
    assert_eq!(Stepper::new(returns).next().next().returned::<i32>(), 42);
}

#[test]
fn coroutine_that_an_argument_calls_is_started_as_ever() {
    #[squall::coroutine]
    fn outer(inner: Future<i32>) -> Result<i32> {
        yield_!(inner)
    }
    let mut step = Stepper::new(|| outer(divide(6, 2)));
    let yielded = step.next().yielded();
    assert!(yielded.future().unwrap().done());
    assert_eq!(step.send(1).returned::<i32>(), 1);
}

#[test]
fn what_the_body_calls_is_left_alone_with_a_clock_that_stands_still() {
    #[squall::coroutine]
    fn sleeps() -> Result<()> {
        yield_!(sleep(std::time::Duration::from_secs(3600)))
    }
    let mut step = Stepper::new(sleeps);
    assert!(!step.next().yielded().future().unwrap().done());
    step.send(()).returned::<()>();
}

#[test]
fn loop_of_a_stepper_cannot_be_run_from_within() {
    #[squall::coroutine]
    fn nested() -> Result<()> {
        squall::IoLoop::current().run_sync(moment)
    }
    let e = Stepper::new(nested).next().raised();
    assert!(e.to_string().contains("this IoLoop is running already"), "{e}");
}

#[test]
fn context_variables_stay_with_the_coroutine() {
    static USER: ContextVar<&str> = ContextVar::new();
    #[squall::coroutine]
    fn sets() -> Result<Option<&'static str>> {
        let _token = USER.set("ben");
        yield_!(moment())?;
        Ok(USER.get())
    }
    let mut step = Stepper::new(sets);
    step.next();
    assert_eq!(USER.get(), None);
    assert_eq!(step.next().returned::<Option<&str>>(), Some("ben"));
}

#[test]
fn generator_written_by_hand_is_stepped_too() {
    struct Once(bool);
    impl Generator for Once {
        type Return = u32;
        fn resume(&mut self, _resume: Resume) -> GeneratorState<u32> {
            if std::mem::replace(&mut self.0, true) {
                return GeneratorState::Returned(3);
            }
            GeneratorState::Yielded(Yielded::new(moment()))
        }
    }
    static ONCE: squall::Coroutine = squall::Coroutine::new("once", "", 0);
    let mut step = Stepper::new(|| Runner::start(&ONCE, Once(false)));
    assert_eq!(step.next().next().returned::<u32>(), 3);
}

/// Returns the line and the message of the panic in `f`.
fn panic_of(f: impl FnOnce()) -> (u32, String) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    static LAST: Mutex<(u32, String)> = Mutex::new((0, String::new()));
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let this = std::thread::current().id();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == this {
            let text = info.payload().downcast_ref::<String>().cloned();
            let text = text.or_else(|| info.payload().downcast_ref::<&str>().map(ToString::to_string));
            let text = text.unwrap_or_default();
            let here =
                info.location().filter(|at| at.file() == file!()).map_or(0, std::panic::Location::line);
            *LAST.lock().unwrap() = (here, text);
        }
    }));
    let panicked = catch_unwind(AssertUnwindSafe(f)).is_err();
    std::panic::set_hook(before);
    assert!(panicked, "it should have panicked");
    LAST.lock().unwrap().clone()
}

#[test]
fn wrong_test_panics_at_its_own_line_with_the_trace_so_far() {
    let line = line!() + 2;
    let (at, message) = panic_of(|| {
        Stepper::new(good_call).next().send("five");
    });
    assert_eq!(at, line);
    assert!(message.contains("takes `i32`, not `&str`"), "{message}");
    assert!(message.contains("good_call\n  next -> yield future:failed at tests/stepper.rs:"), "{message}");

    let line = line!() + 2;
    let (at, message) = panic_of(|| {
        let _: i32 = Stepper::new(good_call).next().returned();
    });
    assert_eq!(at, line);
    assert!(message.contains("cannot take what was returned: it has yielded future:failed at"), "{message}");

    let (at, message) = panic_of(|| {
        let _: String = Stepper::new(good_call).next().send(5).returned();
    });
    assert_ne!(at, 0);
    assert!(message.contains("it returned a i32, not a alloc::string::String"), "{message}");
    assert!(message.contains("send 5 -> return 5"), "{message}");

    let (at, message) = panic_of(|| {
        Stepper::new(good_call).send(5);
    });
    assert_ne!(at, 0);
    assert!(message.contains("nothing has run yet"), "{message}");

    let (at, message) = panic_of(|| {
        Stepper::new(|| divide(1, 0)).next().next();
    });
    assert_ne!(at, 0);
    assert!(message.contains("it has raised ZeroDivision: division by zero"), "{message}");

    let (at, message) = panic_of(|| drop(Stepper::new(|| divide(1, 1)).next().yielded()));
    assert_ne!(at, 0);
    assert!(message.contains("it has returned"), "{message}");

    let (at, _) = panic_of(|| drop(Stepper::new(|| divide(1, 1)).next().raised()));
    assert_ne!(at, 0);

    let (at, message) = panic_of(|| drop(Stepper::new(Future::<i32>::new)));
    assert_ne!(at, 0);
    assert!(message.contains("write Stepper::new(|| my_coroutine(..))"), "{message}");
}

#[test]
fn native_coroutine_cannot_be_stepped_and_is_told_what_can() {
    async fn fetch() -> Result<()> {
        moment().await
    }
    let line = line!() + 1;
    let (at, message) = panic_of(|| drop(Stepper::new(|| squall::convert_yielded(fetch()).unwrap())));
    assert_eq!(at, line);
    assert_eq!(
        message,
        "Stepper::new was given `fetch`, a native coroutine (async fn), which cannot be stepped by hand: step the \
         coroutine that yields it, or take a TestLoop"
    );
}

#[test]
fn what_a_step_makes_itself_is_of_the_line_of_the_test() {
    const PANIC: u32 = line!() + 4;
    #[squall::coroutine]
    fn panics() -> Result<()> {
        yield_!(())?;
        panic!("on purpose")
    }
    #[squall::coroutine]
    fn returns_another_type() -> Result<i32> {
        yield_!(())?;
        Err(Return("five"))?
    }
    let mut step = Stepper::new(panics);
    step.next();
    // A panic is the body's own, and has its line.
    let e = step.next().raised();
    assert_eq!((e.origin().file(), e.origin().line()), (file!(), PANIC));
    assert_eq!(e.downcast_ref(), Some(&Error::Panic("on purpose".to_owned())));

    let mut step = Stepper::new(returns_another_type);
    step.next();
    let (line, e) = (line!(), step.next().raised());
    assert_eq!((e.origin().file(), e.origin().line()), (file!(), line));
    assert_eq!(e.downcast_ref(), Some(&Error::WrongReturn { expected: "i32" }));
}

#[test]
fn generator_of_another_language_stands_at_its_own_line() {
    struct Visit(Option<Place>);
    impl Generator for Visit {
        type Return = ();
        fn resume(&mut self, resume: Resume) -> GeneratorState<()> {
            match resume {
                Resume::Next => GeneratorState::Yielded(Yielded::erased(Future::<()>::new().erase(), self.0)),
                _ => GeneratorState::Returned(()),
            }
        }
        fn place(&self) -> Option<Place> {
            Some(Place::new("visit.py", 12, 5))
        }
    }
    static VISIT: Coroutine = Coroutine::new("visit", "visit.py", 10);
    let there = Place::new("visit.py", 100, 9);
    for (carried, place) in [(None, Place::new("visit.py", 12, 5)), (Some(there), there)] {
        let mut step = Stepper::new(move || Runner::start(&VISIT, Visit(carried)));
        step.next();
        assert_eq!(step.place(), place);
        assert!(step.trace().ends_with(&format!("yield future:pending at {place}")), "{}", step.trace());
        step.next();
        assert!(step.is_done());
    }
}

#[test]
fn exception_is_kept_as_it_was_raised() {
    let mut step = Stepper::new(|| divide(1, 0));
    let raised = step.next().raised();
    assert!(raised.is::<ZeroDivision>());
    assert_ne!(raised.downcast_ref(), Some(&Error::Timeout));
}
