//! `ThreadPoolExecutor`: what comes back from a job, what is queued, and how a pool ends.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use squall::testing::VirtualClock;
use squall::{
    coroutine, multi, sleep, with_timeout, ContextVar, Error, Exception, ExecutorError, Future, IoLoop,
    ThreadPoolExecutor,
};

/// Returns a job that runs until the sender is used or dropped.
fn blocked() -> (Sender<()>, impl FnOnce() + Send) {
    let (open, gate) = channel();
    (open, move || {
        let _ = gate.recv();
    })
}

/// Returns a job that tells when it has begun, and then runs until the sender is used or dropped.
fn blocked_after_begin() -> (Receiver<()>, Sender<()>, impl FnOnce() + Send) {
    let (open, gate) = channel();
    let (tell, begin) = channel();
    let job = move || {
        tell.send(()).unwrap();
        let _ = gate.recv();
    };
    (begin, open, job)
}

/// Returns two jobs, neither of which ends before the other has begun.
fn each_waits_for_the_other() -> (impl FnOnce() -> i32 + Send, impl FnOnce() -> i32 + Send) {
    let (tell_a, hear_a) = channel();
    let (tell_b, hear_b) = channel();
    let a = move || {
        tell_a.send(()).unwrap();
        hear_b.recv().unwrap();
        1
    };
    let b = move || {
        tell_b.send(()).unwrap();
        hear_a.recv().unwrap();
        2
    };
    (a, b)
}

// Tornado: ioloop_test.TestIOLoopFutures.test_run_in_executor_gen
#[test]
fn jobs_run_in_parallel_and_their_results_are_yielded() {
    let (a, b) = each_waits_for_the_other();
    let io_loop = IoLoop::new();
    let results = io_loop.run_sync(|| {
        coroutine(|co| async move {
            let here = IoLoop::current();
            co.yield_([here.run_in_executor(a), here.run_in_executor(b)]).await
        })
    });
    assert_eq!(results.unwrap(), [1, 2]);
}

// Tornado: ioloop_test.TestIOLoopFutures.test_run_in_executor_native
#[test]
fn jobs_run_in_parallel_and_their_results_are_awaited() {
    async fn wrapper(job: impl FnOnce() -> i32 + Send + 'static) -> Result<i32, Exception> {
        IoLoop::current().run_in_executor(job).await
    }
    let (a, b) = each_waits_for_the_other();
    let results = IoLoop::new().run_sync(|| multi((wrapper(a), wrapper(b))));
    assert_eq!(results.unwrap(), (1, 2));
}

// Tornado: ioloop_test.TestIOLoopFutures.test_set_default_executor
#[test]
fn default_executor_is_the_one_that_was_set() {
    let io_loop = IoLoop::new();
    io_loop.set_default_executor(ThreadPoolExecutor::builder(1).thread_name("mine").build());
    let name =
        io_loop.run_sync(|| io_loop.run_in_executor(|| std::thread::current().name().map(String::from)));
    assert_eq!(name.unwrap().as_deref(), Some("mine-0"));
    assert_eq!(io_loop.default_executor().threads(), 1);
}

// Tornado: ioloop_test.TestIOLoopFutures.test_add_future_threads
#[test]
fn add_future_calls_back_on_the_loop_when_the_job_is_done() {
    let io_loop = IoLoop::new();
    let pool = ThreadPoolExecutor::new(1);
    let (stop, done) = (io_loop.clone(), Rc::new(Cell::new(None)));
    let seen = done.clone();
    let here = io_loop.make_current();
    io_loop.add_future(pool.submit(|| ()), move |future| {
        seen.set(Some(future.result().is_ok()));
        stop.stop();
    });
    drop(here);
    io_loop.start();
    assert_eq!(done.get(), Some(true));
}

// Tornado: concurrent_test.RunOnExecutorTest.test_no_calling
// Tornado: concurrent_test.RunOnExecutorTest.test_call_with_no_args
// Tornado: concurrent_test.RunOnExecutorTest.test_call_with_executor
#[test]
fn method_runs_on_the_executor_of_its_object() {
    struct Object {
        executor: ThreadPoolExecutor,
    }
    impl Object {
        fn f(&self) -> Future<i32> {
            self.executor.submit(|| 42)
        }
    }
    let object = Object { executor: ThreadPoolExecutor::new(1) };
    let answer = IoLoop::new().run_sync(|| coroutine(|co| async move { co.yield_(object.f()).await }));
    assert_eq!(answer.unwrap(), 42);
}

// Tornado: concurrent_test.RunOnExecutorTest.test_async_await
#[test]
fn native_coroutine_awaits_a_job() {
    let pool = ThreadPoolExecutor::new(1);
    let answer = IoLoop::new().run_sync(|| async move { pool.submit(|| 42).await });
    assert_eq!(answer.unwrap(), 42);
}

#[test]
fn panic_of_a_job_is_raised_by_its_future_and_the_thread_goes_on() {
    let pool = ThreadPoolExecutor::new(1);
    let io_loop = IoLoop::new();
    let e = io_loop.run_sync(|| pool.submit(|| panic!("on purpose"))).unwrap_err();
    assert_eq!(e.downcast_ref(), Some(&Error::Panic("on purpose".to_owned())));
    assert_eq!(io_loop.run_sync(|| pool.submit(|| 5)).unwrap(), 5);
    assert_eq!(pool.threads(), 1);
}

#[test]
fn result_of_a_job_is_a_value_unless_it_is_submitted_as_a_result() {
    let pool = ThreadPoolExecutor::new(1);
    let io_loop = IoLoop::new();
    let job = || "x".parse::<i32>();
    let both = pool.clone();
    let inner = io_loop.run_sync(|| pool.submit(job)).unwrap();
    assert!(inner.is_err());
    let e = io_loop
        .run_sync(|| coroutine(move |co| async move { Ok(co.yield_(pool.submit(job)).await??) }))
        .unwrap_err();
    assert!(e.is::<std::num::ParseIntError>());
    let e = io_loop.run_sync(|| both.submit_result(job)).unwrap_err();
    assert!(e.is::<std::num::ParseIntError>());
    let e = io_loop.run_sync(|| io_loop.run_result_in_executor(job)).unwrap_err();
    assert!(e.is::<std::num::ParseIntError>());
}

#[test]
fn what_becomes_of_a_job_is_said_of_a_line_of_the_program() {
    let pool = ThreadPoolExecutor::builder(1).queue_limit(1).build();
    let raised = |job: Future<()>| IoLoop::current().run_sync(|| job).unwrap_err().origin().line();
    let inside = line!() + 1;
    let parsed = pool.submit_result(|| -> Result<(), Exception> { Ok("x".parse::<i32>().map(drop)?) });
    assert_eq!(raised(parsed), inside);
    assert_eq!(raised(pool.submit_result(|| Err(std::fmt::Error))), line!());
    let (begin, open, job) = blocked_after_begin();
    let running = pool.submit(job);
    begin.recv().unwrap();
    let queued = pool.submit(|| ());
    assert_eq!(pool.submit(|| ()).exception().unwrap().origin().line(), line!());
    open.send(()).unwrap();
    IoLoop::current().run_sync(|| multi([running, queued])).unwrap();
}

#[test]
fn one_thread_runs_jobs_in_order() {
    let pool = ThreadPoolExecutor::new(1);
    let order = Arc::new(Mutex::new(Vec::new()));
    let jobs = |n| {
        let (pool, order) = (pool.clone(), order.clone());
        move || pool.submit(move || order.lock().unwrap().push(n))
    };
    IoLoop::new().run_sync(|| multi((0..100).map(|n| jobs(n)()).collect::<Vec<_>>())).unwrap();
    assert_eq!(*order.lock().unwrap(), (0..100).collect::<Vec<_>>());
}

#[test]
fn full_queue_hands_the_job_back_and_tells_of_room() {
    let io_loop = IoLoop::new();
    let _here = io_loop.make_current();
    let pool = ThreadPoolExecutor::builder(1).queue_limit(1).build();
    let (begin, open, job) = blocked_after_begin();
    let running = pool.submit(job);
    begin.recv().unwrap();
    let queued = pool.submit(|| 1);
    assert!(pool.is_full());

    let rejected = pool.try_submit(|| 2).unwrap_err();
    assert_eq!(rejected.error, ExecutorError::Full);
    assert_eq!((rejected.job)(), 2);
    assert_eq!(pool.submit(|| 3).exception().unwrap().downcast_ref(), Some(&ExecutorError::Full));

    let room = pool.room();
    assert!(!room.done());
    open.send(()).unwrap();
    let later = pool.clone();
    let after = io_loop.run_sync(|| {
        coroutine(move |co| async move {
            co.yield_(room).await?;
            co.yield_(later.submit(|| 4)).await
        })
    });
    assert_eq!(after.unwrap(), 4);
    assert!(running.done());
    assert_eq!(queued.result().unwrap(), 1);
}

#[test]
fn shutdown_lets_what_is_queued_run_and_takes_no_more() {
    let io_loop = IoLoop::new();
    let _here = io_loop.make_current();
    let pool = ThreadPoolExecutor::new(2);
    let jobs: Vec<_> = (0..20).map(|n| pool.submit(move || n)).collect();
    let end = pool.shutdown();
    assert_eq!(pool.submit(|| ()).exception().unwrap().downcast_ref(), Some(&ExecutorError::ShutDown));
    assert!(pool.room().done());
    io_loop.run_sync(|| end).unwrap();
    assert_eq!(pool.threads(), 0);
    let results: Vec<_> = io_loop.run_sync(|| multi(jobs)).unwrap();
    assert_eq!(results, (0..20).collect::<Vec<_>>());
}

#[test]
fn cancel_queued_cancels_what_has_not_begun() {
    let io_loop = IoLoop::new();
    let _here = io_loop.make_current();
    let pool = ThreadPoolExecutor::new(1);
    let (begin, open, job) = blocked_after_begin();
    let running = pool.submit(job);
    begin.recv().unwrap();
    let queued: Vec<_> = (0..3).map(|n| pool.submit(move || n)).collect();
    assert_eq!(pool.cancel_queued(), 3);
    open.send(()).unwrap();
    io_loop.run_sync(|| pool.shutdown()).unwrap();
    assert!(queued.iter().all(Future::cancelled));
    assert_eq!(running.result().unwrap(), ());
}

#[test]
fn job_whose_future_is_cancelled_before_it_begins_does_not_run() {
    let io_loop = IoLoop::new();
    let _here = io_loop.make_current();
    let pool = ThreadPoolExecutor::new(1);
    let ran = Arc::new(AtomicUsize::new(0));
    let (begin, open, job) = blocked_after_begin();
    let running = pool.submit(job);
    begin.recv().unwrap();
    let count = ran.clone();
    let queued = pool.submit(move || count.fetch_add(1, Ordering::SeqCst));
    assert!(queued.cancel());
    // What it holds is dropped at once.
    assert_eq!(Arc::strong_count(&ran), 1);
    assert!(running.cancel());
    open.send(()).unwrap();
    io_loop.run_sync(|| pool.shutdown()).unwrap();
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    assert!(queued.cancelled() && running.cancelled());
}

#[test]
fn cancelled_job_leaves_the_queue_at_once() {
    let io_loop = IoLoop::new();
    let _here = io_loop.make_current();
    let pool = ThreadPoolExecutor::builder(1).queue_limit(3).build();
    let (begin, open, job) = blocked_after_begin();
    let running = pool.submit(job);
    begin.recv().unwrap();
    let ran = Arc::new(Mutex::new(Vec::new()));
    let push = |n| {
        let ran = ran.clone();
        move || ran.lock().unwrap().push(n)
    };
    let [first, second, third] = [1, 2, 3].map(|n| pool.submit(push(n)));
    assert!(pool.is_full());
    let room = pool.room();
    assert!(second.cancel());
    assert_eq!((pool.queued(), pool.is_full()), (2, false));
    io_loop.run_sync(|| room).unwrap();
    // Any number of times, from any place in the queue.
    for n in 0..1000 {
        let job = pool.submit(push(n));
        assert_eq!(pool.queued(), 3);
        assert!(job.cancel() && !job.cancel());
        assert_eq!(pool.queued(), 2);
    }
    assert!(first.cancel());
    let last = pool.submit(push(4));
    assert_eq!(pool.queued(), 2);
    open.send(()).unwrap();
    io_loop.run_sync(|| multi([running, third, last])).unwrap();
    assert_eq!(*ran.lock().unwrap(), [3, 4]);
    assert_eq!(pool.queued(), 0);
    io_loop.run_sync(|| pool.shutdown()).unwrap();
    assert_eq!(pool.threads(), 0);
}

#[test]
fn jobs_cancelled_while_threads_take_them_leave_the_others_to_run() {
    let io_loop = IoLoop::new();
    let _here = io_loop.make_current();
    let pool = ThreadPoolExecutor::new(2);
    for _ in 0..200 {
        let jobs: Vec<_> = (0..20).map(|n| pool.submit(move || n)).collect();
        let (kept, cancelled): (Vec<_>, Vec<_>) = jobs.into_iter().enumerate().partition(|(n, _)| n % 2 == 0);
        for (_, job) in cancelled {
            job.cancel();
        }
        let kept: Vec<_> = kept.into_iter().map(|(_, job)| job).collect();
        assert_eq!(io_loop.run_sync(|| multi(kept)).unwrap().len(), 10);
    }
    io_loop.run_sync(|| pool.shutdown()).unwrap();
    assert_eq!((pool.queued(), pool.threads()), (0, 0));
}

#[test]
fn job_for_a_closed_loop_fails_and_does_not_run() {
    let pool = ThreadPoolExecutor::builder(1).queue_limit(1).build();
    let (begin, open, job) = blocked_after_begin();
    drop(pool.submit(job));
    begin.recv().unwrap();
    drop(pool.submit(|| ()));
    let io_loop = IoLoop::new();
    let here = io_loop.make_current();
    io_loop.close();
    let held = Arc::new(());
    let holds = || {
        let held = held.clone();
        move || drop(held)
    };
    let closed = |job: Future<()>| {
        let e = job.exception().unwrap();
        assert!(e.to_string().contains("the IoLoop is closed"), "{e}");
    };
    closed(pool.submit(holds()));
    closed(pool.submit_result(|| Ok::<_, Exception>(())));
    closed(io_loop.run_in_executor(holds()));
    closed(io_loop.run_result_in_executor(|| Ok::<_, Exception>(())));
    assert_eq!(pool.try_submit(holds()).unwrap_err().error, ExecutorError::LoopClosed);
    closed(pool.room());
    closed(pool.shutdown());
    assert_eq!(Arc::strong_count(&held), 1);
    drop(here);
    open.send(()).unwrap();
    IoLoop::current().run_sync(|| pool.shutdown()).unwrap();
}

#[test]
fn pool_may_be_as_large_as_there_are_numbers() {
    let pool = ThreadPoolExecutor::builder(usize::MAX).queue_limit(usize::MAX).build();
    assert!(pool.room().done() && !pool.is_full());
    assert_eq!(IoLoop::new().run_sync(|| pool.submit(|| 5)).unwrap(), 5);
}

#[test]
fn dropped_pool_runs_what_is_queued() {
    let io_loop = IoLoop::new();
    let _here = io_loop.make_current();
    let pool = ThreadPoolExecutor::new(1);
    let jobs: Vec<_> = (0..10).map(|n| pool.submit(move || n)).collect();
    drop(pool);
    assert_eq!(io_loop.run_sync(|| multi(jobs)).unwrap(), (0..10).collect::<Vec<_>>());
}

#[test]
fn dropping_the_pool_and_the_loop_does_not_wait_for_a_job() {
    let io_loop = IoLoop::new();
    let here = io_loop.make_current();
    let (begin, open, job) = blocked_after_begin();
    let pool = ThreadPoolExecutor::new(1);
    let future = pool.submit(job);
    begin.recv().unwrap();
    drop(future);
    drop(pool);
    drop(here);
    drop(io_loop);
    // The result of the job has no receiver, which is harmless.
    open.send(()).unwrap();
}

#[test]
fn job_sees_the_context_of_its_caller_and_does_not_change_it() {
    static USER: ContextVar<&str> = ContextVar::new();
    let pool = ThreadPoolExecutor::new(1);
    let io_loop = IoLoop::new();
    let _token = USER.set("ben");
    let seen = io_loop.run_sync(|| {
        pool.submit(|| {
            let seen = USER.get();
            let _token = USER.set("job");
            seen
        })
    });
    assert_eq!(seen.unwrap(), Some("ben"));
    assert_eq!(USER.get(), Some("ben"));
    let _token = USER.set("bob");
    assert_eq!(io_loop.run_sync(|| pool.submit(|| USER.get())).unwrap(), Some("bob"));
}

#[test]
fn virtual_clock_does_not_jump_while_a_job_is_under_way() {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let (open, job) = blocked();
    let done = io_loop.run_sync(|| {
        let job = with_timeout(Duration::from_secs(1), IoLoop::current().run_in_executor(job));
        let freed = std::thread::spawn(move || open.send(()));
        coroutine(|co| async move {
            co.yield_(job).await?;
            freed.join().unwrap().unwrap();
            co.yield_(sleep(Duration::from_secs(5))).await
        })
    });
    done.unwrap();
    assert_eq!(io_loop.time(), Duration::from_secs(5));
}

// Tornado: gen_test.WithTimeoutTest.test_timeout_concurrent_future
#[test]
fn timeout_of_a_job_leaves_it_running() {
    let io_loop = IoLoop::new();
    let _here = io_loop.make_current();
    let pool = ThreadPoolExecutor::new(1);
    let (open, job) = blocked();
    let job = pool.submit(job);
    let e = io_loop.run_sync(|| with_timeout(Duration::ZERO, job)).unwrap_err();
    assert_eq!(e.downcast_ref(), Some(&Error::Timeout));
    open.send(()).unwrap();
    io_loop.run_sync(|| pool.shutdown()).unwrap();
}

// Tornado: gen_test.WithTimeoutTest.test_completed_concurrent_future
#[test]
fn job_that_is_done_before_with_timeout_is_called() {
    let io_loop = IoLoop::new();
    let _here = io_loop.make_current();
    let pool = ThreadPoolExecutor::new(1);
    let job = pool.submit(|| 5);
    io_loop.run_sync(|| pool.shutdown()).unwrap();
    assert!(job.done());
    assert_eq!(io_loop.run_sync(|| with_timeout(Duration::from_secs(3600), job)).unwrap(), 5);
}

// Tornado: gen_test.WithTimeoutTest.test_normal_concurrent_future
#[test]
fn job_that_is_done_before_the_timeout_ends_the_wait() {
    let io_loop = IoLoop::new();
    let (open, job) = blocked();
    io_loop
        .run_sync(|| {
            let job = with_timeout(Duration::from_secs(3600), IoLoop::current().run_in_executor(job));
            IoLoop::current().add_callback(move || open.send(()).unwrap());
            job
        })
        .unwrap();
}

#[test]
fn pool_serves_the_loops_of_several_threads() {
    let pool = ThreadPoolExecutor::new(2);
    let serve = |n: usize| {
        let pool = pool.clone();
        std::thread::spawn(move || {
            let here = std::thread::current().id();
            IoLoop::new().run_sync(|| {
                coroutine(move |co| async move {
                    let job = co.yield_(pool.submit(move || (n, std::thread::current().id()))).await?;
                    assert_eq!(std::thread::current().id(), here);
                    assert_ne!(job.1, here);
                    Ok(job.0)
                })
            })
        })
    };
    let loops: Vec<_> = (0..4).map(serve).collect();
    let results: Vec<_> = loops.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect();
    assert_eq!(results, [0, 1, 2, 3]);
}

#[test]
fn ten_thousand_jobs_at_once_all_come_back() {
    let pool = ThreadPoolExecutor::new(4);
    let results =
        IoLoop::new().run_sync(|| multi((0..10_000_u32).map(|n| pool.submit(move || n)).collect::<Vec<_>>()));
    assert_eq!(results.unwrap(), (0..10_000).collect::<Vec<_>>());
    assert!(pool.threads() <= 4);
}

#[test]
#[should_panic(expected = "a ThreadPoolExecutor needs at least one thread")]
fn pool_without_threads_panics() {
    let _ = ThreadPoolExecutor::new(0);
}
