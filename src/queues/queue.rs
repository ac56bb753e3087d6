//! [`Queue`], [`PriorityQueue`] and [`LifoQueue`].

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;
use std::time::Duration;

use squall_runner::Future;

use super::inner::Inner;
use super::items::Items;
use super::{QueueEmpty, QueueFull, TooManyTasksDone};
use crate::locks::name::named;
use crate::locks::request::{still_within, within};

/// A queue between coroutines that returns the oldest item first. [`PriorityQueue`] and [`LifoQueue`] differ only in
/// this order.
///
/// ```
/// use squall::queues::Queue;
///
/// let queue = Queue::new(1);
/// let item = queue.get();                         // pending: the queue is empty
/// queue.put_nowait(5)?;
/// assert_eq!(item.into_result()?, 5);
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// Items need not be `Clone`. `Debug` prints the queue as Tornado does, without the items: `<Queue maxsize=1
/// getters[1]>`.
///
/// Source: `tornado.queues.Queue`.
pub struct Queue<T: 'static> {
    inner: Rc<Inner<T>>,
}

impl<T: 'static> Queue<T> {
    /// Creates a queue that holds at most `maxsize` items; 0 means no limit.
    pub fn new(maxsize: usize) -> Self {
        Self::of("Queue", maxsize, Items::fifo())
    }

    fn of(kind: &'static str, maxsize: usize, items: Items<T>) -> Self {
        Self { inner: Inner::new(kind, maxsize, items) }
    }

    named!(inner);

    /// Returns how many items the queue holds at most; 0 means no limit.
    pub fn maxsize(&self) -> usize {
        self.inner.maxsize
    }

    /// Returns how many items the queue holds.
    pub fn qsize(&self) -> usize {
        self.inner.items.borrow().len()
    }

    /// Calls `f` with each item in the queue, in arbitrary order. `f` must not use the queue.
    ///
    /// ```
    /// let queue = squall::queues::Queue::new(0);
    /// queue.put_nowait(5)?;
    /// queue.each(&mut |item| assert_eq!(*item, 5));
    /// # Ok::<(), squall::queues::QueueFull<i32>>(())
    /// ```
    pub fn each(&self, f: &mut dyn FnMut(&T)) {
        self.inner.items.borrow().each(f);
    }

    /// Returns whether the queue holds no item.
    pub fn empty(&self) -> bool {
        self.qsize() == 0
    }

    /// Returns whether the queue holds as many items as it may.
    pub fn full(&self) -> bool {
        self.inner.full()
    }

    /// Puts an item in, after waiting for room if there is none. Dropping the Future cancels nothing: the item goes in
    /// once there is room.
    #[track_caller]
    pub fn put(&self, item: T) -> Future<()> {
        self.inner.put(item, None)
    }

    /// Puts an item in like [`put`](Self::put), waiting for at most `time`; then it drops the item and fails with
    /// [`Error::Timeout`](crate::Error::Timeout).
    #[track_caller]
    pub fn put_within(&self, item: T, time: Duration) -> Future<()> {
        self.inner.put(item, within(time))
    }

    /// Puts an item in like [`put`](Self::put), waiting for at most `time`; then it hands the item back.
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

    /// Puts an item in if there is room, or hands it to a coroutine that waits for one.
    ///
    /// # Errors
    /// [`QueueFull`], which holds the item, if there is no room.
    pub fn put_nowait(&self, item: T) -> Result<(), QueueFull<T>> {
        self.inner.put_nowait(item)
    }

    /// Takes an item out, after waiting for one if the queue is empty.
    ///
    /// If the Future is dropped while it holds an item, the item goes back to the queue. To discard an item, take it.
    ///
    /// A Future that is dropped while it is pending leaves the line, unless it has a done callback.
    #[track_caller]
    pub fn get(&self) -> Future<T> {
        self.inner.get(None)
    }

    /// Takes an item out like [`get`](Self::get), waiting for at most `time`; then it fails with
    /// [`Error::Timeout`](crate::Error::Timeout).
    #[track_caller]
    pub fn get_within(&self, time: Duration) -> Future<T> {
        self.inner.get(within(time))
    }

    /// Takes an item out if there is one.
    ///
    /// # Errors
    /// [`QueueEmpty`] if there is no item.
    pub fn get_nowait(&self) -> Result<T, QueueEmpty> {
        self.inner.get_nowait()
    }

    /// Marks one of the items that were put as worked on. [`join`](Self::join) waits until all of them are.
    ///
    /// # Errors
    /// [`TooManyTasksDone`] if all items are marked already.
    pub fn task_done(&self) -> Result<(), TooManyTasksDone> {
        self.inner.task_done()
    }

    /// Waits until [`task_done`](Self::task_done) was called for every item that was put.
    #[track_caller]
    pub fn join(&self) -> Future<()> {
        self.inner.join()
    }

    /// Waits like [`join`](Self::join), for at most `time`; then it fails with
    /// [`Error::Timeout`](crate::Error::Timeout).
    #[track_caller]
    pub fn join_within(&self, time: Duration) -> Future<()> {
        still_within(time, self.join())
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} maxsize={}", self.inner.name.kind(), self.maxsize())?;
        let counts = [
            ("queue[", self.qsize(), "]"),
            ("getters[", self.inner.getters.count(), "]"),
            ("putters[", self.inner.putters.count(), "]"),
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

/// A [`Queue`] that returns the smallest item first, and equal items in the order in which they were put.
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
/// Items are compared when they are put and taken. A panic in a comparison passes to the caller, and all items stay in
/// the queue. A comparison may use the queue itself: it sees all items, and can take none.
///
/// Source: `tornado.queues.PriorityQueue`.
pub struct PriorityQueue<T: 'static>(Queue<T>);

impl<T: Ord + 'static> PriorityQueue<T> {
    /// Creates a queue that holds at most `maxsize` items; 0 means no limit.
    pub fn new(maxsize: usize) -> Self {
        Self(Queue::of("PriorityQueue", maxsize, Items::priority(T::cmp)))
    }
}

/// A [`Queue`] that returns the youngest item first.
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
    /// Creates a queue that holds at most `maxsize` items; 0 means no limit.
    pub fn new(maxsize: usize) -> Self {
        Self(Queue::of("LifoQueue", maxsize, Items::lifo()))
    }
}

/// Makes both kinds a [`Queue`] with an order of its own, as in Tornado.
macro_rules! is_a_queue {
    ($($name:ident),*) => { $(
        impl<T> Deref for $name<T> {
            type Target = Queue<T>;

            fn deref(&self) -> &Queue<T> {
                &self.0
            }
        }

        impl<T: 'static> $name<T> {
            /// Sets the name that traces, `Deadlock` and `dump` show, like [`Queue::named`].
            #[must_use]
            pub fn named(self, name: impl Into<Rc<str>>) -> Self {
                Self(self.0.named(name))
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
