//! [`Ready`]: what is to be called soon. The heart's whole demand on the outside is that somebody empties it.
//!
//! A loop takes as many entries as there are and runs them; what they add is run in its next iteration. Each
//! thread has a current `Ready`; everything in this crate that must not happen at once goes there.
//!
//! ```
//! use squall_runner::{Future, ready::Ready};
//!
//! let future = Future::<i32>::new();
//! let promise = future.promise();
//! future.add_done_callback(|f| assert_eq!(f.result().unwrap(), 5));
//! promise.set_result(5);                         // nothing runs inside set_result
//! assert_eq!(Ready::current().len(), 1);
//! while let Some(callback) = Ready::current().pop() {
//!     callback.run();
//! }
//! ```

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::rc::{Rc, Weak};

use slab::Slab;

use crate::native::Tasks;
use crate::trace::RunnerId;
use crate::{Context, Coroutine};

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

    /// The coroutine that this resumes, if it is one: for tools that choose who goes next.
    fn coroutine(&self) -> Option<Suspended> {
        None
    }

    /// Its name and number, if it is no coroutine and might as well have come earlier or later than what
    /// waits beside it: a timer, a finished job.
    fn choice(&self) -> Option<(&'static str, u64)> {
        None
    }
}

/// What waits in the queue, as tools that choose who goes next see it.
#[derive(Debug, Clone, Copy)]
pub enum Entry {
    /// A coroutine.
    Coroutine(Suspended),
    /// Something else that might have come at another time: what it is called, and its number among those.
    Choice((&'static str, u64)),
    /// A callback that comes after what was there before it.
    Callback,
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
}

/// The place in the list of a coroutine that is not in it.
pub(crate) const UNLISTED: u32 = u32::MAX;

/// A coroutine that can be looked at, and given up, while it is suspended.
pub(crate) trait Alive {
    fn suspended(&self) -> Suspended;
    /// The coroutine whose result it waits for, if it is one.
    fn waits_for(&self) -> Option<&'static Coroutine>;
    /// Whether something that this thread cannot see may still wake it.
    fn wakeable(&self) -> bool;
    /// Drops the body and what it waits for, and forgets who waits for it.
    fn abandon(&self);
}

/// The queue of what is ready, and the list of the coroutines that are not.
#[derive(Default)]
pub struct Ready {
    queue: RefCell<VecDeque<Callback>>,
    /// Every suspended coroutine that was started here. Weak: what it waits for holds it.
    alive: RefCell<Slab<Weak<dyn Alive>>>,
    /// Other things that hold each other: what waits, and what it waits for. Withdrawn at the end.
    held: RefCell<Slab<Weak<dyn Run>>>,
    /// The native coroutines, by what their wakers know of them.
    pub(crate) tasks: Tasks,
    /// Whether a Runner is to stop after each resume, though it could go on at once.
    stepped: Cell<bool>,
    /// The Runner that stopped for that: it goes next, before everything in the queue.
    going_on: Cell<Option<Callback>>,
}

thread_local! {
    static CURRENT: RefCell<Rc<Ready>> = RefCell::default();
}

impl Ready {
    /// The queue of this thread; one that nobody empties while the thread ends.
    pub fn current() -> Rc<Self> {
        CURRENT.try_with(|current| current.borrow().clone()).unwrap_or_default()
    }

    /// Makes this the queue of the thread, and returns the one that was.
    pub fn make_current(self: Rc<Self>) -> Rc<Self> {
        CURRENT.replace(self)
    }

    /// How many callbacks wait.
    pub fn len(&self) -> usize {
        self.queue.borrow().len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.queue.borrow().is_empty()
    }

    /// Puts a callback at the end.
    pub fn push(&self, callback: Callback) {
        self.queue.borrow_mut().push_back(callback);
    }

    /// Takes the first callback.
    pub fn pop(&self) -> Option<Callback> {
        self.queue.borrow_mut().pop_front()
    }

    /// Takes the callback at `index`, for tools that choose who goes next.
    pub fn remove(&self, index: usize) -> Option<Callback> {
        self.queue.borrow_mut().remove(index)
    }

    /// Has every Runner that the loop calls stop after one resume, also where it need not wait: for tools that
    /// step through coroutines. Whoever asks for it must run [`going_on`](Self::going_on) before the queue.
    pub fn step_by_resumes(&self, stepped: bool) {
        self.stepped.set(stepped);
    }

    /// Takes the Runner that would have gone on at once.
    pub fn going_on(&self) -> Option<Callback> {
        self.going_on.take()
    }

    /// Stops a Runner that could go on at once, if that is wanted.
    pub(crate) fn went_on<R: Run + 'static>(runner: &Rc<R>) -> bool {
        crate::trace::observed()
            && Self::with_current(|ready| {
                if ready.stepped.get() {
                    ready.going_on.set(Some(runner.clone()));
                }
                ready.stepped.get()
            })
    }

    /// What each waiting callback is, in order.
    pub fn entries(&self) -> Vec<Entry> {
        let entry = |callback: &Callback| match callback.coroutine() {
            Some(coroutine) => Entry::Coroutine(coroutine),
            None => callback.choice().map_or(Entry::Callback, Entry::Choice),
        };
        self.queue.borrow().iter().map(entry).collect()
    }

    /// The coroutine that each waiting callback resumes, in order; `None` for other callbacks.
    pub fn coroutines(&self) -> Vec<Option<Suspended>> {
        self.queue.borrow().iter().map(|callback| callback.coroutine()).collect()
    }

    /// The suspended coroutines, each with the one whose result it waits for, if that is what it waits for.
    pub fn suspended(&self) -> Vec<(Suspended, Option<&'static Coroutine>)> {
        self.alive().iter().map(|alive| (alive.suspended(), alive.waits_for())).collect()
    }

    /// Whether a suspended native coroutine gave its waker to something outside of this thread's sight.
    pub fn wakeable(&self) -> bool {
        self.alive().iter().any(|alive| alive.wakeable())
    }

    /// Takes in the native coroutines that other threads have woken: a loop calls this before each iteration.
    pub fn deliver(&self) {
        self.tasks.deliver();
    }

    /// Has `notify` called, on any thread, when there is something to [`deliver`](Self::deliver). Only the
    /// first call counts.
    pub fn notify_by(&self, notify: impl Fn() + Send + Sync + 'static) {
        self.tasks.notify_by(notify);
    }

    /// Drops every callback and every suspended coroutine, without running any: the end of a loop. This is
    /// what frees a coroutine that waits for something that only itself could have resolved.
    pub fn abandon(&self) {
        drop(self.going_on.take());
        while !self.is_empty() || !self.alive.borrow().is_empty() || !self.held.borrow().is_empty() {
            drop(self.queue.take());
            let held: Vec<_> = self.held.borrow_mut().drain().filter_map(|weak| weak.upgrade()).collect();
            held.iter().for_each(|held| held.withdraw());
            let alive = self.alive();
            self.alive.borrow_mut().clear();
            // All of them are held until each is empty, so that a long chain is not dropped by recursion.
            for alive in &alive {
                alive.abandon();
            }
        }
    }

    fn alive(&self) -> Vec<Rc<dyn Alive>> {
        self.alive.borrow().iter().filter_map(|(_, weak)| weak.upgrade()).collect()
    }

    /// Adds a coroutine that is suspended for the first time, and gives its place in the list.
    pub(crate) fn enlist(&self, alive: Weak<dyn Alive>) -> u32 {
        let key = self.alive.borrow_mut().insert(alive);
        u32::try_from(key).expect("fewer than four thousand million coroutines")
    }

    /// Takes a coroutine off the list. One that was enlisted elsewhere has nothing at that place here.
    pub(crate) fn discharge(&self, key: u32, who: *const ()) {
        let mut alive = self.alive.borrow_mut();
        if alive.get(key as usize).is_some_and(|weak| std::ptr::addr_eq(weak.as_ptr(), who)) {
            alive.remove(key as usize);
        }
    }

    /// Does something with the queue of this thread; nothing for it when the thread is ending.
    pub(crate) fn with_current<R: Default>(f: impl FnOnce(&Self) -> R) -> R {
        CURRENT.try_with(|ready| f(&ready.borrow())).unwrap_or_default()
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// Has something withdrawn when the loop ends, unless this is dropped before. For whatever holds Futures that
/// hold it in turn: that is a circle, which only the end of the loop breaks if they are never done.
#[derive(Debug)]
#[must_use = "what it stands for is withdrawn only while it lives"]
pub struct Held {
    key: usize,
    ready: Weak<Ready>,
}

impl Held {
    /// For `it`, by the queue of this thread.
    pub fn new(it: Weak<dyn Run>) -> Self {
        let ready = Ready::current();
        let key = ready.held.borrow_mut().insert(it);
        Self { key, ready: Rc::downgrade(&ready) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(ready) = self.ready.upgrade() {
            let held = ready.held.borrow_mut().try_remove(self.key);
            drop(held);
        }
    }
}

/// Puts a callback at the end of this thread's queue.
pub fn call_soon(callback: Callback) {
    Ready::with_current(|ready| ready.push(callback));
}

/// Has `f` called soon, in the context of now.
pub fn call_soon_fn(f: impl FnOnce() + 'static) {
    call_soon(callback(f));
}

/// A closure as an entry of the queue. It runs in the context in which this was called.
pub fn callback(f: impl FnOnce() + 'static) -> Callback {
    Rc::new(Once { f: Cell::new(Some(f)), context: Cell::new(Context::current()) })
}

struct Once<F> {
    /// `None` once it has run.
    f: Cell<Option<F>>,
    context: Cell<Context>,
}

impl<F: FnOnce()> Run for Once<F> {
    fn run(self: Rc<Self>) {
        if let Some(f) = self.f.take() {
            self.context.take().enter(f);
        }
    }

    fn withdraw(&self) {
        drop(self.f.take());
    }
}
