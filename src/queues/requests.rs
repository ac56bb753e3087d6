//! Requests to a queue: for an item, for room, or for the moment when all items are worked on.

use std::cell::Cell;
use std::marker::PhantomData;
use std::panic::Location;
use std::rc::{Rc, Weak};

use squall_runner::foreign::discard;
use squall_runner::trace::LockId;
use squall_runner::{Future, Resolvable, Result};

use super::inner::{Get, Inner, Join, Putter};
use super::numbered::Numbered;
use super::QueueFull;
use crate::gen::timed_out;
use crate::locks::name::Requested;
use crate::locks::request::{at_once, nothing_at_once, Limit, Purpose, Request};

impl<T: 'static> Inner<T> {
    /// Puts an item in, or requests room for it.
    #[track_caller]
    pub(super) fn put<R: PutResult<T>>(self: &Rc<Self>, item: T, limit: Limit) -> Future<R> {
        match self.put_nowait(item) {
            Ok(()) => R::at_once(|| self.name.requested(PUT)),
            Err(QueueFull(item)) => {
                let (queue, item) = (Rc::downgrade(self), Cell::new(Some(item)));
                let request = Request::pending(Put { queue, item, _result: PhantomData });
                request.limit(limit);
                let place: Weak<Request<Put<T, R>>> = Rc::downgrade(&request);
                self.putters.join(place, || self.whole());
                // The item goes in even if nothing waits for the Future.
                request.clone().keep();
                self.tell();
                Future::from_core(request)
            }
        }
    }

    /// Takes an item, or requests one.
    #[track_caller]
    pub(super) fn get(self: &Rc<Self>, limit: Limit) -> Future<T> {
        let queue = Rc::downgrade(self);
        // What a waker requests while items are handed over goes behind the requests in line.
        let is_behind = self.handing.get() && self.getters.count() > 0;
        let item = if is_behind { None } else { self.take() };
        let Some(item) = item else {
            let request = Request::pending(Get::new(queue));
            request.limit(limit);
            self.getters.join(Rc::downgrade(&request), || self.whole());
            self.tell();
            return Future::from_core(request);
        };
        Future::from_core(Request::with(queue, item))
    }

    /// Waits until all items are worked on.
    #[track_caller]
    pub(super) fn join(self: &Rc<Self>) -> Future<()> {
        if self.unfinished.get() == 0 {
            return nothing_at_once(|| self.name.requested(JOIN));
        }
        let request = Request::pending(Join(Rc::downgrade(self)));
        self.joiners.join(Rc::downgrade(&request), || self.whole());
        self.tell();
        Future::from_core(request)
    }
}

impl<T: 'static> Get<T> {
    pub(crate) fn new(queue: Weak<Inner<T>>) -> Self {
        Self { queue, number: Cell::new(0) }
    }
}

impl<T: 'static> Request<Get<T>> {
    /// Creates a request that is served at once with an item.
    #[track_caller]
    pub(crate) fn with(queue: Weak<Inner<T>>, Numbered { number, item }: Numbered<T>) -> Rc<Self> {
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

impl<T: 'static, R: PutResult<T>> Putter<T> for Request<Put<T, R>> {
    fn take_item(&self) -> Option<T> {
        self.purpose.item.take()
    }

    fn admitted(&self) {
        self.serve(R::done());
    }
}

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
