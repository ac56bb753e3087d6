//! [`Inner`]: the state of a queue: its items, and three lines of requests.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use squall_runner::foreign::discard;
use squall_runner::ready::Withdraw;
use squall_runner::report::guard;
use squall_runner::trace::{self, Event, Problem, Queue};

use super::heap::Heap;
use super::items::{Items, Lent};
use super::numbered::Numbered;
use super::{QueueEmpty, QueueFull, TooManyTasksDone};
use crate::locks::line::{InLine, Line};
use crate::locks::name::Name;
use crate::locks::request::Request;

/// The state that the handles of a queue share.
pub(crate) struct Inner<T: 'static> {
    pub(crate) name: Name,
    /// The largest number of items; 0 for no limit.
    pub(super) maxsize: usize,
    pub(super) items: RefCell<Items<T>>,
    /// How many items were put; the number of the youngest.
    put: Cell<u64>,
    /// Holds no pending request while there are items.
    pub(super) getters: Line<Request<Get<T>>>,
    /// Holds no pending request while there is room.
    pub(super) putters: Line<dyn Putter<T>>,
    /// Holds no pending request while `unfinished` is 0.
    pub(super) joiners: Line<Request<Join<T>>>,
    /// How many items were put without a `task_done` for them yet.
    pub(super) unfinished: Cell<usize>,
    /// `true` if an item is being handed over further up the stack.
    pub(super) handing: Cell<bool>,
}

/// A request for an item.
pub(crate) struct Get<T: 'static> {
    pub(super) queue: Weak<Inner<T>>,
    /// The number of the item, once the request is served.
    pub(super) number: Cell<u64>,
}

/// A request that is served when all items are worked on.
pub(crate) struct Join<T: 'static>(pub(super) Weak<Inner<T>>);

/// A request for room, whatever its result type.
pub(crate) trait Putter<T>: InLine {
    /// Returns its item for the queue.
    fn take_item(&self) -> Option<T>;

    /// Resolves the request, whose item is in the queue.
    fn admitted(&self);
}

/// A put whose item is in the queue. It is resolved when this is dropped, also by a panic.
struct Admitted<T: 'static>(Rc<dyn Putter<T>>);

impl<T> Drop for Admitted<T> {
    fn drop(&mut self) {
        self.0.admitted();
    }
}

impl<T> Drop for Inner<T> {
    fn drop(&mut self) {
        // One by one, because two items that panic while one collection is dropped would abort the process.
        self.items.get_mut().take().into_iter().for_each(discard);
    }
}

impl<T: 'static> Inner<T> {
    pub(super) fn new(kind: &'static str, maxsize: usize, items: Items<T>) -> Rc<Self> {
        Rc::new(Self {
            name: Name::of(kind),
            maxsize,
            items: RefCell::new(items),
            put: Cell::new(0),
            getters: Line::default(),
            putters: Line::default(),
            joiners: Line::default(),
            unfinished: Cell::new(0),
            handing: Cell::new(false),
        })
    }

    pub(super) fn full(&self) -> bool {
        self.maxsize != 0 && self.items.borrow().len() >= self.maxsize
    }

    pub(super) fn put_nowait(&self, item: T) -> Result<(), QueueFull<T>> {
        if self.handing.get() {
            return self.put_behind(item);
        }
        if let Some(getter) = self.getters.next() {
            let item = self.count(item);
            self.hand(getter, item);
        } else if self.full() {
            return Err(QueueFull(item));
        } else {
            let item = self.count(item);
            self.push(item);
        }
        self.tell();
        Ok(())
    }

    /// Puts an item in while items are handed over further up the stack: a waker has called this. The item goes behind
    /// those that are in the queue, which are handed over before it: one to each request in line.
    #[cold]
    fn put_behind(&self, item: T) -> Result<(), QueueFull<T>> {
        let limit = self.getters.count().saturating_add(self.maxsize);
        if self.maxsize != 0 && self.items.borrow().len() >= limit {
            return Err(QueueFull(item));
        }
        let item = self.count(item);
        self.push(item);
        self.tell();
        Ok(())
    }

    /// Adds an item. It is in the queue even if comparing it panics.
    fn push(&self, item: Numbered<T>) {
        if self.items.borrow_mut().push(item) {
            self.compare(Heap::sort);
        }
    }

    /// Calls `f`, which compares items, with the heap of a priority queue. Does nothing for another queue, or if items
    /// are already being compared.
    fn compare<R>(&self, f: impl FnOnce(&mut Heap<T>) -> R) -> Option<R> {
        let compared = Lent::of(&self.items).map(|mut heap| f(&mut heap))?;
        // Comparing items is foreign code, which may have asked for an item.
        if !self.handing.get() {
            self.serve();
        }
        Some(compared)
    }

    #[inline]
    fn pop(&self) -> Option<Numbered<T>> {
        let mut items = self.items.borrow_mut();
        if !items.are_compared() {
            return items.pop();
        }
        drop(items);
        self.compare(Heap::pop).flatten()
    }

    pub(super) fn get_nowait(&self) -> Result<T, QueueEmpty> {
        // While items are handed over, each request in line gets one.
        if self.handing.get() && self.getters.count() >= self.items.borrow().len() {
            return Err(QueueEmpty);
        }
        self.take().map(|Numbered { item, .. }| item).ok_or(QueueEmpty)
    }

    /// Takes out the first item, and serves the first request for the room that this makes.
    pub(super) fn take(&self) -> Option<Numbered<T>> {
        // Items that came back may exceed the limit, so that there is still no room.
        let admits =
            self.maxsize != 0 && !self.putters.is_empty() && self.items.borrow().has_room(self.maxsize);
        let admitted = if admits { self.admit() } else { None };
        let is_empty = self.items.borrow().is_empty();
        let item = if is_empty { None } else { self.pop() };
        drop(admitted);
        self.tell();
        item
    }

    /// Puts back an item that was handed over and not taken.
    pub(super) fn put_back(&self, item: Numbered<T>) {
        self.items.borrow_mut().put_back(item);
        guard(Problem::Callback, || {
            self.compare(Heap::sort);
        });
        if !self.handing.get() {
            self.serve();
        }
        self.tell();
    }

    /// Hands an item to a request. If it is not taken, it comes back and goes to the next request.
    fn hand(&self, getter: Rc<Request<Get<T>>>, item: Numbered<T>) {
        let handing = self.handing.replace(true);
        getter.hand(item);
        drop(getter);
        self.handing.set(handing);
        if !handing && self.has_items() {
            self.serve();
        }
    }

    /// Hands the items in the queue to the requests in line. Does nothing while items are being compared: the code that
    /// compares them does this afterwards.
    fn serve(&self) {
        self.handing.set(true);
        while self.has_items() {
            let Some(getter) = self.getters.next() else { break };
            let mut item = None;
            guard(Problem::Callback, || item = self.pop());
            // If comparing items panics, an item is handed over nevertheless: there is no caller here to report the
            // panic to.
            let item = item.or_else(|| self.items.borrow_mut().pop());
            if let Some(item) = item {
                getter.hand(item);
            }
        }
        // A waker may have put in line what there is room for now.
        while self.maxsize != 0 && self.items.borrow().len() < self.maxsize {
            if self.admit().is_none() {
                break;
            }
        }
        self.handing.set(false);
    }

    /// Adds the item of the first put in line, which is resolved when the returned value is dropped: its waker must not
    /// find the queue without the item.
    fn admit(&self) -> Option<Admitted<T>> {
        let admitted = Admitted(self.putters.next()?);
        if let Some(item) = admitted.0.take_item() {
            let item = self.count(item);
            self.push(item);
        }
        Some(admitted)
    }

    /// Returns whether an item can be taken now.
    fn has_items(&self) -> bool {
        let items = self.items.borrow();
        !items.is_empty() && !items.is_lent()
    }

    /// Numbers an item that is put for the first time.
    fn count(&self, item: T) -> Numbered<T> {
        self.unfinished.set(self.unfinished.get() + 1);
        self.put.set(self.put.get() + 1);
        Numbered { number: self.put.get(), item }
    }

    pub(super) fn task_done(&self) -> Result<(), TooManyTasksDone> {
        let left = self.unfinished.get().checked_sub(1).ok_or(TooManyTasksDone)?;
        self.unfinished.set(left);
        if left == 0 {
            self.joiners.take().for_each(|joiner| joiner.serve(()));
        }
        self.tell();
        Ok(())
    }

    /// Tells the observer how it stands.
    #[inline]
    pub(super) fn tell(&self) {
        if trace::observed() {
            self.tell_observer();
        }
    }

    #[cold]
    fn tell_observer(&self) {
        let (lock, name, kind) = (self.name.number(), self.name.get(), self.name.kind());
        let [getters, putters, joiners] = [self.getters.told(), self.putters.told(), self.joiners.told()];
        let is = Queue {
            size: self.items.borrow().len(),
            maxsize: self.maxsize,
            unfinished: self.unfinished.get(),
            getters: getters.line(),
            putters: putters.line(),
            joiners: joiners.line(),
        };
        trace::emit(|| Event::Queue { lock, name: &name, kind, is });
    }

    pub(super) fn whole(self: &Rc<Self>) -> Weak<dyn Withdraw> {
        let whole: Weak<Self> = Rc::downgrade(self);
        whole
    }
}

impl<T: 'static> Withdraw for Inner<T> {
    fn withdraw(&self) {
        self.getters.withdraw();
        self.putters.withdraw();
        self.joiners.withdraw();
        self.tell();
    }
}
