//! Those who wait at a queue: for an item, or for room.

use std::cell::Cell;
use std::marker::PhantomData;
use std::panic::Location;
use std::rc::Weak;

use squall_runner::{Error, Exception, Future, Result};

use super::queue::Inner;
use super::QueueFull;
use crate::locks::waiting::{at_once, nothing_at_once, InLine, Place, Waiter};

/// One who waits for an item, or was given one.
pub(crate) struct Get<T: 'static> {
    pub(crate) queue: Weak<Inner<T>>,
}

impl<T: 'static> Place for Get<T> {
    type Output = T;
    const NAME: &'static str = "Queue.get";

    fn left(&self) {
        if let Some(queue) = self.queue.upgrade() {
            queue.getters.leave();
        }
    }

    fn untaken(&self, item: T) {
        if let Some(queue) = self.queue.upgrade() {
            queue.put_back(item);
        }
    }
}

/// One who waits for room. `R` is what the Future gives.
pub(crate) struct Put<T: 'static, R> {
    pub(crate) queue: Weak<Inner<T>>,
    /// Empty once it is in the queue, or was given up.
    pub(crate) item: Cell<Option<T>>,
    pub(crate) _result: PhantomData<fn() -> R>,
}

/// What stands in a trace.
const PUT: &str = "Queue.put";

/// What a `put` gives.
pub(crate) trait PutResult<T>: 'static + Sized {
    /// The item is in the queue.
    fn done() -> Self;
    /// The Future of one who need not wait.
    fn at_once() -> Future<Self> {
        at_once(PUT, Self::done())
    }
    /// The time is over.
    fn timed_out(item: Option<T>, limit: &'static Location<'static>) -> Result<Self>;
}

/// Tornado's: the item is dropped.
impl<T> PutResult<T> for () {
    fn done() {}

    fn at_once() -> Future<()> {
        nothing_at_once(PUT)
    }

    fn timed_out(item: Option<T>, limit: &'static Location<'static>) -> Result<()> {
        drop(item);
        Err(Exception::new(Error::Timeout).at(limit))
    }
}

/// The item is handed back.
impl<T: 'static> PutResult<T> for Result<(), QueueFull<T>> {
    fn done() -> Self {
        Ok(())
    }

    fn timed_out(item: Option<T>, _: &'static Location<'static>) -> Result<Self> {
        Ok(item.map_or(Ok(()), |item| Err(QueueFull(item))))
    }
}

impl<T: 'static, R: PutResult<T>> Place for Put<T, R> {
    type Output = R;
    const NAME: &'static str = PUT;

    fn timed_out(&self, limit: &'static Location<'static>) -> Result<R> {
        R::timed_out(self.item.take(), limit)
    }

    fn left(&self) {
        drop(self.item.take());
        if let Some(queue) = self.queue.upgrade() {
            queue.putters.leave();
        }
    }
}

/// One who waits for room, whatever the Future gives.
pub(crate) trait Putter<T>: InLine {
    /// Lets it in: its item is to be put into the queue now.
    fn admit(&self) -> Option<T>;
}

impl<T: 'static, R: PutResult<T>> Putter<T> for Waiter<Put<T, R>> {
    fn admit(&self) -> Option<T> {
        let item = self.place.item.take();
        self.serve(R::done());
        item
    }
}
