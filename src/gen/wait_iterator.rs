//! [`WaitIterator`]: the results of several Futures, one by one, as they finish.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::{Rc, Weak};

use squall_runner::foreign::Guarded;
use squall_runner::ready::{QueueId, ReadyQueue, Run, Withdraw};
use squall_runner::trace::{Origin, State};
use squall_runner::Held;
use squall_runner::{Future, Place, Resolvable, Shared};

/// Returns the results of several Futures in the order in which they finish. A yielded list would wait for all of them,
/// and lose every result if one fails.
///
/// ```
/// use std::time::Duration;
/// use squall::{coroutine, sleep, IoLoop, WaitIterator};
///
/// fn after(ms: u64) -> squall::Future<u64> {
///     coroutine(move |co| async move { co.yield_(sleep(Duration::from_millis(ms))).await?; Ok(ms) })
/// }
///
/// let order = IoLoop::current().run_sync(|| coroutine(|co| async move {
///     let mut seen = Vec::new();
///     let mut it = WaitIterator::new([after(3), after(1)]);
///     while !it.done() {
///         match co.yield_(it.next()).await {
///             Ok(ms) => seen.push((it.current_index(), ms)),
///             Err(e) => println!("number {:?} failed: {e}", it.current_index()),
///         }
///     }
///     Ok(seen)
/// }))?;
/// assert_eq!(order, [(Some(1), 1), (Some(0), 3)]);
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// In a native coroutine, write `it.next().await`. Futures that are already done come first, in list order. A Future
/// that is in the list twice comes twice.
///
/// Dropping the iterator, and the last Future that it returned, drops its handles of the Futures in the list and
/// cancels nothing.
///
/// Source: `tornado.gen.WaitIterator`.
pub struct WaitIterator<T: 'static, K: 'static = ()> {
    inner: Rc<Inner<T, K>>,
}

/// State that the iterator shares with the Futures that it returns. The Futures in the list do not hold it.
struct Inner<T: 'static, K: 'static> {
    keys: Vec<Guarded<K>>,
    /// The loop that the Futures tell when they are done: the one on which `next` was called last.
    home: Cell<QueueId>,
    /// The Futures by their place in the list; `None` once done.
    futures: RefCell<Vec<Option<Future<T>>>>,
    /// How many results were not handed over yet.
    left: Cell<usize>,
    /// How many Futures are done so far.
    done: Cell<usize>,
    /// Results that were not asked for yet or came back, by the order in which their Futures were done.
    finished: RefCell<BTreeMap<usize, Finished<T>>>,
    /// The Future that the last `next` returned.
    running: RefCell<Weak<Next<T, K>>>,
    current: RefCell<Option<(usize, Future<T>)>>,
}

/// A Future in the list that is done.
struct Finished<T: 'static> {
    /// How many were done before this one.
    order: usize,
    /// Its place in the list.
    index: usize,
    future: Future<T>,
    /// The result, if it was handed over and came back.
    result: Option<Future<T>>,
}

impl<T: 'static> WaitIterator<T> {
    /// Creates an iterator over the results of `futures`, which are identified by their place in the list.
    pub fn new(futures: impl IntoIterator<Item = Future<T>>) -> Self {
        Self::keyed(futures.into_iter().map(|future| ((), future)))
    }
}

impl<T: 'static, K: 'static> WaitIterator<T, K> {
    /// Creates an iterator over the results of Futures that are identified by keys.
    ///
    /// ```
    /// use squall::{Future, WaitIterator};
    ///
    /// let mut it = WaitIterator::keyed([("a", Future::ready(1)), ("b", Future::ready(2))]);
    /// assert_eq!(it.next().result()?, 1);
    /// assert_eq!(it.current_key(), Some(&"a"));
    /// # Ok::<(), squall::Exception>(())
    /// ```
    pub fn keyed(entries: impl IntoIterator<Item = (K, Future<T>)>) -> Self {
        let (keys, futures): (Vec<_>, Vec<_>) =
            entries.into_iter().map(|(key, future)| (Guarded::new(key), Some(future))).unzip();
        let pending = |future: &Option<Future<T>>| future.as_ref().is_some_and(|future| !future.done());
        let pending: Vec<bool> = futures.iter().map(pending).collect();
        let inner = Rc::new(Inner {
            keys,
            home: Cell::new(ReadyQueue::current_id()),
            left: Cell::new(futures.len()),
            done: Cell::new(0),
            finished: RefCell::default(),
            running: RefCell::default(),
            current: RefCell::default(),
            futures: RefCell::new(futures),
        });
        for (index, pending) in pending.into_iter().enumerate() {
            if pending {
                inner.watch(index);
            } else {
                inner.finish(index);
            }
        }
        Self { inner }
    }

    /// Returns whether there are no more results. After the last result, this call also clears `current_index`,
    /// `current_key` and `current_future`.
    pub fn done(&self) -> bool {
        if self.inner.left.get() > 0 {
            return false;
        }
        drop(self.inner.current.take());
        true
    }

    /// Returns the Future of the next result. It fails with the exception of the Future that finished; the iterator
    /// goes on nevertheless.
    ///
    /// Call [`done`](Self::done) first: after the last result, this returns a Future that is never done. A second call
    /// leaves the Future of the first one pending for ever, unless it is already done.
    ///
    /// No result is lost. If the returned Future is dropped or runs out of time before its result was taken, the next
    /// call returns that result.
    #[allow(clippy::should_implement_trait)]
    #[track_caller]
    pub fn next(&mut self) -> Future<T> {
        let next = Next::new(self.inner.clone());
        let here = ReadyQueue::current_id();
        if self.inner.home.replace(here) != here {
            (0..self.inner.keys.len()).for_each(|index| self.inner.watch(index));
        }
        let first = self.inner.finished.borrow_mut().pop_first();
        match first {
            Some((_, finished)) => self.inner.hand_over(finished, &next),
            None => *self.inner.running.borrow_mut() = Rc::downgrade(&next),
        }
        Future::from_core(next)
    }

    /// Returns the place in the list, from 0, of the Future whose result came last.
    pub fn current_index(&self) -> Option<usize> {
        self.inner.current.borrow().as_ref().map(|(index, _)| *index)
    }

    /// Returns the key of the Future whose result came last.
    pub fn current_key(&self) -> Option<&K> {
        self.inner.keys.get(self.current_index()?).map(|key| &**key)
    }

    /// Returns the Future whose result came last. It has the `id` of the Future in the list.
    pub fn current_future(&self) -> Option<Future<T>>
    where
        T: Clone,
    {
        self.inner.current.borrow().as_ref().map(|(_, future)| future.clone())
    }
}

impl<T: 'static, K: 'static> Inner<T, K> {
    /// Waits on the current loop for the Future at `index`, if its end is not recorded yet.
    fn watch(self: &Rc<Self>, index: usize) {
        let watch = Rc::new(Watch { inner: Rc::downgrade(self), home: self.home.get(), index });
        let future = self.futures.borrow()[index].as_ref().map(same);
        future.into_iter().for_each(|future| future.call_when_done(watch.clone()));
    }

    /// Records that the Future at `index` is done.
    fn finish(&self, index: usize) {
        let future = self.futures.borrow_mut()[index].take();
        if let Some(future) = future {
            let order = self.done.replace(self.done.get() + 1);
            self.offer(Finished { order, index, future, result: None });
        }
    }

    /// Hands a result over if a Future of `next` waits for one, else keeps it.
    fn offer(&self, finished: Finished<T>) {
        let running = self.running.borrow().upgrade();
        match running.filter(|next| next.shared.state() == State::Pending) {
            Some(next) => self.hand_over(finished, &next),
            None => drop(self.finished.borrow_mut().insert(finished.order, finished)),
        }
    }

    fn hand_over(&self, mut finished: Finished<T>, next: &Next<T, K>) {
        self.left.set(self.left.get() - 1);
        // Cloned if a second handle was ever made, so that the result of the current Future stays available.
        let result = finished.result.take().unwrap_or_else(|| same(&finished.future)).into_result();
        drop(self.current.replace(Some((finished.index, same(&finished.future)))));
        next.given.set(Some(finished));
        next.shared.set(result);
        drop(next.kept.take());
    }

    /// Takes back a result that was handed over and not taken.
    fn give_back(&self, finished: Finished<T>) {
        self.left.set(self.left.get() + 1);
        let came_last = |current: &mut (usize, Future<T>)| current.0 == finished.index;
        let current = self.current.borrow_mut().take_if(came_last);
        drop(current);
        self.offer(finished);
    }
}

/// Returns another handle of a Future without requiring `T: Clone`.
fn same<T>(future: &Future<T>) -> Future<T> {
    Future::from_core(future.core().clone())
}

/// The Future of the next result. It holds the iterator's state, so the iterator may be dropped before.
struct Next<T: 'static, K: 'static> {
    shared: Shared<T>,
    inner: Rc<Inner<T, K>>,
    /// The Future in the list whose result this has.
    given: Cell<Option<Finished<T>>>,
    /// The value itself, while it is pending and something without a handle waits for it.
    kept: Cell<Option<(Rc<Self>, Held)>>,
}

impl<T: 'static, K: 'static> Next<T, K> {
    #[track_caller]
    fn new(inner: Rc<Inner<T, K>>) -> Rc<Self> {
        let (shared, given, kept) = (Shared::new(), Cell::new(None), Cell::new(None));
        let place = Place::caller();
        shared.announce_as(|| (Origin::Named("WaitIterator.next"), None, Some(place)));
        Rc::new(Self { shared, inner, given, kept })
    }
}

impl<T: 'static, K: 'static> Resolvable for Next<T, K> {
    type Output = T;

    fn shared(&self) -> &Shared<T> {
        &self.shared
    }

    fn cancel(&self) -> bool {
        let cancelled = self.shared.cancel();
        drop(self.kept.take());
        cancelled
    }

    fn keep(self: Rc<Self>) {
        if self.shared.state() == State::Pending {
            let this: Weak<Self> = Rc::downgrade(&self);
            let held = Held::new(this);
            let this = self.clone();
            self.kept.set(Some((this, held)));
        }
    }
}

impl<T: 'static, K: 'static> Withdraw for Next<T, K> {
    fn withdraw(&self) {
        self.shared.end_with_loop();
        drop(self.kept.take());
    }
}

impl<T: 'static, K: 'static> Drop for Next<T, K> {
    fn drop(&mut self) {
        // With the iterator gone, nothing can ask for the exception: it is reported.
        let Some(mut finished) = self.given.take().filter(|_| Rc::strong_count(&self.inner) > 1) else {
            return;
        };
        if let Some(result) = self.shared.reclaim_result() {
            finished.result = Some(Future::from_core(Rc::new(Shared::settled(result))));
            self.inner.give_back(finished);
        }
    }
}

/// The callback of one Future in the list.
struct Watch<T: 'static, K: 'static> {
    inner: Weak<Inner<T, K>>,
    /// The loop on which it waits.
    home: QueueId,
    index: usize,
}

impl<T: 'static, K: 'static> Run for Watch<T, K> {
    fn run(self: Rc<Self>) {
        if let Some(inner) = self.inner.upgrade() {
            inner.finish(self.index);
        }
    }

    /// Returns whether the iterator was dropped, or waits on another loop by now.
    fn is_over(&self, _holders: usize) -> bool {
        self.inner.upgrade().is_none_or(|inner| inner.home.get() != self.home)
    }
}

impl<T: 'static, K: 'static> Withdraw for Watch<T, K> {}

impl<T, K> fmt::Debug for WaitIterator<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitIterator").field("left", &self.inner.left.get()).finish_non_exhaustive()
    }
}
