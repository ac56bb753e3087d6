//! A Future that stays pending does not collect waiters that have given it up.

use std::alloc::System;
use std::cell::{Cell, RefCell};
use std::future::Future as _;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use squall::testing::VirtualClock;
use squall::{
    chain_future, coroutine, moment, multi, sleep, with_timeout, with_timeout_quiet, Error, Exception,
    Future, IoLoop, ThreadPoolExecutor, WaitIterator,
};
use squall_runner::trace::{exchange, Event, Observation, Observer, Problem};
use stats_alloc::{Region, StatsAlloc, INSTRUMENTED_SYSTEM};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const HOUR: Duration = Duration::from_secs(3600);

/// Returns the bytes that 30,000 rounds leave behind while a Future stays pending, after the first thousand rounds.
fn kept(round: impl Fn(&Future<()>, &Future<()>) -> Option<Future<()>> + 'static) -> usize {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let here = io_loop.make_current();
    let (shutdown, other) = (Future::<()>::new(), Future::<()>::new());
    let _promises = (shutdown.promise(), other.promise());
    let kept = io_loop.run_sync(|| {
        coroutine(|co| async move {
            let mut region = Region::new(COUNTING);
            for n in 0..30_000 {
                if n == 1000 {
                    region = Region::new(COUNTING);
                }
                match round(&shutdown, &other) {
                    Some(future) => assert!(co.yield_(future).await.is_err()),
                    None if n % 100 == 0 => co.yield_(moment()).await?,
                    None => {}
                }
            }
            let change = region.change();
            Ok(change.bytes_allocated.saturating_sub(change.bytes_deallocated))
        })
    });
    drop(here);
    kept.unwrap()
}

/// One test, since all threads count on the same heap.
#[test]
fn a_future_that_stays_pending_does_not_collect_what_has_given_it_up() {
    let few = 100_000;
    let limited = kept(|shutdown, _| Some(with_timeout(Duration::ZERO, shutdown.clone())));
    assert!(limited < few, "with_timeout: {limited}");
    let chained = kept(|shutdown, _| {
        for limited in [false, true] {
            let target = Future::<()>::new();
            chain_future(shutdown.clone(), target.promise());
            if limited {
                return Some(with_timeout(Duration::ZERO, target));
            }
        }
        None
    });
    assert!(chained < few, "chain_future: {chained}");
    let resolved = kept(|shutdown, _| {
        let target = Future::<()>::new();
        chain_future(shutdown.clone(), target.promise());
        target.promise().set_result(());
        None
    });
    assert!(resolved < few, "chain_future to a Future that is resolved otherwise: {resolved}");
    let turn = Cell::new(false);
    let mixed = kept(move |shutdown, _| {
        let is_first = turn.replace(!turn.get());
        let shutdown = shutdown.clone();
        Some(match is_first {
            true => with_timeout_quiet(Duration::ZERO, shutdown, squall::Exception::is::<Error>),
            false => with_timeout(Duration::ZERO, shutdown),
        })
    });
    assert!(mixed < few, "with_timeout of two kinds by turns: {mixed}");
    let lists = kept(|shutdown, other| {
        let list = with_timeout(Duration::ZERO, [shutdown.clone(), other.clone()]);
        Some(coroutine(|co| async move { co.yield_(list).await.map(drop) }))
    });
    assert!(lists < few, "lists in with_timeout: {lists}");
    let nested = kept(|shutdown, _| Some(with_timeout(Duration::ZERO, with_timeout(HOUR, shutdown.clone()))));
    assert!(nested < few, "with_timeout in with_timeout: {nested}");
    let dropped = kept(|shutdown, other| {
        drop(multi([shutdown.clone(), other.clone()]));
        drop(with_timeout(HOUR, shutdown.clone()));
        None
    });
    assert!(dropped < few, "lists and limits that are dropped: {dropped}");
    let cancelled = kept(|shutdown, _| {
        assert!(with_timeout(HOUR, shutdown.clone()).cancel());
        None
    });
    assert!(cancelled < few, "limits that are cancelled: {cancelled}");
    let iterators = kept(|shutdown, _| {
        drop(WaitIterator::new([shutdown.clone()]).next());
        None
    });
    assert!(iterators < few, "iterators: {iterators}");
    let polled = kept(|shutdown, _| {
        struct Nothing;
        impl Wake for Nothing {
            fn wake(self: Arc<Self>) {}
        }
        let (mut shutdown, waker) = (shutdown.clone(), Waker::from(Arc::new(Nothing)));
        assert!(Pin::new(&mut shutdown).poll(&mut Context::from_waker(&waker)).is_pending());
        None
    });
    assert!(polled < few, "wakers: {polled}");
    let pool = ThreadPoolExecutor::builder(1).queue_limit(1).build();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let (tell, begun) = std::sync::mpsc::channel::<()>();
    let running = pool.submit(move || {
        tell.send(()).unwrap();
        stopped.recv().unwrap_or_default();
    });
    begun.recv().unwrap();
    let (queued, full) = (pool.submit(|| ()), pool.clone());
    let room = kept(move |_, _| {
        drop(full.room());
        None
    });
    assert!(room < few, "room of a pool: {room}");
    let end = kept(move |_, _| {
        drop(pool.shutdown());
        None
    });
    assert!(end < few, "end of a pool: {end}");
    drop((stop, running, queued));
    remaining_waiters_are_woken_however_many_have_left();
    late_failures_are_reported_however_many_there_are();
    chains_that_are_still_needed_stay_and_the_failures_of_the_others_are_reported();
    cancelled_limit_leaves_no_timer();
    runs_that_have_ended_leave_what_they_waited_for();
}

fn remaining_waiters_are_woken_however_many_have_left() {
    struct Woken(Cell<bool>);
    let future = Future::<i32>::new();
    let promise = future.promise();
    let stays = coroutine({
        let future = future.clone();
        |co| async move { co.yield_(future).await }
    });
    let called = Rc::new(Woken(Cell::new(false)));
    let callback = called.clone();
    future.add_done_callback(move |_| callback.0.set(true));
    let native = squall::convert_yielded({
        let mut future = future.clone();
        // Awaits it by a waker that nothing else has.
        std::future::poll_fn(move |cx| match Pin::new(&mut future).poll(cx) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => Poll::Pending,
        })
    });
    for _ in 0..1000 {
        drop(multi([future.clone()]));
        drop(with_timeout(HOUR, future.clone()));
    }
    IoLoop::current().run_sync(moment).unwrap();
    promise.set_result(4);
    let all = IoLoop::current().run_sync(|| [stays, native.unwrap()]).unwrap();
    assert_eq!((all, called.0.get()), ([4, 4], true));
}

fn late_failures_are_reported_however_many_there_are() {
    #[derive(Default)]
    struct Late(RefCell<usize>);
    impl Observer for Late {
        fn event(&self, event: &Event<'_>) {
            if matches!(event, Event::Report { problem: Problem::LateFailure, .. }) {
                *self.0.borrow_mut() += 1;
            }
        }
    }
    let late = Rc::new(Late::default());
    let before = exchange(Observation { observer: Some(late.clone()), ..Observation::default() });
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let here = io_loop.make_current();
    let future = Future::<()>::new();
    let promise = future.promise();
    let waits = future.clone();
    io_loop
        .run_sync(|| {
            coroutine(|co| async move {
                for _ in 0..500 {
                    assert!(co.yield_(with_timeout(Duration::ZERO, waits.clone())).await.is_err());
                }
                Ok(())
            })
        })
        .unwrap();
    promise.set_exception(Exception::msg("late"));
    io_loop.run_sync(moment).unwrap();
    drop(here);
    exchange(before);
    assert_eq!(*late.0.borrow(), 500);
}

fn cancelled_limit_leaves_no_timer() {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let deadlock = io_loop.run_sync(|| {
        let never = Future::<()>::new();
        std::mem::forget(never.promise());
        assert!(with_timeout(HOUR, never.clone()).cancel());
        assert!(sleep(HOUR).cancel());
        never
    });
    assert!(matches!(deadlock.unwrap_err().downcast_ref(), Some(Error::Deadlock { .. })));
    assert!(io_loop.time() < HOUR, "{:?}", io_loop.time());
}

fn runs_that_have_ended_leave_what_they_waited_for() {
    let future = Future::<()>::new();
    let promise = future.promise();
    let mut region = Region::new(COUNTING);
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    for n in 0..30_000 {
        if n == 1000 {
            region = Region::new(COUNTING);
        }
        match n % 3 {
            0 => assert!(io_loop.run_sync(|| future.clone()).is_err()),
            1 => {
                io_loop.stop();
                assert!(io_loop.run_sync(|| future.clone()).is_err());
            }
            _ => {
                let other = IoLoop::with_clock(VirtualClock::new());
                assert!(other.run_sync(|| future.clone()).is_err());
            }
        }
    }
    let change = region.change();
    let kept = change.bytes_allocated.saturating_sub(change.bytes_deallocated);
    assert!(kept < 100_000, "runs: {kept}");
    promise.set_result(());
    io_loop.run_sync(|| future).unwrap();
}

fn chains_that_are_still_needed_stay_and_the_failures_of_the_others_are_reported() {
    #[derive(Default)]
    struct Unretrieved(Cell<usize>);
    impl Observer for Unretrieved {
        fn event(&self, event: &Event<'_>) {
            if let Event::Report { problem: Problem::NeverRetrieved, .. } = event {
                self.0.set(self.0.get() + 1);
            }
        }
    }
    for given_up in [1, 40, 1000] {
        let io_loop = IoLoop::with_clock(VirtualClock::new());
        let _here = io_loop.make_current();
        let seen = Rc::new(Unretrieved::default());
        let before = exchange(Observation { observer: Some(seen.clone()), ..Observation::default() });
        let (source, needed) = (Future::<i32>::new(), Future::<i32>::new());
        let called = Rc::new(Cell::new(false));
        let calls = called.clone();
        let watched = Future::<i32>::new();
        watched.add_done_callback(move |watched| calls.set(watched.exception().is_some()));
        chain_future(source.clone(), watched.promise());
        drop(watched);
        for n in 0..given_up {
            if n == given_up / 2 {
                chain_future(source.clone(), needed.promise());
            }
            chain_future(source.clone(), Future::new().promise());
        }
        source.promise().set_exception(Exception::msg("no"));
        io_loop.run_sync(moment).unwrap();
        io_loop.run_sync(moment).unwrap();
        exchange(before);
        assert_eq!(needed.exception().unwrap().to_string(), "no");
        assert!(called.get());
        assert_eq!(seen.0.get(), given_up);
    }
}
