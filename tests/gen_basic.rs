//! Coroutines and what they yield: counterparts of Tornado's `GenBasicTest`, `WithTimeoutTest` and `ChainFutureTest`.

mod reports;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use reports::reported;
use squall::testing::VirtualClock;
use squall::trace::Problem;
use squall::{
    chain_future, marker, moment, multi, multi_quiet, with_timeout, Error, Exception, Future, IoLoop, Result,
    Return, Yieldable,
};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
struct RuntimeError(&'static str);

#[derive(Debug, thiserror::Error)]
#[error("division by zero")]
struct ZeroDivision;

fn virtual_loop() -> IoLoop {
    IoLoop::with_clock(VirtualClock::new())
}

/// Returns `arg` after a number of turns of the loop.
#[squall::coroutine]
fn delay<T: 'static>(iterations: u32, arg: T) -> Result<T> {
    for _ in 0..iterations {
        yield_!(moment())?;
    }
    Ok(arg)
}

#[squall::coroutine]
fn async_future<T: 'static>(result: T) -> Result<T> {
    yield_!(moment())?;
    Ok(result)
}

#[squall::coroutine]
fn async_exception(message: &'static str) -> Result<i32> {
    yield_!(moment())?;
    Err(RuntimeError(message))?
}

#[squall::coroutine]
fn add_one_async(x: i32) -> Result<i32> {
    yield_!(moment())?;
    Err(Return(x + 1))?
}

// Tornado: gen_test.GenBasicTest.test_no_yield
#[test]
fn coroutine_without_a_yield_is_done_when_it_is_called() {
    #[squall::coroutine]
    fn f() -> Result<()> {
        Ok(())
    }
    assert!(f().done());
    virtual_loop().run_sync(f).unwrap();
}

// Tornado: gen_test.GenBasicTest.test_exception_phase1
#[test]
fn exception_before_the_first_yield_is_raised_by_run_sync() {
    #[squall::coroutine]
    fn f() -> Result<()> {
        Err(ZeroDivision)?
    }
    assert!(virtual_loop().run_sync(f).unwrap_err().is::<ZeroDivision>());
}

// Tornado: gen_test.GenBasicTest.test_exception_phase2
#[test]
fn exception_after_a_yield_is_raised_by_run_sync() {
    #[squall::coroutine]
    fn f() -> Result<()> {
        yield_!(moment())?;
        Err(ZeroDivision)?
    }
    assert!(virtual_loop().run_sync(f).unwrap_err().is::<ZeroDivision>());
}

/// A yieldable type whose conversion fails.
struct Bogus;

impl Yieldable<marker::Custom> for Bogus {
    type Output = ();

    fn convert_yielded(self) -> Result<Future<()>> {
        Err(Error::BadYield("Bogus".to_owned()).into())
    }
}

// Tornado: gen_test.GenBasicTest.test_bogus_yield
#[test]
fn bogus_yield_raises_bad_yield_inside_the_generator() {
    #[squall::coroutine]
    fn f() -> Result<&'static str> {
        match yield_!(Bogus) {
            Err(e) if matches!(e.downcast_ref(), Some(Error::BadYield(_))) => Ok("caught at the yield"),
            other => other.map(|()| "went on"),
        }
    }
    assert_eq!(virtual_loop().run_sync(f).unwrap(), "caught at the yield");
}

// Tornado: gen_test.GenBasicTest.test_bogus_yield_tuple
#[test]
fn bogus_member_of_a_tuple_raises_bad_yield() {
    #[squall::coroutine]
    fn f() -> Result<()> {
        yield_!((Bogus, Bogus))?;
        Ok(())
    }
    let e = virtual_loop().run_sync(f).unwrap_err();
    assert_eq!(e.downcast_ref(), Some(&Error::BadYield("Bogus".to_owned())));
}

// Tornado: gen_test.GenBasicTest.test_reuse
#[test]
fn coroutine_function_is_called_twice() {
    #[squall::coroutine]
    fn f() -> Result<()> {
        yield_!(moment())
    }
    let io_loop = virtual_loop();
    io_loop.run_sync(f).unwrap();
    io_loop.run_sync(f).unwrap();
}

// Tornado: gen_test.GenBasicTest.test_none
#[test]
fn yielding_nothing_lets_the_loop_turn() {
    #[squall::coroutine]
    fn f() -> Result<()> {
        yield_!(())
    }
    virtual_loop().run_sync(f).unwrap();
}

// Tornado: gen_test.GenBasicTest.test_multi
#[test]
fn yielded_list_returns_the_list_of_results() {
    #[squall::coroutine]
    fn f() -> Result<()> {
        let results = yield_!([add_one_async(1), add_one_async(2)])?;
        assert_eq!(results, [2, 3]);
        Ok(())
    }
    virtual_loop().run_sync(f).unwrap();
}

// Tornado: gen_test.GenBasicTest.test_multi_dict
#[test]
fn yielded_map_returns_the_map_of_results() {
    #[squall::coroutine]
    fn f() -> Result<()> {
        let results = yield_!(HashMap::from([("foo", add_one_async(1)), ("bar", add_one_async(2))]))?;
        assert_eq!(results, HashMap::from([("foo", 2), ("bar", 3)]));
        Ok(())
    }
    virtual_loop().run_sync(f).unwrap();
}

// Tornado: gen_test.GenBasicTest.test_multi_delayed
#[test]
fn results_of_a_list_stay_in_its_order_whichever_ends_first() {
    #[squall::coroutine]
    fn f() -> Result<()> {
        let responses = yield_!(multi([delay(3, "v1"), delay(1, "v2")]))?;
        assert_eq!(responses, ["v1", "v2"]);
        Ok(())
    }
    virtual_loop().run_sync(f).unwrap();
}

// Tornado: gen_test.GenBasicTest.test_multi_dict_delayed
#[test]
fn results_of_a_map_stay_with_their_keys_whichever_ends_first() {
    #[squall::coroutine]
    fn f() -> Result<()> {
        let responses = yield_!(multi(BTreeMap::from([("foo", delay(3, "v1")), ("bar", delay(1, "v2"))])))?;
        assert_eq!(responses, BTreeMap::from([("foo", "v1"), ("bar", "v2")]));
        Ok(())
    }
    virtual_loop().run_sync(f).unwrap();
}

// Tornado: gen_test.GenBasicTest.test_multi_performance
#[test]
fn list_of_two_thousand_moments_costs_one_turn() {
    let io_loop = virtual_loop();
    let turns = turns_of(&io_loop, || multi((0..2000).map(|_| moment()).collect::<Vec<_>>()));
    assert_eq!(turns, turns_of(&io_loop, || multi([moment()])));
}

/// Returns how many turns of the loop `run_sync` takes.
fn turns_of<M, Y: Yieldable<M>>(io_loop: &IoLoop, f: impl FnOnce() -> Y) -> u32 {
    use squall::trace::{observe, Event, Observer};
    use std::cell::Cell;
    #[derive(Default)]
    struct Turns(Cell<u32>);
    impl Observer for Turns {
        fn event(&self, event: &Event<'_>) {
            if matches!(event, Event::Turn { .. }) {
                self.0.set(self.0.get() + 1);
            }
        }
    }
    let turns = std::rc::Rc::new(Turns::default());
    let observing = observe(turns.clone());
    io_loop.run_sync(f).unwrap();
    drop(observing);
    turns.0.get()
}

// Tornado: gen_test.GenBasicTest.test_multi_empty
#[test]
fn empty_list_and_empty_map_return_the_same() {
    #[squall::coroutine]
    fn f() -> Result<()> {
        let list: Vec<i32> = yield_!(Vec::<Future<i32>>::new())?;
        assert!(list.is_empty());
        let map: BTreeMap<u8, i32> = yield_!(BTreeMap::<u8, Future<i32>>::new())?;
        assert!(map.is_empty());
        Ok(())
    }
    virtual_loop().run_sync(f).unwrap();
}

// Tornado: gen_test.GenBasicTest.test_future
#[test]
fn yielded_future_returns_its_result() {
    #[squall::coroutine]
    fn f() -> Result<i32> {
        yield_!(async_future(1))
    }
    assert_eq!(virtual_loop().run_sync(f).unwrap(), 1);
}

// Tornado: gen_test.GenBasicTest.test_multi_future
#[test]
fn yielded_vec_of_futures_returns_a_vec() {
    #[squall::coroutine]
    fn f() -> Result<Vec<i32>> {
        yield_!(vec![async_future(1), async_future(2)])
    }
    assert_eq!(virtual_loop().run_sync(f).unwrap(), [1, 2]);
}

// Tornado: gen_test.GenBasicTest.test_multi_future_duplicate
#[test]
fn future_that_is_twice_in_a_list_returns_its_result_twice() {
    #[squall::coroutine]
    fn f() -> Result<()> {
        let twice = async_future(2);
        let results = yield_!([async_future(1), twice.clone(), async_future(3), twice])?;
        assert_eq!(results, [1, 2, 3, 2]);
        Ok(())
    }
    virtual_loop().run_sync(f).unwrap();
}

// Tornado: gen_test.GenBasicTest.test_multi_dict_future
#[test]
fn yielded_map_of_futures_returns_a_map() {
    #[squall::coroutine]
    fn f() -> Result<BTreeMap<&'static str, i32>> {
        yield_!(BTreeMap::from([("foo", async_future(1)), ("bar", async_future(2))]))
    }
    assert_eq!(virtual_loop().run_sync(f).unwrap(), BTreeMap::from([("foo", 1), ("bar", 2)]));
}

// Tornado: gen_test.GenBasicTest.test_multi_exceptions
#[test]
fn multi_raises_the_first_exception_and_logs_the_others() {
    let io_loop = virtual_loop();
    let (result, logged) =
        reported(|| io_loop.run_sync(|| multi([async_exception("error 1"), async_exception("error 2")])));
    assert_eq!(result.unwrap_err().downcast_ref(), Some(&RuntimeError("error 1")));
    assert_eq!(logged, [(Problem::Multiple, "error 2".to_owned())]);

    // With only one exception nothing is logged.
    let (result, logged) =
        reported(|| io_loop.run_sync(|| multi([async_exception("error 1"), async_future(2)])));
    assert!(result.is_err() && logged.is_empty());

    // Quiet exceptions are not logged either.
    let (result, logged) = reported(|| {
        io_loop.run_sync(|| {
            multi_quiet(
                [async_exception("error 1"), async_exception("error 2")],
                Exception::is::<RuntimeError>,
            )
        })
    });
    assert!(result.is_err() && logged.is_empty());
}

// Tornado: gen_test.GenBasicTest.test_multi_future_exceptions
#[test]
fn yielded_list_raises_the_first_exception_and_logs_the_others() {
    #[squall::coroutine]
    fn both() -> Result<()> {
        yield_!([async_exception("error 1"), async_exception("error 2")])?;
        Ok(())
    }
    #[squall::coroutine]
    fn one() -> Result<()> {
        yield_!([async_exception("error 1"), async_future(2)])?;
        Ok(())
    }
    let io_loop = virtual_loop();
    let (result, logged) = reported(|| io_loop.run_sync(both));
    assert_eq!(result.unwrap_err().downcast_ref(), Some(&RuntimeError("error 1")));
    assert_eq!(logged, [(Problem::Multiple, "error 2".to_owned())]);
    let (result, logged) = reported(|| io_loop.run_sync(one));
    assert!(result.is_err() && logged.is_empty());
}

#[squall::coroutine]
fn sync_raise_return<T: Clone + Send + Sync + 'static>(value: T) -> Result<T> {
    Err(Return(value))?
}

#[squall::coroutine]
fn async_raise_return<T: Clone + Send + Sync + 'static>(value: T) -> Result<T> {
    yield_!(moment())?;
    Err(Return(value))?
}

// Tornado: gen_test.GenBasicTest.test_sync_raise_return
// Tornado: gen_test.GenBasicTest.test_sync_raise_return_value
// Tornado: gen_test.GenBasicTest.test_sync_raise_return_value_tuple
#[test]
fn return_raised_before_a_yield_is_the_result() {
    let io_loop = virtual_loop();
    io_loop.run_sync(|| sync_raise_return(())).unwrap();
    assert_eq!(io_loop.run_sync(|| sync_raise_return(42)).unwrap(), 42);
    assert_eq!(io_loop.run_sync(|| sync_raise_return((1, 2))).unwrap(), (1, 2));
}

// Tornado: gen_test.GenBasicTest.test_async_raise_return
// Tornado: gen_test.GenBasicTest.test_async_raise_return_value
// Tornado: gen_test.GenBasicTest.test_async_raise_return_value_tuple
#[test]
fn return_raised_after_a_yield_is_the_result() {
    let io_loop = virtual_loop();
    io_loop.run_sync(|| async_raise_return(())).unwrap();
    assert_eq!(io_loop.run_sync(|| async_raise_return(42)).unwrap(), 42);
    assert_eq!(io_loop.run_sync(|| async_raise_return((1, 2))).unwrap(), (1, 2));
}

const HOUR: Duration = Duration::from_secs(3600);
const TENTH: Duration = Duration::from_millis(100);

// Tornado: gen_test.WithTimeoutTest.test_timeout
#[test]
fn future_that_is_not_done_in_time_raises_timeout() {
    let never = Future::<()>::new();
    let _promise = never.promise();
    let e = virtual_loop().run_sync(|| with_timeout(TENTH, never)).unwrap_err();
    assert_eq!(e.downcast_ref(), Some(&Error::Timeout));
}

// Tornado: gen_test.WithTimeoutTest.test_completes_before_timeout
#[test]
fn future_that_is_done_in_time_returns_its_result() {
    let io_loop = virtual_loop();
    let future = Future::new();
    let promise = future.promise();
    io_loop.call_later(TENTH, move || promise.set_result("asdf"));
    assert_eq!(io_loop.run_sync(|| with_timeout(HOUR, future)).unwrap(), "asdf");
    assert_eq!(io_loop.time(), TENTH);
}

// Tornado: gen_test.WithTimeoutTest.test_fails_before_timeout
#[test]
fn future_that_fails_in_time_raises_its_exception() {
    let io_loop = virtual_loop();
    let future = Future::<()>::new();
    let promise = future.promise();
    io_loop.call_later(TENTH, move || promise.set_exception(ZeroDivision));
    assert!(io_loop.run_sync(|| with_timeout(HOUR, future)).unwrap_err().is::<ZeroDivision>());
}

// Tornado: gen_test.WithTimeoutTest.test_already_resolved
#[test]
fn future_that_is_done_already_is_not_waited_for() {
    let io_loop = virtual_loop();
    assert_eq!(io_loop.run_sync(|| with_timeout(HOUR, Future::ready("asdf"))).unwrap(), "asdf");
    assert_eq!(io_loop.time(), Duration::ZERO);
}

// Tornado: concurrent_test.MiscFutureTest.test_future_set_result_unless_cancelled
#[test]
fn result_set_on_a_cancelled_future_is_dropped() {
    let future = Future::new();
    future.promise().set_result(42);
    assert_eq!(future.result().unwrap(), 42);
    assert!(!future.cancelled());

    let future = Future::new();
    let promise = future.promise();
    assert!(future.cancel());
    promise.set_result(42);
    assert!(future.cancelled());
    assert_eq!(future.result().unwrap_err().downcast_ref(), Some(&Error::Cancelled));
}

// Tornado: concurrent_test.ChainFutureTest.test_asyncio_futures
// Tornado: concurrent_test.ChainFutureTest.test_concurrent_futures
#[test]
fn chained_futures_are_resolved_one_after_the_other() {
    let (first, second, third) = (Future::new(), Future::new(), Future::new());
    let promise = first.promise();
    let io_loop = virtual_loop();
    let here = io_loop.make_current();
    chain_future(first, second.promise());
    chain_future(second, third.promise());
    promise.set_result(42);
    drop(here);
    assert_eq!(io_loop.run_sync(|| third).unwrap(), 42);
}

#[test]
fn chained_future_that_was_resolved_meanwhile_keeps_its_result() {
    let (a, b) = (Future::new(), Future::new());
    let (resolve_a, resolve_b) = (a.promise(), b.promise());
    let io_loop = virtual_loop();
    let here = io_loop.make_current();
    chain_future(a, b.promise());
    resolve_b.set_result(1);
    resolve_a.set_result(2);
    drop(here);
    io_loop.run_sync(|| ()).unwrap();
    assert_eq!(b.result().unwrap(), 1);
}

#[test]
fn chained_exception_is_raised_by_the_other() {
    let b = Future::<()>::new();
    chain_future(Future::failed(Exception::from(ZeroDivision)), b.promise());
    assert!(b.result().unwrap_err().is::<ZeroDivision>());
}
