//! Names of locks and queues in a Deadlock, a dump and a trace.

use std::rc::Rc;
use std::time::Duration;

use squall::locks::{BoundedSemaphore, Condition, Event, Lock, Semaphore};
use squall::queues::{LifoQueue, PriorityQueue, Queue};
use squall::testing::VirtualClock;
use squall::{moment, sleep, Error, Exception, Future, IoLoop, Result};

const MS: Duration = Duration::from_millis(1);

/// Runs until nothing can wake the loop, and returns the lines of the Deadlock's message, without paths.
fn deadlock<T: 'static>(body: impl FnOnce() -> Future<T>) -> Vec<String> {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let ended = io_loop.run_sync(body).map(drop).unwrap_err();
    assert!(matches!(ended.downcast_ref(), Some(Error::Deadlock { .. })), "{ended:?}");
    ended.to_string().lines().skip(1).map(|line| line.trim().replace("tests/line_names.rs:", "")).collect()
}

/// Returns the line and column of `text` after `after` in this file.
fn place(after: &str, text: &str) -> String {
    let source = include_str!("line_names.rs");
    let at = source.find(after).unwrap();
    let at = at + source[at..].find(text).unwrap();
    let line_start = source[..at].rfind('\n').unwrap() + 1;
    format!("{}:{}", source[..at].lines().count(), at - line_start + 1)
}

#[squall::coroutine]
fn a(first: Lock, second: Lock) -> Result<()> {
    let _first = yield_!(first.acquire())?;
    yield_!(moment())?;
    let _second = yield_!(second.acquire())?;
    Ok(())
}

#[squall::coroutine]
fn b(first: Lock, second: Lock) -> Result<()> {
    let _first = yield_!(first.acquire())?;
    yield_!(moment())?;
    let _second = yield_!(second.acquire())?;
    Ok(())
}

#[squall::coroutine]
fn c(first: Lock, second: Lock) -> Result<()> {
    let _first = yield_!(first.acquire())?;
    yield_!(moment())?;
    let _second = yield_!(second.acquire())?;
    Ok(())
}

#[test]
fn ring_of_locks_names_each_lock_its_holder_and_the_line() {
    let lines = deadlock(|| {
        let [one, two] = std::array::from_fn(|_| Lock::new());
        let three = Lock::new().named("the third");
        squall::multi([a(one.clone(), two.clone()), b(two, three.clone()), c(three, one)])
    });
    // Each is numbered when it is first mentioned, and so the second lock before the first.
    let line = |of: &str, lock: &str, holder: &str| {
        let waits = place(&format!("fn {of}(first"), "yield_!(second");
        let since = place(&format!("fn {holder}(first"), "acquire()");
        format!("{of} waits at {waits} for {lock}, held by {holder} since {since}")
    };
    let expected = [line("a", "Lock#1", "b"), line("b", "the third", "c"), line("c", "Lock#2", "a")];
    assert_eq!(lines.iter().filter(|line| line.contains(" held ")).collect::<Vec<_>>(), expected.each_ref());
}

#[squall::coroutine]
fn waits_for<T: 'static>(future: Future<T>) -> Result<T> {
    yield_!(future)
}

#[test]
fn each_kind_is_named_with_what_is_requested() {
    let lines = deadlock(|| {
        let (semaphore, bounded) = (Semaphore::new(0), BoundedSemaphore::new(0));
        let (condition, event) = (Condition::new().named("changed"), Event::new());
        let (fifo, lifo, smallest) = (Queue::new(0), LifoQueue::new(1), PriorityQueue::new(0).named("jobs"));
        lifo.put_nowait(1).unwrap();
        drop(waits_for(semaphore.acquire()));
        drop(waits_for(bounded.acquire_unguarded()));
        drop(waits_for(condition.wait()));
        drop(waits_for(event.wait()));
        drop(waits_for::<i32>(fifo.get()));
        drop(waits_for(lifo.put(2)));
        drop(waits_for::<i32>(smallest.get()));
        let all = (semaphore, bounded, condition, event, fifo, lifo.clone(), smallest);
        waits_for(squall::coroutine(move |co| async move {
            co.yield_(lifo.join()).await?;
            drop(all);
            Ok(())
        }))
    });
    let named: Vec<_> = lines.iter().filter_map(|line| line.split_once(" for ")).map(|(_, on)| on).collect();
    for name in [
        "Semaphore#1",
        "BoundedSemaphore#1",
        "changed.wait",
        "Event#1.wait",
        "Queue#1.get",
        "LifoQueue#1.put",
        "jobs.get",
        "LifoQueue#1.join",
    ] {
        assert!(named.contains(&name), "{name}: {named:?}");
    }
}

#[test]
fn names_are_given_in_the_order_of_first_mention_and_shared_by_clones() {
    let [one, two] = std::array::from_fn(|_| Lock::new());
    let clone = two.clone();
    assert_eq!((&*two.name(), &*one.name(), &*clone.name()), ("Lock#1", "Lock#2", "Lock#1"));
    assert_eq!(&*Lock::new().named("db").name(), "db");
    assert_eq!(&*Queue::<()>::new(0).name(), "Queue#1");
    assert_eq!(&*PriorityQueue::<()>::new(0).named("jobs").name(), "jobs");
}

#[squall::coroutine]
fn enters(semaphore: Semaphore) -> Result<()> {
    let _guard = yield_!(semaphore.acquire())?;
    yield_!(Future::<()>::new())
}

#[test]
fn holders_of_a_semaphore_are_named_and_counted() {
    let lines = deadlock(|| {
        let semaphore = Semaphore::new(5);
        squall::multi((0..6).map(|_| enters(semaphore.clone())).collect::<Vec<_>>())
    });
    let waits = lines.iter().find(|line| line.contains("Semaphore#1")).unwrap();
    assert!(waits.contains("Semaphore#1, held by enters since "), "{waits}");
    assert!(waits.ends_with(" and 2 more"), "{waits}");
}

#[squall::coroutine]
fn takes(lock: Lock, then: impl FnOnce(Lock) + 'static) -> Result<()> {
    yield_!(lock.acquire_unguarded())?;
    then(lock);
    Ok(())
}

#[squall::coroutine]
fn asks(lock: Lock) -> Result<()> {
    yield_!(lock.acquire()).map(drop)
}

#[test]
fn holder_is_the_one_that_was_let_in_last() {
    let lock = Lock::new();
    let held = lock.clone();
    let lines = deadlock(move || {
        let guard = held.acquire();
        let [first, second] = [takes(held.clone(), |_| ()), asks(held)];
        IoLoop::current().call_later(MS, move || drop(guard));
        squall::multi([first, second])
    });
    let waits = lines.iter().find(|line| line.starts_with("asks waits")).unwrap();
    assert!(waits.contains("Lock#1, held by takes since "), "{waits}");
    lock.release().unwrap();
    lock.acquire().into_result().unwrap().forget();
    let lines = deadlock(|| asks(lock.clone()));
    assert!(lines[0].contains("Lock#1, held since "), "{lines:?}");
    lock.release().unwrap();
    drop(takes(lock.clone(), |lock| lock.release().unwrap()));
    assert!(lock.acquire().done());
}

#[test]
fn dump_names_the_lock_and_its_holder() {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let lock = Lock::new().named("accounts");
    let dump = io_loop
        .run_sync(|| {
            let guard = lock.acquire();
            let waiting = asks(lock.clone());
            squall::coroutine(|co| async move {
                co.yield_(sleep(MS)).await?;
                let dump = IoLoop::current().dump().to_string();
                drop(guard);
                co.yield_(waiting).await?;
                Ok::<_, Exception>(dump)
            })
        })
        .unwrap();
    assert!(dump.contains("accounts, held since tests/line_names.rs:"), "{dump}");
}

#[squall::coroutine]
fn waits_for_both(lock: Lock, queue: Queue<()>) -> Result<()> {
    yield_!((lock.acquire(), queue.get())).map(drop)
}

#[test]
fn list_is_described_by_what_it_still_waits_for() {
    let lines = deadlock(|| {
        let (free, lock, queue) = (Lock::new(), Lock::new().named("db"), Queue::new(0).named("jobs"));
        lock.acquire().into_result().unwrap().forget();
        drop(waits_for_both(free, queue.clone()));
        waits_for_both(lock, queue)
    });
    assert!(lines[0].ends_with(" for [jobs.get]"), "{lines:?}");
    assert!(lines[1].contains(" for [db, held since ") && lines[1].ends_with("; jobs.get]"), "{lines:?}");
}

#[cfg(feature = "trace")]
#[test]
fn trace_and_waits_name_the_holder_and_the_line() {
    let mut t = squall::testing::TestLoop::new();
    let lock = Lock::new().named("accounts");
    let guard = lock.acquire();
    let (other, free) = (lock.clone(), lock.clone());
    drop((t.spawn(move || takes(other, |_| ())), t.spawn(move || asks(free))));
    t.run_until_idle();
    let waits = t.waiting().to_string();
    assert_eq!(waits.matches("accounts, held since tests/line_names.rs:").count(), 2, "{waits}");
    drop(guard);
    t.run_until_idle();
    let waits = t.waiting().to_string();
    // It names the present holder, not the holder when the wait began.
    assert!(waits.contains("accounts, held by takes since tests/line_names.rs:"), "{waits}");
    let text = t.trace().text().width(200).to_string();
    assert!(text.contains("wait for accounts, held since :"), "{text}");
}

#[test]
fn timeout_has_a_note_of_what_was_waited_for() {
    let (lock, jobs, event) = (Lock::new().named("accounts"), Queue::new(1).named("jobs"), Event::new());
    lock.acquire().into_result().unwrap().forget();
    jobs.put_nowait(1).unwrap();
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let timed_out = |f: &dyn Fn() -> Future<()>| {
        let failed = io_loop.run_sync(f).unwrap_err();
        assert_eq!((failed.to_string().as_str(), failed.downcast_ref()), ("Timeout", Some(&Error::Timeout)));
        assert!(failed.notes().all(|note| format!("{failed:?}").contains(note)), "{failed:?}");
        failed.notes().collect::<Vec<_>>().join("; ")
    };
    let held = timed_out(&|| lock.acquire_unguarded_within(MS));
    assert!(held.starts_with("it waited for accounts, held since tests/line_names.rs:"), "{held}");
    assert_eq!(timed_out(&|| jobs.put_within(2, MS)), "it waited for jobs.put");
    assert_eq!(timed_out(&|| event.wait_within(MS)), "it waited for Event#1.wait");
    assert_eq!(timed_out(&|| squall::with_timeout(MS, event.wait())), "it waited for Event#1.wait");
    assert_eq!(timed_out(&|| squall::with_timeout(MS, Future::new())), "");
}

#[cfg(feature = "trace")]
#[test]
fn trace_names_what_is_waited_for_alike_on_every_run() {
    let trace = || {
        let io_loop = IoLoop::with_clock(VirtualClock::new());
        let recorded = squall::trace::record(|| {
            io_loop.run_sync(|| {
                let (lock, queue) = (Lock::new(), Rc::new(Queue::<i32>::new(0).named("jobs")));
                let guard = lock.acquire();
                let (waiting, got) = (asks(lock), waits_for(queue.get()));
                IoLoop::current().call_later(MS, move || {
                    drop(guard);
                    queue.put_nowait(1).unwrap();
                });
                squall::multi((waiting, got))
            })
        });
        recorded.to_string()
    };
    let text = trace();
    assert!(text.contains("Lock#1.acquire") && text.contains("jobs.get"), "{text}");
    assert_eq!(text, trace());
}
