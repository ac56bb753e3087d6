//! Native coroutines: `async fn`, woken from anywhere, and cancelled as `asyncio` cancels them.

use std::cell::{Cell, RefCell};
use std::future::{poll_fn, Future as _};
use std::pin::{pin, Pin};
use std::rc::Rc;
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};

use futures::future::{join_all, select, Either};
use futures::stream::{FuturesUnordered, StreamExt};
use squall_runner::ready::{ReadyQueue, Woken};
use squall_runner::{convert_yielded, coroutine, moment, native, Error, Exception, Future, Result};

use crate::{drain, turn, Lines, Reports};

fn spawn<T: 'static>(body: impl std::future::Future<Output = Result<T>> + 'static) -> Future<T> {
    convert_yielded(body).unwrap()
}

/// Sends its waker out whenever it is polled, and is ready once it is opened.
struct Gate {
    wakers: Sender<Waker>,
    open: Arc<Mutex<bool>>,
}

impl std::future::Future for Gate {
    type Output = Result<i32>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<i32>> {
        self.wakers.send(cx.waker().clone()).unwrap();
        if *self.open.lock().unwrap() {
            Poll::Ready(Ok(5))
        } else {
            Poll::Pending
        }
    }
}

/// Returns a receiver of the coroutines that other threads wake, with the threads.
fn outside() -> Receiver<(Arc<Woken>, ThreadId)> {
    let (tells, told) = channel();
    ReadyQueue::current().woken_outside(move |woken| tells.send((woken, thread::current().id())).unwrap());
    told
}

/// Wakes the coroutines here, and returns how many there were.
fn deliver(told: &Receiver<(Arc<Woken>, ThreadId)>) -> usize {
    told.try_iter().map(|(woken, _)| ReadyQueue::current().wake(&woken)).count()
}

/// Returns whether something that this thread cannot see may wake a coroutine.
fn wakeable() -> bool {
    ReadyQueue::current().suspended().iter().any(|suspended| suspended.wakeable)
}

#[test]
fn waker_of_another_thread_tells_of_it_and_wakes_when_it_is_delivered() {
    let (wakers, woken) = channel();
    let open = Arc::new(Mutex::new(false));
    let told = outside();
    let future = spawn(Gate { wakers, open: open.clone() });
    drain();
    let waker = woken.recv().unwrap();
    assert!(wakeable());

    let thread = thread::spawn(move || {
        *open.lock().unwrap() = true;
        waker.wake();
    });
    let other = thread.thread().id();
    thread.join().unwrap();
    let (woken, on) = told.recv().unwrap();
    assert!(on == other && told.try_recv().is_err(), "told once, on that thread");
    assert!(ReadyQueue::current().is_empty(), "and nothing else until it is delivered");
    ReadyQueue::current().wake(&woken);
    assert_eq!(turn(), 1);
    assert_eq!(future.result().unwrap(), 5);
    assert!(!wakeable());
}

#[test]
fn many_wake_ups_between_two_steps_are_one() {
    let (wakers, woken) = channel();
    let open = Arc::new(Mutex::new(false));
    let told = outside();
    let future = spawn(Gate { wakers, open: open.clone() });
    drain();
    let waker = woken.recv().unwrap();
    for round in 0..3 {
        let remote = waker.clone();
        thread::spawn(move || (0..1000).for_each(|_| remote.wake_by_ref())).join().unwrap();
        (0..1000).for_each(|_| waker.wake_by_ref());
        *open.lock().unwrap() = round == 2;
        assert_eq!(deliver(&told), 1);
        assert_eq!(turn(), 1);
        assert_eq!(woken.try_iter().count(), 1);
    }
    assert_eq!(future.result().unwrap(), 5);
}

#[test]
fn wakers_of_many_threads_wake_each_its_own() {
    let told = outside();
    let (wakers, woken) = channel();
    let gates: Vec<_> = (0..8)
        .map(|_| {
            let open = Arc::new(Mutex::new(false));
            (spawn(Gate { wakers: wakers.clone(), open: open.clone() }), open)
        })
        .collect();
    drain();
    let threads: Vec<_> = woken
        .try_iter()
        .zip(&gates)
        .map(|(waker, (_, open))| {
            let open = open.clone();
            thread::spawn(move || {
                *open.lock().unwrap() = true;
                waker.wake();
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(deliver(&told), 8);
    drain();
    assert!(gates.iter().all(|(future, _)| future.result().unwrap() == 5));
}

#[test]
fn wake_up_after_the_end_and_after_the_loop_does_nothing() {
    let (wakers, woken) = channel();
    let open = Arc::new(Mutex::new(true));
    let ready = ReadyQueue::new();
    let before = ready.clone().make_current();
    let future = spawn(Gate { wakers: wakers.clone(), open });
    let suspended = spawn(Gate { wakers, open: Arc::default() });
    drain();
    let (ended, never) = (woken.recv().unwrap(), woken.recv().unwrap());
    assert!(future.done());
    ended.wake_by_ref();
    thread::spawn({
        let ended = ended.clone();
        move || ended.wake()
    })
    .join()
    .unwrap();
    assert_eq!(turn(), 0);
    drop(suspended);
    drop(before.make_current());
    drop(ready);
    never.wake_by_ref();
    thread::spawn(move || (0..1000).for_each(|_| never.wake_by_ref())).join().unwrap();
    ended.wake();
    assert_eq!(turn(), 0);
}

#[test]
fn wake_up_of_one_that_has_ended_does_not_wake_its_successor() {
    let (wakers, woken) = channel();
    let first = spawn(Gate { wakers: wakers.clone(), open: Arc::new(Mutex::new(true)) });
    drain();
    let stale = woken.recv().unwrap();
    drop(first);
    let successor = spawn(Gate { wakers, open: Arc::default() });
    drain();
    assert_eq!(woken.try_iter().count(), 1);
    let remote = stale.clone();
    stale.wake();
    thread::spawn(move || remote.wake()).join().unwrap();
    drain();
    assert_eq!(woken.try_iter().count(), 0, "it was not polled again");
    assert!(!successor.done());
    ReadyQueue::current().abandon();
}

#[test]
fn waker_may_be_dropped_on_another_thread() {
    let (wakers, woken) = channel();
    let future = spawn(Gate { wakers, open: Arc::default() });
    drain();
    assert!(wakeable());
    thread::spawn(move || drop(woken)).join().unwrap();
    assert!(!wakeable(), "nothing is left that could wake it");
    assert!(!future.done());
    ReadyQueue::current().abandon();
}

#[test]
fn wake_up_while_it_is_polled_lets_it_go_on_in_the_next_turn() {
    let polls = Rc::new(Cell::new(0));
    let counted = polls.clone();
    let future = spawn(poll_fn(move |cx| {
        counted.set(counted.get() + 1);
        cx.waker().wake_by_ref();
        cx.waker().wake_by_ref();
        if counted.get() == 3 {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }));
    for n in 1..=3 {
        assert_eq!(turn(), 1);
        assert_eq!(polls.get(), n);
    }
    assert!(future.done());
    drain();
    assert_eq!(polls.get(), 3);
}

#[test]
fn join_all_waits_for_few_and_for_many() {
    for n in [3, 100] {
        let (promises, futures): (Vec<_>, Vec<_>) = (0..n)
            .map(|_| {
                let future = Future::new();
                (future.promise(), future)
            })
            .unzip();
        let all = spawn(async move { join_all(futures).await.into_iter().collect::<Result<Vec<i32>>>() });
        drain();
        for (n, promise) in promises.into_iter().enumerate().rev() {
            assert!(!all.done());
            promise.set_result(i32::try_from(n).unwrap());
            drain();
        }
        assert_eq!(all.result().unwrap(), (0..n).collect::<Vec<_>>());
    }
}

#[test]
fn select_goes_on_with_the_first() {
    let (first, second) = (Future::<i32>::new(), Future::<i32>::new());
    let (first_promise, second_promise) = (first.promise(), second.promise());
    let raced = spawn(async move {
        match select(first, second).await {
            Either::Left((result, rest)) | Either::Right((result, rest)) => Ok((result?, rest.await?)),
        }
    });
    drain();
    second_promise.set_result(2);
    drain();
    assert!(!raced.done());
    first_promise.set_result(1);
    drain();
    assert_eq!(raced.result().unwrap(), (2, 1));
}

#[test]
fn results_of_unordered_futures_come_as_they_are_resolved() {
    let lines = Lines::default();
    let seen = lines.clone();
    let mut promises = Vec::new();
    let mut futures = FuturesUnordered::new();
    for _ in 0..4 {
        let future = Future::<i32>::new();
        promises.push(future.promise());
        futures.push(future);
    }
    let all = spawn(async move {
        while let Some(result) = futures.next().await {
            seen.add(result?.to_string());
        }
        Ok(())
    });
    drain();
    for index in [2, 0, 1, 0] {
        promises.remove(index).set_result(i32::try_from(index).unwrap());
        drain();
    }
    all.result().unwrap();
    assert_eq!(lines.take(), ["2", "0", "1", "0"]);
}

#[test]
fn native_coroutine_waits_where_it_was_converted() {
    let line = line!() + 1;
    let future = convert_yielded(std::future::pending::<Result<()>>()).unwrap();
    drain();
    let suspended = ReadyQueue::current().suspended();
    assert_eq!((suspended[0].place.file(), suspended[0].place.line()), (file!(), line));
    drop(future);
}

#[test]
fn coroutine_that_runs_is_not_suspended() {
    let suspended = || ReadyQueue::current().suspended().len();
    let decorated = coroutine(move |co| async move {
        let before = suspended();
        co.yield_(moment()).await?;
        Ok([before, suspended()])
    });
    let native = spawn(async move {
        let before = suspended();
        moment().await?;
        Ok([before, suspended()])
    });
    drain();
    assert_eq!(decorated.result().unwrap(), [0, 1], "the other one");
    assert_eq!(native.result().unwrap(), [0, 0]);
}

/// Counts how often it is woken.
#[derive(Default)]
struct Counts(Mutex<u32>);
impl Wake for Counts {
    fn wake(self: Arc<Self>) {
        *self.0.lock().unwrap() += 1;
    }
}

#[test]
fn foreign_executor_polls_a_future_any_number_of_times_and_is_woken_once() {
    let counts = Arc::new(Counts::default());
    let waker = Waker::from(counts.clone());
    let mut future = Future::<i32>::new();
    let promise = future.promise();
    for _ in 0..100 {
        assert!(Pin::new(&mut future).poll_with(&waker).is_pending());
    }
    promise.set_result(5);
    assert_eq!(*counts.0.lock().unwrap(), 1);
    assert_eq!(Arc::strong_count(&counts), 2);
    let Poll::Ready(Ok(5)) = Pin::new(&mut future).poll_with(&waker) else { panic!() };
}

#[test]
fn tasks_that_poll_by_turns_are_all_woken_and_kept_a_few_times_at_most() {
    let counts: [_; 20] = std::array::from_fn(|_| Arc::new(Counts::default()));
    let wakers = counts.clone().map(Waker::from);
    let mut future = Future::<i32>::new();
    let promise = future.promise();
    for _ in 0..1000 {
        wakers.iter().for_each(|waker| assert!(Pin::new(&mut future).poll_with(waker).is_pending()));
    }
    let kept: usize = counts.iter().map(|counts| Arc::strong_count(counts) - 2).sum();
    assert!(kept < 4 * counts.len(), "{kept}");
    promise.set_result(5);
    assert!(counts.iter().all(|counts| *counts.0.lock().unwrap() > 0 && Arc::strong_count(counts) == 2));
}

trait PollWith: std::future::Future + Sized {
    fn poll_with(self: Pin<&mut Self>, waker: &Waker) -> Poll<Self::Output> {
        self.poll(&mut Context::from_waker(waker))
    }
}

impl<F: std::future::Future> PollWith for F {}

#[test]
fn any_std_future_may_be_yielded() {
    let future = coroutine(|co| async move {
        let a = co.yield_(std::future::ready(Ok::<_, std::fmt::Error>(1))).await?;
        let b = co.yield_(native(std::future::ready(2))).await?;
        let raised = co.yield_(std::future::ready(Err::<i32, _>(std::fmt::Error))).await;
        assert!(raised.unwrap_err().is::<std::fmt::Error>());
        Ok(a + b)
    });
    drain();
    assert_eq!(future.result().unwrap(), 3);
}

#[test]
fn native_that_fails_adds_the_line_at_which_it_was_yielded_to_the_traceback() {
    async fn fails() -> Result<()> {
        moment().await?;
        Err(Exception::msg("no"))
    }
    let line = line!() + 1;
    let future = coroutine(|co| async move { co.yield_(async { fails().await }).await });
    drain();
    let exception = future.exception().unwrap();
    assert_eq!(exception.traceback().len(), 2);
    assert_eq!(exception.traceback()[1].place.line(), line);
    assert_eq!(exception.traceback()[0].place, exception.origin());
}

// Cancellation: what `asyncio.Task.cancel` does.

fn is_cancelled(exception: &Exception) -> bool {
    exception.downcast_ref() == Some(&Error::Cancelled)
}

#[test]
fn cancel_before_the_first_step_never_runs_the_body() {
    let lines = Lines::default();
    let ran = lines.clone();
    let task = spawn(async move {
        ran.add("ran");
        Ok(())
    });
    assert!(task.cancel());
    drain();
    assert!(task.cancelled());
    assert!(!task.cancel());
    assert!(lines.take().is_empty());
}

#[test]
fn cancel_cancels_what_is_awaited_and_raises_at_the_await() {
    let lines = Lines::default();
    let seen = lines.clone();
    let waited = Future::<i32>::new();
    let promise = waited.promise();
    let handle = waited.clone();
    let task = spawn(async move {
        let raised = handle.await;
        seen.add(raised.as_ref().unwrap_err().to_string());
        raised
    });
    drain();
    assert!(task.cancel());
    assert!(waited.cancelled() && !task.done());
    assert_eq!(turn(), 1);
    assert!(task.cancelled());
    assert_eq!(lines.take(), ["cancelled"]);
    promise.set_result(5);
}

#[test]
fn cancel_goes_down_to_the_task_that_is_awaited() {
    let waited = Future::<i32>::new();
    let _promise = waited.promise();
    let handle = waited.clone();
    let inner = spawn(async move { handle.await });
    let inner_handle = inner.clone();
    let outer = spawn(async move { inner_handle.await });
    drain();
    assert!(outer.cancel());
    assert!(waited.cancelled());
    drain();
    assert!(inner.cancelled() && outer.cancelled());
}

#[test]
fn cancel_of_a_long_chain_goes_down_without_recursion() {
    let waited = Future::<()>::new();
    let _promise = waited.promise();
    let mut top = waited.clone();
    for _ in 0..100_000 {
        top = convert_yielded(async move { top.await }).unwrap();
    }
    drain();
    assert!(top.cancel());
    assert!(waited.cancelled());
    drain();
    assert!(top.cancelled());
}

#[test]
fn cancel_of_a_chain_whose_bottom_is_just_done_is_raised_in_the_lowest_task() {
    let waited = Future::<i32>::new();
    let promise = waited.promise();
    let lowest =
        convert_yielded(async move { Ok::<_, Exception>(waited.await.is_err_and(|e| is_cancelled(&e))) })
            .unwrap();
    let middle = convert_yielded(lowest).unwrap();
    let middle = convert_yielded(async move { middle.await }).unwrap();
    let top = convert_yielded(async move { middle.await }).unwrap();
    drain();
    promise.set_result(5);
    assert!(top.cancel());
    drain();
    assert!(top.result().unwrap(), "the lowest was raised Cancelled, and went on");
}

#[test]
fn cancel_of_tasks_that_await_each_other_ends_the_one_that_is_cancelled() {
    let (second, slot) = (Rc::new(Cell::new(None::<Future<()>>)), Rc::new(Cell::new(None)));
    let (there, here) = (second.clone(), slot.clone());
    let first = convert_yielded(async move { there.take().unwrap().await }).unwrap();
    slot.set(Some(first.clone()));
    let other = convert_yielded(async move { here.take().unwrap().await }).unwrap();
    second.set(Some(other.clone()));
    let outside = first.clone();
    let outside = convert_yielded(async move { outside.await }).unwrap();
    drain();
    assert!(outside.cancel());
    drain();
    assert!(outside.cancelled() && !first.done() && !other.done());
    assert!(first.cancel());
    drain();
    assert!(first.cancelled() && other.cancelled());
}

#[test]
fn cancel_that_the_awaited_task_swallows_leaves_no_trace() {
    let inner = spawn(async move { Ok(Future::<i32>::new().await.unwrap_or(5)) });
    let outer = spawn(async move {
        let five = inner.await?;
        moment().await?;
        Ok(five)
    });
    drain();
    assert!(outer.cancel());
    drain();
    assert_eq!(outer.result().unwrap(), 5);
}

#[test]
fn cancel_that_the_body_catches_lets_it_go_on() {
    let task = spawn(async move {
        let raised = Future::<i32>::new().await.unwrap_err();
        assert!(is_cancelled(&raised));
        moment().await?;
        Ok(5)
    });
    drain();
    task.cancel();
    drain();
    assert_eq!(task.result().unwrap(), 5);
}

#[test]
fn cancel_in_a_moment_is_raised_in_the_next_step() {
    let lines = Lines::default();
    let seen = lines.clone();
    let task = spawn(async move {
        seen.add(moment().await.unwrap_err().to_string());
        seen.add(Future::ready("goes on").await?);
        Ok(())
    });
    turn();
    assert!(task.cancel());
    assert_eq!(turn(), 1);
    task.result().unwrap();
    assert_eq!(lines.take(), ["cancelled", "goes on"]);
}

#[test]
fn cancel_by_the_body_itself_is_raised_at_its_next_await() {
    let own = Rc::new(RefCell::new(None::<Future<()>>));
    let held = own.clone();
    let lines = Lines::default();
    let seen = lines.clone();
    let waited = Future::<()>::new();
    let handle = waited.clone();
    let task = spawn(async move {
        moment().await?;
        assert!(held.borrow().as_ref().unwrap().cancel());
        seen.add(handle.await.unwrap_err().to_string());
        Ok(())
    });
    *own.borrow_mut() = Some(task.clone());
    drain();
    assert!(task.done() && !task.cancelled() && waited.cancelled());
    assert_eq!(lines.take(), ["cancelled"]);
    own.take();
}

#[test]
fn cancel_of_one_that_awaits_a_done_future_is_raised_in_the_next_step() {
    // The Future is done, and the step on the queue: cancelling comes too late for the Future.
    let waited = Future::<i32>::new();
    let promise = waited.promise();
    let task = spawn(async move { Ok(is_cancelled(&waited.await.unwrap_err())) });
    drain();
    promise.set_result(5);
    assert!(task.cancel());
    assert_eq!(turn(), 1);
    assert!(task.result().unwrap());
    assert_eq!(drain(), 0);
}

#[test]
fn cancel_of_one_that_awaits_something_foreign_drops_its_body() {
    let alive = crate::Alive::default();
    let counted = alive.one();
    let (wakers, _woken) = channel();
    let task = spawn(async move {
        let _counted = counted;
        Gate { wakers, open: Arc::default() }.await
    });
    drain();
    assert!(task.cancel());
    drain();
    assert!(task.cancelled());
    assert_eq!(alive.count(), 0);
}

#[test]
fn cancel_does_not_reach_a_future_that_lost_a_race() {
    // The body has polled another coroutine's Future, and gone on to await something foreign.
    let others = Future::<i32>::new();
    let _promise = others.promise();
    let handle = others.clone();
    let (wakers, _woken) = channel();
    let task = spawn(async move {
        drop(select(handle, std::future::ready(())).await);
        Gate { wakers, open: Arc::default() }.await
    });
    drain();
    assert!(task.cancel());
    drain();
    assert!(task.cancelled() && !others.cancelled());
}

#[test]
fn exception_of_a_task_that_is_cancelled_meanwhile_is_its_own() {
    let reports = Reports::new();
    let task = spawn(async move {
        let _cancelled = Future::<()>::new().await;
        Err::<(), _>(Exception::msg("no"))
    });
    drain();
    task.cancel();
    drain();
    assert_eq!(task.exception().unwrap().to_string(), "no");
    assert!(reports.take().is_empty());
}

#[test]
fn cancelled_task_raises_cancelled_in_its_waiter() {
    let task = spawn(async move { Future::<i32>::new().await });
    let handle = task.clone();
    let waiting = coroutine(|co| async move { Ok(is_cancelled(&co.yield_(handle).await.unwrap_err())) });
    drain();
    task.cancel();
    drain();
    assert!(waiting.result().unwrap());
}

#[test]
fn body_may_be_polled_by_hand_within_another() {
    // A native that polls a Future with a waker of its own.
    let waited = Future::<i32>::new();
    let promise = waited.promise();
    let task = spawn(async move {
        let mut inner = pin!(async move { waited.await });
        poll_fn(|cx| {
            struct Passes(Waker);
            impl Wake for Passes {
                fn wake(self: Arc<Self>) {
                    self.0.wake_by_ref();
                }
            }
            let waker = Waker::from(Arc::new(Passes(cx.waker().clone())));
            inner.as_mut().poll(&mut Context::from_waker(&waker))
        })
        .await
    });
    drain();
    promise.set_result(5);
    assert_eq!(turn(), 1);
    assert_eq!(task.result().unwrap(), 5);
}
