//! [`WaitIterator`]: the results of several Futures, one by one, as they finish.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::{Rc, Weak};

use squall_runner::ready::Run;
use squall_runner::trace::{self, Event, Origin, State};
use squall_runner::{Future, Shared};

use crate::ioloop::Held;

/// Gives the results of several Futures in the order in which they finish, where a list would wait for all of
/// them and lose every result if one fails.
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
/// In a native coroutine it is `it.next().await`. Of those that are done already, the first in the list comes
/// first. The same Future may be in the list twice, and comes twice.
///
/// Source: `tornado.gen.WaitIterator`; what it waits for is not cancelled when the iterator is dropped.
pub struct WaitIterator<T: 'static, K: 'static = ()> {
    inner: Rc<Inner<T, K>>,
}

struct Inner<T: 'static, K: 'static> {
    keys: Vec<K>,
    /// By place in the list; empty once handed over.
    futures: RefCell<Vec<Option<Future<T>>>>,
    /// How many of them are not handed over yet.
    left: Cell<usize>,
    /// Those that are done and were not asked for yet, oldest first.
    finished: RefCell<VecDeque<usize>>,
    /// What the last `next` gave, until something is handed over to it.
    running: RefCell<Option<Rc<Shared<T>>>>,
    current: RefCell<Option<(usize, Future<T>)>>,
    /// There while a Future is not done: each holds this, and this holds it.
    held: Cell<Option<Held>>,
}

impl<T: 'static> WaitIterator<T> {
    /// An iterator over the results of `futures`, which are told apart by their place in the list.
    pub fn new(futures: impl IntoIterator<Item = Future<T>>) -> Self {
        Self::keyed(futures.into_iter().map(|future| ((), future)))
    }
}

impl<T: 'static, K: 'static> WaitIterator<T, K> {
    /// An iterator over the results of Futures that are told apart by a key each.
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
            entries.into_iter().map(|(key, future)| (key, Some(future))).unzip();
        let inner = Rc::new(Inner {
            keys,
            left: Cell::new(futures.len()),
            finished: RefCell::default(),
            running: RefCell::default(),
            current: RefCell::default(),
            held: Cell::default(),
            futures: RefCell::new(futures),
        });
        let mut pending = false;
        for (index, future) in inner.futures.borrow().iter().enumerate() {
            let Some(future) = future else { continue };
            if future.done() {
                inner.finished.borrow_mut().push_back(index);
            } else {
                pending = true;
                future.add_callback(Rc::new(Watch { inner: inner.clone(), index }));
            }
        }
        if pending {
            let weak: Weak<Inner<T, K>> = Rc::downgrade(&inner);
            inner.held.set(Some(Held::new(weak)));
        }
        Self { inner }
    }

    /// Whether there are no more results. Asking after the last one clears what is `current`.
    pub fn done(&self) -> bool {
        if self.inner.left.get() > 0 {
            return false;
        }
        drop(self.inner.current.take());
        true
    }

    /// The Future of the next result. It fails with what the one that finished has failed with; the iterator
    /// goes on all the same.
    ///
    /// Ask [`done`](Self::done) before: after the last result, this gives a Future that is never done. Once
    /// this is called again, what it gave before is not done any more, unless it is already.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Future<T> {
        let next = Rc::new(Shared::new());
        trace::emit(|| Event::Made { future: next.id(), origin: Origin::Named("WaitIterator.next") });
        let finished = self.inner.finished.borrow_mut().pop_front();
        match finished {
            Some(index) => self.inner.hand_over(index, &next),
            None => drop(self.inner.running.replace(Some(next.clone()))),
        }
        Future::from_core(next)
    }

    /// The place in the list, from 0, of the Future whose result came last.
    pub fn current_index(&self) -> Option<usize> {
        self.inner.current.borrow().as_ref().map(|(index, _)| *index)
    }

    /// The key of the Future whose result came last.
    pub fn current_key(&self) -> Option<&K> {
        self.inner.keys.get(self.current_index()?)
    }

    /// The Future whose result came last: the same as was put in, by its `id`.
    pub fn current_future(&self) -> Option<Future<T>>
    where
        T: Clone,
    {
        self.inner.current.borrow().as_ref().map(|(_, future)| future.clone())
    }
}

impl<T: 'static, K: 'static> Inner<T, K> {
    /// One of them is done: it is what was asked for, or waits to be.
    fn finish(&self, index: usize) {
        let running = self.running.borrow_mut().take_if(|next| next.state() == State::Pending);
        match running {
            Some(next) => self.hand_over(index, &next),
            None => self.finished.borrow_mut().push_back(index),
        }
    }

    fn hand_over(&self, index: usize, next: &Shared<T>) {
        let future = self.futures.borrow_mut()[index].take();
        let Some(future) = future else { return };
        self.left.set(self.left.get() - 1);
        if self.left.get() == 0 {
            drop(self.held.take());
        }
        // Copied if it was ever cloned: whoever asks for the current one may take its result, too.
        next.set(Future::from_core(future.core().clone()).into_result());
        drop(self.current.replace(Some((index, future))));
    }
}

/// What is called when one of the Futures is done.
struct Watch<T: 'static, K: 'static> {
    inner: Rc<Inner<T, K>>,
    index: usize,
}

impl<T: 'static, K: 'static> Run for Watch<T, K> {
    fn run(self: Rc<Self>) {
        self.inner.finish(self.index);
    }
}

impl<T: 'static, K: 'static> Run for Inner<T, K> {
    /// It is never put on the queue: this is here for `withdraw`.
    fn run(self: Rc<Self>) {}

    fn withdraw(&self) {
        drop((self.held.take(), self.futures.take(), self.current.take()));
        if let Some(next) = self.running.take() {
            next.forget_waiters();
        }
    }
}

impl<T, K> fmt::Debug for WaitIterator<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitIterator").field("left", &self.inner.left.get()).finish_non_exhaustive()
    }
}
