//! Uses of squall in the `Drop` of a thread-local, after the thread-locals of squall are gone, or before.

use std::cell::RefCell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use squall::locks::{Condition, Event, Lock, Semaphore};
use squall::queues::{PriorityQueue, Queue};
use squall::testing::{Stepper, TestLoop, VirtualClock};
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
        let io_loop = IoLoop::with_clock(VirtualClock::new());
        let handle = io_loop.handle();
        let sleeps = || async {
            sleep(SECOND).await?;
            moment().await?;
            sleep(SECOND).await
        };
        io_loop.run_sync(sleeps).unwrap();
        io_loop
            .run_sync(|| {
                coroutine(|co| async move {
                    co.yield_(sleep(SECOND)).await?;
                    co.yield_(moment()).await?;
                    co.yield_([sleep(SECOND), sleep(SECOND)]).await
                })
            })
            .unwrap();
        drop(handle);
        assert!(io_loop.run_sync(Future::<()>::new).is_err());
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

/// Uses everything when it is dropped, and sends the names of what panicked.
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

/// Returns what panics in a thread-local that is created before the thread uses squall, or after.
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

/// Uses something that was created before, and drops it.
type Use = Box<dyn FnOnce()>;

/// Public things that can be kept: created while the thread runs, used when it ends.
const KEPT: &[(&str, fn() -> Use)] = &[
    ("Future and Promise", || {
        let future = Future::<i32>::new();
        let promise = future.promise();
        let waits = doubled(future.clone());
        Box::new(move || {
            promise.set_result(2);
            drop((waits, future));
        })
    }),
    ("Promise that is dropped", || {
        let (future, kept) = (Future::<i32>::new(), Future::<i32>::new());
        let (promise, waits) = (future.promise(), doubled(future));
        Box::new(move || drop((promise, waits, kept)))
    }),
    ("native coroutine", || {
        let waits = convert_yielded(async { sleep(SECOND).await }).unwrap();
        Box::new(move || drop(waits))
    }),
    ("native coroutine that was polled", || {
        let (gate, io_loop) = (Future::<()>::new(), IoLoop::current());
        let promise = gate.promise();
        let native = async { gate.await.map(|()| 5) };
        let waits = convert_yielded(native).unwrap();
        io_loop.run_sync(|| ()).unwrap();
        Box::new(move || {
            promise.set_result(());
            drop((waits, io_loop));
        })
    }),
    ("sleep, multi, with_timeout", || {
        let kept = (sleep(SECOND), multi([sleep(SECOND)]), with_timeout(SECOND, Future::<()>::new()));
        Box::new(move || drop(kept))
    }),
    ("WaitIterator", || {
        let mut results = WaitIterator::new([sleep(SECOND), Future::ready(())]);
        let next = results.next();
        Box::new(move || drop((results.next(), next, results)))
    }),
    ("IoLoop", || {
        let io_loop = IoLoop::with_clock(VirtualClock::new());
        drop(io_loop.call_later(SECOND, || ()));
        Box::new(move || {
            io_loop
                .run_sync(|| async {
                    sleep(SECOND).await?;
                    sleep(SECOND).await
                })
                .unwrap();
            io_loop.spawn_callback(|| sleep(SECOND));
            io_loop.close();
        })
    }),
    ("IoLoop::current", || {
        let (io_loop, handle) = (IoLoop::current(), IoLoop::current().handle());
        Box::new(move || {
            handle.add_callback(|| ());
            io_loop.run_sync(|| ()).unwrap();
        })
    }),
    ("Timeout", || {
        let io_loop = IoLoop::current();
        let timeout = io_loop.call_later(SECOND, || ());
        Box::new(move || io_loop.remove_timeout(&timeout))
    }),
    ("CurrentLoop", || {
        let current = IoLoop::new().make_current();
        Box::new(move || drop(current))
    }),
    ("PeriodicCallback that runs", || {
        let ticking = PeriodicCallback::new(|| (), SECOND).jitter(0.5);
        ticking.start();
        Box::new(move || {
            ticking.stop();
            ticking.start();
        })
    }),
    ("executor", || {
        let pool = ThreadPoolExecutor::new(1);
        let job = pool.submit(|| 5);
        Box::new(move || drop((pool.submit(|| 5), job, pool.shutdown())))
    }),
    ("lock", || {
        let lock = Lock::new();
        let held = lock.acquire().into_result().unwrap();
        let waits = (lock.acquire(), lock.acquire_within(SECOND));
        Box::new(move || drop((held, lock.acquire(), waits)))
    }),
    ("semaphore", || {
        let semaphore = Semaphore::new(1);
        let gets = [semaphore.acquire(), semaphore.acquire()];
        Box::new(move || {
            drop(gets);
            semaphore.release();
        })
    }),
    ("event", || {
        let event = Event::new();
        let waits = [event.wait(), event.wait_within(SECOND)];
        Box::new(move || {
            event.set();
            drop(waits);
        })
    }),
    ("condition", || {
        let condition = Condition::new();
        let waits = [condition.wait(), condition.wait_within(SECOND)];
        Box::new(move || {
            condition.notify_all();
            drop(waits);
        })
    }),
    ("queue", || {
        let queue = Queue::new(1);
        let (gets, put) = ([queue.get(), queue.get_within(SECOND)], queue.put(1));
        Box::new(move || drop((queue.put(2), queue.put(3), gets, put, queue.get(), queue.join())))
    }),
    ("priority queue", || {
        let queue = PriorityQueue::new(1);
        let puts = [queue.put(2), queue.put(1)];
        Box::new(move || drop((queue.get(), puts, queue.get_within(SECOND))))
    }),
    ("Context and token", || {
        static VARIABLE: ContextVar<Vec<i32>> = ContextVar::new();
        let (token, context) = (VARIABLE.set(vec![5]), Context::current());
        Box::new(move || {
            context.enter(|| VARIABLE.get());
            VARIABLE.reset(token);
        })
    }),
    ("Stepper", || {
        let mut stepper = Stepper::new(|| doubled(Future::new()));
        stepper.next().yielded();
        Box::new(move || {
            assert_eq!(stepper.send(2).returned::<i32>(), 4);
        })
    }),
    ("Stepper that is dropped", || {
        let mut stepper = Stepper::new(|| doubled(Future::new()));
        stepper.next().yielded();
        let fresh = Stepper::new(|| doubled(Future::new()));
        Box::new(move || drop((stepper, fresh)))
    }),
    ("TestLoop", || {
        let mut test_loop = TestLoop::new();
        let future = test_loop.spawn(|| sleep(SECOND));
        Box::new(move || {
            test_loop.run_until_idle();
            assert!(future.done());
            println!("{}", test_loop.trace());
        })
    }),
    ("TestLoop that is dropped", || {
        let mut test_loop = TestLoop::new();
        let future = test_loop.spawn(|| sleep(SECOND));
        Box::new(move || drop((test_loop, future)))
    }),
    ("Rewind", || {
        let mut world = TestLoop::rewindable(|t| drop(t.spawn(|| doubled(Future::ready(2)))));
        let checkpoint = world.checkpoint();
        world.step();
        Box::new(move || {
            world.restore(&checkpoint);
            drop(world.fork());
        })
    }),
    ("Observing and Trace", || {
        struct Observes;
        impl squall::trace::Observer for Observes {
            fn event(&self, _: &squall::trace::Event<'_>) {}
        }
        let observing = squall::trace::observe(Rc::new(Observes));
        let trace = squall::trace::record(|| drop(doubled(Future::ready(2))));
        Box::new(move || {
            println!("{trace}");
            drop(observing);
        })
    }),
    ("network of tests", || {
        let net = squall::testing::net();
        let listener = net.host("server", || squall::net::TcpListener::bind("server:80")).unwrap();
        let accepted = listener.accept();
        let connecting = net.spawn("client", || squall::net::TcpStream::connect("server:80"));
        Box::new(move || {
            net.cut("client", "server");
            drop((accepted, connecting, listener.accept()));
        })
    }),
    ("sockets", || {
        let listener = squall::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let accepted = listener.accept();
        let connecting = squall::net::TcpStream::connect(listener.local_addr().unwrap().to_string());
        Box::new(move || drop((accepted, connecting, listener.accept())))
    }),
];

/// Uses everything that was kept when it is dropped, and sends the names of what panicked.
struct Keeps(Vec<(&'static str, Use)>, mpsc::Sender<&'static str>);

impl Drop for Keeps {
    fn drop(&mut self) {
        for (what, uses) in self.0.drain(..) {
            if catch_unwind(AssertUnwindSafe(uses)).is_err() {
                self.1.send(what).unwrap();
            }
        }
    }
}

thread_local! {
    static KEEPER: RefCell<Option<Keeps>> = const { RefCell::new(None) };
}

/// Returns what panics in `kept`, in a thread-local that is created before those of squall, or after.
fn panicking_kept(kept: &'static [(&'static str, fn() -> Use)], first: bool) -> Vec<&'static str> {
    let (send, receive) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        if first {
            KEEPER.set(Some(Keeps(Vec::new(), send.clone())));
        }
        let made = kept.iter().map(|(what, make)| (*what, make())).collect();
        KEEPER.set(Some(Keeps(made, send)));
    });
    thread.join().unwrap();
    receive.iter().collect()
}

#[test]
fn what_a_thread_local_keeps_may_be_used_and_dropped_as_the_thread_ends() {
    for first in [true, false] {
        for one in KEPT.chunks(1) {
            println!("{} {first}", one[0].0);
            assert_eq!(panicking_kept(one, first), [""; 0], "{} {first}", one[0].0);
        }
        assert_eq!(panicking_kept(KEPT, first), [""; 0], "{first}");
    }
}
