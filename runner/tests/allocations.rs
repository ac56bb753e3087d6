//! The heap allocations of each step. ARCHITECTURE.md states these numbers, and this test keeps them true.

use std::alloc::System;

use squall_runner::ready::ReadyQueue;
use squall_runner::runner::{call, call_plain};
use squall_runner::{convert_yielded, coroutine, moment, Coroutine, Exception, Future, Promise};
use stats_alloc::{Region, Stats, StatsAlloc, INSTRUMENTED_SYSTEM};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

static NAMED: Coroutine = Coroutine::new("named", file!(), line!());

fn drain() {
    while let Some(callback) = ReadyQueue::current().pop() {
        callback.run();
    }
}

/// Measures what `f` does to the heap. The first run makes what is made once for a thread. The test harness may still
/// be writing down that the test has begun, so the least of a few runs counts.
fn heap<R>(mut f: impl FnMut() -> R) -> Stats {
    drop(f());
    let runs = (0..5).map(|_| {
        let region = Region::new(COUNTING);
        let kept = f();
        let change = region.change();
        drop(kept);
        change
    });
    runs.min_by_key(|stats| stats.allocations + stats.deallocations + stats.reallocations).unwrap()
}

/// Counts the allocations of `f`, before its result is dropped.
fn allocations<R>(f: impl FnMut() -> R) -> usize {
    let stats = heap(f);
    stats.allocations + stats.reallocations
}

/// One test, since the harness allocates when a test ends while others run.
#[test]
fn each_step_costs_what_is_written_down() {
    call_of_a_function_that_does_not_yield_allocates_its_future();
    call_of_a_body_that_ends_without_waiting_allocates_future_body_and_channel();
    call_of_a_body_that_waits_allocates_as_much();
    yield_of_a_done_future_allocates_nothing_but_the_future();
    moment_allocates_nothing();
    yield_of_a_pending_future_allocates_nothing_but_the_future();
    native_allocates_body_task_and_waker();
    coroutine_that_waits_for_its_own_future_costs_so_many_bytes();
    coroutines_leave_nothing_on_the_heap();
}

fn call_of_a_function_that_does_not_yield_allocates_its_future() {
    assert_eq!(allocations(|| call_plain(&NAMED, || Ok(5))), 1);
}

fn call_of_a_body_that_ends_without_waiting_allocates_future_body_and_channel() {
    assert_eq!(allocations(|| call(&NAMED, |_co| async move { Ok(5) })), 3);
}

fn call_of_a_body_that_waits_allocates_as_much() {
    let future = Future::<i32>::new();
    let _promise = future.promise();
    let wait = || {
        let future = future.clone();
        coroutine(|co| async move { co.yield_(future).await })
    };
    // The list of those that wait is made by the first, and given up with it.
    let one = allocations(|| (GiveUp, wait()));
    assert_eq!(allocations(|| (GiveUp, wait(), wait())) - one, 3);
}

/// How often a body allocates between two points, the loop turning as often as it has to.
fn in_a_body(yields: usize, each: fn(&squall_runner::Co, usize) -> YieldOne<'_>) -> usize {
    allocations(|| {
        let future = coroutine(move |co| async move {
            for n in 0..yields {
                each(&co, n).await?;
            }
            Ok(())
        });
        drain();
        assert!(future.done());
        future
    })
}

type YieldOne<'a> = std::pin::Pin<Box<dyn std::future::Future<Output = Result<(), Exception>> + 'a>>;

fn yield_of_a_done_future_allocates_nothing_but_the_future() {
    // Each way to yield is boxed here, and each Future made: two for each yield.
    let each = |yields| {
        in_a_body(yields, |co, n| Box::pin(async move { co.yield_(Future::ready(n)).await.map(drop) }))
    };
    assert_eq!(each(110) - each(10), 200);
}

fn moment_allocates_nothing() {
    let moments = |yields| in_a_body(yields, |co, _| Box::pin(async move { co.yield_(moment()).await }));
    assert_eq!(moments(110) - moments(10), 100);
    let units = |yields| in_a_body(yields, |co, _| Box::pin(async move { co.yield_(()).await }));
    assert_eq!(units(110) - units(10), 100);
}

fn yield_of_a_pending_future_allocates_nothing_but_the_future() {
    // The one that waits, and one that resolves what it waits for, turn by turn.
    let rounds = |rounds: usize| {
        let waits = |n: usize| {
            coroutine(move |co| async move {
                for _ in 0..n {
                    let future = Future::new();
                    let promise: Promise<()> = future.promise();
                    ReadyQueue::current().push(NOW.with(Clone::clone));
                    PROMISE.set(Some(promise));
                    co.yield_(future).await?;
                }
                Ok(())
            })
        };
        allocations(|| {
            let future = waits(rounds);
            drain();
            assert!(future.done());
            future
        })
    };
    assert_eq!(rounds(110) - rounds(10), 100);
}

struct Resolve;

impl squall_runner::ready::Run for Resolve {
    fn run(self: std::rc::Rc<Self>) {
        if let Some(promise) = PROMISE.take() {
            promise.set_result(());
        }
    }
}

impl squall_runner::ready::Withdraw for Resolve {}

thread_local! {
    static NOW: std::rc::Rc<Resolve> = std::rc::Rc::new(Resolve);
    static PROMISE: std::cell::Cell<Option<Promise<()>>> = const { std::cell::Cell::new(None) };
}

fn native_allocates_body_task_and_waker() {
    let native = || convert_yielded(async { Ok::<_, Exception>(5) }).unwrap();
    let spawned = allocations(|| {
        let future = native();
        drain();
        future
    });
    assert_eq!(spawned, 3);
}

fn coroutine_that_waits_for_its_own_future_costs_so_many_bytes() {
    const MANY: usize = 100_000;
    let stats = heap(|| {
        let mut promises = Vec::with_capacity(MANY);
        let mut coroutines = Vec::with_capacity(MANY);
        for _ in 0..MANY {
            let future = Future::<usize>::new();
            promises.push(future.promise());
            coroutines.push(coroutine(|co| async move { co.yield_(future).await }));
        }
        (GiveUp, promises, coroutines)
    });
    let handles = MANY * (size_of::<Promise<usize>>() + size_of::<Future<usize>>());
    let bytes = stats.bytes_allocated - stats.bytes_deallocated - handles;
    println!("{} bytes, {} allocations", bytes / MANY, (stats.allocations - stats.deallocations) / MANY);
    assert!(bytes <= 290 * MANY, "{} bytes", bytes / MANY);
    assert_eq!((stats.allocations - stats.deallocations) / MANY, 4);
}

/// Abandons the loop when it is dropped, before what is held beside it.
struct GiveUp;

impl Drop for GiveUp {
    fn drop(&mut self) {
        ReadyQueue::current().abandon();
    }
}

/// Returns how many bytes `f` leaves on the heap.
fn left(f: impl FnMut()) -> usize {
    let stats = heap(f);
    stats.bytes_allocated.abs_diff(stats.bytes_deallocated)
}

fn coroutines_leave_nothing_on_the_heap() {
    const MANY: usize = 10_000;
    let finished =
        || (0..MANY).for_each(|_| drop(coroutine(|co| async move { co.yield_(Future::ready(5)).await })));
    assert_eq!(left(finished), 0);
    let forgotten = || {
        (0..MANY).for_each(|_| drop(coroutine(|co| async move { co.yield_(moment()).await })));
        drain();
    };
    assert_eq!(left(forgotten), 0);
    let failed = || {
        for _ in 0..MANY {
            let failed = coroutine(|co| async move {
                co.yield_(moment()).await?;
                Err::<(), _>(Exception::msg("no"))
            });
            drain();
            drop(failed.exception());
        }
    };
    assert_eq!(left(failed), 0);
    let given_up = || {
        for _ in 0..MANY {
            drop(coroutine(|co| async move { co.yield_(Future::<()>::new()).await }));
            drop(convert_yielded(async { Future::<()>::new().await }));
        }
        drain();
        ReadyQueue::current().abandon();
    };
    assert_eq!(left(given_up), 0);
}
