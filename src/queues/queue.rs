//! [`Queue`], [`PriorityQueue`] and [`LifoQueue`].

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::rc::{Rc, Weak};
use std::time::Duration;

use squall_runner::ready::Run;
use squall_runner::Future;

use super::items::{Items, SmallestFirst};
use super::waiters::{Get, Put, PutResult, Putter};
use super::{QueueEmpty, QueueFull, TooManyTasksDone};
use crate::locks::waiting::{within, Limit, Line, Waiter};
use crate::locks::Event;

/// A queue between coroutines: oldest item first. The other two, which are made of it, differ only in the order.
///
/// ```
/// use squall::queues::Queue;
///
/// let queue = Queue::new(1);
/// let item = queue.get();                         // nothing there yet
/// queue.put_nowait(5)?;
/// assert_eq!(item.into_result()?, 5);
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// Items need not be `Clone`. Debug prints it as Tornado does, without the items: `<Queue maxsize=1 getters[1]>`.
///
/// Source: `tornado.queues.Queue`.
pub struct Queue<T: 'static> {
    inner: Rc<Inner<T>>,
}

pub(crate) struct Inner<T: 'static> {
    name: &'static str,
    /// 0: no limit.
    maxsize: usize,
    items: RefCell<Items<T>>,
    /// Empty of those who still wait while there are items.
    pub(crate) getters: Line<Waiter<Get<T>>>,
    /// Empty of those who still wait while there is room.
    pub(crate) putters: Line<dyn Putter<T>>,
    /// How many items were put for which nobody has called `task_done`.
    unfinished: Cell<usize>,
    /// Set exactly if `unfinished` is 0.
    finished: Event,
    /// Whether somebody is being given an item further up the stack.
    handing: Cell<bool>,
}

impl<T: 'static> Queue<T> {
    /// A queue that holds at most `maxsize` items; 0 means that there is no limit.
    pub fn new(maxsize: usize) -> Self {
        Self::of("Queue", maxsize, Items::Fifo(VecDeque::new()))
    }

    fn of(name: &'static str, maxsize: usize, items: Items<T>) -> Self {
        let finished = Event::new();
        finished.set();
        let inner = Inner {
            name,
            maxsize,
            items: RefCell::new(items),
            getters: Line::default(),
            putters: Line::default(),
            unfinished: Cell::new(0),
            finished,
            handing: Cell::new(false),
        };
        Self { inner: Rc::new(inner) }
    }

    /// How many items it holds at most; 0 means that there is no limit.
    pub fn maxsize(&self) -> usize {
        self.inner.maxsize
    }

    /// How many items are in it.
    pub fn qsize(&self) -> usize {
        self.inner.items.borrow().len()
    }

    /// Whether nothing is in it.
    pub fn empty(&self) -> bool {
        self.qsize() == 0
    }

    /// Whether it holds as many items as it may.
    pub fn full(&self) -> bool {
        self.inner.full()
    }

    /// Puts an item in, and waits while there is no room. Dropping the Future cancels nothing: the item goes in
    /// all the same.
    pub fn put(&self, item: T) -> Future<()> {
        self.inner.put(item, None)
    }

    /// The same, but fails with [`Error::Timeout`](crate::Error::Timeout), and drops the item, if that takes longer
    /// than `time`.
    #[track_caller]
    pub fn put_within(&self, item: T, time: Duration) -> Future<()> {
        self.inner.put(item, within(time))
    }

    /// The same, but hands the item back if that takes longer than `time`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use squall::{queues::{Queue, QueueFull}, IoLoop};
    ///
    /// let queue = Queue::new(1);
    /// queue.put_nowait("a")?;
    /// let put = IoLoop::current().run_sync(|| queue.try_put_within("b", Duration::from_millis(1)))?;
    /// assert_eq!(put, Err(QueueFull("b")));
    /// # Ok::<(), squall::Exception>(())
    /// ```
    #[track_caller]
    pub fn try_put_within(&self, item: T, time: Duration) -> Future<Result<(), QueueFull<T>>> {
        self.inner.put(item, within(time))
    }

    /// Puts an item in if there is room, or somebody who waits for one.
    ///
    /// # Errors
    /// [`QueueFull`], with the item.
    pub fn put_nowait(&self, item: T) -> Result<(), QueueFull<T>> {
        self.inner.put_nowait(item)
    }

    /// Takes an item out, and waits while there is none.
    ///
    /// If the Future is dropped with the item in it, the item goes back. So to throw one away, take it.
    ///
    /// Dropping the Future before that takes nobody out of the line: until it is its turn, it stays there. Where one
    /// waits for a get *or* something else, again and again as in a loop around `select!`, keep the same Future for the
    /// next round, [cancel](Future::cancel) it, or use [`get_within`](Self::get_within).
    pub fn get(&self) -> Future<T> {
        self.inner.get(None)
    }

    /// The same, but fails with [`Error::Timeout`](crate::Error::Timeout) if that takes longer than `time`.
    #[track_caller]
    pub fn get_within(&self, time: Duration) -> Future<T> {
        self.inner.get(within(time))
    }

    /// Takes an item out if there is one.
    ///
    /// # Errors
    /// [`QueueEmpty`].
    pub fn get_nowait(&self) -> Result<T, QueueEmpty> {
        self.inner.get_nowait()
    }

    /// Says that one of the items that were put is worked on. [`join`](Self::join) waits until that is so for all.
    ///
    /// # Errors
    /// [`TooManyTasksDone`] if it is so for all already.
    pub fn task_done(&self) -> Result<(), TooManyTasksDone> {
        let left = self.inner.unfinished.get().checked_sub(1).ok_or(TooManyTasksDone)?;
        self.inner.unfinished.set(left);
        if left == 0 {
            self.inner.finished.set();
        }
        Ok(())
    }

    /// Waits until [`task_done`](Self::task_done) was called for every item that was put.
    pub fn join(&self) -> Future<()> {
        self.inner.finished.wait()
    }

    /// The same, but fails with [`Error::Timeout`](crate::Error::Timeout) if that takes longer than `time`.
    #[track_caller]
    pub fn join_within(&self, time: Duration) -> Future<()> {
        self.inner.finished.wait_within(time)
    }
}

impl<T: 'static> Inner<T> {
    fn full(&self) -> bool {
        self.maxsize != 0 && self.items.borrow().len() >= self.maxsize
    }

    fn put<R: PutResult<T>>(self: &Rc<Self>, item: T, limit: Limit) -> Future<R> {
        match self.put_nowait(item) {
            Ok(()) => R::at_once(),
            Err(QueueFull(item)) => {
                let (queue, item) = (Rc::downgrade(self), Cell::new(Some(item)));
                let putter = Waiter::pending(Put { queue, item, _result: PhantomData });
                putter.limit(limit);
                self.putters.join(putter.clone(), || self.whole());
                Future::from_core(putter)
            }
        }
    }

    fn put_nowait(&self, item: T) -> Result<(), QueueFull<T>> {
        self.putters.drop_front();
        if let Some(getter) = self.getters.next() {
            self.count();
            self.hand(getter, item);
        } else if self.full() {
            return Err(QueueFull(item));
        } else {
            self.count();
            self.items.borrow_mut().push(item);
        }
        Ok(())
    }

    fn get(self: &Rc<Self>, limit: Limit) -> Future<T> {
        let place = Get { queue: Rc::downgrade(self) };
        match self.get_nowait() {
            Ok(item) => Future::from_core(Waiter::served(place, item)),
            Err(QueueEmpty) => {
                let getter = Waiter::pending(place);
                getter.limit(limit);
                self.getters.join(getter.clone(), || self.whole());
                Future::from_core(getter)
            }
        }
    }

    fn get_nowait(&self) -> Result<T, QueueEmpty> {
        self.getters.drop_front();
        // Where an item came back, there may be one more than the limit, and still no room.
        if self.maxsize != 0 && self.items.borrow().len() <= self.maxsize {
            if let Some(item) = self.putters.next().and_then(|putter| putter.admit()) {
                self.count();
                self.items.borrow_mut().push(item);
            }
        }
        self.items.borrow_mut().pop().ok_or(QueueEmpty)
    }

    /// An item was given to somebody who did not take it.
    pub(crate) fn put_back(&self, item: T) {
        self.items.borrow_mut().put_back(item);
        if !self.handing.get() {
            self.serve();
        }
    }

    /// Gives an item to one who waits. If that one is gone it comes back, and goes to the next one.
    fn hand(&self, getter: Rc<Waiter<Get<T>>>, item: T) {
        let handing = self.handing.replace(true);
        getter.serve(item);
        drop(getter);
        self.handing.set(handing);
        if !handing && self.items.borrow().len() > 0 {
            self.serve();
        }
    }

    /// Gives what is there to those who wait.
    fn serve(&self) {
        self.handing.set(true);
        while self.items.borrow().len() > 0 {
            let Some(getter) = self.getters.next() else { break };
            let item = self.items.borrow_mut().pop();
            if let Some(item) = item {
                getter.serve(item);
            }
        }
        self.handing.set(false);
    }

    /// An item is put in for the first time.
    fn count(&self) {
        self.unfinished.set(self.unfinished.get() + 1);
        self.finished.clear();
    }

    fn whole(self: &Rc<Self>) -> Weak<dyn Run> {
        let whole: Weak<Self> = Rc::downgrade(self);
        whole
    }
}

impl<T: 'static> Run for Inner<T> {
    /// It is never put on the queue: this is here for `withdraw`.
    fn run(self: Rc<Self>) {}

    fn withdraw(&self) {
        self.getters.clear();
        self.putters.clear();
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} maxsize={}", self.inner.name, self.maxsize())?;
        let counts = [
            ("queue[", self.qsize(), "]"),
            ("getters[", self.inner.getters.len(), "]"),
            ("putters[", self.inner.putters.len(), "]"),
            ("tasks=", self.inner.unfinished.get(), ""),
        ];
        for (before, count, after) in counts {
            if count > 0 {
                write!(f, " {before}{count}{after}")?;
            }
        }
        f.write_str(">")
    }
}

/// A [`Queue`] that gives the smallest item first; equal ones in the order in which they were put.
///
/// ```
/// use squall::queues::PriorityQueue;
///
/// let queue = PriorityQueue::new(0);
/// queue.put_nowait((2, "wash up"))?;
/// queue.put_nowait((1, "cook"))?;
/// assert_eq!(queue.get_nowait()?, (1, "cook"));
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// Source: `tornado.queues.PriorityQueue`.
pub struct PriorityQueue<T: 'static>(Queue<T>);

impl<T: Ord + 'static> PriorityQueue<T> {
    /// A queue that holds at most `maxsize` items; 0 means that there is no limit.
    pub fn new(maxsize: usize) -> Self {
        Self(Queue::of("PriorityQueue", maxsize, Items::Priority(Box::new(SmallestFirst::new()))))
    }
}

/// A [`Queue`] that gives the item first that was put last.
///
/// ```
/// use squall::queues::LifoQueue;
///
/// let queue = LifoQueue::new(0);
/// queue.put_nowait(1)?;
/// queue.put_nowait(2)?;
/// assert_eq!(queue.get_nowait()?, 2);
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// Source: `tornado.queues.LifoQueue`.
pub struct LifoQueue<T: 'static>(Queue<T>);

impl<T: 'static> LifoQueue<T> {
    /// A queue that holds at most `maxsize` items; 0 means that there is no limit.
    pub fn new(maxsize: usize) -> Self {
        Self(Queue::of("LifoQueue", maxsize, Items::Lifo(Vec::new())))
    }
}

/// Each of the two is a [`Queue`], as in Tornado, with an order of its own.
macro_rules! is_a_queue {
    ($($name:ident),*) => { $(
        impl<T> Deref for $name<T> {
            type Target = Queue<T>;

            fn deref(&self) -> &Queue<T> {
                &self.0
            }
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                Self(self.0.clone())
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )* };
}
is_a_queue!(PriorityQueue, LifoQueue);
