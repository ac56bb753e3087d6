//! [`ReadyQueue`]: the callbacks to call soon. All that the heart needs from outside is that a loop empties it.
//!
//! One turn of a loop runs the entries that are in the queue when the turn begins; what they add runs in the next turn.
//! Each thread has a current queue, which receives everything in this crate that must not happen at once.
//!
//! ```
//! use squall_runner::{Future, ready::ReadyQueue};
//!
//! let future = Future::<i32>::new();
//! let promise = future.promise();
//! future.add_done_callback(|f| assert_eq!(f.result().unwrap(), 5));
//! promise.set_result(5);                         // nothing runs inside set_result
//! assert_eq!(ReadyQueue::current().len(), 1);
//! while let Some(callback) = ReadyQueue::current().pop() {
//!     callback.run();
//! }
//! ```
//!
//! A waiter of a Future belongs to the queue that was current when it began to wait: it is put on that queue, whichever
//! queue is current when the Future is done.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::mem::ManuallyDrop;
use std::num::NonZeroU32;
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::foreign::discard;
use crate::panics::install_hook;
use crate::problem::Problem;
use crate::queued::told;
use crate::report::guard;
use crate::shrink::ROOM;
use crate::trace::{self, Event};

pub use crate::callback::{callback, Callback, Run, Suspended, Withdraw};
pub use crate::numbers::QueueId;
pub use crate::shrink::{is_mostly_empty, ShrinkingSlab};

/// The queue of ready callbacks, and the list of suspended coroutines.
pub struct ReadyQueue {
    /// The number of the queue, unique on its thread.
    id: QueueId,
    queue: RefCell<VecDeque<Callback>>,
    /// The suspended coroutines, and other values that hold a Future which holds them in turn. Weak, since the Future
    /// that each waits for holds it.
    registered: RefCell<ShrinkingSlab<Weak<dyn Withdraw>>>,
    /// Is told which native coroutines were woken on other threads.
    pub(crate) outside: Arc<Outside>,
    takes: Cell<Takes>,
}

/// Decides what becomes of a callback that is put on a queue. One flag, so that an absent observer costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// It is queued.
    All,
    /// It is queued, and the observer is told.
    AllObserved,
    /// It is dropped: the queue is closed.
    Nothing,
}

/// The number of an entry in the list of a queue, from 1.
pub type RegistrationId = NonZeroU32;

thread_local! {
    static CURRENT: RefCell<Rc<ReadyQueue>> = RefCell::new(ReadyQueue::new());
    /// The number of the current queue; `None` until something asks for it.
    static CURRENT_ID: Cell<Option<QueueId>> = const { Cell::new(None) };
    static LAST_ID: Cell<u32> = const { Cell::new(0) };
    /// The queues of this thread, by number, in ascending order.
    static ALIVE: RefCell<Vec<(QueueId, Weak<ReadyQueue>)>> = const { RefCell::new(Vec::new()) };
    /// The queue of a thread that is ending and has lost `CURRENT`, for use by the `Drop` of other thread-locals. It
    /// has no destructor, so what is left in it then is leaked.
    static ENDING: ManuallyDrop<RefCell<Option<Rc<ReadyQueue>>>> = const { ManuallyDrop::new(RefCell::new(None)) };
}

#[cold]
fn ending() -> Rc<ReadyQueue> {
    let queue = ENDING.with(|queue| queue.borrow().clone());
    queue.unwrap_or_else(|| {
        let queue = ReadyQueue::new();
        CURRENT_ID.set(Some(queue.id));
        ENDING.with(|ending| ending.replace(Some(queue.clone())));
        queue
    })
}

impl ReadyQueue {
    /// Creates an empty queue. It does not become the thread's current one.
    ///
    /// # Panics
    /// Panics if the thread has had more than four thousand million queues.
    pub fn new() -> Rc<Self> {
        let id = LAST_ID.get().checked_add(1).and_then(NonZeroU32::new).expect("fewer queues than that");
        LAST_ID.set(id.get());
        trace::on_observed(observe_all);
        // What the queue is going to run may panic.
        install_hook();
        let takes = if trace::has_observer() { Takes::AllObserved } else { Takes::All };
        let queue = Rc::new(Self {
            id: QueueId(id),
            queue: RefCell::default(),
            registered: RefCell::default(),
            outside: Arc::default(),
            takes: Cell::new(takes),
        });
        // While a thread is ending, no waiter is woken any more.
        let _ = ALIVE.try_with(|alive| alive.borrow_mut().push((queue.id, Rc::downgrade(&queue))));
        queue
    }

    /// Returns the current queue of this thread.
    #[inline]
    pub fn current() -> Rc<Self> {
        CURRENT.try_with(|current| current.borrow().clone()).unwrap_or_else(|_| ending())
    }

    /// Calls `f` with the current queue of the thread. `f` must not run foreign code.
    #[inline]
    fn with_current<R>(f: impl FnOnce(&Self) -> R) -> R {
        let mut f = Some(f);
        let mut call = |queue: &Rc<Self>| f.take().map(|f| f(queue));
        let called = CURRENT.try_with(|current| call(&current.borrow())).unwrap_or_else(|_| call(&ending()));
        called.expect("it is called once")
    }

    /// Makes this the current queue of the thread, and returns the one before.
    pub fn make_current(self: Rc<Self>) -> Rc<Self> {
        let id = self.id;
        let before = CURRENT.try_with(|current| current.replace(self.clone()));
        let before = before.unwrap_or_else(|_| {
            let before = ending();
            ENDING.with(|ending| ending.replace(Some(self)));
            before
        });
        CURRENT_ID.set(Some(id));
        before
    }

    /// Returns the number of the current queue.
    #[inline]
    pub fn current_id() -> QueueId {
        CURRENT_ID.get().unwrap_or_else(Self::first_id)
    }

    #[cold]
    fn first_id() -> QueueId {
        let id = Self::current().id;
        CURRENT_ID.set(Some(id));
        id
    }

    /// Returns its number.
    pub fn id(&self) -> QueueId {
        self.id
    }

    /// Returns the queue of that number, if it still exists.
    fn find(id: QueueId) -> Option<Rc<Self>> {
        let find = |alive: &RefCell<Vec<(QueueId, Weak<Self>)>>| {
            let alive = alive.borrow();
            let index = alive.binary_search_by_key(&id, |(id, _)| *id).ok()?;
            alive[index].1.upgrade()
        };
        ALIVE.try_with(find).ok().flatten()
    }

    /// Returns whether the queue of that number accepts nothing any more.
    pub(crate) fn is_gone(id: QueueId) -> bool {
        CURRENT_ID.get() != Some(id) && Self::find(id).is_none_or(|queue| queue.is_closed())
    }

    /// Returns whether the queue of that number is there and not closed.
    pub(crate) fn is_open(id: QueueId) -> bool {
        Self::find(id).is_some_and(|queue| !queue.is_closed())
    }

    /// Returns how many callbacks wait.
    #[inline]
    pub fn len(&self) -> usize {
        self.queue.borrow().len()
    }

    /// Returns whether no callback waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.queue.borrow().is_empty()
    }

    /// Adds a callback at the end. A [closed](Self::close) queue drops it.
    #[inline]
    pub fn push(&self, callback: Callback) {
        if let Some(callback) = self.offer(callback) {
            refuse(callback);
        }
    }

    /// Adds a callback at the end, or returns it if the queue is closed.
    #[inline]
    pub(crate) fn offer(&self, callback: Callback) -> Option<Callback> {
        if self.takes.get() != Takes::All {
            return self.offer_elsewise(callback);
        }
        self.queue.borrow_mut().push_back(callback);
        None
    }

    /// Puts a callback at the end, and tells the observer, or returns it if the queue is closed.
    #[cold]
    #[inline(never)]
    fn offer_elsewise(&self, callback: Callback) -> Option<Callback> {
        let (queued, why) = told(|| callback.queued_as());
        if self.is_closed() {
            return Some(callback);
        }
        trace::emit_always(|| Event::Push { queue: self.id, queued, why });
        self.queue.borrow_mut().push_back(callback);
        None
    }

    fn is_closed(&self) -> bool {
        self.takes.get() == Takes::Nothing
    }

    /// Takes out the first callback.
    #[inline]
    pub fn pop(&self) -> Option<Callback> {
        self.queue.borrow_mut().pop_front()
    }

    /// Takes the callback at `index` and tells the observer: for loops that are observed, and for tools that choose which one
    /// goes next.
    pub fn remove(&self, index: usize) -> Option<Callback> {
        let callback = self.queue.borrow_mut().remove(index)?;
        trace::emit_always(|| Event::Pop { queue: self.id, queued: callback.queued_as() });
        Some(callback)
    }

    /// Takes a callback out, wherever it is in the queue.
    pub fn retract(&self, callback: &Callback) {
        let before = self.len();
        self.queue.borrow_mut().retain(|waiting| !Rc::ptr_eq(waiting, callback));
        if self.len() < before {
            trace::emit_always(|| Event::Retract { queue: self.id, queued: callback.queued_as() });
        }
    }

    /// Returns the waiting callbacks, in order.
    pub fn queued(&self) -> Vec<Callback> {
        self.queue.borrow().iter().cloned().collect()
    }

    /// Returns memory that a burst of callbacks or suspended coroutines has left unused. Leaves a queue alone that
    /// never held thousands of entries, or that is well filled.
    pub fn give_back_room(&self) {
        let queue = &mut *self.queue.borrow_mut();
        if is_mostly_empty(queue.len(), queue.capacity()) {
            queue.shrink_to(ROOM);
        }
        self.registered.borrow_mut().give_back_room();
    }

    /// Returns the suspended coroutines.
    pub fn suspended(&self) -> Vec<Suspended> {
        self.all_registered().iter().filter_map(|it| it.suspended()).collect()
    }

    /// Sets a function that is called, on another thread, with each native coroutine that is woken there. It has to
    /// pass the coroutine soon to [`wake`](Self::wake) on this thread. Only the first call has an effect; before it, no
    /// other thread can wake coroutines of this queue.
    pub fn woken_outside(&self, outside: impl Fn(Arc<Woken>) + Send + Sync + 'static) {
        drop(self.outside.set(Box::new(outside)));
    }

    /// Puts a native coroutine that was woken on the queue, if it still exists.
    pub fn wake(&self, woken: &Arc<Woken>) {
        woken.told.swap(false, Ordering::AcqRel);
        let it = self.registered.borrow().get(key(woken.place)).and_then(Weak::upgrade);
        if let Some(callback) = it.and_then(|it| it.woken(Arc::as_ptr(woken).cast())) {
            self.push(callback);
        }
    }

    /// Returns the queue of this thread to which the waker belongs. A queue of another thread may have an equal number.
    pub(crate) fn of_waker(woken: &Woken) -> Option<Rc<Self>> {
        let queue = match CURRENT_ID.get() {
            Some(current) if current == woken.queue => Some(Self::current()),
            _ => Self::find(woken.queue),
        };
        queue.filter(|queue| Arc::ptr_eq(&queue.outside, &woken.outside))
    }

    /// Drops every callback and every suspended coroutine without running any. This frees a coroutine that waits for
    /// something that only it could have resolved.
    pub fn abandon(&self) {
        trace::emit_always(|| Event::Close { queue: self.id });
        let takes = self.takes.replace(Takes::Nothing);
        self.give_up();
        self.takes.set(takes);
    }

    fn give_up(&self) {
        while !self.is_empty() || !self.registered.borrow().is_empty() {
            // All of them are held until each is empty, so that a long chain is not dropped recursively.
            let registered = self.all_registered();
            self.registered.borrow_mut().clear();
            registered.iter().for_each(|it| guard(Problem::Callback, || it.withdraw()));
            self.queue.take().into_iter().for_each(discard);
            registered.into_iter().for_each(discard);
        }
    }

    /// [Abandons](Self::abandon) everything, and drops what is added later: the end of a loop.
    pub fn close(&self) {
        self.shut();
        self.give_up();
    }

    /// Closes the queue, and leaves what is on it to [`close`](Self::close): for a loop that has more to withdraw.
    pub fn shut(&self) {
        if self.takes.replace(Takes::Nothing) == Takes::AllObserved {
            trace::emit_always(|| Event::Close { queue: self.id });
        }
    }

    fn all_registered(&self) -> Vec<Rc<dyn Withdraw>> {
        self.registered.borrow().iter().filter_map(|(_, weak)| weak.upgrade()).collect()
    }

    /// Registers a value to be withdrawn when the loop ends, and returns its number. It is for values that hold a
    /// Future which holds them in turn: if that Future is never done, only the end of the loop breaks the cycle.
    ///
    /// # Panics
    /// Panics if four thousand million values are registered.
    pub fn register(&self, it: Weak<dyn Withdraw>) -> RegistrationId {
        let place = self.registered.borrow_mut().insert(it) + 1;
        u32::try_from(place)
            .ok()
            .and_then(NonZeroU32::new)
            .expect("fewer than four thousand million coroutines")
    }

    /// Removes a value from the list, by its number and address.
    #[inline]
    pub fn unregister(&self, place: RegistrationId, it: *const ()) {
        let (mut registered, key) = (self.registered.borrow_mut(), key(place));
        if registered.get(key).is_some_and(|weak| std::ptr::addr_eq(weak.as_ptr(), it)) {
            registered.remove(key);
        }
    }

    /// Returns whether the value with that number and address is still registered. It is not while it is being
    /// withdrawn.
    pub fn is_registered(&self, place: RegistrationId, it: *const ()) -> bool {
        let registered = self.registered.borrow();
        registered.get(key(place)).is_some_and(|weak| std::ptr::addr_eq(weak.as_ptr(), it))
    }
}

fn key(place: RegistrationId) -> usize {
    place.get() as usize - 1
}

impl fmt::Debug for ReadyQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadyQueue").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Drop for ReadyQueue {
    fn drop(&mut self) {
        let _ = ALIVE.try_with(|alive| alive.borrow_mut().retain(|(id, _)| *id != self.id));
        self.close();
    }
}

/// Turns on or off that the queues of this thread tell the observer what is put on them.
fn observe_all(observed: bool) {
    let takes = if observed { Takes::AllObserved } else { Takes::All };
    let _ = ALIVE.try_with(|alive| {
        let queues = alive.borrow().iter().filter_map(|(_, queue)| queue.upgrade()).collect::<Vec<_>>();
        queues.iter().filter(|queue| !queue.is_closed()).for_each(|queue| queue.takes.set(takes));
    });
}

/// Adds a callback at the end of the current queue of this thread.
#[inline]
pub fn call_soon(callback: Callback) {
    // Counting a handle costs less than moving the callback into a closure that may not be called.
    match CURRENT.try_with(|current| current.borrow().clone()) {
        Ok(queue) => queue.push(callback),
        Err(_) => call_soon_ending(callback),
    }
}

/// Adds a callback like [`call_soon`] on a thread that is ending. If nothing has asked for a queue since, no queue will
/// be emptied.
#[cold]
fn call_soon_ending(callback: Callback) {
    match ENDING.with(|queue| queue.borrow().clone()) {
        Some(queue) => queue.push(callback),
        None => discard(callback),
    }
}

/// Adds a callback at the end of the queue of that number, or drops it if that queue is gone.
#[inline]
pub(crate) fn call_soon_on(queue: QueueId, callback: Callback) {
    if CURRENT_ID.get() == Some(queue) {
        call_soon(callback);
    } else {
        call_elsewhere(queue, callback);
    }
}

/// Drops a callback that a closed queue does not accept, after the borrow of the queue has ended.
#[cold]
fn refuse(callback: Callback) {
    discard(callback);
}

#[cold]
fn call_elsewhere(queue: QueueId, callback: Callback) {
    match ReadyQueue::find(queue) {
        Some(queue) => queue.push(callback),
        None => discard(callback),
    }
}

/// An entry in the list of the queue that was current when it was registered.
pub(crate) struct Registration {
    queue: Cell<Option<QueueId>>,
    /// `None` while it is not in a list.
    place: Cell<Option<RegistrationId>>,
}

impl Registration {
    /// Creates one that is in no list.
    pub(crate) const fn none() -> Self {
        Self { queue: Cell::new(None), place: Cell::new(None) }
    }

    /// Creates one that is in the list of `queue`, where the value has the number `place`.
    pub(crate) fn at(queue: &ReadyQueue, place: RegistrationId) -> Self {
        Self { queue: Cell::new(Some(queue.id)), place: Cell::new(Some(place)) }
    }

    #[inline]
    pub(crate) fn is_there(&self) -> bool {
        self.place.get().is_some()
    }

    /// Registers a value with the current queue.
    pub(crate) fn register(&self, it: Weak<dyn Withdraw>) {
        let (queue, place) = ReadyQueue::with_current(|ready| (ready.id, ready.register(it)));
        self.queue.set(Some(queue));
        self.place.set(Some(place));
    }

    /// Called when the queue has removed the entry from its list.
    pub(crate) fn forget(&self) {
        self.place.set(None);
    }

    /// Removes the entry of `it` from the list of its queue.
    #[inline]
    pub(crate) fn release(&self, it: *const ()) {
        if let (Some(place), queue) = (self.place.take(), self.queue.get()) {
            if queue == CURRENT_ID.get() {
                ReadyQueue::with_current(|ready| ready.unregister(place, it));
            } else if let Some(queue) = queue.and_then(ReadyQueue::find) {
                queue.unregister(place, it);
            }
        }
    }
}

/// A function that tells the loop, on another thread, that a native coroutine was woken there.
pub(crate) type Outside = OnceLock<Box<dyn Fn(Arc<Woken>) + Send + Sync>>;

/// The shared part of a native coroutine's waker, which is passed to the loop when it is woken.
pub struct Woken {
    pub(crate) queue: QueueId,
    /// The coroutine's number in the list of its queue, which another one may get after its end.
    pub(crate) place: RegistrationId,
    pub(crate) outside: Arc<Outside>,
    /// `true` if the loop was told and has not woken the coroutine yet.
    pub(crate) told: AtomicBool,
    /// `true` if the coroutine keeps no clone of the waker, so that the last clone is one that was given away.
    pub(crate) away: AtomicBool,
}
