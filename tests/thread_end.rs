//! What a thread-local uses in its `Drop`, when the thread-locals of squall are gone already, or not yet.

use std::cell::RefCell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use squall::locks::{Condition, Event, Lock, Semaphore};
use squall::queues::{PriorityQueue, Queue};
use squall::testing::{TestLoop, VirtualClock};
use squall::{
    chain_future, convert_yielded, coroutine, maybe_future, moment, multi, native, sleep, task, with_timeout,
    Context, ContextVar, Error, Future, IoLoop, PeriodicCallback, Result, ThreadPoolExecutor, WaitIterator,
};

const SECOND: Duration = Duration::from_secs(1);

#[squall::coroutine]
fn doubled(n: Future<i32>) -> Result<i32> {
    Ok(yield_!(n)? * 2)
}

/// Each public thing: it must neither panic nor abort.
const USES: &[(&str, fn())] = &[
    ("coroutine that is done", || assert_eq!(doubled(Future::ready(2)).result().unwrap(), 4)),
    ("coroutine that waits", || {
        let future = Future::new();
        let promise = future.promise();
        let waits = doubled(future);
        promise.set_result(2);
        drop(waits);
    }),
    ("coroutine that waits for ever", || drop(coroutine(|co| async move { co.yield_(sleep(SECOND)).await }))),
    ("coroutine that panics", || {
        let panics = coroutine(|_co| async { std::panic::resume_unwind(Box::new("expected")) as Result<()> });
        drop(panics);
    }),
    ("native coroutine", || drop(convert_yielded(async { sleep(SECOND).await }))),
    ("native", || drop(convert_yielded(native(std::future::pending::<()>())))),
    ("moment", || drop(coroutine(|co| async move { co.yield_(moment()).await }))),
    ("done callback", || {
        let future = Future::new();
        future.add_done_callback(|_| ());
        future.promise().set_result(5);
    }),
    ("failed Future", || drop(Future::<()>::failed(Error::Timeout))),
    ("sleep", || drop(sleep(SECOND))),
    ("multi", || drop(multi([sleep(SECOND), sleep(SECOND)]))),
    ("with_timeout", || drop(with_timeout(SECOND, Future::<()>::new()))),
    ("WaitIterator", || drop(WaitIterator::new([sleep(SECOND)]).next())),
    ("task, maybe_future, chain_future", || {
        let future = task(|callback| callback(5));
        let (a, b) = (maybe_future(future), Future::<i32>::new());
        chain_future(a, b.promise());
    }),
    ("IoLoop::current", || {
        let io_loop = IoLoop::current();
        io_loop.add_callback(|| ());
        io_loop.spawn_callback(|| sleep(SECOND));
        io_loop.remove_timeout(&io_loop.call_later(SECOND, || ()));
        io_loop.add_future(Future::ready(5), drop);
        io_loop.handle().add_callback(|| ());
        println!("{:?} {}", io_loop, io_loop.dump());
        io_loop.close();
    }),
    ("run_sync", || assert_eq!(IoLoop::new().run_sync(|| doubled(Future::ready(2))).unwrap(), 4)),
    ("run_sync that sleeps", || {
        IoLoop::with_clock(VirtualClock::new()).run_sync(|| sleep(SECOND)).unwrap();
    }),
    ("make_current", || drop(IoLoop::new().make_current())),
    ("PeriodicCallback", || {
        let ticking = PeriodicCallback::new(|| (), SECOND);
        ticking.start();
        ticking.stop();
    }),
    ("executor", || {
        let pool = ThreadPoolExecutor::new(1);
        drop((pool.submit(|| 5), pool.room(), pool.shutdown()));
    }),
    ("lock", || {
        let lock = Lock::new();
        let held = lock.acquire();
        drop((lock.acquire(), lock.acquire_within(SECOND)));
        drop(held);
    }),
    ("semaphore", || drop([Semaphore::new(1)].map(|semaphore| [semaphore.acquire(), semaphore.acquire()]))),
    ("event", || {
        let event = Event::new();
        let waits = (event.wait(), event.wait_within(SECOND));
        event.set();
        drop(waits);
    }),
    ("condition", || {
        let condition = Condition::new();
        let waits = (condition.wait(), condition.wait_within(SECOND));
        condition.notify(1);
        drop(waits);
    }),
    ("queue", || {
        let queue = Queue::new(1);
        let gets = (queue.get(), queue.get_within(SECOND));
        drop((queue.put(1), queue.put(2), queue.put(3), queue.put_within(4, SECOND)));
        drop((gets, queue.join()));
    }),
    ("priority queue", || drop(PriorityQueue::<i32>::new(0).get())),
    ("context", || {
        static VARIABLE: ContextVar<i32> = ContextVar::new();
        let token = VARIABLE.set(5);
        VARIABLE.get();
        VARIABLE.reset(token);
        Context::current().enter(|| ());
    }),
    ("trace", || {
        squall::trace::note("note");
        squall::trace::show_as::<i32>(|_, _| Ok(()));
        println!("{}", squall::trace::record(|| drop(doubled(Future::ready(2)))));
    }),
    ("TestLoop", || {
        let mut test_loop = TestLoop::new();
        drop(test_loop.spawn(|| doubled(Future::ready(2))));
        test_loop.run_until_idle();
    }),
];

/// Uses everything as it is dropped, and says what panicked.
struct Uses(mpsc::Sender<&'static str>);

impl Drop for Uses {
    fn drop(&mut self) {
        for (what, uses) in USES {
            if catch_unwind(AssertUnwindSafe(uses)).is_err() {
                self.0.send(what).unwrap();
            }
        }
    }
}

thread_local! {
    static USER: RefCell<Option<Uses>> = const { RefCell::new(None) };
}

/// What panics in a thread-local of a thread that uses squall before it makes that, or after.
fn panicking(before: bool) -> Vec<&'static str> {
    let (send, receive) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let make = || USER.set(Some(Uses(send)));
        let uses = || {
            let queue = Rc::new(Queue::<i32>::new(1));
            drop((IoLoop::current(), queue.get(), doubled(Future::new())));
            squall::trace::record(|| squall::trace::note("note"));
        };
        if before {
            uses();
            make();
        } else {
            make();
            uses();
        }
    });
    thread.join().unwrap();
    receive.iter().collect()
}

#[test]
fn thread_local_may_use_everything_when_those_of_squall_are_gone() {
    assert_eq!(panicking(false), [""; 0]);
}

#[test]
fn thread_local_may_use_everything_before_those_of_squall_are_gone() {
    assert_eq!(panicking(true), [""; 0]);
}
