//! [`ReadyQueue`]: what is to be called soon. The heart's whole demand on the outside is that somebody empties it.
//!
//! A loop takes as many entries as there are and runs them; what they add is run in its next iteration. Each
//! thread has a current `ReadyQueue`; everything in this crate that must not happen at once goes there.
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

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use slab::Slab;

use crate::foreign::{discard, guard};
use crate::trace::{Problem, RunnerId};
use crate::waker::Outside;
use crate::{Context, Coroutine};

pub use crate::waker::Woken;

/// Something that waits in line to be called: a Runner, a Task, a closure.
pub trait Run {
    /// Does it. A panic that leaves this must be caught by the loop.
    fn run(self: Rc<Self>);

    /// It is not going to run: it drops what it holds for that, and forgets who waits for it.
    fn withdraw(&self) {}

    /// The name of its type. That of a closure holds the name of the function in which it stands.
    fn type_name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }

    /// The coroutine that this resumes, while it is suspended: for tools that choose who goes next.
    fn coroutine(&self) -> Option<Suspended> {
        None
    }

    /// Its name and number, if it is no coroutine and might as well have come earlier or later than what
    /// waits beside it: a timer, a finished job.
    fn choice(&self) -> Option<(&'static str, u64)> {
        None
    }

    /// Whether it is to be put on the queue, now that something is done that it waited for; `false` if it is
    /// there already and is to run once, or if it did in here what it had to do. It must resume nobody in here.
    fn is_due(&self) -> bool {
        true
    }

    /// Has it called soon, if it is what was woken.
    #[doc(hidden)]
    fn wake(self: Rc<Self>, _woken: &Arc<Woken>) {}
}

/// An entry of the queue.
pub type Callback = Rc<dyn Run>;

/// A coroutine that is suspended, as tools see it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Suspended {
    /// Which call it is; 0 where nobody observed it.
    pub runner: RunnerId,
    /// What it is a call of.
    pub coroutine: &'static Coroutine,
    /// The line of its last yield.
    pub location: &'static Location<'static>,
    /// The coroutine whose result it waits for, if that is what it waits for.
    pub waits_for: Option<&'static Coroutine>,
    /// Whether something that this thread cannot see may still wake it.
    pub wakeable: bool,
}

/// The queue of what is ready, and the list of the coroutines that are not.
#[derive(Default)]
pub struct ReadyQueue {
    queue: RefCell<VecDeque<Callback>>,
    /// Every coroutine that is suspended, and whatever else holds Futures that hold it in turn. Weak: what they
    /// wait for holds them.
    held: RefCell<Slab<Weak<dyn Run>>>,
    /// Who is told which native coroutines were woken on other threads.
    pub(crate) outside: Arc<Outside>,
}

thread_local! {
    static CURRENT: RefCell<Rc<ReadyQueue>> = RefCell::default();
}

impl ReadyQueue {
    /// The queue of this thread; one of its own if the thread is ending.
    pub fn current() -> Rc<Self> {
        CURRENT.try_with(|current| current.borrow().clone()).unwrap_or_default()
    }

    /// Makes this the queue of the thread, and returns the one that was.
    pub fn make_current(self: Rc<Self>) -> Rc<Self> {
        CURRENT.replace(self)
    }

    /// How many callbacks wait.
    #[inline]
    pub fn len(&self) -> usize {
        self.queue.borrow().len()
    }

    /// Whether none waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.queue.borrow().is_empty()
    }

    /// Puts a callback at the end.
    #[inline]
    pub fn push(&self, callback: Callback) {
        self.queue.borrow_mut().push_back(callback);
    }

    /// Takes the first callback.
    #[inline]
    pub fn pop(&self) -> Option<Callback> {
        self.queue.borrow_mut().pop_front()
    }

    /// Takes the callback at `index`, for tools that choose who goes next.
    pub fn remove(&self, index: usize) -> Option<Callback> {
        self.queue.borrow_mut().remove(index)
    }

    /// Takes a callback out wherever it waits in line.
    pub fn retract(&self, callback: &Callback) {
        self.queue.borrow_mut().retain(|waiting| !Rc::ptr_eq(waiting, callback));
    }

    /// The waiting callbacks, in order.
    pub fn queued(&self) -> Vec<Callback> {
        self.queue.borrow().iter().cloned().collect()
    }

    /// Gives the memory of a burst back that is over: of what was queued, and of coroutines that were suspended. A queue
    /// that never held thousands, or that is well filled, is left alone.
    pub fn give_back_room(&self) {
        let queue = &mut *self.queue.borrow_mut();
        if is_mostly_empty(queue.len(), queue.capacity()) {
            queue.shrink_to(ROOM);
        }
        let held = &mut *self.held.borrow_mut();
        if is_mostly_empty(held.len(), held.capacity()) {
            held.shrink_to_fit();
        }
    }

    /// The suspended coroutines.
    pub fn suspended(&self) -> Vec<Suspended> {
        self.held().iter().filter_map(|held| held.coroutine()).collect()
    }

    /// Has the native coroutines that are woken on other threads told to `outside`, on that thread: a loop, which is
    /// to [`wake`](Self::wake) them here, soon. Only the first call counts; before it, nobody else can wake them.
    pub fn woken_outside(&self, outside: impl Fn(Arc<Woken>) + Send + Sync + 'static) {
        drop(self.outside.set(Box::new(outside)));
    }

    /// Has a native coroutine that was woken called soon, if it is there still.
    pub fn wake(&self, woken: &Arc<Woken>) {
        let held = self.held.borrow().get(woken.place as usize - 1).and_then(Weak::upgrade);
        if let Some(held) = held {
            held.wake(woken);
        }
    }

    /// Drops every callback and every suspended coroutine, without running any: the end of a loop. This is
    /// what frees a coroutine that waits for something that only itself could have resolved.
    pub fn abandon(&self) {
        while !self.is_empty() || !self.held.borrow().is_empty() {
            // All of them are held until each is empty, so that a long chain is not dropped by recursion.
            let held = self.held();
            self.held.borrow_mut().clear();
            held.iter().for_each(|held| guard(Problem::Callback, || held.withdraw()));
            self.queue.take().into_iter().for_each(discard);
            held.into_iter().for_each(discard);
        }
    }

    fn held(&self) -> Vec<Callback> {
        self.held.borrow().iter().filter_map(|(_, weak)| weak.upgrade()).collect()
    }

    /// Adds what is to be withdrawn when the loop ends, and gives its place, from 1. Whatever holds Futures that hold
    /// it in turn is a circle, which only the end of the loop breaks if they are never done.
    pub fn hold(&self, it: Weak<dyn Run>) -> u32 {
        let place = self.held.borrow_mut().insert(it) + 1;
        u32::try_from(place).expect("fewer than four thousand million coroutines")
    }

    /// Takes it off again, by its place and address. What was added to another queue has nothing at that place here.
    pub fn release(&self, place: u32, it: *const ()) {
        let (mut held, key) = (self.held.borrow_mut(), place as usize - 1);
        if held.get(key).is_some_and(|weak| std::ptr::addr_eq(weak.as_ptr(), it)) {
            held.remove(key);
        }
    }

    /// Whether what was added is there still, by its place and address: it is not once it is being withdrawn.
    pub fn holds(&self, place: u32, it: *const ()) -> bool {
        let held = self.held.borrow();
        held.get(place as usize - 1).is_some_and(|weak| std::ptr::addr_eq(weak.as_ptr(), it))
    }

    /// Does something with the queue of this thread that runs no code of others; nothing when it is ending.
    #[inline]
    pub(crate) fn with_current<R: Default>(f: impl FnOnce(&Self) -> R) -> R {
        CURRENT.try_with(|current| f(&current.borrow())).unwrap_or_default()
    }
}

/// Lists with room for so many entries keep it.
const ROOM: usize = 4096;

/// Returns whether a list should give memory back: it has room for thousands of entries and uses less than an eighth. It has
/// to grow by that much before it allocates again, which pays for the copy.
///
/// ```
/// use squall_runner::ready::is_mostly_empty;
///
/// assert!(is_mostly_empty(3, 1_000_000));
/// assert!(!is_mostly_empty(500_000, 1_000_000) && !is_mostly_empty(0, 1000));
/// ```
pub fn is_mostly_empty(len: usize, capacity: usize) -> bool {
    capacity > ROOM && len < capacity / 8
}

impl fmt::Debug for ReadyQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadyQueue").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Drop for ReadyQueue {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// Puts a callback at the end of this thread's queue.
#[inline]
pub fn call_soon(callback: Callback) {
    ReadyQueue::with_current(|ready| ready.push(callback));
}

/// A closure as an entry of the queue. It runs in the context in which this was called.
pub fn callback(f: impl FnOnce() + 'static) -> Callback {
    callback_in(Context::current(), f)
}

pub(crate) fn callback_in(context: Context, f: impl FnOnce() + 'static) -> Callback {
    struct Once<F>(Cell<Option<(Context, F)>>);
    impl<F: FnOnce()> Run for Once<F> {
        fn run(self: Rc<Self>) {
            if let Some((context, f)) = self.0.take() {
                context.enter(f);
            }
        }

        fn withdraw(&self) {
            discard(self.0.take());
        }
    }
    impl<F> Drop for Once<F> {
        fn drop(&mut self) {
            discard(self.0.take());
        }
    }
    Rc::new(Once(Cell::new(Some((context, f)))))
}
