//! Native coroutines: `async fn`, each driven by a Task, like one of asyncio. Programs write `async fn`; the functions
//! here are for coroutines of other languages, which are started with a name and awaited at a place.
//!
//! A native coroutine does nothing until it is yielded, awaited, converted or spawned; its first step is a turn
//! of the loop away. Awaiting another native coroutine runs it inline, as part of the same Task.
//!
//! Observers, deadlocks and tracebacks show the line of the last `.await` of a squall Future, wherever in the Task that
//! is. Before the first one, and if a Future is polled behind a pointer, they show the line of the caller.
//!
//! ```
//! use squall_runner::{convert_yielded, ready::ReadyQueue, Exception, Future};
//!
//! async fn plus_one(n: Future<i32>) -> Result<i32, Exception> {
//!     Ok(n.await? + 1)
//! }
//! let future = convert_yielded(plus_one(Future::ready(5))).unwrap();
//! assert!(!future.done());                       // not started yet
//! ReadyQueue::current().pop().unwrap().run();
//! assert_eq!(future.result().unwrap(), 6);
//! ```

use std::any::Any;
use std::cell::Cell;
use std::collections::HashSet;
use std::future::Future as StdFuture;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context as PollContext, Poll};

use crate::any_future::AnyFuture;
use crate::call::{tell, Call};
use crate::callback::{Callback, Run, Suspended, Withdraw};
use crate::context::Context;
use crate::coroutine::Coroutine;
use crate::error::Error;
use crate::exception::{Exception, Result};
use crate::foreign::{discard, outside};
use crate::future::Future;
use crate::numbers::{next_call, CallId};
use crate::place::Place;
use crate::polled::{awaits, awaits_at, begin, end, wait_one_turn, Polled};
use crate::queued::{because, Queued, Why};
use crate::ready::{ReadyQueue, Registration};
use crate::shared::{lend, Resolvable, Shared};
use crate::shown::Shown;
use crate::state::State;
use crate::telling::{take_arguments, RunningBody};
use crate::trace::{self, Event, Origin};
use crate::waker::OwnWaker;
use crate::wrapped::Raising;

pub use crate::waking::Waking;

/// Suspends the native coroutine that polls with `cx` until the next turn of the loop, once its poll returns `Pending`. For
/// interpreters, whose coroutines wait for a turn by a bare `yield`; in Rust, await [`moment`](crate::moment).
///
/// ```
/// use std::{future::poll_fn, task::Poll};
/// use squall_runner::native::{await_turn, start};
/// use squall_runner::{ready::ReadyQueue, Coroutine, Exception};
///
/// static VISIT: Coroutine = Coroutine::new("visit", file!(), line!());
/// let mut waited = false;
/// let visit = start(&VISIT, poll_fn(move |cx| {
///     if waited {
///         return Poll::Ready(Ok::<_, Exception>(5));
///     }
///     waited = true;
///     await_turn(cx);
///     Poll::Pending
/// }));
/// let ready = ReadyQueue::current();
/// ready.pop().unwrap().run();
/// assert!(!visit.done());
/// ready.pop().unwrap().run();
/// assert_eq!(visit.result()?, 5);
/// # Ok::<(), Exception>(())
/// ```
pub fn await_turn(cx: &PollContext<'_>) {
    wait_one_turn(cx);
}

/// Starts a native coroutine under a name, in the next turn of the loop. [`convert_yielded`](crate::convert_yielded)
/// starts one under the name of its type.
///
/// ```
/// use squall_runner::{native, ready::ReadyQueue, Coroutine, Exception};
///
/// static FIVE: Coroutine = Coroutine::new("five", file!(), line!());
/// let future = native::start(&FIVE, async { Ok::<_, Exception>(5) });
/// ReadyQueue::current().pop().unwrap().run();
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
    spawn(Call::new(coroutine), trace::is_internal(), Body::Rust(Box::pin(Raising::new(body))))
}

/// A native coroutine of another language: a std Future that knows its own line, and what it holds.
pub trait Foreign: StdFuture<Output = Result<Self::Value>> + Unpin {
    /// The type of its result.
    type Value: 'static;

    /// Returns the line at which the coroutine is suspended. Called when a tool, a deadlock or a traceback shows that
    /// line.
    fn place(&self) -> Option<Place>;

    /// Shows what the suspended coroutine holds to `visit`, for the cycle collector of its language.
    fn held(&self, visit: &mut dyn FnMut(&dyn Any));
}

/// Starts a native coroutine of another language, in the next turn of the loop.
///
/// ```
/// use std::any::Any;
/// use std::pin::Pin;
/// use std::task::{Context, Poll};
/// use squall_runner::ready::ReadyQueue;
/// use squall_runner::{native, Coroutine, Place, Result};
///
/// /// Waits for ever in line 12.
/// struct Never;
/// impl std::future::Future for Never {
///     type Output = Result<i32>;
///     fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<i32>> {
///         Poll::Pending
///     }
/// }
/// impl native::Foreign for Never {
///     type Value = i32;
///     fn place(&self) -> Option<Place> {
///         Some(Place::new("visit.py", 12, 5))
///     }
///     fn held(&self, _visit: &mut dyn FnMut(&dyn Any)) {}
/// }
///
/// static NEVER: Coroutine = Coroutine::new("never", "visit.py", 10);
/// let never = native::start_foreign(&NEVER, Box::new(Never));
/// assert_eq!(ReadyQueue::current().suspended()[0].place.to_string(), "visit.py:12:5");
/// # drop(never);
/// ```
#[track_caller]
pub fn start_foreign<T: 'static>(
    coroutine: &'static Coroutine,
    body: Box<dyn Foreign<Value = T, Output = Result<T>>>,
) -> Future<T> {
    spawn(Call::new(coroutine), trace::is_internal(), Body::Foreign(body))
}

/// Starts a native coroutine like [`start`], whose steps are [internal](trace::internal): they are not reported to the
/// observer. Its Future is reported by `name`, or by the name of the coroutine without one.
///
/// Clones of its waker never leave this thread. So a loop that waits for nothing else reports a deadlock.
///
/// ```
/// use squall_runner::{native, ready::ReadyQueue, trace, Coroutine, Exception};
///
/// static LOOK: Coroutine = Coroutine::new("look", file!(), line!());
/// let look = native::start_internal(&LOOK, None, async { Ok::<_, Exception>(trace::observed()) });
/// ReadyQueue::current().pop().unwrap().run();
/// assert!(!look.result().unwrap());
/// ```
#[track_caller]
pub fn start_internal<F, T>(coroutine: &'static Coroutine, name: Option<String>, body: F) -> Future<T>
where
    F: StdFuture<Output = Result<T>> + 'static,
    T: 'static,
{
    let future = spawn(Call::new(coroutine), true, Body::Rust(Box::pin(body)));
    let place = Place::caller();
    let origin = || Origin::Named(name.as_deref().unwrap_or(coroutine.name()));
    future.core().shared().announce_as(|| (origin(), None, Some(place)));
    future
}

#[track_caller]
fn spawn<T: 'static>(call: Call, is_internal: bool, body: Body<T>) -> Future<T> {
    let runner = (!is_internal && trace::observed()).then(next_call);
    let coroutine = call.coroutine;
    let started_at = YIELDED_AT.get().unwrap_or(Place::caller());
    let ready = ReadyQueue::current();
    let task = Rc::new_cyclic(|this: &Weak<Task<T>>| {
        let id = ready.register(this.clone());
        Task {
            runner,
            shared: Shared::new(),
            body: Cell::new(Some(body)),
            is_internal,
            awaits: Cell::new(None),
            on: Cell::new(None),
            started_at,
            awaited_at: Cell::new(None),
            kept: Cell::new(None),
            waker: OwnWaker::new(&ready, id),
            started: Cell::new(false),
            queued: Cell::new(true),
            must_cancel: Cell::new(false),
            context: Cell::new(Context::current()),
            call: Call { registration: Registration::at(&ready, id), ..call },
        }
    });
    if trace::is_internal() {
        task.shared.header().set_internal();
    }
    let (body, caller) = (trace::Body::Native, trace::running_call());
    let arguments = runner.and_then(|_| take_arguments());
    tell(runner, |runner| Event::Call {
        runner,
        future: task.shared.id(),
        coroutine,
        body,
        caller,
        place: started_at,
        arguments: arguments.as_deref(),
    });
    let refused = match runner {
        Some(_) => because(Why::Called, || ready.offer(task.clone())),
        None => ready.offer(task.clone()),
    };
    if refused.is_some() {
        task.fail_to_start();
    }
    Future::from_core(task)
}

/// The body of a Task.
enum Body<T> {
    Rust(Pin<Box<dyn StdFuture<Output = Result<T>>>>),
    Foreign(Box<dyn Foreign<Value = T, Output = Result<T>>>),
}

impl<T> Body<T> {
    #[inline]
    fn poll(&mut self, cx: &mut PollContext<'_>) -> Poll<Result<T>> {
        match self {
            Self::Rust(body) => body.as_mut().poll(cx),
            Self::Foreign(body) => Pin::new(body).poll(cx),
        }
    }

    fn foreign(&self) -> Option<&dyn Foreign<Value = T, Output = Result<T>>> {
        match self {
            Self::Rust(_) => None,
            Self::Foreign(body) => Some(&**body),
        }
    }
}

/// A native coroutine that was started, and the Future of its result, in one allocation.
struct Task<T: 'static> {
    shared: Shared<T>,
    /// `None` while it is polled, and once it is finished.
    body: Cell<Option<Body<T>>>,
    /// `true` if its steps are not reported to the observer, and no clone of its waker leaves this thread.
    is_internal: bool,
    /// The pending squall Future that it awaits, if there is one.
    awaits: Cell<Option<AnyFuture>>,
    /// A description of what it awaits other than a squall Future, if that is known.
    on: Cell<Option<&'static str>>,
    /// The line of the yield or call that started it.
    started_at: Place,
    /// The line at which its body last awaited a squall Future.
    awaited_at: Cell<Option<Place>>,
    /// The Task itself, while it awaits something that only knows its waker, since nothing else may hold it then.
    kept: Cell<Option<Callback>>,
    /// Wakes the Task. Clones may be called from any thread.
    waker: OwnWaker,
    started: Cell<bool>,
    /// `true` while it is on the ready queue, which holds it once.
    queued: Cell<bool>,
    /// `true` if the next step has to raise `Cancelled`.
    must_cancel: Cell<bool>,
    context: Cell<Context>,
    call: Call,
    /// The number of the call, if it is observed.
    runner: Option<CallId>,
}

impl<T> Task<T> {
    /// Polls the body until it awaits a Future that is pending.
    fn step(self: &Rc<Self>) {
        self.queued.set(false);
        let Some(mut body) = self.body.take() else { return };
        drop((self.awaits.take(), self.kept.take()));
        let (throw_cancel, started) = (self.must_cancel.take(), self.started.replace(true));
        if throw_cancel && !started {
            self.discard(body);
            return self.finish(Err(Error::Cancelled.into()), None);
        }
        tell(self.runner, |runner| {
            trace::runs(runner);
            if started {
                Event::Wake { runner }
            } else {
                Event::Start { runner }
            }
        });
        let waker = self.waker.keep();
        let before = begin(Polled::new(self.clone(), &waker, throw_cancel));
        let step = || {
            let _ctx_run = Context::run(&self.context, Some(self.call.coroutine));
            outside(|| self.untold(|| body.poll(&mut PollContext::from_waker(&waker))))
        };
        let telling = self.runner.map(|_| RunningBody::begins());
        let poll = Exception::trap(step, |panic| Poll::Ready(Err(panic)));
        let returned_at = telling.and_then(RunningBody::returned_at);
        let polled = end(before).expect("it was put there just now");
        drop(waker);
        if polled.awaited_at.is_some() {
            self.awaited_at.set(polled.awaited_at);
        }
        let result = match poll {
            Poll::Pending if !polled.throw_cancel => {
                let awaits = polled.awaits.as_ref();
                tell(self.runner, |runner| Event::Wait {
                    runner,
                    future: awaits.map(AnyFuture::id),
                    place: Self::place_of(&body)
                        .or_else(|| Some(self.place()))
                        .filter(|place| place.is_of_program()),
                    on: awaits.and_then(AnyFuture::describe).or(polled.on.map(str::to_owned)),
                });
                self.on.set(polled.on);
                self.body.set(Some(body));
                self.kept.set(polled.awaits.is_none().then_some(polled.task));
                self.awaits.set(polled.awaits);
                self.waker.suspend();
                if self.must_cancel.take() {
                    self.cancel();
                }
                return;
            }
            // It awaits something foreign, which cannot be cancelled: the body is dropped instead.
            Poll::Pending => Err(Error::Cancelled.into()),
            Poll::Ready(result) => result,
        };
        self.discard(body);
        self.finish(result, returned_at);
    }

    /// Runs a part of the body, without reports to the observer if the body is squall's own.
    #[inline]
    fn untold<R>(&self, f: impl FnOnce() -> R) -> R {
        if self.is_internal {
            trace::internal(f)
        } else {
            f()
        }
    }

    fn discard(&self, body: Body<T>) {
        self.untold(|| discard(body));
    }

    fn finish(&self, result: Result<T>, place: Option<Place>) {
        self.call.release(self);
        match result {
            Ok(value) => {
                let shown = Shown::new(&value, self.call.coroutine.show);
                tell(self.runner, |runner| Event::Return { runner, value: shown, raised: false, place });
                self.shared.set_result(value);
            }
            Err(exception) if exception.downcast_ref() == Some(&Error::Cancelled) => {
                self.shared.cancel();
            }
            Err(exception) => {
                self.shared.set_exception(self.call.leave(exception, None, self.place(), self.runner));
            }
        }
    }

    /// Returns the line of the last await, if that is a line of the program; else that of the yield or call.
    fn place(&self) -> Place {
        let of_body = lend(&self.body, |body| Self::place_of(body.as_ref()?));
        of_body.or(self.awaited_at.get()).filter(|place| place.is_of_program()).unwrap_or(self.started_at)
    }

    /// Returns the line that the body reports, if it is one of another language.
    fn place_of(body: &Body<T>) -> Option<Place> {
        let body = body.foreign()?;
        Exception::trap(|| outside(|| body.place()), |_panic| None)
    }

    /// Fails the Task, whose loop has ended before the Task was created.
    #[cold]
    fn fail_to_start(&self) {
        self.abandon();
        self.finish(Err(Error::InvalidState("the loop has ended").into()), None);
        // A coroutine that some `Drop` starts while its loop ends is not worth a report.
        drop(self.shared.exception());
    }

    /// Drops the body, if it has not come to its end.
    fn abandon(&self) {
        if let Some(body) = self.body.take() {
            tell(self.runner, |runner| Event::Abandon { runner });
            self.discard(body);
        }
    }

    /// Returns whether something that this thread cannot see may hold a clone of its waker.
    fn wakeable(&self) -> bool {
        !self.is_internal && self.waker.is_shared()
    }
}

impl<T> Run for Task<T> {
    fn run(self: Rc<Self>) {
        self.step();
    }

    fn is_due(&self) -> bool {
        self.shared.state() == State::Pending && !self.queued.replace(true)
    }

    fn is_over(&self, _holders: usize) -> bool {
        self.shared.state() != State::Pending
    }

    fn held(&self, visit: &mut dyn FnMut(&dyn Any)) {
        lend(&self.body, |body| {
            body.as_ref().and_then(Body::foreign).into_iter().for_each(|body| body.held(visit));
        });
    }

    fn queued_as(&self) -> Queued {
        self.runner.map_or(Queued::Callback(self.call.coroutine.name()), Queued::Call)
    }
}

impl<T> Withdraw for Task<T> {
    fn withdraw(&self) {
        self.call.registration.forget();
        // The body no longer waits for what is dropped with it.
        drop(self.awaits.take());
        self.abandon();
        drop(self.kept.take());
        self.shared.end_with_loop();
    }

    fn suspended(&self) -> Option<Suspended> {
        let waits_for = lend(&self.awaits, |awaits| awaits.clone());
        let is_suspended = lend(&self.body, |body| body.is_some());
        let place = self.place();
        let suspended =
            is_suspended.then(|| self.call.suspended(self.runner, place, waits_for, self.wakeable()))?;
        suspended.map(|suspended| Suspended { on: self.on.get(), ..suspended })
    }

    fn woken(self: Rc<Self>, waker: *const ()) -> Option<Callback> {
        (self.waker.was_called(waker) && self.is_due()).then_some(self as Callback)
    }
}

impl<T> Resolvable for Task<T> {
    type Output = T;

    fn shared(&self) -> &Shared<T> {
        &self.shared
    }

    /// Source: `asyncio.Task.cancel`.
    fn cancel(&self) -> bool {
        if self.shared.state() != State::Pending {
            return self.shared.cancel();
        }
        // Finds the innermost task, which awaits no other task, in a loop, since a chain of tasks may be long.
        let (mut parent, mut innermost) = (None, Resolvable::passes_on(self));
        let mut passed = HashSet::new();
        while let Some(next) = innermost.as_ref().and_then(AnyFuture::passes_on) {
            parent = innermost.replace(next);
            if !passed.insert(parent.as_ref().map(AnyFuture::address)) {
                // The tasks await each other, so there is none that could be cancelled in their place.
                (parent, innermost) = (None, None);
            }
        }
        if innermost.is_some_and(|future| future.cancel()) {
            return true;
        }
        if let Some(parent) = parent {
            return parent.cancel();
        }
        self.must_cancel.set(true);
        if lend(&self.body, |body| body.is_some()) {
            self.waker.keep().wake();
        }
        true
    }

    fn passes_on(&self) -> Option<AnyFuture> {
        // If something else may wake it too, it may have stopped awaiting that Future, which then goes on.
        let may_be_woken = self.waker.is_shared() || self.on.get().is_some();
        if self.shared.state() != State::Pending || may_be_woken {
            return None;
        }
        lend(&self.awaits, |awaits| awaits.clone())
    }

    fn coroutine(&self) -> Option<&'static Coroutine> {
        Some(self.call.coroutine)
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.call.release(self);
        self.abandon();
        tell(self.runner, |_| Event::Dropped { future: self.shared.id() });
    }
}

thread_local! {
    /// The line of the yield whose native coroutines are being started.
    static YIELDED_AT: Cell<Option<Place>> = const { Cell::new(None) };
}

/// Calls `f`. Native coroutines that it starts report `place` as the line where they wait, until they reach an await.
///
/// ```
/// use squall_runner::{convert_yielded, native, ready::ReadyQueue, Place};
///
/// let here = Place::caller();
/// let never = native::yielded_at(here, || convert_yielded(native(std::future::pending::<()>())));
/// assert_eq!(ReadyQueue::current().suspended()[0].place, here);
/// # drop(never);
/// ```
pub fn yielded_at<R>(place: impl Into<Place>, f: impl FnOnce() -> R) -> R {
    struct Before(Option<Place>);
    impl Drop for Before {
        fn drop(&mut self) {
            YIELDED_AT.set(self.0);
        }
    }
    // The conversion is foreign code, which may panic.
    let _before = Before(YIELDED_AT.replace(Some(place.into())));
    f()
}

/// Polls a Future whose type is erased, for native coroutines of other languages. Once this is ready, the Future is
/// done, and [`AnyFuture::into_result`] or [`AnyFuture::exception`] takes its result. `place` is the line of the await;
/// `None` for that of the caller.
///
/// ```
/// use std::future::poll_fn;
/// use squall_runner::ready::ReadyQueue;
/// use squall_runner::{native, Coroutine, Exception, Future, Place};
///
/// static VISIT: Coroutine = Coroutine::new("visit", "visit.py", 10);
/// let number = Future::<i32>::new();
/// let promise = number.promise();
/// let number = number.erase();
/// let there = Place::new("visit.py", 12, 5);
/// let visit = native::start(&VISIT, async move {
///     poll_fn(|cx| native::await_done(&number, Some(there), cx)).await?;
///     number.into_result::<i32>()
/// });
/// let ready = ReadyQueue::current();
/// ready.pop().unwrap().run();
/// assert_eq!(ready.suspended()[0].place, there);
/// promise.set_result(5);
/// ready.pop().unwrap().run();
/// assert_eq!(visit.result()?, 5);
/// # Ok::<(), Exception>(())
/// ```
///
/// # Errors
/// [`Error::Cancelled`], once, if the native coroutine that polls this was cancelled.
#[track_caller]
pub fn await_done(future: &AnyFuture, place: Option<Place>, cx: &mut PollContext<'_>) -> Poll<Result<()>> {
    if awaits_at(cx.waker(), place.unwrap_or(Place::caller())) {
        return Poll::Ready(Err(Error::Cancelled.into()));
    }
    if future.done() {
        return Poll::Ready(Ok(()));
    }
    match awaits(cx.waker(), || future.clone()) {
        Some(task) => _ = future.call_once_when_done(task),
        None => future.wake_when_done(cx.waker()),
    }
    Poll::Pending
}
