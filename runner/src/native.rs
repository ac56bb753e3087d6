//! [`Task`]: drives a native coroutine, an `async fn`. What `asyncio.Task` is to Tornado.
//!
//! A native coroutine does nothing until it is yielded, awaited, converted or spawned; its first step is a turn
//! of the loop away. Awaiting another native coroutine runs it inline, as part of the same Task.

//!
//! ```
//! use squall_runner::{convert_yielded, ready::Ready, Exception, Future};
//!
//! async fn plus_one(n: Future<i32>) -> Result<i32, Exception> {
//!     Ok(n.await? + 1)
//! }
//! let future = convert_yielded(plus_one(Future::ready(5))).unwrap();
//! assert!(!future.done());                       // not started yet
//! Ready::current().pop().unwrap().run();
//! assert_eq!(future.result().unwrap(), 6);
//! ```

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future as StdFuture;
use std::panic::{catch_unwind, AssertUnwindSafe, Location};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Poll, Wake, Waker};

use crate::future::AnyFuture;
use crate::ready::{Alive, Callback, Ready, Run, Suspended, UNLISTED};
use crate::runner::{discard, Call};
use crate::shared::{Resolvable, Shared};
use crate::trace::{self, emit, Event, State};
use crate::{Context, Coroutine, Error, Exception, Future, Result};

/// Has a native coroutine that has a name started in the next turn of the loop.
/// [`convert_yielded`](crate::convert_yielded) does the same, and calls it by its type.
///
/// ```
/// use squall_runner::{native, ready::Ready, Coroutine, Exception};
///
/// static FIVE: Coroutine = Coroutine::new("five", file!(), line!());
/// let future = native::start(&FIVE, async { Ok::<_, Exception>(5) });
/// Ready::current().pop().unwrap().run();
/// assert_eq!(future.result().unwrap(), 5);
/// ```
#[track_caller]
pub fn start<F, T, E>(coroutine: &'static Coroutine, body: F) -> Future<T>
where
    F: StdFuture<Output = Result<T, E>> + 'static,
    T: 'static,
    E: 'static,
    Exception: From<E>,
{
    Task::spawn_as(coroutine, body)
}

/// A native coroutine on its way, and the Future of its result, in one allocation.
pub(crate) struct Task<F: StdFuture + 'static, T: 'static> {
    shared: Shared<T>,
    /// Empty while it is polled, and once it is finished.
    body: Cell<Option<Pin<Box<F>>>>,
    /// Wakes this. Whoever keeps a clone of it may do so, from any thread.
    waker: Waker,
    /// What `waker` is made of, to see whether there are clones.
    wake: Arc<TaskWaker>,
    /// The squall Future that it awaits, while that is pending.
    awaits: RefCell<Option<AnyFuture>>,
    /// Itself, while it awaits something that only knows its waker: nothing else may hold it then.
    kept: Cell<Option<Rc<Self>>>,
    started: Cell<bool>,
    /// Whether the waker has put a step on the ready queue that has not run yet.
    woken: Cell<bool>,
    /// Whether the next step is to raise `Cancelled`.
    must_cancel: Cell<bool>,
    /// Whether the first await of this step is to raise `Cancelled`.
    throw_cancel: Cell<bool>,
    context: Cell<Context>,
    call: Call,
    key: Cell<u32>,
}

impl<F, T, E> Task<F, T>
where
    F: StdFuture<Output = Result<T, E>> + 'static,
    T: 'static,
    E: 'static,
    Exception: From<E>,
{
    /// Has a native coroutine started in the next turn of the loop.
    #[track_caller]
    pub(crate) fn spawn(body: F) -> Future<T> {
        Self::spawn_as(Coroutine::of::<F>(), body)
    }

    #[track_caller]
    fn spawn_as(coroutine: &'static Coroutine, body: F) -> Future<T> {
        let mut call = Call::new(coroutine, trace::Body::Native);
        call.location = YIELDED_AT.get().unwrap_or(call.location);
        let shared = Shared::new();
        shared.set_id(call.future);
        let ready = Ready::current();
        let task = Rc::new_cyclic(|this: &Weak<Self>| {
            let wake = ready.tasks.register(this.clone());
            Self {
                shared,
                body: Cell::new(Some(Box::pin(body))),
                waker: wake.clone().into(),
                wake,
                awaits: RefCell::new(None),
                kept: Cell::new(None),
                started: Cell::new(false),
                woken: Cell::new(false),
                must_cancel: Cell::new(false),
                throw_cancel: Cell::new(false),
                context: Cell::new(Context::current()),
                call,
                key: Cell::new(UNLISTED),
            }
        });
        let alive: Rc<dyn Alive> = task.clone();
        task.key.set(ready.enlist(Rc::downgrade(&alive)));
        ready.push(task.clone());
        Future::from_core(task)
    }

    /// Polls the body until it awaits a Future that is pending.
    fn step(self: Rc<Self>) {
        self.woken.set(false);
        let Some(mut body) = self.body.take() else { return };
        drop((self.awaits.take(), self.kept.take()));
        self.throw_cancel.set(self.must_cancel.take());
        let started = self.started.replace(true);
        if self.throw_cancel.get() && !started {
            discard(body);
            return self.finish(Err(Error::Cancelled.into()));
        }
        let runner = self.call.runner;
        emit(|| if started { Event::Wake { runner } } else { Event::Start { runner } });
        let outside = self.context.take().swap();
        let before = POLLED.replace(Some(self.clone()));
        let mut cx = std::task::Context::from_waker(&self.waker);
        let poll = catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(&mut cx)));
        POLLED.set(before);
        self.context.set(outside.swap());
        let result = match poll {
            Ok(Poll::Pending) if !self.throw_cancel.take() => {
                let future = self.awaits.borrow().as_ref().map(AnyFuture::id);
                emit(|| Event::Wait { runner, future });
                self.body.set(Some(body));
                if self.awaits.borrow().is_none() {
                    self.kept.set(Some(self.clone()));
                }
                if self.must_cancel.take() {
                    self.cancel();
                }
                return;
            }
            // It awaits something foreign, which cannot be told: the body is dropped instead.
            Ok(Poll::Pending) => Err(Error::Cancelled.into()),
            Ok(Poll::Ready(result)) => result.map_err(Exception::from),
            Err(panic) => Err(Exception::from_panic(panic)),
        };
        discard(body);
        self.finish(result);
    }

    fn finish(&self, result: Result<T>) {
        self.discharge();
        match result {
            Ok(value) => drop(self.shared.set_result(self.call.returned(value))),
            Err(exception) if exception.downcast_ref() == Some(&Error::Cancelled) => {
                self.shared.cancel();
            }
            Err(exception) => drop(self.shared.set_exception(self.call.leave(exception, None))),
        }
    }
}

impl<F: StdFuture + 'static, T: 'static> Task<F, T> {
    fn discharge(&self) {
        let key = self.key.replace(UNLISTED);
        if key != UNLISTED {
            Ready::with_current(|ready| ready.discharge(key, std::ptr::from_ref(self).cast()));
        }
    }
}

impl<F, T, E> Run for Task<F, T>
where
    F: StdFuture<Output = Result<T, E>> + 'static,
    T: 'static,
    E: 'static,
    Exception: From<E>,
{
    fn run(self: Rc<Self>) {
        self.step();
    }

    fn coroutine(&self) -> Option<Suspended> {
        Some(self.suspended())
    }
}

impl<F, T, E> Resolvable for Task<F, T>
where
    F: StdFuture<Output = Result<T, E>> + 'static,
    T: 'static,
    E: 'static,
    Exception: From<E>,
{
    type Output = T;

    fn shared(&self) -> &Shared<T> {
        &self.shared
    }

    /// Source: `asyncio.Task.cancel`.
    fn cancel(&self) -> bool {
        if self.shared.state() != State::Pending {
            return self.shared.cancel();
        }
        let awaits = self.awaits.take();
        let cancelled = awaits.as_ref().is_some_and(AnyFuture::cancel);
        self.awaits.replace(awaits);
        if !cancelled {
            self.must_cancel.set(true);
            self.waker.wake_by_ref();
        }
        true
    }

    fn coroutine(&self) -> Option<&'static Coroutine> {
        Some(self.call.coroutine)
    }
}

impl<F: StdFuture + 'static, T: 'static> Alive for Task<F, T> {
    fn suspended(&self) -> Suspended {
        Suspended { runner: self.call.runner, coroutine: self.call.coroutine, location: self.call.location }
    }

    fn waits_for(&self) -> Option<&'static Coroutine> {
        self.awaits.borrow().as_ref().and_then(AnyFuture::coroutine)
    }

    fn wakeable(&self) -> bool {
        Arc::strong_count(&self.wake) > 2
    }

    fn abandon(&self) {
        self.key.set(UNLISTED);
        if let Some(body) = self.body.take() {
            discard(body);
        }
        drop((self.awaits.take(), self.kept.take()));
        self.shared.forget_waiters();
    }
}

impl<F: StdFuture + 'static, T: 'static> Drop for Task<F, T> {
    fn drop(&mut self) {
        self.discharge();
        Ready::with_current(|ready| ready.tasks.forget(&self.wake));
    }
}

thread_local! {
    /// The Task that is being polled.
    static POLLED: RefCell<Option<Rc<dyn Polled>>> = const { RefCell::new(None) };
    /// The line of the yield whose native coroutines are being started.
    static YIELDED_AT: Cell<Option<&'static Location<'static>>> = const { Cell::new(None) };
}

/// A Task without its types.
pub(crate) trait Polled {
    fn waker(&self) -> &Waker;
    fn awaits(self: Rc<Self>, future: AnyFuture) -> Callback;
    fn take_cancel(&self) -> bool;
    fn wake(self: Rc<Self>);
}

impl<F, T, E> Polled for Task<F, T>
where
    F: StdFuture<Output = Result<T, E>> + 'static,
    T: 'static,
    E: 'static,
    Exception: From<E>,
{
    fn waker(&self) -> &Waker {
        &self.waker
    }

    fn awaits(self: Rc<Self>, future: AnyFuture) -> Callback {
        self.awaits.replace(Some(future));
        self
    }

    fn take_cancel(&self) -> bool {
        self.throw_cancel.take()
    }

    fn wake(self: Rc<Self>) {
        if self.shared.state() == State::Pending && !self.woken.replace(true) {
            crate::ready::call_soon(self);
        }
    }
}

/// Whether the Task that polls with this waker is to raise `Cancelled` here.
pub(crate) fn cancel_requested(waker: &Waker) -> bool {
    polling(waker).is_some_and(|task| task.take_cancel())
}

/// The Task that polls with this waker, as somebody who waits for `future`. Not one whose body polls with a
/// waker of its own making, as `join_all` does.
pub(crate) fn awaited_by(waker: &Waker, future: impl FnOnce() -> AnyFuture) -> Option<Callback> {
    polling(waker).map(|task| task.awaits(future()))
}

fn polling(waker: &Waker) -> Option<Rc<dyn Polled>> {
    POLLED.with_borrow(|task| task.as_ref().filter(|task| task.waker().will_wake(waker)).cloned())
}

/// Notes the line of a yield for the native coroutines that are started by `f`.
pub(crate) fn yielded_at<R>(location: &'static Location<'static>, f: impl FnOnce() -> R) -> R {
    let before = YIELDED_AT.replace(Some(location));
    let result = f();
    YIELDED_AT.set(before);
    result
}

/// The Tasks of one queue, and where their wakers leave word.
#[derive(Default)]
pub(crate) struct Tasks {
    /// By number. Weak: what a Task awaits holds it.
    polled: RefCell<HashMap<u64, Weak<dyn Polled>>>,
    last: Cell<u64>,
    mail: Arc<Mail>,
}

/// The part of it that other threads see.
#[derive(Default)]
pub(crate) struct Mail {
    /// The Tasks that were woken from elsewhere, in order.
    woken: Mutex<Vec<u64>>,
    /// Tells the loop that there is something in it.
    notify: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Tasks {
    fn register(&self, task: Weak<dyn Polled>) -> Arc<TaskWaker> {
        self.last.set(self.last.get() + 1);
        self.polled.borrow_mut().insert(self.last.get(), task);
        Arc::new(TaskWaker { number: self.last.get(), mail: self.mail.clone() })
    }

    fn forget(&self, wake: &TaskWaker) {
        if Arc::ptr_eq(&self.mail, &wake.mail) {
            self.polled.borrow_mut().remove(&wake.number);
        }
    }

    fn wake(&self, number: u64) {
        let task = self.polled.borrow().get(&number).and_then(Weak::upgrade);
        if let Some(task) = task {
            task.wake();
        }
    }

    /// Has those woken that another thread has woken.
    pub(crate) fn deliver(&self) {
        let woken = std::mem::take(&mut *self.mail.woken.lock().unwrap_or_else(PoisonError::into_inner));
        woken.into_iter().for_each(|number| self.wake(number));
    }

    /// Has `notify` called, on any thread, when a Task was woken that [`deliver`](Self::deliver) is to wake.
    pub(crate) fn notify_by(&self, notify: impl Fn() + Send + Sync + 'static) {
        drop(self.mail.notify.set(Box::new(notify)));
    }
}

/// What a Task's waker is made of.
struct TaskWaker {
    number: u64,
    mail: Arc<Mail>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let here = Ready::with_current(|ready| {
            let here = Arc::ptr_eq(&ready.tasks.mail, &self.mail);
            if here {
                ready.tasks.wake(self.number);
            }
            here
        });
        if !here {
            self.mail.woken.lock().unwrap_or_else(PoisonError::into_inner).push(self.number);
            if let Some(notify) = self.mail.notify.get() {
                notify();
            }
        }
    }
}
