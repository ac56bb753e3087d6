//! Foreign code that panics, place by place: a `Drop`, `Clone`, `Display`, `Debug`, `Ord` or `Waker` of the user, a
//! predicate, a callback. Nothing but the caller's own call may see the panic, and everything else goes on.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future as StdFuture;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{mpsc, Arc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use squall::queues::Queue;
use squall::testing::VirtualClock;
use squall::{
    multi, multi_quiet, with_timeout, with_timeout_quiet, ContextVar, Error, Exception, Future, IoLoop,
    PeriodicCallback, Return, ThreadPoolExecutor, WaitIterator,
};

mod reports;

use reports::reported;

/// Panics when it is dropped, with a payload that panics when it is dropped.
struct Hostile;

impl Drop for Hostile {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new(Payload));
    }
}

struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new(()));
    }
}

/// An error whose every method panics.
struct BadError;

impl fmt::Display for BadError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::panic::resume_unwind(Box::new("its Display"))
    }
}

impl fmt::Debug for BadError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::panic::resume_unwind(Box::new("its Debug"))
    }
}

impl std::error::Error for BadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::panic::resume_unwind(Box::new("its source"))
    }
}

impl Drop for BadError {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("its Drop"))
    }
}

/// Panics when it is cloned.
#[derive(Debug)]
struct Original;

impl Clone for Original {
    fn clone(&self) -> Self {
        std::panic::resume_unwind(Box::new("its Clone"))
    }
}

/// A waker that panics.
struct BadWaker;

impl Wake for BadWaker {
    fn wake(self: Arc<Self>) {
        std::panic::resume_unwind(Box::new("its wake"))
    }
}

impl Drop for BadWaker {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("its Drop"))
    }
}

/// A key that panics when it is compared, once the flag is set, and when it is dropped.
struct Key(Rc<Cell<bool>>, i32);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        if self.0.get() {
            std::panic::resume_unwind(Box::new("its Ord"));
        }
        self.1.cmp(&other.1)
    }
}

fn panicked(exception: Option<Exception>) -> bool {
    exception.is_some_and(|exception| matches!(exception.downcast_ref(), Some(Error::Panic(_))))
}

fn pending<T>() -> Future<T> {
    let future = Future::new();
    std::mem::forget(future.promise());
    future
}

fn turn() {
    turn_of(&IoLoop::current());
}

fn turn_of(io_loop: &IoLoop) {
    io_loop.run_sync(|| [(), (), ()]).unwrap();
}

/// The places: where the panic is provoked, and what holds afterwards.
const PLACES: &[(&str, fn())] = &[
    ("value that was never taken", || drop(Future::ready(Hostile))),
    ("value of a cancelled Future", || {
        let future = Future::new();
        let promise = future.promise();
        assert!(future.cancel());
        promise.set_result(Hostile);
        assert!(future.cancelled());
    }),
    ("error that was never retrieved", || drop(Future::<()>::failed(BadError))),
    ("error that was never retrieved, while a panic passes", || {
        let passed = catch_unwind(|| {
            let _failed = Future::<()>::failed(BadError);
            let _value = Future::ready(Hostile);
            std::panic::resume_unwind(Box::new(5));
        });
        assert_eq!(passed.unwrap_err().downcast_ref(), Some(&5));
    }),
    ("error that is shown", || {
        let exception = Exception::new(BadError);
        assert_eq!(exception.to_string(), "<panicked: its Display>");
        assert!(format!("{exception:?}").ends_with("BadError: <panicked: its Display><panicked: its source>"));
    }),
    ("value that is copied out", || {
        let future = Future::ready(Original);
        assert!(panicked(future.result().err()));
        future.into_result().unwrap();
    }),
    ("value that is copied for a list", || {
        let (future, promise) = promised();
        let list = multi([future.clone()]);
        promise.set_result(Original);
        turn();
        assert!(panicked(list.exception()));
        future.into_result().unwrap();
    }),
    ("value that is copied for with_timeout", || {
        let (future, promise) = promised();
        let limited = with_timeout(Duration::from_secs(3600), future.clone());
        promise.set_result(Original);
        turn();
        assert!(panicked(limited.exception()));
        future.into_result().unwrap();
    }),
    ("value of a Return", || {
        let returned = squall::coroutine(|_co| async { Err::<Original, Exception>(Return(Original).into()) });
        assert!(panicked(returned.exception()));
    }),
    ("key of a map that is compared", || {
        let panics = Rc::new(Cell::new(false));
        let (futures, promises): (Vec<_>, Vec<_>) = (0..3).map(|_| promised()).unzip();
        let keys = (0..3).map(|n| Key(panics.clone(), n));
        let map = multi(keys.zip(futures).collect::<BTreeMap<_, Future<i32>>>());
        panics.set(true);
        promises.into_iter().for_each(|promise| promise.set_result(1));
        turn();
        assert!(map.done() && map.exception().is_some());
    }),
    ("predicate of multi_quiet", || {
        let (a, b) = (promised::<i32>(), promised::<i32>());
        let list = multi_quiet([a.0, b.0], |_| std::panic::resume_unwind(Box::new("its predicate")));
        a.1.set_exception(Error::Timeout);
        b.1.set_exception(Error::Cancelled);
        let ((), reports) = reported(turn);
        assert_eq!(list.exception().unwrap().downcast_ref(), Some(&Error::Timeout));
        assert_eq!(reports.len(), 2, "{reports:?}");
    }),
    ("predicate of with_timeout_quiet", || {
        let (future, promise) = promised::<i32>();
        let quiet = |_: &Exception| std::panic::resume_unwind(Box::new("its predicate"));
        let limited = with_timeout_quiet(Duration::ZERO, future, quiet);
        turn();
        assert_eq!(limited.exception().unwrap().downcast_ref(), Some(&Error::Timeout));
        promise.set_exception(Error::BrokenPromise);
        let ((), reports) = reported(turn);
        assert_eq!(reports.len(), 2, "{reports:?}");
    }),
    ("predicate that panics as it is dropped", || {
        let hostile = Hostile;
        drop(multi_quiet([pending::<()>()], move |_| {
            let _ = &hostile;
            true
        }));
        let hostile = Hostile;
        drop(with_timeout_quiet(Duration::ZERO, pending::<()>(), move |_| {
            let _ = &hostile;
            true
        }));
        turn();
    }),
    ("keys of a WaitIterator", || {
        drop(WaitIterator::keyed([(Hostile, pending::<()>()), (Hostile, Future::ready(()))]));
    }),
    ("waker", || {
        let (mut future, promise) = promised::<i32>();
        let called = Rc::new(Cell::new(false));
        let calls = called.clone();
        let waker = Waker::from(Arc::new(BadWaker));
        assert!(Pin::new(&mut future).poll(&mut Context::from_waker(&waker)).is_pending());
        std::mem::forget(waker);
        future.add_done_callback(move |_| calls.set(true));
        promise.set_result(5);
        turn();
        assert!(called.get());
        assert_eq!(future.into_result().unwrap(), 5);
    }),
    ("done callback that is never called", || {
        let future = pending::<()>();
        let hostile = Hostile;
        future.add_done_callback(move |_| drop(hostile));
        drop(future);
    }),
    ("value of a ContextVar, at the end of its thread", || {
        static VARIABLE: ContextVar<Arc<Hostile>> = ContextVar::new();
        let thread = std::thread::spawn(|| drop(VARIABLE.set(Arc::new(Hostile))));
        thread.join().unwrap();
    }),
    ("items of a queue", || {
        let queue = Queue::new(0);
        queue.put_nowait(Hostile).unwrap_or_else(|_| unreachable!());
        queue.put_nowait(Hostile).unwrap_or_else(|_| unreachable!());
        drop(queue);
    }),
    ("items of a queue that is gone", || {
        let queue = Queue::new(1);
        let (kept, waits) = (queue.get(), queue.get());
        queue.put_nowait(Hostile).unwrap_or_else(|_| unreachable!());
        queue.put_nowait(Hostile).unwrap_or_else(|_| unreachable!());
        queue.put_nowait(Hostile).unwrap_or_else(|_| unreachable!());
        let put = queue.put(Hostile);
        drop(queue);
        drop((kept, waits, put));
    }),
    ("item of a put that is cancelled, dropped or out of time", || {
        let io_loop = IoLoop::with_clock(VirtualClock::new());
        let _current = io_loop.make_current();
        let queue = Queue::new(1);
        queue.put_nowait(Hostile).unwrap_or_else(|_| unreachable!());
        assert!(queue.put(Hostile).cancel());
        let (late, next) = (queue.put_within(Hostile, Duration::ZERO), queue.put(Hostile));
        let handed_back = queue.try_put_within(Hostile, Duration::ZERO);
        turn_of(&io_loop);
        assert_eq!(late.exception().unwrap().downcast_ref(), Some(&Error::Timeout));
        assert!(handed_back.done() && !next.done());
        drop((queue.get(), handed_back));
    }),
    ("function around the sleep of a loop", || {
        let io_loop = IoLoop::new();
        let hostile = Hostile;
        io_loop.around_sleep(move |_| {
            let _ = &hostile;
            std::panic::resume_unwind(Box::new("instead of sleeping"))
        });
        let short = Duration::from_millis(1);
        io_loop.run_sync(|| squall::sleep(short)).unwrap();
        let hostile = Hostile;
        io_loop.around_sleep(move |sleep| {
            let _ = &hostile;
            sleep();
        });
        io_loop.run_sync(|| squall::sleep(short)).unwrap();
    }),
    ("everything that a loop holds, as it is closed", || {
        let io_loop = IoLoop::new();
        let current = io_loop.make_current();
        for _ in 0..2 {
            let hostile = [Hostile].map(|hostile| move || drop(hostile));
            let [callback] = hostile;
            io_loop.add_callback(callback);
            let hostile = Hostile;
            std::mem::forget(io_loop.call_later(Duration::from_secs(1), move || drop(hostile)));
            let (handle, hostile) = (io_loop.handle(), Hostile);
            handle.add_callback(move || drop(hostile));
            let hostile = Hostile;
            io_loop.add_future(pending::<()>(), move |_| drop(hostile));
            let (_reader, writer) = std::io::pipe().unwrap();
            let hostile = Hostile;
            io_loop
                .add_handler(writer, squall::ioloop::FdEvents::NONE, move |_| {
                    let _ = &hostile;
                })
                .unwrap();
            let hostile = Hostile;
            PeriodicCallback::new(
                move || {
                    let _ = &hostile;
                },
                Duration::from_secs(1),
            )
            .start();
        }
        io_loop.close();
        drop(current);
        assert!(io_loop.is_closed());
        let (handle, hostile) = (io_loop.handle(), Hostile);
        handle.add_callback(move || drop(hostile));
        io_loop.add_callback(|| unreachable!());
    }),
    ("result of a job whose loop is closed", || {
        let pool = ThreadPoolExecutor::new(1);
        let io_loop = IoLoop::new();
        let current = io_loop.make_current();
        let (start, started) = mpsc::channel::<()>();
        let job = pool.submit(move || {
            started.recv().unwrap();
            Hostile
        });
        drop((current, job));
        io_loop.close();
        start.send(()).unwrap();
        assert_eq!(IoLoop::current().run_sync(|| pool.submit(|| 5)).unwrap(), 5);
        assert_eq!(pool.threads(), 1);
        IoLoop::current().run_sync(|| pool.shutdown()).unwrap();
    }),
    ("job that is cancelled", || {
        let pool = ThreadPoolExecutor::new(1);
        let (start, started) = mpsc::channel::<()>();
        let first = pool.submit(move || started.recv().unwrap());
        let hostile = Hostile;
        let job = pool.submit(move || drop(hostile));
        assert!(job.cancel());
        start.send(()).unwrap();
        IoLoop::current().run_sync(|| first).unwrap();
        assert_eq!(IoLoop::current().run_sync(|| pool.submit(|| 5)).unwrap(), 5);
    }),
    ("jitter and outcome of a PeriodicCallback", || {
        struct Outcome(Hostile);
        impl StdFuture for Outcome {
            type Output = Result<(), Exception>;
            fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> std::task::Poll<Self::Output> {
                let Self(_hostile) = &*self;
                std::task::Poll::Ready(Ok(()))
            }
        }
        let io_loop = IoLoop::with_clock(VirtualClock::new());
        let ticks = Rc::new(Cell::new(0));
        let count = ticks.clone();
        let ticking = PeriodicCallback::new(
            move || {
                count.set(count.get() + 1);
                Outcome(Hostile)
            },
            Duration::from_secs(10),
        );
        let ticking = ticking.jitter_by(0.5, || std::panic::resume_unwind(Box::new("its jitter")));
        let ran = io_loop.run_sync(|| {
            ticking.start();
            squall::sleep(Duration::from_secs(35))
        });
        ran.unwrap();
        assert_eq!(ticks.get(), 3);
    }),
];

fn promised<T>() -> (Future<T>, squall::Promise<T>) {
    let future = Future::new();
    let promise = future.promise();
    (future, promise)
}

#[test]
fn foreign_code_that_panics_breaks_nothing_around_it() {
    let mut broken = Vec::new();
    for (place, provoke) in PLACES {
        println!("{place}");
        let thread = std::thread::Builder::new().name((*place).to_owned());
        let ran = thread.spawn(move || catch_unwind(AssertUnwindSafe(provoke)).is_ok()).unwrap().join();
        if !matches!(ran, Ok(true)) {
            broken.push(*place);
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// A Future whose poll panics, and whose `Drop` panics as well.
struct HostileFuture;

impl StdFuture for HostileFuture {
    type Output = Result<(), Exception>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        panic!("in its poll")
    }
}

impl Drop for HostileFuture {
    fn drop(&mut self) {
        panic!("in its drop")
    }
}

#[test]
fn future_that_panics_in_its_poll_and_in_its_drop_fails_at_the_line_of_its_poll() {
    let line =
        include_str!("foreign.rs").lines().position(|line| line.contains("panic!(\"in its poll\")")).unwrap();
    let io_loop = IoLoop::new();
    let wait = |f: fn() -> Future<()>| io_loop.run_sync(f).unwrap_err();
    for exception in [
        io_loop.run_sync(|| HostileFuture).unwrap_err(),
        io_loop.run_sync(|| async { squall::native(HostileFuture).await? }).unwrap_err(),
        wait(|| squall::coroutine(|co| async move { co.yield_(HostileFuture).await })),
        wait(|| squall::with_timeout(Duration::from_secs(9), HostileFuture)),
        io_loop.run_sync(|| [HostileFuture]).unwrap_err(),
    ] {
        assert_eq!(exception.to_string(), "panicked: in its poll");
        let at = exception.raised_at();
        assert_eq!((at.file(), at.line() as usize), (file!(), line + 1), "{exception:?}");
    }
}
