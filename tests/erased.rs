//! Futures whose types are erased, as generators of other languages use them: in lists, and with time limits.

use std::time::Duration;

use squall::testing::TestLoop;
use squall::{
    multi, multi_quiet, sleep, with_timeout_erased, with_timeout_erased_quiet, AnyFuture, Coroutine, Error,
    Exception, Future, Generator, GeneratorState, IoLoop, Place, Resume, Runner, Yielded,
};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A coroutine of another language, in two lines: `both = yield waited`, `return len(both)`.
struct Visit(Option<AnyFuture>, u32);

impl Generator for Visit {
    type Return = usize;

    fn resume(&mut self, resume: Resume) -> GeneratorState<usize> {
        match resume {
            Resume::Next => GeneratorState::Yielded(Yielded::erased(self.0.take().unwrap(), None)),
            Resume::Send(sent) => sent.into_result::<Vec<AnyFuture>>().map(|both| both.len()).into(),
            Resume::Throw(exception) => GeneratorState::Raised(exception),
        }
    }

    fn place(&self) -> Option<Place> {
        Some(Place::new("visit.py", self.1, 5))
    }
}

static VISIT: Coroutine = Coroutine::new("visit", "visit.py", 1);

fn visit(waited: AnyFuture, line: u32) -> Future<usize> {
    Runner::start(&VISIT, Visit(Some(waited), line))
}

#[test]
fn list_of_erased_futures_is_done_when_all_of_them_are() {
    let later = Future::new();
    let promise = later.promise();
    let all: Future<Vec<AnyFuture>> =
        multi(vec![Future::ready(5).erase(), later.erase(), Future::ready("six").erase()]);
    assert!(!all.done());
    promise.set_result(6_u8);
    let mut results = IoLoop::current().run_sync(|| all).unwrap().into_iter();
    assert_eq!(results.next().unwrap().into_result::<i32>().unwrap(), 5);
    assert_eq!(results.next().unwrap().into_result::<u8>().unwrap(), 6);
    assert_eq!(results.next().unwrap().into_result::<&str>().unwrap(), "six");
}

#[test]
fn list_of_erased_futures_fails_with_the_first_exception_and_logs_those_that_are_not_quiet() {
    let all =
        || vec![Future::<()>::failed(Error::Timeout).erase(), Future::<()>::failed(Error::Cancelled).erase()];
    let trace = squall::trace::record(|| {
        assert_eq!(multi(all()).exception().unwrap().downcast_ref(), Some(&Error::Timeout));
    });
    assert!(trace.to_text().contains("multiple exceptions in yield list"));
    let trace = squall::trace::record(|| {
        assert!(multi_quiet(all(), Exception::is::<Error>).exception().is_some());
    });
    assert!(!trace.to_text().contains("multiple exceptions in yield list"));
}

#[test]
fn generator_of_another_language_yields_a_list() {
    let sleeps = || vec![sleep(ms(1)).erase(), sleep(ms(2)).erase()];
    assert_eq!(IoLoop::current().run_sync(|| visit(multi(sleeps()).erase(), 2)).unwrap(), 2);
}

#[test]
fn generator_of_another_language_is_named_by_its_line_in_a_deadlock_a_dump_a_trace_and_a_traceback() {
    let never = Future::<()>::new();
    let promise = never.promise();
    let io_loop = IoLoop::current();
    let trace = squall::trace::record(|| {
        let deadlock = io_loop.run_sync(|| visit(multi(vec![never.clone().erase()]).erase(), 2)).unwrap_err();
        assert!(deadlock.to_string().contains("\n  visit waits at visit.py:2:5"), "{deadlock}");
        assert_eq!(io_loop.dump().waiting()[0].place, Place::new("visit.py", 2, 5));
    });
    assert!(trace.to_text().replace('\u{a0}', " ").contains("wait for it :2"), "{trace}");
    drop(promise);

    let failed = io_loop.run_sync(|| visit(Future::<()>::failed(Error::Timeout).erase(), 7)).unwrap_err();
    assert_eq!(failed.traceback()[0].to_string(), "visit.py:7:5 in visit");
}

#[test]
fn test_loop_names_the_line_of_a_generator_of_another_language() {
    let mut test = TestLoop::new();
    let never = Future::<()>::new();
    let promise = never.promise();
    let visit = test.spawn(|| visit(never.erase(), 2));
    let step = test.step();
    assert_eq!(step.place(), Some(Place::new("visit.py", 2, 5)), "{step}");
    assert!(test.waiting().to_string().contains("visit waits at visit.py:2:5"), "{}", test.waiting());
    drop((visit, promise));
}

#[test]
fn limit_of_an_erased_future_raises_a_timeout_and_logs_a_late_failure_that_is_not_quiet() {
    for quiet in [false, true] {
        let late = Future::<i32>::new();
        let promise = late.promise();
        let trace = squall::trace::record(|| {
            let io_loop = IoLoop::current();
            let limited = || match quiet {
                false => with_timeout_erased(ms(1), late.clone().erase()),
                true => with_timeout_erased_quiet(ms(1), late.clone().erase(), Exception::is::<Error>),
            };
            assert_eq!(io_loop.run_sync(limited).unwrap_err().downcast_ref(), Some(&Error::Timeout));
            promise.set_exception(Exception::from(Error::ResultTaken));
            io_loop.run_sync(|| sleep(ms(1))).unwrap();
        });
        assert_eq!(trace.to_text().contains("exception in Future after timeout"), !quiet, "{trace}");
    }
}

#[test]
fn limit_of_an_erased_future_that_is_done_in_time_hands_it_on() {
    let limited = with_timeout_erased(ms(50), sleep(ms(1)).erase());
    let done = IoLoop::current().run_sync(|| limited).unwrap();
    done.into_result::<()>().unwrap();
    let failed = with_timeout_erased(ms(50), Future::<i32>::failed(Error::ResultTaken).erase());
    assert_eq!(failed.exception().unwrap().downcast_ref(), Some(&Error::ResultTaken));
}
