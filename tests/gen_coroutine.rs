//! How a coroutine ends, what it catches, what runs meanwhile: a counterpart of Tornado's `GenCoroutineTest`.

use std::cell::{Cell, RefCell};
use std::future::Future as StdFuture;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use squall::testing::VirtualClock;
use squall::{moment, sleep, with_timeout, Exception, Future, IoLoop, Result, Return};

#[derive(Debug, thiserror::Error)]
#[error("division by zero")]
struct ZeroDivision;

#[derive(Debug, thiserror::Error)]
#[error("no such key")]
struct KeyError;

fn virtual_loop() -> IoLoop {
    IoLoop::with_clock(VirtualClock::new())
}

#[squall::coroutine]
fn async_return(value: i32) -> Result<i32> {
    yield_!(moment())?;
    Ok(value)
}

#[squall::coroutine]
fn sync_raise() -> Result<i32> {
    Err(ZeroDivision)?
}

// Tornado: gen_test.GenCoroutineTest.test_attributes
#[test]
fn coroutine_keeps_its_name() {
    let e = sync_raise().exception().unwrap();
    assert_eq!(e.traceback()[0].name, "sync_raise");
    assert_eq!(e.traceback()[0].place.file(), file!());
}

// Tornado: gen_test.GenCoroutineTest.test_sync_gen_return
// Tornado: gen_test.GenCoroutineTest.test_sync_return
#[test]
fn coroutine_that_returns_without_a_yield_resolves_to_its_value() {
    #[squall::coroutine]
    fn raised() -> Result<i32> {
        Err(Return(42))?
    }
    #[squall::coroutine]
    fn returned() -> Result<i32> {
        Ok(42)
    }
    #[squall::coroutine]
    fn both() -> Result<()> {
        assert_eq!(yield_!(raised())?, 42);
        assert_eq!(yield_!(returned())?, 42);
        Ok(())
    }
    virtual_loop().run_sync(both).unwrap();
}

// Tornado: gen_test.GenCoroutineTest.test_async_gen_return
// Tornado: gen_test.GenCoroutineTest.test_async_return
#[test]
fn coroutine_that_returns_after_a_yield_resolves_to_its_value() {
    #[squall::coroutine]
    fn raised() -> Result<i32> {
        yield_!(moment())?;
        Err(Return(42))?
    }
    #[squall::coroutine]
    fn both() -> Result<()> {
        assert_eq!(yield_!(raised())?, 42);
        assert_eq!(yield_!(async_return(42))?, 42);
        Ok(())
    }
    virtual_loop().run_sync(both).unwrap();
}

// Tornado: gen_test.GenCoroutineTest.test_async_early_return
#[test]
fn coroutine_that_returns_before_its_yield_resolves_to_its_value() {
    #[squall::coroutine]
    fn f(early: bool) -> Result<i32> {
        if early {
            return Ok(42);
        }
        yield_!(moment())?;
        Ok(0)
    }
    assert_eq!(f(true).result().unwrap(), 42);
    assert!(!f(false).done());
}

// Tornado: gen_test.GenCoroutineTest.test_async_await
#[test]
fn native_coroutine_awaits_a_coroutine_and_is_yielded_by_one() {
    async fn native() -> Result<i32> {
        async_return(42).await
    }
    #[squall::coroutine]
    fn f() -> Result<i32> {
        yield_!(native())
    }
    assert_eq!(virtual_loop().run_sync(f).unwrap(), 42);
}

// Tornado: gen_test.GenCoroutineTest.test_asyncio_sleep_zero
#[test]
fn native_coroutine_awaits_a_moment() {
    let io_loop = virtual_loop();
    let seen = Rc::new(Cell::new(false));
    let (callback, after) = (seen.clone(), seen.clone());
    io_loop
        .run_sync(|| async move {
            IoLoop::current().add_callback(move || callback.set(true));
            moment().await?;
            assert!(after.get());
            Ok::<_, Exception>(42)
        })
        .unwrap();
    assert!(seen.get());
}

// Tornado: gen_test.GenCoroutineTest.test_async_await_mixed_multi_native_future
#[test]
fn tuple_of_a_native_and_a_yielding_coroutine_returns_both_results() {
    async fn native() -> Result<i32> {
        async_return(0).await?;
        Ok(42)
    }
    #[squall::coroutine]
    fn f() -> Result<(i32, i32)> {
        yield_!((native(), async_return(43)))
    }
    assert_eq!(virtual_loop().run_sync(f).unwrap(), (42, 43));
}

// Tornado: gen_test.GenCoroutineTest.test_async_with_timeout
#[test]
fn with_timeout_starts_a_native_coroutine() {
    let io_loop = virtual_loop();
    let f = || with_timeout(Duration::from_secs(3600), async { Ok::<_, Exception>(42) });
    assert_eq!(io_loop.run_sync(f).unwrap(), 42);
    assert_eq!(io_loop.time(), Duration::ZERO);
}

// Tornado: gen_test.GenCoroutineTest.test_sync_return_no_value
// Tornado: gen_test.GenCoroutineTest.test_async_return_no_value
#[test]
fn coroutine_without_a_value_returns_unit() {
    #[squall::coroutine]
    fn f(wait: bool) -> Result<()> {
        if wait {
            yield_!(moment())?;
        }
        Ok(())
    }
    assert_eq!(f(false).result().unwrap(), ());
    virtual_loop().run_sync(|| f(true)).unwrap();
}

// Tornado: gen_test.GenCoroutineTest.test_sync_raise
// Tornado: gen_test.GenCoroutineTest.test_async_raise
#[test]
fn exception_is_raised_where_the_future_is_yielded_not_where_the_coroutine_is_called() {
    #[squall::coroutine]
    fn async_raise() -> Result<i32> {
        yield_!(moment())?;
        Err(ZeroDivision)?
    }
    #[squall::coroutine]
    fn f(future: Future<i32>) -> Result<bool> {
        Ok(yield_!(future).unwrap_err().is::<ZeroDivision>())
    }
    let io_loop = virtual_loop();
    let future = sync_raise();
    assert!(io_loop.run_sync(|| f(future)).unwrap());
    assert!(io_loop.run_sync(|| f(async_raise())).unwrap());
}

// Tornado: gen_test.GenCoroutineTest.test_replace_yieldpoint_exception
#[test]
fn caught_exception_is_replaced_by_another() {
    #[squall::coroutine]
    fn f() -> Result<i32> {
        match yield_!(sync_raise()) {
            Err(e) if e.is::<ZeroDivision>() => Err(KeyError)?,
            other => other,
        }
    }
    assert!(virtual_loop().run_sync(f).unwrap_err().is::<KeyError>());
}

// Tornado: gen_test.GenCoroutineTest.test_swallow_yieldpoint_exception
#[test]
fn caught_exception_is_swallowed() {
    #[squall::coroutine]
    fn f() -> Result<i32> {
        match yield_!(sync_raise()) {
            Err(e) if e.is::<ZeroDivision>() => Err(Return(42))?,
            other => other,
        }
    }
    assert_eq!(virtual_loop().run_sync(f).unwrap(), 42);
}

// Tornado: gen_test.GenCoroutineTest.test_moment
#[test]
fn done_futures_monopolise_the_loop_and_moments_take_turns() {
    type Calls = Rc<RefCell<String>>;
    #[squall::coroutine]
    fn immediate(calls: Calls, name: char) -> Result<()> {
        for _ in 0..5 {
            calls.borrow_mut().push(name);
            yield_!(Future::ready(()))?;
        }
        Ok(())
    }
    #[squall::coroutine]
    fn moments(calls: Calls, name: char) -> Result<()> {
        for _ in 0..5 {
            calls.borrow_mut().push(name);
            yield_!(moment())?;
        }
        Ok(())
    }
    #[squall::coroutine]
    fn f(calls: Calls) -> Result<()> {
        yield_!([immediate(calls.clone(), 'a'), immediate(calls.clone(), 'b')])?;
        assert_eq!(calls.take(), "aaaaabbbbb");
        yield_!([moments(calls.clone(), 'a'), moments(calls.clone(), 'b')])?;
        assert_eq!(calls.take(), "ababababab");
        yield_!([moments(calls.clone(), 'a'), immediate(calls.clone(), 'b')])?;
        assert_eq!(calls.take(), "abbbbbaaaa");
        Ok(())
    }
    virtual_loop().run_sync(|| f(Rc::default())).unwrap();
}

// Tornado: gen_test.GenCoroutineTest.test_sleep
#[test]
fn sleep_takes_its_time() {
    #[squall::coroutine]
    fn f() -> Result<()> {
        yield_!(sleep(Duration::from_millis(10)))
    }
    let io_loop = virtual_loop();
    io_loop.run_sync(f).unwrap();
    assert_eq!(io_loop.time(), Duration::from_millis(10));
}

/// Counts when it is dropped.
struct Dropped(Rc<Cell<u32>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

// Tornado: gen_test.GenCoroutineTest.test_coroutine_refcounting
#[test]
fn what_a_coroutine_holds_is_dropped_as_it_raises() {
    #[squall::coroutine]
    fn inner(local: Dropped) -> Result<()> {
        yield_!(async_return(1))?;
        let _local = &local;
        Err(ZeroDivision)?
    }
    #[squall::coroutine]
    fn outer(dropped: Rc<Cell<u32>>) -> Result<()> {
        let future = inner(Dropped(dropped.clone()));
        assert_eq!(dropped.get(), 0);
        assert!(yield_!(future).is_err());
        assert_eq!(dropped.get(), 1);
        Ok(())
    }
    virtual_loop().run_sync(|| outer(Rc::default())).unwrap();
}

// Tornado: gen_test.GenCoroutineTest.test_asyncio_gather
#[test]
fn std_future_that_polls_several_of_ours_can_be_yielded() {
    /// Polls like `join!` of another library, with a waker of its own or without.
    async fn gather(a: Future<i32>, b: Future<i32>) -> Result<[i32; 2]> {
        let (mut a, mut b) = (pin!(a), pin!(b));
        let (mut first, mut second) = (None, None);
        std::future::poll_fn(move |cx| {
            if first.is_none() {
                if let Poll::Ready(result) = a.as_mut().poll(cx) {
                    first = Some(result);
                }
            }
            if second.is_none() {
                if let Poll::Ready(result) = b.as_mut().poll(cx) {
                    second = Some(result);
                }
            }
            match (first.take(), second.take()) {
                (Some(a), Some(b)) => Poll::Ready(a.and_then(|a| Ok([a, b?]))),
                (a, b) => {
                    (first, second) = (a, b);
                    Poll::Pending
                }
            }
        })
        .await
    }
    #[squall::coroutine]
    fn f() -> Result<[i32; 2]> {
        yield_!(gather(async_return(1), async_return(1)))
    }
    assert_eq!(virtual_loop().run_sync(f).unwrap(), [1, 1]);
}

// Tornado: gen_test.RunnerGCTest.test_gc
#[test]
fn coroutine_lives_as_long_as_what_it_waits_for() {
    #[squall::coroutine]
    fn tester() -> Result<i32> {
        let future = Future::new();
        let promise = future.promise();
        IoLoop::current().add_callback(move || promise.set_result(123));
        yield_!(future)
    }
    let f = || with_timeout(Duration::from_millis(200), tester());
    assert_eq!(virtual_loop().run_sync(f).unwrap(), 123);
}

// Tornado: gen_test.RunnerGCTest.test_gc_infinite_coro
#[test]
fn suspended_coroutine_is_dropped_with_its_loop_even_if_it_holds_its_own_future() {
    #[squall::coroutine]
    fn infinite(own: Rc<RefCell<Option<Future<()>>>>, ticks: Rc<Cell<u32>>, end: Dropped) -> Result<()> {
        loop {
            yield_!(sleep(Duration::from_millis(1)))?;
            let _holds = (&own, &end);
            ticks.set(ticks.get() + 1);
        }
    }
    #[squall::coroutine]
    fn do_something(ticks: Rc<Cell<u32>>, dropped: Rc<Cell<u32>>) -> Result<()> {
        let own = Rc::new(RefCell::new(None));
        let future = infinite(own.clone(), ticks, Dropped(dropped));
        own.replace(Some(future));
        yield_!(sleep(Duration::from_millis(200)))
    }
    let (ticks, dropped) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let io_loop = virtual_loop();
    io_loop.run_sync(|| do_something(ticks.clone(), dropped.clone())).unwrap();
    assert!(ticks.get() > 100);
    assert_eq!(dropped.get(), 0);
    drop(io_loop);
    assert_eq!(dropped.get(), 1);
}

// Tornado: gen_test.RunnerGCTest.test_gc_infinite_async_await
#[test]
fn suspended_native_coroutine_is_dropped_with_its_loop() {
    async fn infinite(ticks: Rc<Cell<u32>>, end: Dropped) -> Result<()> {
        loop {
            sleep(Duration::from_millis(1)).await?;
            let _holds = &end;
            ticks.set(ticks.get() + 1);
        }
    }
    let (ticks, dropped) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let io_loop = virtual_loop();
    let (count, end) = (ticks.clone(), Dropped(dropped.clone()));
    io_loop.spawn_callback(move || infinite(count, end));
    io_loop.run_sync(|| sleep(Duration::from_millis(200))).unwrap();
    assert!(ticks.get() > 100);
    assert_eq!(dropped.get(), 0);
    io_loop.close();
    assert_eq!(dropped.get(), 1);
}

// Tornado: gen_test.RunnerGCTest.test_multi_moment
#[test]
fn list_of_moments_returns_a_list_of_units() {
    #[squall::coroutine]
    fn wait_a_moment() -> Result<[(); 2]> {
        yield_!([moment(), moment()])
    }
    assert_eq!(virtual_loop().run_sync(wait_a_moment).unwrap(), [(), ()]);
}
