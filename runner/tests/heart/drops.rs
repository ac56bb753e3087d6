//! Tests of what is freed, and when. The bytes are counted in `allocations.rs`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use squall_runner::ready::{call_soon, callback, ReadyQueue};
use squall_runner::{convert_yielded, coroutine, moment, Exception, Future, Promise, Result};

use crate::{drain, without_panics, Alive, OnDrop, Reports, LONG};

const MANY: usize = 100_000;

/// Returns a coroutine that holds `alive`, waits for `waited`, and ends like it.
fn waiting<T: 'static>(alive: &Alive, waited: Future<T>) -> Future<T> {
    let counted = alive.one();
    coroutine(|co| async move {
        let _counted = counted;
        co.yield_(waited).await
    })
}

#[test]
fn finished_coroutines_leave_nothing() {
    let alive = Alive::default();
    let futures: Vec<_> = (0..MANY).map(|_| waiting(&alive, Future::ready(()))).collect();
    assert_eq!(alive.count(), 0, "each was dropped as it ended, though its Future is held");
    drop(futures);

    let futures: Vec<_> = (0..MANY)
        .map(|_| {
            let counted = alive.one();
            coroutine(|co| async move {
                co.yield_(moment()).await?;
                Ok(counted)
            })
        })
        .collect();
    drain();
    assert_eq!(alive.count(), MANY, "each Future holds its result");
    drop(futures);
    assert_eq!(alive.count(), 0);
    assert!(ReadyQueue::current().suspended().is_empty());
}

#[test]
fn coroutines_whose_future_was_dropped_run_to_their_end_and_leave_nothing() {
    let alive = Alive::default();
    let promises: Vec<_> = (0..MANY)
        .map(|_| {
            let waited = Future::new();
            let promise = waited.promise();
            drop(waiting(&alive, waited));
            promise
        })
        .collect();
    assert_eq!(alive.count(), MANY);
    promises.into_iter().for_each(|promise: Promise<()>| promise.set_result(()));
    drain();
    assert_eq!(alive.count(), 0);
    assert!(ReadyQueue::current().suspended().is_empty());
}

#[test]
fn failed_coroutines_leave_nothing() {
    let reports = Reports::new();
    let alive = Alive::default();
    let mut promises = Vec::new();
    for _ in 0..MANY {
        let waited = Future::<()>::new();
        promises.push(waited.promise());
        drop(waiting(&alive, waited));
    }
    for promise in promises.drain(..) {
        promise.set_exception(Exception::msg("no"));
    }
    drain();
    assert_eq!(alive.count(), 0);
    assert_eq!(reports.take().len(), MANY);
}

#[test]
fn coroutines_that_wait_for_ever_are_freed_when_the_loop_is_given_up() {
    let alive = Alive::default();
    let mut promises = Vec::new();
    for _ in 0..MANY {
        let waited = Future::<()>::new();
        promises.push(waited.promise());
        drop(waiting(&alive, waited));
    }
    assert_eq!(ReadyQueue::current().suspended().len(), MANY);
    without_panics(|| ReadyQueue::current().abandon());
    assert_eq!(alive.count(), 0);
    drop(promises);
    without_panics(drain);
    assert!(ReadyQueue::current().suspended().is_empty());
}

#[test]
fn coroutine_that_waits_in_vain_is_freed_when_the_loop_is_given_up() {
    let alive = Alive::default();
    let never = waiting(&alive, Future::<()>::new());
    drop(never);
    assert_eq!(alive.count(), 1);
    ReadyQueue::current().abandon();
    assert_eq!(alive.count(), 0);
}

#[test]
fn coroutine_that_holds_the_promise_of_what_it_waits_for_is_freed_when_the_loop_is_given_up() {
    let alive = Alive::default();
    let resolved = Rc::new(Cell::new(false));
    for _ in 0..1000 {
        let (counted, resolved) = (alive.one(), resolved.clone());
        drop(coroutine(|co| async move {
            let _counted = counted;
            let own = Future::<()>::new();
            let _promise = own.promise();
            let waited = co.yield_(own).await;
            resolved.set(true);
            waited
        }));
    }
    assert_eq!(alive.count(), 1000);
    ReadyQueue::current().abandon();
    assert_eq!((alive.count(), resolved.get()), (0, false));
    assert_eq!(drain(), 0);
}

#[test]
fn coroutine_that_holds_its_own_future_is_freed_when_the_loop_is_given_up() {
    let alive = Alive::default();
    let own = Rc::new(RefCell::new(None));
    let (held, counted) = (own.clone(), alive.one());
    let future: Future<()> = coroutine(|co| async move {
        let _counted = counted;
        co.yield_(moment()).await?;
        let own = held.take().expect("the test put it there");
        co.yield_(own).await
    });
    *own.borrow_mut() = Some(future);
    drain();
    assert_eq!(alive.count(), 1);
    ReadyQueue::current().abandon();
    assert_eq!(alive.count(), 0);
}

#[test]
fn coroutines_that_wait_for_each_other_are_freed_when_the_loop_is_given_up() {
    let alive = Alive::default();
    let slot = Rc::new(RefCell::new(None::<Future<()>>));
    let (held, counted) = (slot.clone(), alive.one());
    let first = coroutine(|co| async move {
        let _counted = counted;
        co.yield_(moment()).await?;
        let second = held.take().expect("the test put it there");
        co.yield_(second).await
    });
    *slot.borrow_mut() = Some(waiting(&alive, first));
    drain();
    assert_eq!((alive.count(), ReadyQueue::current().suspended().len()), (2, 2));
    ReadyQueue::current().abandon();
    assert_eq!(alive.count(), 0);
}

fn chain(alive: &Alive, of: usize) -> (Promise<()>, Future<()>) {
    let bottom = Future::new();
    let promise = bottom.promise();
    let top = (0..of).fold(bottom, |chain, _| waiting(alive, chain));
    (promise, top)
}

#[test]
fn long_chain_is_given_up_without_recursion() {
    let alive = Alive::default();
    let (promise, top) = chain(&alive, LONG);
    drop(top);
    ReadyQueue::current().abandon();
    assert_eq!(alive.count(), 0);
    drop(promise);
}

#[test]
fn long_chain_whose_bottom_is_on_the_queue_is_given_up_without_recursion() {
    let alive = Alive::default();
    let (promise, top) = chain(&alive, LONG);
    promise.set_result(());
    ReadyQueue::current().abandon();
    assert_eq!(alive.count(), 0);
    drop(top);
}

#[test]
fn long_chain_that_was_given_up_is_dropped_with_its_queue() {
    let alive = Alive::default();
    let ready = ReadyQueue::new();
    let before = ready.clone().make_current();
    let (promise, top) = chain(&alive, LONG);
    drop(top);
    drop(before.make_current());
    drop(promise);
    assert_eq!(Rc::strong_count(&ready), 1);
    drop(ready);
    assert!(alive.count() <= 1, "the promise has put the lowest one on the other queue");
    ReadyQueue::current().abandon();
    assert_eq!(alive.count(), 0);
}

#[test]
fn finished_chain_is_dropped_from_its_top() {
    let alive = Alive::default();
    let (promise, top) = chain(&alive, 100_000);
    promise.set_result(());
    while !ReadyQueue::current().is_empty() {
        ReadyQueue::current().pop().unwrap().run();
    }
    assert_eq!(alive.count(), 0);
    top.result().unwrap();
}

#[test]
fn callbacks_are_freed_when_they_have_run_and_when_the_loop_is_given_up() {
    let alive = Alive::default();
    let resolved = Future::new();
    let promise = resolved.promise();
    let counted = alive.one();
    resolved.add_done_callback(move |_| drop(counted));
    promise.set_result(());
    drain();
    assert_eq!(alive.count(), 0);

    let counted = alive.one();
    call_soon(callback(move || drop(counted)));
    ReadyQueue::current().abandon();
    assert_eq!(alive.count(), 0);

    let never = Future::<()>::new();
    let counted = alive.one();
    never.add_done_callback(move |_| drop(counted));
    drop(never);
    assert_eq!(alive.count(), 0);
}

#[test]
fn done_callback_runs_though_nothing_else_holds_the_future() {
    let seen = Rc::new(Cell::new(0));
    let noted = seen.clone();
    let future = Future::new();
    let promise = future.promise();
    future.add_done_callback(move |future| noted.set(future.result().unwrap()));
    drop(future);
    promise.set_result(5);
    drain();
    assert_eq!(seen.get(), 5);
}

#[test]
fn done_callback_of_an_abandoned_coroutine_runs() {
    let seen = Rc::new(Cell::new(0));
    let noted = seen.clone();
    coroutine(|co| async move {
        co.yield_(moment()).await?;
        Ok(5)
    })
    .add_done_callback(move |future| noted.set(future.result().unwrap()));
    drain();
    assert_eq!(seen.get(), 5);
}

#[test]
fn done_callbacks_of_a_coroutine_that_is_given_up_are_dropped_unrun() {
    let alive = Alive::default();
    let counted = alive.one();
    let future = coroutine(|co| async move { co.yield_(Future::<()>::new()).await });
    future.add_done_callback(move |_| {
        let _counted = counted;
        panic!("it ran");
    });
    ReadyQueue::current().abandon();
    assert_eq!(alive.count(), 0);
    assert!(!future.done());
    assert_eq!(drain(), 0);
}

#[test]
fn natives_are_freed_when_they_end_and_when_the_loop_is_given_up() {
    let alive = Alive::default();
    let native = |waited: Future<()>| {
        let counted = alive.one();
        convert_yielded(async move {
            let _counted = counted;
            waited.await
        })
        .unwrap()
    };
    let done = native(Future::ready(()));
    drain();
    assert_eq!(alive.count(), 0);
    drop(done);

    drop(native(Future::new()));
    let never_started = native(Future::new());
    ReadyQueue::current().abandon();
    assert_eq!(alive.count(), 0);
    drop(never_started);

    let waits = native(Future::new());
    drain();
    assert_eq!((alive.count(), ReadyQueue::current().suspended().len()), (1, 1));
    ReadyQueue::current().abandon();
    assert_eq!(alive.count(), 0);
    drop(waits);
}

#[test]
fn body_that_is_given_up_may_call_coroutines_while_it_is_dropped() {
    let alive = Alive::default();
    let counted = alive.one();
    let future = coroutine(|co| async move {
        let _at_the_end = OnDrop(move || {
            let counted = counted.clone();
            drop(coroutine(|co| async move {
                let _counted = counted;
                co.yield_(moment()).await
            }));
        });
        co.yield_(Future::<()>::new()).await
    });
    drop(future);
    without_panics(|| ReadyQueue::current().abandon());
    assert_eq!(alive.count(), 0);
    assert!(ReadyQueue::current().is_empty() && ReadyQueue::current().suspended().is_empty());
}

#[test]
fn loop_may_be_given_up_and_dropped_from_within_the_drop_of_a_body() {
    let alive = Alive::default();
    let ready = ReadyQueue::new();
    let before = ready.clone().make_current();
    for _ in 0..3 {
        let (counted, ready) = (alive.one(), ready.clone());
        drop(coroutine(|co| async move {
            let _counted = counted;
            let _at_the_end = OnDrop(move || ready.abandon());
            co.yield_(Future::<()>::new()).await
        }));
    }
    without_panics(|| ready.abandon());
    assert_eq!(alive.count(), 0);
    drop(before.make_current());
    assert_eq!(Rc::strong_count(&ready), 1);
}

#[test]
fn coroutine_that_is_woken_under_another_queue_ends_on_its_own_and_leaves_nothing() {
    let alive = Alive::default();
    let waited = Future::new();
    let promise = waited.promise();
    let future = waiting(&alive, waited);
    let other = ReadyQueue::new();
    let own = other.clone().make_current();
    promise.set_result(());
    assert!(ReadyQueue::current().is_empty());
    drop(own.make_current());
    drain();
    assert!(future.done() && ReadyQueue::current().suspended().is_empty());
    drop(future);
    assert!(ReadyQueue::current().suspended().is_empty());
}

#[test]
fn suspended_coroutines_are_listed_with_whom_they_wait_for() {
    static LOW: squall_runner::Coroutine = squall_runner::Coroutine::new("low", file!(), line!());
    static TOP: squall_runner::Coroutine = squall_runner::Coroutine::new("top", file!(), line!());
    use squall_runner::runner::call;
    let waited = Future::<()>::new();
    let promise = waited.promise();
    let low = call(&LOW, |co| async move { co.yield_(waited).await });
    let line = line!() + 1;
    let top = call(&TOP, |co| async move { co.yield_(low).await });
    let suspended = ReadyQueue::current().suspended();
    let names: Vec<_> = suspended
        .iter()
        .map(|each| {
            (
                each.coroutine.name(),
                each.waits_for
                    .as_ref()
                    .and_then(|awaited| awaited.coroutine())
                    .map(squall_runner::Coroutine::name),
            )
        })
        .collect();
    assert_eq!(names, [("low", None), ("top", Some("low"))]);
    assert_eq!(suspended[1].place.line(), line);
    promise.set_result(());
    let queued = ReadyQueue::current().queued();
    let names: Vec<_> =
        queued.iter().map(|callback| callback.suspended().map(|each| each.coroutine.name())).collect();
    assert_eq!(names, [Some("low")]);
    drain();
    top.result().unwrap();
    assert!(ReadyQueue::current().suspended().is_empty());
}

#[test]
fn thread_that_ends_with_suspended_coroutines_frees_them() {
    struct Sent(std::sync::mpsc::Sender<&'static str>);
    impl Drop for Sent {
        fn drop(&mut self) {
            // All of this is asked of a thread that is ending.
            squall_runner::Context::replace_current(squall_runner::Context::current());
            let done = Future::ready(5);
            done.add_done_callback(|_| ());
            let inner = coroutine(|co| async move {
                co.yield_(moment()).await?;
                co.yield_(done).await
            });
            drop(convert_yielded(async move { inner.await }));
            call_soon(callback(|| ()));
            self.0.send("dropped").unwrap();
        }
    }
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (native, queued, body) = (Sent(send.clone()), Sent(send.clone()), Sent(send));
        drop(coroutine(|co| async move {
            let _body = body;
            co.yield_(Future::<()>::new()).await
        }));
        drop(convert_yielded(async move {
            let _native = native;
            Future::<()>::new().await
        }));
        drain();
        call_soon(callback(move || drop(queued)));
    })
    .join()
    .unwrap();
    assert_eq!(receive.iter().collect::<Vec<_>>(), ["dropped"; 3]);
}

#[test]
fn future_is_freed_though_it_was_awaited_and_its_waker_is_kept() -> Result<()> {
    let alive = Alive::default();
    let counted = alive.one();
    let kept = Rc::new(RefCell::new(None));
    let keep = kept.clone();
    let native = convert_yielded(async move {
        let _counted = counted;
        std::future::poll_fn(|cx| {
            *keep.borrow_mut() = Some(cx.waker().clone());
            std::task::Poll::Ready(())
        })
        .await;
        Ok::<_, Exception>(())
    })?;
    drain();
    native.result()?;
    drop(native);
    assert_eq!(alive.count(), 0);
    let waker = kept.take().unwrap();
    waker.wake_by_ref();
    waker.wake();
    assert_eq!(drain(), 0);
    Ok(())
}

#[test]
fn what_is_dropped_while_another_queue_is_current_leaves_the_list_of_its_own() {
    let (own, other) = (ReadyQueue::new(), ReadyQueue::new());
    let before = own.clone().make_current();
    let task = squall_runner::convert_yielded(async { Ok::<_, squall_runner::Exception>(()) }).unwrap();
    let entry = own.pop();
    assert_eq!(own.suspended().len(), 1);
    other.clone().make_current();
    let beside = squall_runner::convert_yielded(async { Ok::<_, squall_runner::Exception>(()) }).unwrap();
    drop((entry, task));
    assert_eq!((own.suspended().len(), other.suspended().len()), (0, 1));
    drop(beside);
    before.make_current();
}

#[test]
fn any_number_of_promises_that_are_dropped_break_the_promise_with_the_last_one() {
    for count in [32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 100_000] {
        let future = Future::<i32>::new();
        let mut promises: Vec<_> = (0..count).map(|_| future.promise()).collect();
        let last = promises.pop();
        // Some come and go where the count carries.
        drop((future.promise(), future.promise()));
        drop(promises);
        assert!(!future.done(), "{count}");
        drop(last);
        assert_eq!(
            future.exception().unwrap().downcast_ref(),
            Some(&squall_runner::Error::BrokenPromise),
            "{count}"
        );
    }
}
