//! [`IoLoop`]: the event loop that everything runs on.
//!
//! ```
//! use std::time::Duration;
//! use squall::{sleep, IoLoop};
//!
//! let n = IoLoop::current().run_sync(|| {
//!     squall::coroutine(|co| async move {
//!         co.yield_(sleep(Duration::from_millis(1))).await?;
//!         Ok(5)
//!     })
//! })?;
//! assert_eq!(n, 5);
//! # Ok::<(), squall::Exception>(())
//! ```
//!
//! One iteration runs the callbacks that were ready when it began, in the order in which they became ready; what
//! they add runs in the next. Timers that are due join the end of the queue, by deadline, equal deadlines
//! oldest first. When nothing is ready the loop sleeps until the next timer, or until another thread or the
//! system wakes it. Source: `tornado.ioloop.IOLoop` on `asyncio`.

mod clock;
mod handle;
mod timers;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::{Rc, Weak};
use std::time::Duration;

use polling::Events;
use squall_runner::ready::{callback, Callback, Ready};
use squall_runner::trace::{self, Event, Problem};
use squall_runner::{convert_yielded, Context, Error, Exception, Future, Result, Waiting, Yieldable};

pub use clock::{Clock, RealClock};
pub use handle::LoopHandle;
pub use timers::Timeout;

use handle::Inbox;
use timers::Timers;

/// The event loop of this thread. A handle: clones mean the same loop.
#[derive(Clone)]
pub struct IoLoop {
    inner: Rc<Inner>,
}

struct Inner {
    ready: Rc<Ready>,
    clock: Box<dyn Clock>,
    timers: RefCell<Timers>,
    inbox: Inbox,
    events: RefCell<Events>,
    /// Ends the run after the iteration in which it is set.
    stop: Cell<bool>,
    running: Cell<bool>,
}

thread_local! {
    static CURRENT: RefCell<Option<IoLoop>> = const { RefCell::new(None) };
}

impl IoLoop {
    /// The loop of this thread; one on the real clock is made where there is none.
    pub fn current() -> Self {
        CURRENT.with_borrow_mut(|current| {
            current.get_or_insert_with(|| Self::on(Ready::current(), RealClock::new())).clone()
        })
    }

    /// A new loop on the real clock. It is not the current one of the thread until it runs or is made so.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self::with_clock(RealClock::new())
    }

    /// A new loop on another clock.
    pub fn with_clock(clock: impl Clock + 'static) -> Self {
        Self::on(Rc::default(), clock)
    }

    fn on(ready: Rc<Ready>, clock: impl Clock + 'static) -> Self {
        let inbox = Inbox::new();
        let wakeup = inbox.wakeup().clone();
        ready.notify_by(move || wakeup.wake());
        let inner = Inner {
            ready,
            clock: Box::new(clock),
            timers: RefCell::default(),
            inbox,
            events: RefCell::new(Events::new()),
            stop: Cell::new(false),
            running: Cell::new(false),
        };
        Self { inner: Rc::new(inner) }
    }

    /// Makes this the loop of the thread until the guard goes, then the one before it again.
    pub fn make_current(&self) -> CurrentLoop {
        CurrentLoop {
            before: CURRENT.replace(Some(self.clone())),
            ready: Some(self.inner.ready.clone().make_current()),
        }
    }

    /// The time since the loop was made.
    pub fn time(&self) -> Duration {
        self.inner.clock.now()
    }

    /// Calls `f` on the loop, runs the loop until what it gives is done, and stops.
    ///
    /// ```
    /// use squall::{Future, IoLoop};
    /// assert_eq!(IoLoop::current().run_sync(|| Future::ready(5))?, 5);
    /// # Ok::<(), squall::Exception>(())
    /// ```
    ///
    /// # Errors
    /// What the coroutine raised; [`Error::LoopStopped`] if somebody called [`stop`](Self::stop) before it was
    /// done; [`Error::Deadlock`] if nothing that is left can wake the loop: it names each waiting coroutine.
    ///
    /// # Panics
    /// If the loop runs already.
    pub fn run_sync<M, Y: Yieldable<M>>(&self, f: impl FnOnce() -> Y) -> Result<Y::Output> {
        self.run_until_done(None, f)
    }

    /// The same, but gives up after `timeout`.
    ///
    /// # Errors
    /// As [`run_sync`](Self::run_sync); [`Error::RunSyncTimeout`] if it took longer.
    ///
    /// # Panics
    /// If the loop runs already.
    pub fn run_sync_with_timeout<M, Y: Yieldable<M>>(
        &self,
        timeout: Duration,
        f: impl FnOnce() -> Y,
    ) -> Result<Y::Output> {
        self.run_until_done(Some(timeout), f)
    }

    fn run_until_done<M, Y: Yieldable<M>>(
        &self,
        timeout: Option<Duration>,
        f: impl FnOnce() -> Y,
    ) -> Result<Y::Output> {
        let _current = self.make_current();
        trace::emit(|| Event::Run { by: "run_sync" });
        // `f` may borrow from its caller, so it cannot wait in the queue itself: a callback holds its place.
        let turn_of_f = Rc::new(Cell::new(false));
        let place = turn_of_f.clone();
        self.add_callback(move || place.set(true));
        let future = Rc::new(Cell::new(None::<Future<Y::Output>>));
        let timed_out = Rc::new(Cell::new(false));
        let timer = timeout.map(|timeout| {
            let (inner, future, timed_out) = (Rc::downgrade(&self.inner), future.clone(), timed_out.clone());
            self.call_later(timeout, move || {
                timed_out.set(true);
                let pending = future.take();
                if !pending.as_ref().is_some_and(Future::cancel) {
                    stop(&inner);
                }
                future.set(pending);
            })
        });
        let context = Context::current();
        let mut f = Some(f);
        let ran = self.run(|| {
            if turn_of_f.take() {
                let Some(f) = f.take() else { return };
                let called =
                    catch_unwind(AssertUnwindSafe(|| context.clone().enter(|| convert_yielded(f()))));
                let called = called.unwrap_or_else(|panic| Err(Exception::from_panic(panic)));
                let pending = called.unwrap_or_else(Future::failed);
                let inner = Rc::downgrade(&self.inner);
                pending.add_callback(callback(move || stop(&inner)));
                future.set(Some(pending));
            }
        });
        if let Some(timer) = timer {
            self.remove_timeout(&timer);
        }
        let result = match future.take() {
            Some(future) if future.done() && !future.cancelled() => {
                future.look(&mut |value| trace::emit(|| Event::Stop { outcome: Some(Ok(value)) }));
                future.into_result()
            }
            _ => ran.and_then(|()| {
                Err(match timeout {
                    Some(timeout) if timed_out.get() => {
                        Error::RunSyncTimeout { seconds: format!("{:?}", timeout.as_secs_f64()) }.into()
                    }
                    _ => Error::LoopStopped.into(),
                })
            }),
        };
        if let Err(exception) = &result {
            trace::emit(|| Event::Stop { outcome: Some(Err(exception)) });
        }
        result
    }

    /// Runs the loop until [`stop`](Self::stop) is called. On a virtual clock it returns, too, when nothing is
    /// left that could wake it; on the real one it sleeps until a signal ends the process.
    ///
    /// # Panics
    /// If the loop runs already, or cannot sleep since the system gives it no file descriptor.
    pub fn start(&self) {
        let _current = self.make_current();
        trace::emit(|| Event::Run { by: "start" });
        if let Err(exception) = self.run(|| ()) {
            trace::report(Problem::Callback, &exception);
        }
        trace::emit(|| Event::Stop { outcome: None });
    }

    /// Ends the run after the iteration that is under way. Called before the run, it lets it do one iteration.
    pub fn stop(&self) {
        self.inner.stop.set(true);
    }

    /// Has `callback` called in the next iteration. If it panics, that is logged.
    pub fn add_callback(&self, f: impl FnOnce() + 'static) {
        self.inner.ready.push(callback(f));
    }

    /// Has `f` called in the next iteration, and what it gives driven to its end: fire and forget. What it
    /// raises is logged, with its traceback.
    pub fn spawn_callback<M: 'static, Y: Yieldable<M> + 'static>(&self, f: impl FnOnce() -> Y + 'static) {
        self.add_callback(move || watch(convert_yielded(f())));
    }

    /// Has `f` called with the Future, in the iteration after the one in which it is done.
    pub fn add_future<T: 'static>(&self, future: Future<T>, f: impl FnOnce(Future<T>) + 'static) {
        let held = Rc::new(Cell::new(None));
        let run = held.clone();
        let callback = callback(move || {
            if let Some(future) = run.take() {
                f(future);
            }
        });
        future.add_callback(callback);
        held.set(Some(future));
    }

    /// Has `f` called after `delay`.
    pub fn call_later(&self, delay: Duration, f: impl FnOnce() + 'static) -> Timeout {
        self.call_at(self.time().saturating_add(delay), f)
    }

    /// Has `f` called at `when`, in the time of [`time`](Self::time).
    pub fn call_at(&self, when: Duration, f: impl FnOnce() + 'static) -> Timeout {
        self.add_timer(when, callback(f))
    }

    /// The same as [`call_later`](Self::call_later): Tornado's older name.
    pub fn add_timeout(&self, delay: Duration, f: impl FnOnce() + 'static) -> Timeout {
        self.call_later(delay, f)
    }

    /// Takes a timer back: what it would have called is not called. Harmless if it has run or was removed.
    pub fn remove_timeout(&self, timeout: &Timeout) {
        let removed = self.inner.timers.borrow_mut().remove(timeout);
        drop(removed);
    }

    /// Has a callback put on the ready queue at `when`.
    pub(crate) fn add_timer(&self, when: Duration, callback: Callback) -> Timeout {
        self.inner.timers.borrow_mut().add(when, callback)
    }

    /// The loop for other threads.
    pub fn handle(&self) -> LoopHandle {
        self.inner.inbox.handle()
    }

    /// Runs iterations until the loop is stopped. `after_each` is called after each callback.
    fn run(&self, mut after_each: impl FnMut()) -> Result<()> {
        let inner = &*self.inner;
        assert!(!inner.running.replace(true), "this IoLoop is running already: yield the Future instead");
        let _running = Running(&inner.running);
        loop {
            if inner.ready.is_empty() && !inner.stop.get() {
                inner.sleep()?;
            }
            inner.iterate(&mut after_each);
            if inner.stop.take() {
                return Ok(());
            }
        }
    }
}

impl Inner {
    /// One iteration: the callbacks that are ready now, and no more.
    fn iterate(&self, after_each: &mut impl FnMut()) {
        let now = self.clock.now();
        trace::emit(|| Event::Turn { now });
        self.take_in(now);
        for _ in 0..self.ready.len() {
            let Some(callback) = self.ready.pop() else { break };
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| callback.run())) {
                trace::report(Problem::Callback, &Exception::from_panic(panic));
            }
            after_each();
        }
    }

    /// Puts everything on the ready queue that came from outside or is due.
    fn take_in(&self, now: Duration) {
        self.ready.deliver();
        while let Some(job) = self.inbox.pop() {
            self.ready.push(callback(job));
        }
        let mut timers = self.timers.borrow_mut();
        while let Some(callback) = timers.pop_due(now) {
            self.ready.push(callback);
        }
    }

    /// Sleeps until the next timer is due or somebody wakes the loop.
    fn sleep(&self) -> Result<()> {
        self.ready.deliver();
        if !self.ready.is_empty() {
            return Ok(());
        }
        let deadline = self.timers.borrow().next_deadline();
        let outside = self.inbox.has_senders() || self.ready.wakeable();
        let timeout = match deadline {
            Some(deadline) => Some(self.clock.until(deadline)),
            None if outside => None,
            None => return Err(self.deadlock()),
        };
        if timeout != Some(Duration::ZERO) {
            self.poll(timeout)?;
        }
        Ok(())
    }

    fn poll(&self, timeout: Option<Duration>) -> io::Result<()> {
        let mut events = self.events.borrow_mut();
        self.inbox.sleep(&mut events, timeout)
    }

    fn deadlock(&self) -> Exception {
        let waiting = self.ready.suspended();
        let waiting = waiting.into_iter().map(|(who, on)| Waiting {
            name: who.coroutine.name(),
            location: who.location,
            on: on.map(squall_runner::Coroutine::name),
        });
        Error::Deadlock { waiting: waiting.collect() }.into()
    }
}

impl Drop for Inner {
    /// What is suspended then is dropped without being resumed.
    fn drop(&mut self) {
        self.timers.take().withdraw();
        self.ready.abandon();
    }
}

impl fmt::Debug for IoLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IoLoop").field("time", &self.time()).field("ready", &self.inner.ready.len()).finish()
    }
}

/// A loop that is the current one of its thread, until this is dropped.
#[must_use = "the loop is the current one only while this lives: bind it to a name"]
pub struct CurrentLoop {
    before: Option<IoLoop>,
    ready: Option<Rc<Ready>>,
}

impl Drop for CurrentLoop {
    fn drop(&mut self) {
        let ready = self.ready.take().map(Ready::make_current);
        drop((CURRENT.replace(self.before.take()), ready));
    }
}

impl fmt::Debug for CurrentLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentLoop").finish_non_exhaustive()
    }
}

/// Says that the loop does not run any more, also when a panic passes.
struct Running<'a>(&'a Cell<bool>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

fn stop(inner: &Weak<Inner>) {
    if let Some(inner) = inner.upgrade() {
        inner.stop.set(true);
    }
}

/// Logs what a Future that nobody waits for fails with.
fn watch<T>(future: Result<Future<T>>) {
    match future {
        Ok(future) => future.add_done_callback(|future| {
            if let Some(exception) =
                future.exception().filter(|e| e.downcast_ref() != Some(&Error::Cancelled))
            {
                trace::report(Problem::Callback, &exception);
            }
        }),
        Err(bad_yield) => trace::report(Problem::Callback, &bad_yield),
    }
}
