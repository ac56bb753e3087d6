//! Requests to a queue: for an item, for room, or for the moment when all items are worked on.

use std::cell::Cell;
use std::marker::PhantomData;
use std::panic::Location;
use std::rc::Weak;

use squall_runner::foreign::discard;
use squall_runner::trace::LockId;
use squall_runner::{Future, Result};

use super::inner::Inner;
use super::items::Numbered;
use super::QueueFull;
use crate::gen::timed_out;
use crate::locks::line::InLine;
use crate::locks::name::Requested;
use crate::locks::request::{at_once, nothing_at_once, Purpose, Request};

/// A request for an item.
pub(crate) struct Get<T: 'static> {
    queue: Weak<Inner<T>>,
    /// The number of the item, once the request is served.
    number: Cell<u64>,
}

impl<T: 'static> Get<T> {
    pub(crate) fn new(queue: Weak<Inner<T>>) -> Self {
        Self { queue, number: Cell::new(0) }
    }
}

impl<T: 'static> Request<Get<T>> {
    /// Creates a request that is served at once with an item.
    #[track_caller]
    pub(crate) fn with(queue: Weak<Inner<T>>, Numbered { number, item }: Numbered<T>) -> std::rc::Rc<Self> {
        Self::served(Get { queue, number: Cell::new(number) }, item)
    }

    /// Resolves the request with an item.
    pub(crate) fn hand(&self, Numbered { number, item }: Numbered<T>) {
        self.purpose.number.set(number);
        self.serve(item);
    }
}

impl<T: 'static> Purpose for Get<T> {
    type Output = T;

    fn lock(&self) -> Option<LockId> {
        self.queue.upgrade().map(|queue| queue.name.number())
    }

    fn request(&self) -> Option<String> {
        self.queue.upgrade().map(|queue| queue.name.request("get"))
    }

    fn left(&self) {
        if let Some(queue) = self.queue.upgrade() {
            queue.getters.leave();
            queue.tell();
        }
    }

    fn untaken(&self, item: T) {
        match self.queue.upgrade() {
            Some(queue) => queue.put_back(Numbered { number: self.number.get(), item }),
            None => discard(item),
        }
    }
}

/// A request for room for an item, with a result of type `R`.
pub(crate) struct Put<T: 'static, R> {
    pub(crate) queue: Weak<Inner<T>>,
    /// `None` once the item is in the queue, or was given up.
    pub(crate) item: Cell<Option<T>>,
    pub(crate) _result: PhantomData<fn() -> R>,
}

/// How a trace calls a `put`.
pub(crate) const PUT: &str = "put";

/// The result type of a put.
pub(crate) trait PutResult<T>: 'static + Sized {
    /// Returns the result of an item that was put in.
    fn done() -> Self;
    /// Returns the Future of a put that need not wait.
    #[track_caller]
    fn at_once(name: impl FnOnce() -> Requested) -> Future<Self> {
        at_once(name, Self::done())
    }
    /// Returns the result of an item that is out of time.
    fn timed_out(item: Option<T>, limit: &'static Location<'static>, what: Option<String>) -> Result<Self>;
}

/// Tornado's result: an item that is out of time is dropped.
impl<T> PutResult<T> for () {
    fn done() {}

    #[track_caller]
    fn at_once(name: impl FnOnce() -> Requested) -> Future<()> {
        nothing_at_once(name)
    }

    fn timed_out(item: Option<T>, limit: &'static Location<'static>, what: Option<String>) -> Result<()> {
        item.into_iter().for_each(discard);
        Err(timed_out(limit, what))
    }
}

/// Hands back an item that is out of time.
impl<T: 'static> PutResult<T> for Result<(), QueueFull<T>> {
    fn done() -> Self {
        Ok(())
    }

    fn timed_out(item: Option<T>, _: &'static Location<'static>, _: Option<String>) -> Result<Self> {
        Ok(item.map_or(Ok(()), |item| Err(QueueFull(item))))
    }
}

impl<T: 'static, R: PutResult<T>> Purpose for Put<T, R> {
    type Output = R;

    fn lock(&self) -> Option<LockId> {
        self.queue.upgrade().map(|queue| queue.name.number())
    }

    fn request(&self) -> Option<String> {
        self.queue.upgrade().map(|queue| queue.name.request(PUT))
    }

    fn timed_out(&self, limit: &'static Location<'static>) -> Result<R> {
        R::timed_out(self.item.take(), limit, self.describe())
    }

    fn left(&self) {
        self.item.take().into_iter().for_each(discard);
        if let Some(queue) = self.queue.upgrade() {
            queue.putters.leave();
            queue.tell();
        }
    }
}

impl<T: 'static, R> Drop for Put<T, R> {
    fn drop(&mut self) {
        self.item.take().into_iter().for_each(discard);
    }
}

/// A request for room, whatever its result type.
pub(crate) trait Putter<T>: InLine {
    /// Returns its item for the queue.
    fn take_item(&self) -> Option<T>;

    /// Resolves the request, whose item is in the queue.
    fn admitted(&self);
}

impl<T: 'static, R: PutResult<T>> Putter<T> for Request<Put<T, R>> {
    fn take_item(&self) -> Option<T> {
        self.purpose.item.take()
    }

    fn admitted(&self) {
        self.serve(R::done());
    }
}

/// A request that is served when all items are worked on.
pub(crate) struct Join<T: 'static>(pub(crate) Weak<Inner<T>>);

/// How a trace calls a `join`.
pub(crate) const JOIN: &str = "join";

impl<T: 'static> Purpose for Join<T> {
    type Output = ();

    fn lock(&self) -> Option<LockId> {
        self.0.upgrade().map(|queue| queue.name.number())
    }

    fn request(&self) -> Option<String> {
        self.0.upgrade().map(|queue| queue.name.request(JOIN))
    }

    fn left(&self) {
        if let Some(queue) = self.0.upgrade() {
            queue.joiners.leave();
            queue.tell();
        }
    }
}
