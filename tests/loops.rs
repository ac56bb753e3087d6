//! Several loops on one thread: a waiter belongs to the loop on which it began to wait.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use squall::locks::{Condition, Event, Semaphore};
use squall::queues::Queue;
use squall::{coroutine, moment, sleep, with_timeout, Error, Future, IoLoop, Result, WaitIterator};

/// Waits for `future`, and notes on which loop the coroutine went on.
fn waits<T: Clone + 'static>(future: Future<T>, on: &Rc<RefCell<Vec<Duration>>>) -> Future<T> {
    let on = on.clone();
    coroutine(move |co| async move {
        let value = co.yield_(future).await?;
        on.borrow_mut().push(IoLoop::current().time());
        Ok(value)
    })
}

/// Returns a loop whose clock stands at `now`, which identifies it.
fn at(now: u64) -> IoLoop {
    #[derive(Debug)]
    struct Stands(Duration);
    impl squall::ioloop::Clock for Stands {
        fn now(&self) -> Duration {
            self.0
        }
        fn until(&self, deadline: Duration) -> Duration {
            deadline.saturating_sub(self.0)
        }
    }
    IoLoop::with_clock(Stands(Duration::from_secs(now)))
}

#[test]
fn what_is_resolved_between_two_runs_goes_on_in_the_second() {
    let io_loop = IoLoop::new();
    let future = Future::<i32>::new();
    let promise = future.promise();
    let waiting = Rc::new(Cell::new(None));
    io_loop
        .run_sync(|| {
            let future = future.clone();
            waiting.set(Some(coroutine(|co| async move { co.yield_(future).await })));
            moment()
        })
        .unwrap();
    promise.set_result(3);
    assert_eq!(io_loop.run_sync(|| waiting.take().unwrap()).unwrap(), 3);
}

#[test]
fn what_waits_on_a_loop_goes_on_there_when_another_resolves_it_nested_or_in_turn() {
    for nested in [false, true] {
        let (a, b, on) = (at(1), at(2), Rc::default());
        let future = Future::<i32>::new();
        let promise = future.promise();
        let resolve = || {
            b.run_sync(|| {
                promise.set_result(7);
                moment()
            })
            .unwrap();
            b.close();
        };
        let mut waiting = None;
        let mut resolve = Some(resolve);
        a.run_sync(|| {
            waiting = Some(waits(future.clone(), &on));
            if nested {
                resolve.take().unwrap()();
            }
            // Not by the Future of `waiting`, which the run would wait for.
            Future::ready(())
        })
        .unwrap();
        resolve.into_iter().for_each(|resolve| resolve());
        assert_eq!(a.run_sync(|| waiting.unwrap()).unwrap(), 7);
        assert_eq!(*on.borrow(), [Duration::from_secs(1)]);
    }
}

#[test]
fn lines_callbacks_lists_and_natives_of_a_loop_go_on_there_too() {
    let (a, b) = (at(1), at(2));
    let seen = Rc::new(RefCell::new(Vec::new()));
    let note = |what: &'static str| {
        let seen = seen.clone();
        move || seen.borrow_mut().push((what, IoLoop::current().time().as_secs()))
    };
    let (event, condition, semaphore) = (Event::new(), Condition::new(), Semaphore::new(0));
    let (queue, future) = (Queue::<i32>::new(0), Future::<i32>::new());
    let promise = future.promise();
    macro_rules! spawn {
        ($name:literal, $future:expr) => {
            let (waits, note) = ($future, note($name));
            drop(coroutine(move |co| async move {
                let _value = co.yield_(waits).await?;
                note();
                Ok(())
            }));
        };
    }
    a.run_sync(|| {
        spawn!("event", event.wait());
        spawn!("condition", condition.wait());
        spawn!("semaphore", semaphore.acquire());
        spawn!("queue", queue.get());
        spawn!("list", [future.clone(), future.clone()]);
        spawn!("limited", with_timeout(Duration::from_secs(9), future.clone()));
        let (native, note_native) = (future.clone(), note("native"));
        let task = squall::convert_yielded(async move {
            native.await?;
            note_native();
            Ok::<_, squall::Exception>(())
        });
        drop(task.unwrap());
        let mut iterator = WaitIterator::new([future.clone()]);
        spawn!("iterator", iterator.next());
        let called = note("callback");
        future.add_done_callback(move |_| called());
        moment()
    })
    .unwrap();
    b.run_sync(|| {
        event.set();
        condition.notify(1);
        semaphore.release();
        queue.put_nowait(1).unwrap();
        promise.set_result(1);
        moment()
    })
    .unwrap();
    assert!(seen.borrow().is_empty());
    for _ in 0..6 {
        a.run_sync(moment).unwrap();
    }
    let mut seen = seen.take();
    seen.sort_unstable();
    let all =
        ["callback", "condition", "event", "iterator", "limited", "list", "native", "queue", "semaphore"];
    assert_eq!(seen, all.map(|what| (what, 1)));
}

#[test]
fn a_waiter_of_a_closed_loop_is_dropped_and_the_others_go_on() {
    let (a, b) = (IoLoop::new(), IoLoop::new());
    let alive = Rc::new(());
    let future = Future::<i32>::new();
    let promise = future.promise();
    let wait = |io_loop: &IoLoop| {
        let (future, alive) = (future.clone(), alive.clone());
        let task = io_loop.run_sync(|| {
            let task = coroutine(|co| async move {
                let value = co.yield_(future).await;
                drop(alive);
                value
            });
            Future::ready(Rc::new(Cell::new(Some(task))))
        });
        task.unwrap().take().unwrap()
    };
    let (gone, stays) = (wait(&a), wait(&b));
    a.close();
    assert_eq!(Rc::strong_count(&alive), 2);
    promise.set_result(4);
    assert_eq!(b.run_sync(|| stays).unwrap(), 4);
    assert!(!gone.done());
    assert_eq!(Rc::strong_count(&alive), 1);
}

#[test]
fn a_coroutine_called_outside_of_any_run_waits_on_the_default_loop_and_a_deadlock_says_so() {
    let future = Future::<i32>::new();
    let promise = future.promise();
    let task = coroutine(|co| async move { co.yield_(future).await });
    let io_loop = IoLoop::new();
    let deadlock = io_loop
        .run_sync(|| {
            promise.set_result(1);
            task
        })
        .unwrap_err();
    let Some(Error::Deadlock { waiting }) = deadlock.downcast_ref() else { panic!("{deadlock}") };
    assert_eq!(waiting.len(), 1);
    assert!(waiting[0].on_default_loop);
    assert!(
        deadlock.to_string().contains("on the thread's default loop, which is not running"),
        "{deadlock}"
    );
}

#[test]
fn what_waits_on_the_default_loop_goes_on_in_its_run() -> Result<()> {
    let future = Future::<i32>::new();
    let promise = future.promise();
    let task = coroutine(|co| async move { co.yield_(future).await });
    IoLoop::new().run_sync(|| {
        promise.set_result(5);
        sleep(Duration::ZERO)
    })?;
    assert_eq!(IoLoop::current().run_sync(|| task)?, 5);
    Ok(())
}

#[test]
fn a_callback_that_is_added_to_another_loop_runs_on_that() {
    let (a, b) = (IoLoop::new(), IoLoop::new());
    let (future, seen) = (Future::<i32>::new(), Rc::new(Cell::new(0)));
    let (promise, set) = (future.promise(), seen.clone());
    b.run_sync(|| {
        a.add_future(future, move |future| set.set(future.into_result().unwrap()));
        promise.set_result(1);
        [moment(), moment()]
    })
    .unwrap();
    assert_eq!(seen.get(), 0);
    a.run_sync(moment).unwrap();
    assert_eq!(seen.get(), 1);
}

#[test]
fn an_iterator_goes_on_wherever_its_next_result_is_asked_for() {
    let [a, b] = [IoLoop::new(), IoLoop::new()];
    let futures: [_; 4] = std::array::from_fn(|_| Future::<usize>::new());
    let mut promises = futures.each_ref().map(Future::promise).into_iter();
    let mut iterator = WaitIterator::new(futures);
    for (n, io_loop) in [&a, &b, &a].into_iter().enumerate() {
        let promise = promises.next().unwrap();
        let next = || {
            IoLoop::current().add_callback(move || promise.set_result(n));
            iterator.next()
        };
        assert_eq!(io_loop.run_sync(next).unwrap(), n);
    }
    // One that was done while the iterator waited on a loop that is closed since.
    drop(a.run_sync(|| Future::ready(Rc::new(iterator.next()))).unwrap());
    promises.next().unwrap().set_result(5);
    a.close();
    assert_eq!(b.run_sync(|| iterator.next()).unwrap(), 5);
    assert!(iterator.done());
}

#[test]
fn what_waits_for_a_future_of_a_loop_that_ends_is_told() {
    let kinds: [fn() -> Future<()>; 7] = [
        || sleep(Duration::from_secs(1)),
        || with_timeout(Duration::from_secs(1), sleep(Duration::from_secs(2))),
        || coroutine(|co| async move { co.yield_([sleep(Duration::from_secs(1))]).await.map(drop) }),
        || squall::convert_yielded(async { sleep(Duration::from_secs(1)).await }).unwrap(),
        || {
            let event = Event::new();
            let waits = event.wait();
            std::mem::forget(event);
            waits
        },
        || {
            let full = Queue::new(1);
            full.put_nowait(1).unwrap();
            let waits = full.put(2);
            std::mem::forget(full);
            waits
        },
        || {
            let pool = squall::ThreadPoolExecutor::new(1);
            let (sender, receiver) = std::sync::mpsc::channel::<()>();
            std::mem::forget(sender);
            pool.submit(move || receiver.recv().unwrap_or_default())
        },
    ];
    for (n, kind) in kinds.into_iter().enumerate() {
        let (a, b) = (IoLoop::new(), IoLoop::new());
        let (future, of_a) = {
            let _here = a.make_current();
            let future = kind();
            (future.clone(), coroutine(|co| async move { co.yield_(future).await }))
        };
        let told = b.run_sync(|| {
            IoLoop::current().add_callback(move || a.close());
            coroutine(|co| async move { co.yield_(future).await })
        });
        let exception = told.unwrap_err();
        let ended = Error::InvalidState("the loop of the Future has ended");
        assert_eq!(exception.downcast_ref(), Some(&ended), "{n}: {exception}");
        // What waits on that loop itself is dropped.
        assert!(!of_a.done(), "{n}");
    }
}
