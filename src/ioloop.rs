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
//! One *turn* of the loop (an iteration, in Tornado) runs the callbacks that were ready when it began, in the order in
//! which they became ready. What they add runs in the next turn. Timers that are due join the end of the ready queue,
//! earliest deadline first; timers with equal deadlines run in the order in which they were set. When nothing is ready,
//! the loop sleeps until the next timer is due, or until another thread or the system wakes it.
//!
//! Source: `tornado.ioloop.IOLoop` on `asyncio`.

mod add_future;
mod blocking;
#[cfg_attr(not(feature = "net"), allow(dead_code))]
mod budget;
mod clock;
mod current;
mod dump;
mod expected;
#[cfg(unix)]
mod fds;
mod handle;
#[cfg(unix)]
mod handlers;
mod lull;
mod periodic;
#[cfg_attr(not(feature = "net"), allow(dead_code))]
pub(crate) mod readiness;
#[cfg_attr(not(feature = "net"), allow(dead_code))]
mod registered;
mod run;
#[cfg(all(unix, feature = "signals"))]
mod signal_handlers;
#[cfg(all(unix, feature = "signals"))]
mod signals;
mod singletons;
#[cfg_attr(not(feature = "net"), allow(dead_code))]
pub(crate) mod source;
#[cfg(feature = "trace")]
mod stepping;
mod timeouts;
mod timers;
mod turn;
mod wait;
mod wakeup;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::Location;
use std::rc::{Rc, Weak};
use std::time::Duration;

use squall_runner::foreign::Guarded;
use squall_runner::ready::{callback, Callback, ReadyQueue};
use squall_runner::trace::Problem;
use squall_runner::{convert_yielded, native, Error, Exception, Future, Result, Yieldable};

pub use clock::{Clock, RealClock};
pub use current::CurrentLoop;
pub use dump::Dump;
pub use expected::Ticket;
#[cfg(unix)]
pub use fds::FdEvents;
pub use handle::{LoopHandle, WeakHandle};
pub use periodic::{CallbackResult, PeriodicCallback, Plain};
#[cfg(all(unix, feature = "signals"))]
pub use signals::signal;
pub use timers::Timeout;

use expected::Expected;
use handle::{Inbox, Mail};
use singletons::Singletons;
pub(crate) use timeouts::OwnTimer;
use timers::Timers;

/// The error of every operation that needs a loop and finds it [closed](IoLoop::close).
pub(crate) const CLOSED: Error = Error::InvalidState("the IoLoop is closed");

/// The event loop that coroutines, callbacks and timers run on.
///
/// An `IoLoop` is a handle: clones refer to the same loop.
#[derive(Clone)]
pub struct IoLoop {
    inner: Rc<Inner>,
}

/// A function that surrounds each sleep of a loop: it calls its argument, once.
type AroundSleep = Guarded<Box<dyn Fn(&mut dyn FnMut())>>;

struct Inner {
    ready: Rc<ReadyQueue>,
    clock: Guarded<Box<dyn Clock>>,
    timers: RefCell<Timers>,
    inbox: Inbox,
    /// Callbacks that other threads are still to deliver, such as the results of jobs.
    expected: RefCell<Expected>,
    /// Values of which the loop owns one each, such as its default executor.
    singletons: Singletons,
    /// Events that the last wait reported.
    wait: RefCell<wait::Wait>,
    lull: lull::Lull,
    /// The sockets that the loop watches.
    sources: Rc<readiness::Sources>,
    #[cfg(unix)]
    fds: fds::Fds,
    #[cfg(all(unix, feature = "signals"))]
    signals: signals::Signals,
    /// Surrounds each sleep.
    around_sleep: RefCell<Option<Rc<AroundSleep>>>,
    /// Ends the run after the turn in which it is set.
    stop: Cell<bool>,
    running: Cell<bool>,
    /// How long a callback may hold the loop before a warning is logged; `None` for no limit.
    blocking_threshold: Cell<Option<Duration>>,
    /// The clock's time in this turn, once it was read.
    turn_time: Cell<Option<Duration>>,
    /// Once set, nothing is added to the loop, and it does not run.
    closed: Cell<bool>,
}

impl IoLoop {
    /// Creates a loop on the real clock. It becomes the thread's current loop while it runs, or by
    /// [`make_current`](Self::make_current).
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self::with_clock(RealClock::new())
    }

    /// Creates a loop on the given clock.
    ///
    /// ```
    /// use std::time::Duration;
    /// use squall::{sleep, testing::VirtualClock, IoLoop};
    ///
    /// let io_loop = IoLoop::with_clock(VirtualClock::new());
    /// io_loop.run_sync(|| sleep(Duration::from_secs(3600)))?;     // returns at once
    /// assert_eq!(io_loop.time(), Duration::from_secs(3600));
    /// # Ok::<(), squall::Exception>(())
    /// ```
    pub fn with_clock(clock: impl Clock + 'static) -> Self {
        Self::on(ReadyQueue::new(), clock)
    }

    fn on(ready: Rc<ReadyQueue>, clock: impl Clock + 'static) -> Self {
        let inbox = Inbox::new();
        let remote = inbox.remote().clone();
        ready.woken_outside(move |woken| remote.send(Mail::Woken(woken)));
        let sources = readiness::Sources::new(inbox.wakeup().clone(), ready.clone());
        let inner = Inner {
            ready,
            clock: Guarded::new(Box::new(clock)),
            timers: RefCell::default(),
            inbox,
            expected: RefCell::default(),
            singletons: Singletons::default(),
            wait: RefCell::new(wait::Wait::new()),
            lull: lull::Lull::default(),
            sources,
            #[cfg(unix)]
            fds: fds::Fds::default(),
            #[cfg(all(unix, feature = "signals"))]
            signals: signals::Signals::default(),
            around_sleep: RefCell::default(),
            stop: Cell::new(false),
            running: Cell::new(false),
            blocking_threshold: Cell::new(None),
            turn_time: Cell::new(None),
            closed: Cell::new(false),
        };
        Self { inner: Rc::new(inner) }
    }

    /// Returns the time since the loop was created, as its clock shows it.
    pub fn time(&self) -> Duration {
        self.inner.clock.now()
    }

    /// Returns whether its clock can jump, so that its times are not those of the machine.
    pub(crate) fn jumps(&self) -> bool {
        self.inner.clock.jumps()
    }

    /// Returns the time of the current turn. Reads the clock at most once in each turn.
    #[cfg(any(feature = "http-client-plain", feature = "web"))]
    pub(crate) fn turn_time(&self) -> Duration {
        self.inner.turn_time()
    }

    /// Surrounds each sleep of the loop by `around`, which calls its argument once: that is the sleep. A program that
    /// embeds another language releases the lock of its interpreter there, so that other threads can use it meanwhile.
    ///
    /// ```
    /// use std::cell::Cell;
    /// use std::rc::Rc;
    /// use std::time::Duration;
    /// use squall::{sleep, IoLoop};
    ///
    /// let io_loop = IoLoop::new();
    /// let sleeps = Rc::new(Cell::new(0));
    /// let count = sleeps.clone();
    /// io_loop.around_sleep(move |sleep| {
    ///     count.set(count.get() + 1);
    ///     sleep();
    /// });
    /// io_loop.run_sync(|| sleep(Duration::from_millis(1)))?;
    /// assert!(sleeps.get() > 0);
    /// # Ok::<(), squall::Exception>(())
    /// ```
    pub fn around_sleep(&self, around: impl Fn(&mut dyn FnMut()) + 'static) {
        let around: AroundSleep = Guarded::new(Box::new(around));
        let before = self.inner.around_sleep.replace(Some(Rc::new(around)));
        drop(before);
    }

    /// Calls `f` in the next turn of the loop. A panic in `f` is logged.
    ///
    /// ```
    /// use squall::IoLoop;
    ///
    /// let io_loop = IoLoop::current();
    /// let inner = io_loop.clone();
    /// io_loop.add_callback(move || inner.stop());
    /// io_loop.start();
    /// ```
    pub fn add_callback(&self, f: impl FnOnce() + 'static) {
        if !self.is_closed() {
            self.inner.ready.push(callback(f));
        }
    }

    /// Calls `f` in the next turn of the loop and runs the coroutine that it returns, without anything waiting for the
    /// result. An exception that the coroutine raises is logged with its traceback.
    ///
    /// ```
    /// use std::time::Duration;
    /// use squall::{sleep, IoLoop, Result};
    ///
    /// #[squall::coroutine]
    /// fn heartbeat() -> Result<()> {
    ///     println!("alive");
    ///     Ok(())
    /// }
    ///
    /// IoLoop::current().spawn_callback(heartbeat);
    /// IoLoop::current().run_sync(|| sleep(Duration::from_millis(1)))?;
    /// # Ok::<(), squall::Exception>(())
    /// ```
    #[track_caller]
    pub fn spawn_callback<M: 'static, Y: Yieldable<M> + 'static>(&self, f: impl FnOnce() -> Y + 'static) {
        let caller = Location::caller();
        self.add_callback(move || run_callback(caller, f));
    }

    pub(crate) fn downgrade(&self) -> WeakLoop {
        WeakLoop(Rc::downgrade(&self.inner))
    }

    /// Closes the loop: drops every callback, timer and suspended coroutine without running any of them. What is added
    /// later is dropped as well, and the loop cannot run again.
    ///
    /// A loop is also closed when its last handle is dropped. Call `close` for a loop that something in it keeps alive:
    /// a callback that holds a handle of its own loop and has not run yet.
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
    /// Panics if the loop is running: [`stop`](Self::stop) it first.
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

    /// Returns a handle that other threads use to add callbacks to the loop.
    pub fn handle(&self) -> LoopHandle {
        self.inner.inbox.handle()
    }

    /// Calls `f` in the next turn of the loop after the returned ticket is dropped, on whichever thread that happens: for
    /// results that come from other threads. The loop waits until then, and a virtual clock stands still.
    ///
    /// ```
    /// use squall::{Future, IoLoop};
    ///
    /// let io_loop = IoLoop::current();
    /// let future = Future::<i32>::new();
    /// let promise = future.promise();
    /// let ticket = io_loop.expect_callback(move || promise.set_result(5));
    /// std::thread::spawn(move || drop(ticket));
    /// assert_eq!(io_loop.run_sync(|| future)?, 5);
    /// # Ok::<(), squall::Exception>(())
    /// ```
    pub fn expect_callback(&self, f: impl FnOnce() + 'static) -> Ticket {
        let mut made = None;
        self.expect(|ticket| {
            made = Some(ticket);
            callback(f)
        });
        made.expect("it was made just now")
    }

    /// Creates a [`Ticket`], passes it to `make`, and runs the callback that `make` returns once the ticket is dropped.
    /// The loop keeps running until then.
    pub(crate) fn expect(&self, make: impl FnOnce(Ticket) -> Callback) {
        self.inner.expected.borrow_mut().add(self.inner.inbox.remote(), |ticket| {
            let callback = make(ticket);
            (!self.is_closed()).then_some(callback)
        });
    }

    /// Returns a clone of the loop's `T`, which `make` creates the first time.
    pub(crate) fn singleton<T: Clone + 'static>(&self, make: impl FnOnce() -> T) -> T {
        self.inner.singletons.get(make)
    }

    /// Sets the loop's `T`.
    pub(crate) fn set_singleton<T: 'static>(&self, value: T) {
        self.inner.singletons.set(value);
    }
}

impl Drop for Inner {
    /// Drops suspended coroutines without resuming them.
    fn drop(&mut self) {
        self.close();
    }
}

impl Inner {
    /// Drops everything that the loop holds, and whatever a `Drop` adds meanwhile.
    fn close(&self) {
        self.closed.set(true);
        // From here on, what waits on this loop is told apart from what waits on others.
        self.ready.shut();
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

/// A reference that does not keep the loop alive, for what the loop itself holds.
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

/// Converts what a callback returned into a Future, with `caller` as the line that yields it.
fn convert_at<M, Y: Yieldable<M>>(
    caller: &'static Location<'static>,
    yielded: Y,
) -> Result<Future<Y::Output>> {
    native::yielded_at(caller, || convert_yielded(yielded))
}

/// Calls `f` and runs the coroutine that it returns. An exception is logged, unless it is a cancellation.
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
