//! Exceptions: trapped where they are raised, raised again where they are yielded, and their tracebacks.

use std::cell::Cell;
use std::fmt::Write as _;
use std::panic::resume_unwind;
use std::rc::Rc;

use squall_runner::ready::ReadyQueue;
use squall_runner::runner::{call, call_plain};
use squall_runner::{
    convert_yielded, coroutine, marker, moment, Coroutine, Error, Exception, Future, Result, Return,
    Yieldable,
};

use crate::{drain, Reports, LONG};

#[derive(Debug, thiserror::Error)]
#[error("division by zero")]
struct ZeroDivision;

static DIVIDE: Coroutine = Coroutine::new("divide", file!(), line!());
static GOOD_CALL: Coroutine = Coroutine::new("good_call", file!(), line!());

/// The line in which `divide` raises.
const DIVIDE_LINE: u32 = line!() + 5;

fn divide(x: i32, y: i32) -> Future<i32> {
    call_plain(&DIVIDE, move || {
        if y == 0 {
            Err(ZeroDivision)?;
        }
        Ok(x / y)
    })
}

#[test]
fn failed_call_raises_nothing_until_it_is_yielded() {
    let future = divide(1, 0);
    assert!(future.done());
    let caught = coroutine(|co| async move {
        match co.yield_(future).await {
            Err(e) if e.is::<ZeroDivision>() => Ok(0),
            other => other,
        }
    });
    assert_eq!(caught.result().unwrap(), 0);
}

#[test]
fn exception_raised_later_is_thrown_in_at_the_yield() {
    let failing = coroutine(|co| async move {
        co.yield_(moment()).await?;
        Err::<i32, _>(ZeroDivision)?;
        Ok(1)
    });
    let caught = coroutine(|co| async move { Ok(co.yield_(failing).await.unwrap_err().to_string()) });
    drain();
    assert_eq!(caught.result().unwrap(), "division by zero");
}

#[test]
fn traceback_is_that_of_python() {
    let line = line!() + 1;
    let good_call = call(&GOOD_CALL, |co| async move { co.yield_(divide(1, 0)).await });
    let exception = good_call.exception().unwrap();
    let column = |line| Exception::traceback(&exception)[usize::from(line == DIVIDE_LINE)].place.column();
    assert_eq!(exception.traceback().len(), 2);
    let expected = format!(
        "Traceback (most recent call last):\n  {file}:{line}:{} in good_call\n  {file}:{DIVIDE_LINE}:{} in divide\nZeroDivision: division by zero",
        exception.traceback()[1].place.column(),
        exception.traceback()[0].place.column(),
        file = file!(),
    );
    assert_eq!(format!("{exception:?}"), expected);
    assert!(column(line) > 1 && column(DIVIDE_LINE) > 1);
    assert_eq!(exception.origin().line(), DIVIDE_LINE);
}

#[test]
fn frame_is_where_the_exception_was_raised_or_the_yield_at_which_it_came_in() {
    let mut lines = Vec::new();
    lines.push(line!() + 3);
    let innermost = coroutine(|co| async move {
        co.yield_(moment()).await?;
        Err::<(), _>(ZeroDivision)?;
        Ok(())
    });
    lines.push(line!() + 3);
    let middle = coroutine(|co| async move {
        co.yield_(moment()).await?;
        co.yield_(innermost).await
    });
    // It comes in at a yield, is kept over another, and is raised again.
    lines.push(line!() + 3);
    let outermost = coroutine(|co| async move {
        let kept = co.yield_(middle).await;
        co.yield_(moment()).await?;
        kept
    });
    drain();
    let frames: Vec<_> =
        outermost.exception().unwrap().traceback().iter().map(|frame| frame.place.line()).collect();
    assert_eq!(frames, lines);
}

#[test]
fn exception_of_the_library_shows_lines_of_the_program() {
    let ours = |exception: &Exception| {
        assert_eq!(exception.origin().file(), file!(), "{exception:?}");
        exception.traceback().iter().for_each(|frame| assert_eq!(frame.place.file(), file!()));
    };
    let cancelled = Future::<()>::new();
    cancelled.cancel();
    ours(&cancelled.exception().unwrap());
    ours(&cancelled.result().unwrap_err());
    ours(&Future::<()>::new().result().unwrap_err());
    ours(&coroutine(|co| async move { co.yield_(cancelled).await }).exception().unwrap());
    ours(
        &coroutine(|co| async move {
            drop(co.yield_(moment()));
            Ok(())
        })
        .exception()
        .unwrap(),
    );
    ours(&coroutine(|_co| async move { std::future::pending::<Result<()>>().await }).exception().unwrap());
    ours(
        &coroutine(|_co| async move { Err::<(), _>(Return("text")).map_err(Exception::from) })
            .exception()
            .unwrap(),
    );
    let broken = Future::<()>::new();
    drop(broken.promise());
    ours(&coroutine(|co| async move { co.yield_(broken).await }).exception().unwrap());
    let (_, panicked) = crate::panics_in(|| {
        coroutine(|_co| async move {
            panic!("expected");
            #[allow(unreachable_code)]
            Ok(())
        })
    });
    ours(&panicked.exception().unwrap());
    // What is called by a pointer does not know its caller.
    let native = async { Err::<(), _>(std::fmt::Error).map_err(Exception::from) };
    let future = coroutine(|co| async move { co.yield_(native).await });
    let std_future = coroutine(|co| async move { co.yield_(async { Err::<(), _>(std::fmt::Error) }).await });
    crate::drain();
    ours(&future.exception().unwrap());
    ours(&std_future.exception().unwrap());
}

#[test]
fn exception_that_has_no_line_of_the_program_shows_none() {
    // No panic hook sees this one.
    let panicked = Exception::trap(|| resume_unwind(Box::new("expected")), |panicked| panicked);
    assert_eq!(format!("{panicked:?}"), "Panic: panicked: expected");
    let line = line!() + 1;
    let placed = panicked.placed_at(std::panic::Location::caller());
    assert!(format!("{placed:?}")
        .starts_with(&format!("Traceback (most recent call last):\n  {}:{line}:", file!())));
    assert_eq!(placed.clone().placed_at(Exception::msg("elsewhere").origin()).origin().line(), line);
}

#[test]
fn exception_without_a_message_is_shown_by_its_name() {
    #[derive(Debug, thiserror::Error)]
    #[error("")]
    struct Silent;
    let text = format!("{:?}", Exception::new(Silent));
    assert!(text.ends_with("\nSilent"), "{text}");
}

#[test]
fn error_that_is_called_no_more_than_that_is_shown_with_its_module() {
    mod json {
        #[derive(Debug, thiserror::Error)]
        #[error("no such key")]
        pub(super) struct Error;
    }
    let io = Exception::new(std::io::Error::other("closed"));
    assert_eq!(
        [io.name(), Exception::new(std::fmt::Error).name(), Exception::new(json::Error).name()],
        ["io::error::Error", "fmt::Error", "json::Error"]
    );
    assert!(format!("{io:?}").ends_with("\nio::error::Error: closed"));
}

#[test]
fn exception_shows_what_caused_it() {
    #[derive(Debug, thiserror::Error)]
    #[error("no such user")]
    struct NoUser(#[source] ZeroDivision);
    let text = format!("{:?}", Exception::new(NoUser(ZeroDivision)));
    assert!(text.ends_with("NoUser: no such user\n  caused by: division by zero"), "{text}");
}

#[test]
fn exception_is_send_sync_and_cheap_to_clone() {
    fn check<T: Send + Sync + Clone>(_: &T) {}
    let exception = Exception::msg("gone");
    check(&exception);
    assert!(exception.same(&exception.clone()));
    assert!(!exception.same(&Exception::msg("gone")));
    assert_eq!(size_of::<Exception>(), size_of::<usize>());
}

#[test]
fn return_ends_a_coroutine_with_its_value() {
    let plain = coroutine(|_co| async move {
        Err(Return(42))?;
        Ok(0)
    });
    assert_eq!(plain.result().unwrap(), 42);

    fn deep() -> Result<()> {
        Err(Return("from a function".to_owned()))?
    }
    let deep = coroutine(|co| async move {
        co.yield_(moment()).await?;
        deep()?;
        Ok(String::new())
    });
    drain();
    assert_eq!(deep.result().unwrap(), "from a function");

    let in_plain = call_plain(&DIVIDE, || {
        Err(Return(7))?;
        Ok(0)
    });
    assert_eq!(in_plain.result().unwrap(), 7);
}

#[test]
fn return_of_a_native_is_an_exception_that_ends_the_coroutine_that_yields_it() {
    let native = convert_yielded(async { Err::<i32, Exception>(Return(5).into()) }).unwrap();
    let caller = coroutine(|co| async move { Ok(co.yield_(native).await? + 1) });
    drain();
    assert_eq!(caller.result().unwrap(), 5, "thrown in at the yield, it left the body");
}

#[test]
fn return_may_be_caught_like_any_exception() {
    let future = coroutine(|_co| async move {
        let raised: Result<()> = Err(Return(5).into());
        let caught = raised.unwrap_err();
        Ok((caught.is_return(), caught.return_value::<i32>(), caught.return_value::<u8>(), caught.name()))
    });
    assert_eq!(future.result().unwrap(), (true, Some(5), None, "Return"));
}

#[test]
fn return_of_another_type_says_which_type_the_coroutine_returns() {
    let future = coroutine(|_co| async move {
        Err::<(), _>(Return("text"))?;
        Ok(5_i32)
    });
    let exception = future.exception().unwrap();
    assert_eq!(exception.downcast_ref(), Some(&Error::WrongReturn { expected: "i32" }));
    assert_eq!(exception.traceback().len(), 1);
}

#[test]
fn value_of_another_type_says_which_type_the_yield_takes() {
    let exception = Future::ready("text").erase().into_result::<i32>().unwrap_err();
    assert_eq!(exception.downcast_ref(), Some(&Error::WrongType { expected: "i32" }));
}

#[test]
fn two_waiters_get_the_same_exception_each_with_its_own_traceback() {
    let failing = Future::<i32>::new();
    let promise = failing.promise();
    let wait = |name: &'static Coroutine| {
        let failing = failing.clone();
        call(name, |co| async move { co.yield_(failing).await })
    };
    let (a, b) = (wait(&DIVIDE), wait(&GOOD_CALL));
    promise.set_exception(ZeroDivision);
    drain();
    let (a, b) = (a.exception().unwrap(), b.exception().unwrap());
    assert!(a.same(&b));
    assert_eq!(a.traceback().iter().map(|f| f.name).collect::<Vec<_>>(), ["divide"]);
    assert_eq!(b.traceback().iter().map(|f| f.name).collect::<Vec<_>>(), ["good_call"]);
    assert!(failing.exception().unwrap().traceback().is_empty());
}

fn chain(of: usize) -> (squall_runner::Promise<usize>, Future<usize>) {
    let bottom = Future::new();
    let promise = bottom.promise();
    let mut chain = bottom;
    for _ in 0..of {
        chain = coroutine(|co| async move { Ok(co.yield_(chain).await? + 1) });
    }
    (promise, chain)
}

#[test]
fn traceback_is_cut_after_64_coroutines() {
    let (promise, top) = chain(100);
    promise.set_exception(ZeroDivision);
    drain();
    let exception = top.exception().unwrap();
    assert_eq!((exception.traceback().len(), exception.elided()), (64, 36));
    let text = format!("{exception:?}");
    assert_eq!(text.lines().count(), 1 + 1 + 64 + 1);
    assert!(text.lines().nth(1).unwrap().contains("36 more"));
}

#[test]
fn long_chain_of_coroutines_returns() {
    let (promise, top) = chain(LONG);
    promise.set_result(0);
    assert_eq!(drain(), LONG);
    assert_eq!(top.result().unwrap(), LONG);
}

#[test]
fn long_chain_of_coroutines_fails() {
    let (promise, top) = chain(LONG);
    promise.set_exception(ZeroDivision);
    drain();
    assert_eq!(top.exception().unwrap().elided(), LONG - 64);
}

#[test]
fn exception_that_was_never_retrieved_is_reported_once_when_the_last_handle_goes() {
    let reports = Reports::new();
    let future = divide(1, 0);
    let clone = future.clone();
    drop(future);
    assert!(reports.take().is_empty());
    drop(clone);
    assert_eq!(reports.take(), ["NeverRetrieved: division by zero"]);
}

#[test]
fn exception_of_an_abandoned_coroutine_is_reported_once_when_it_is_raised() {
    let reports = Reports::new();
    drop(coroutine(|co| async move {
        co.yield_(moment()).await?;
        Err::<(), _>(ZeroDivision)?;
        Ok(())
    }));
    assert!(reports.take().is_empty());
    drain();
    assert_eq!(reports.take(), ["NeverRetrieved: division by zero"]);
}

#[test]
fn exception_that_was_retrieved_is_not_reported() {
    let reports = Reports::new();
    drop(divide(1, 0).exception());
    drop(divide(1, 0).result());
    drop(divide(1, 0).into_result());
    let erased = divide(1, 0).erase();
    drop(erased.exception());
    let yielded = divide(1, 0);
    drop(coroutine(|co| async move { Ok(co.yield_(yielded).await.is_err()) }));
    let awaited = divide(1, 0);
    drop(convert_yielded(async move { Ok::<_, Exception>(awaited.await.is_err()) }));
    drain();
    assert_eq!(reports.take(), Vec::<String>::new());
}

#[test]
fn promise_that_is_dropped_fails_its_future_and_is_not_reported() {
    let reports = Reports::new();
    let broken = Future::<i32>::new();
    drop(broken.promise());
    let exception = broken.exception().unwrap();
    assert_eq!(exception.downcast_ref(), Some(&Error::BrokenPromise));

    let nobody = Future::<i32>::new();
    drop(nobody.promise());
    drop(nobody);
    assert!(reports.take().is_empty());
}

#[test]
fn promise_that_is_dropped_wakes_the_waiters() {
    let broken = Future::<i32>::new();
    let promise = broken.promise();
    let waiting = coroutine(|co| async move { co.yield_(broken).await });
    drop(promise);
    drain();
    assert!(waiting.exception().unwrap().is::<Error>());
}

#[test]
fn future_of_several_promises_fails_with_the_last() {
    let future = Future::<i32>::new();
    let (first, second, third) = (future.promise(), future.promise(), future.promise());
    drop(first);
    assert!(!future.done());
    second.set_result(5);
    drop(third);
    assert_eq!(future.result().unwrap(), 5);

    let future = Future::<i32>::new();
    let promises = (future.promise(), future.promise());
    drop(promises);
    assert!(future.exception().is_some());
}

#[test]
fn cancelled_future_ignores_its_promise() {
    let reports = Reports::new();
    let future = Future::<i32>::new();
    let promise = future.promise();
    assert!(future.cancel() && !future.cancel() && future.cancelled());
    promise.set_result(5);
    assert!(future.cancelled());
    let dropped = Future::<i32>::new();
    let promise = dropped.promise();
    dropped.cancel();
    drop(promise);
    assert_eq!(dropped.exception().unwrap().downcast_ref(), Some(&Error::Cancelled));
    drop(dropped);
    assert!(reports.take().is_empty());
}

#[test]
fn cancelled_future_raises_cancelled_at_the_yield() {
    let waited = Future::<i32>::new();
    let _promise = waited.promise();
    let handle = waited.clone();
    let future = coroutine(|co| async move {
        let raised = co.yield_(handle).await.unwrap_err();
        Ok(raised.downcast_ref() == Some(&Error::Cancelled))
    });
    waited.cancel();
    drain();
    assert!(future.result().unwrap());
}

#[test]
fn cancelled_coroutine_runs_on_and_its_exception_is_reported() {
    let reports = Reports::new();
    let ran = Rc::new(Cell::new(false));
    let runs = ran.clone();
    let returns = coroutine(|co| async move {
        co.yield_(moment()).await?;
        runs.set(true);
        Ok(5)
    });
    let raises = coroutine(|co| async move {
        co.yield_(moment()).await?;
        Err::<i32, _>(ZeroDivision)?;
        Ok(5)
    });
    assert!(returns.cancel() && raises.cancel());
    drain();
    assert!(ran.get() && returns.cancelled() && raises.cancelled());
    assert_eq!(reports.take(), ["AfterCancel: division by zero"]);
}

/// A yieldable type that cannot be waited for.
struct Bogus;

impl Yieldable<marker::Custom> for Bogus {
    type Output = ();

    fn convert_yielded(self) -> Result<Future<()>> {
        Err(Error::BadYield("bogus".into()).into())
    }
}

#[test]
fn bad_yield_is_raised_in_the_body_at_that_yield() {
    let future = coroutine(|co| async move {
        let raised = co.yield_(Bogus).await.unwrap_err();
        assert!(matches!(raised.downcast_ref(), Some(Error::BadYield(_))));
        assert_eq!(raised.to_string(), "yielded unknown object bogus");
        co.yield_(Future::ready(5)).await
    });
    assert!(ReadyQueue::current().is_empty());
    assert_eq!(future.result().unwrap(), 5);
}

#[test]
fn result_is_moved_to_the_last_handle_and_copied_to_those_before() {
    #[derive(Debug, PartialEq)]
    struct Once(i32);
    let moved = Future::ready(Once(5));
    assert_eq!(moved.with_value(|once| once.0), Some(5));
    assert_eq!(moved.into_result().unwrap(), Once(5));

    let copies = Rc::new(());
    let future = Future::ready(copies.clone());
    let other = future.clone();
    let first = coroutine(|co| async move { co.yield_(future).await });
    assert_eq!(Rc::strong_count(&copies), 3, "one in the Future, one in the coroutine's");
    drop(first);
    let second = coroutine(|co| async move { co.yield_(other).await });
    assert_eq!(Rc::strong_count(&copies), 2, "it was moved");
    drop(second);
    assert_eq!(Rc::strong_count(&copies), 1);
}

#[test]
fn debug_forms_say_what_it_is() {
    let future = Future::<i32>::new();
    let promise = future.promise();
    let mut text = String::new();
    write!(text, "{future:?} {promise:?}").unwrap();
    promise.set_result(5);
    write!(text, " {future:?}").unwrap();
    write!(text, " {:?}", future.erase()).unwrap();
    assert_eq!(text, "Future(Pending) Promise { .. } Future(Done) Future(Done)");
}
