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

mod add_future;
mod blocking;
mod clock;
mod current;
mod dump;
mod expected;
#[cfg(unix)]
mod fds;
mod handle;
mod periodic;
#[cfg_attr(not(feature = "net"), allow(dead_code))]
pub(crate) mod readiness;
#[cfg_attr(not(feature = "net"), allow(dead_code))]
mod registered;
mod run;
#[cfg(all(unix, feature = "signals"))]
mod signals;
mod singletons;
#[cfg_attr(not(feature = "net"), allow(dead_code))]
pub(crate) mod sources;
#[cfg(feature = "trace")]
mod stepping;
mod timers;
mod turn;
mod wait;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::Location;
use std::rc::{Rc, Weak};
use std::time::Duration;

use squall_runner::foreign::Guarded;
use squall_runner::ready::{callback, Callback, ReadyQueue};
use squall_runner::trace::{self, Problem};
use squall_runner::{convert_yielded, native, Error, Exception, Future, Result, Yieldable};

pub use clock::{Clock, RealClock};
pub use current::CurrentLoop;
pub use dump::Dump;
#[cfg(unix)]
pub use fds::FdEvents;
pub use handle::LoopHandle;
pub use periodic::{CallbackResult, PeriodicCallback, Plain};
#[cfg(all(unix, feature = "signals"))]
pub use signals::signal;
pub use timers::Timeout;

use crate::background::is_background;
use expected::Expected;
pub(crate) use expected::Ticket;
use handle::{Inbox, Mail};
use singletons::Singletons;
pub(crate) use timers::OwnTimer;
use timers::Timers;

/// What fails on a loop that is [closed](IoLoop::close) fails with this.
pub(crate) const CLOSED: Error = Error::InvalidState("the IoLoop is closed");

/// The event loop that coroutines, callbacks and timers run on. This is a handle: clones are handles of one loop.
#[derive(Clone)]
pub struct IoLoop {
    inner: Rc<Inner>,
}

struct Inner {
    ready: Rc<ReadyQueue>,
    clock: Guarded<Box<dyn Clock>>,
    timers: RefCell<Timers>,
    inbox: Inbox,
    /// What is to come from other threads.
    expected: RefCell<Expected>,
    /// What it has one of each, as its default executor.
    singletons: Singletons,
    /// What the last wait has seen.
    wait: RefCell<wait::Wait>,
    /// The sockets that it watches.
    sources: Rc<sources::Sources>,
    #[cfg(unix)]
    fds: fds::Fds,
    #[cfg(all(unix, feature = "signals"))]
    signals: signals::Signals,
    /// Ends the run after the iteration in which it is set.
    stop: Cell<bool>,
    running: Cell<bool>,
    /// How long a callback may hold the loop before that is logged.
    blocking_threshold: Cell<Option<Duration>>,
    /// What the clock showed in this turn, once it was read.
    turn_time: Cell<Option<Duration>>,
    /// From then on nothing is added to it, and it does not run.
    closed: Cell<bool>,
}

impl IoLoop {
    /// Creates a loop on the real clock. It is not the current one of the thread until it runs or is made so.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self::with_clock(RealClock::new())
    }

    /// Creates a loop on another clock.
    pub fn with_clock(clock: impl Clock + 'static) -> Self {
        Self::on(ReadyQueue::new(), clock)
    }

    fn on(ready: Rc<ReadyQueue>, clock: impl Clock + 'static) -> Self {
        let inbox = Inbox::new();
        let remote = inbox.remote().clone();
        ready.woken_outside(move |woken| remote.send(Mail::Woken(woken)));
        let sources = sources::Sources::new(inbox.wakeup().clone(), ready.clone());
        let inner = Inner {
            ready,
            clock: Guarded::new(Box::new(clock)),
            timers: RefCell::default(),
            inbox,
            expected: RefCell::default(),
            singletons: Singletons::default(),
            wait: RefCell::new(wait::Wait::new()),
            sources,
            #[cfg(unix)]
            fds: fds::Fds::default(),
            #[cfg(all(unix, feature = "signals"))]
            signals: signals::Signals::default(),
            stop: Cell::new(false),
            running: Cell::new(false),
            blocking_threshold: Cell::new(None),
            turn_time: Cell::new(None),
            closed: Cell::new(false),
        };
        Self { inner: Rc::new(inner) }
    }

    /// Returns the time since the loop was made.
    pub fn time(&self) -> Duration {
        self.inner.clock.now()
    }

    /// The time of the turn that runs, which takes no reading of the clock where timers have taken one.
    #[cfg(feature = "web")]
    pub(crate) fn turn_time(&self) -> Duration {
        self.inner.turn_time()
    }

    /// Calls `f` in the next iteration. If it panics, that is logged.
    pub fn add_callback(&self, f: impl FnOnce() + 'static) {
        if !self.is_closed() {
            self.inner.ready.push(callback(f));
        }
    }

    /// Calls `f` in the next iteration and drives what it returns to its end: fire and forget. What it raises is
    /// logged, with its traceback.
    #[track_caller]
    pub fn spawn_callback<M: 'static, Y: Yieldable<M> + 'static>(&self, f: impl FnOnce() -> Y + 'static) {
        let caller = Location::caller();
        self.add_callback(move || run_callback(caller, f));
    }

    /// Calls `f` after `delay`.
    #[track_caller]
    pub fn call_later(&self, delay: Duration, f: impl FnOnce() + 'static) -> Timeout {
        self.call_at(self.time().saturating_add(delay), f)
    }

    /// Calls `f` at `when`, in the time of [`time`](Self::time). A time that is past means now.
    #[track_caller]
    pub fn call_at(&self, when: Duration, f: impl FnOnce() + 'static) -> Timeout {
        self.add_timer(when.max(self.time()), callback(f))
    }

    /// Calls `f` after `delay`, like [`call_later`](Self::call_later): Tornado's older name.
    #[track_caller]
    pub fn add_timeout(&self, delay: Duration, f: impl FnOnce() + 'static) -> Timeout {
        self.call_later(delay, f)
    }

    /// Takes a timer back: what it would have called is not called. Harmless if it has run or was removed.
    pub fn remove_timeout(&self, timeout: &Timeout) {
        let removed = self.inner.timers.borrow_mut().remove(timeout);
        drop(removed);
        // It does not run either if it is on the ready queue already. This drops what it would have called, whose
        // `Drop` may ask for timers again.
        timeout.withdraw();
    }

    pub(crate) fn downgrade(&self) -> WeakLoop {
        WeakLoop(Rc::downgrade(&self.inner))
    }

    /// Puts a callback on the ready queue at `when`.
    #[track_caller]
    pub(crate) fn add_timer(&self, when: Duration, callback: Callback) -> Timeout {
        self.add_timer_of(Location::caller(), when, callback)
    }

    /// Puts a callback on the ready queue at `when`, as a timer that `caller` has set.
    pub(crate) fn add_timer_of(
        &self,
        caller: &'static Location<'static>,
        when: Duration,
        callback: Callback,
    ) -> Timeout {
        let counts = !trace::observed() || !is_background();
        let timeout = self.inner.timers.borrow_mut().add(when, callback, counts.then_some(caller));
        if self.is_closed() {
            self.remove_timeout(&timeout);
        }
        timeout
    }

    /// Ends the loop: drops every callback, timer and suspended coroutine without running any. What is added
    /// later is dropped, too, and it does not run any more.
    ///
    /// A loop whose last handle goes does the same. This is for loops that are held by what they hold: a callback
    /// that has not run yet and has a handle of its loop.
    ///
    /// ```
    /// use squall::IoLoop;
    ///
    /// let io_loop = IoLoop::new();
    /// let inner = io_loop.clone();
    /// io_loop.add_callback(move || inner.stop());
    /// io_loop.close();
    /// assert!(io_loop.is_closed());
    /// assert!(io_loop.run_sync(|| ()).is_err());
    /// ```
    ///
    /// # Panics
    /// If the loop is running: stop it first.
    ///
    /// Source: `tornado.ioloop.IOLoop.close`.
    #[track_caller]
    pub fn close(&self) {
        assert!(!self.inner.running.get(), "this IoLoop is running: stop it before it is closed");
        self.inner.close();
    }

    /// Returns whether the loop was [closed](Self::close).
    pub fn is_closed(&self) -> bool {
        self.inner.closed.get()
    }

    /// Returns a handle by which other threads can have something called on the loop.
    pub fn handle(&self) -> LoopHandle {
        self.inner.inbox.handle()
    }
}

impl Drop for Inner {
    /// What is suspended then is dropped without being resumed.
    fn drop(&mut self) {
        self.close();
    }
}

impl Inner {
    /// Drops everything that it holds. What a `Drop` adds meanwhile goes as well.
    fn close(&self) {
        self.closed.set(true);
        self.inbox.close();
        self.timers.take().withdraw();
        self.expected.take().withdraw();
        #[cfg(all(unix, feature = "signals"))]
        self.signals.close();
        #[cfg(unix)]
        self.fds.close();
        self.sources.close();
        self.ready.close();
        self.singletons.close();
    }
}

/// A loop, without holding it: for what the loop itself holds.
#[derive(Clone, Default)]
pub(crate) struct WeakLoop(Weak<Inner>);

impl WeakLoop {
    pub(crate) fn upgrade(&self) -> Option<IoLoop> {
        self.0.upgrade().map(|inner| IoLoop { inner })
    }
}

impl fmt::Debug for IoLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IoLoop").field("time", &self.time()).field("ready", &self.inner.ready.len()).finish()
    }
}

/// `convert_yielded` of what somebody gave who called from there.
fn convert_at<M, Y: Yieldable<M>>(
    caller: &'static Location<'static>,
    yielded: Y,
) -> Result<Future<Y::Output>> {
    native::yielded_at(caller, || convert_yielded(yielded))
}

/// Calls `f` and has what it gives driven to its end. What it raises is logged, unless it was cancelled.
/// Source: `IOLoop._run_callback`.
pub(crate) fn run_callback<M, Y: Yieldable<M>>(caller: &'static Location<'static>, f: impl FnOnce() -> Y) {
    let log = |exception: &Exception| {
        if exception.downcast_ref() != Some(&Error::Cancelled) {
            squall_runner::report::report(Problem::Callback, exception);
        }
    };
    match convert_at(caller, f()) {
        Ok(future) => future.add_done_callback(move |future| {
            if let Some(exception) = future.exception() {
                log(&exception);
            }
        }),
        Err(exception) => log(&exception),
    }
}
