//! [`PeriodicCallback`]: a callback that is called at a fixed interval.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future as StdFuture;
use std::hash::{BuildHasher, RandomState};
use std::panic::Location;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::time::Duration;

use log::Level;
use squall_runner::foreign::Guarded;
use squall_runner::ready::{callback, Withdraw};
use squall_runner::trace::Problem;
use squall_runner::Held;
use squall_runner::{log, marker, Error, Exception, Result};

use super::{run_callback, IoLoop, Timeout, WeakLoop, CLOSED};

/// Calls a function every `period` while the loop runs.
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use std::time::Duration;
/// use squall::{sleep, testing::VirtualClock, IoLoop, PeriodicCallback};
///
/// let io_loop = IoLoop::with_clock(VirtualClock::new());
/// let ticks = Rc::new(Cell::new(0));
/// let count = ticks.clone();
/// let ticking = PeriodicCallback::new(move || count.set(count.get() + 1), Duration::from_secs(10));
/// io_loop.run_sync(|| {
///     ticking.start();
///     sleep(Duration::from_secs(35))
/// })?;
/// assert_eq!(ticks.get(), 3);
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// The callback may be a plain function, a coroutine or an `async` block; [`CallbackResult`] lists what it may return.
/// The next call begins after the coroutine of the last one is done. An exception is logged, and the calls go on.
///
/// The period is measured from the start of one call to the start of the next. A call that takes longer than the period
/// skips the calls it has missed, to stay on schedule. If the clock goes backwards, the schedule does not move.
///
/// A `PeriodicCallback` is a handle: clones refer to the same schedule. The loop holds it too, so dropping the last
/// handle does not stop it. [`stop`](Self::stop) stops it, and so does the end of its loop. Then it may be started
/// again, on any loop. A callback that holds its own handle is never freed, like any `Rc` that holds itself: let it
/// hold a `Weak`, or drop that handle when it is no longer needed.
///
/// Source: `tornado.ioloop.PeriodicCallback`.
#[derive(Clone)]
pub struct PeriodicCallback(Rc<Periodic>);

struct Periodic {
    /// `None` while it is being called.
    callback: Cell<Option<Callback>>,
    /// Never zero.
    period: Duration,
    /// How much each period varies.
    jitter: Cell<Option<Jitter>>,
    running: Cell<bool>,
    /// When the next call is due, as the loop measures time.
    next_timeout: Cell<Duration>,
    timeout: Cell<Option<Timeout>>,
    /// The line that called `start`.
    started_at: Cell<&'static Location<'static>>,
    /// The loop on which it was started last.
    io_loop: RefCell<WeakLoop>,
    /// Lets the end of the loop break the cycle of a callback that holds its own handle. `None` while it is stopped,
    /// when it may be started on another loop.
    held: Cell<Option<Held>>,
}

type Callback = Guarded<Box<dyn FnMut() -> Pin<Box<dyn StdFuture<Output = Result<()>>>>>>;

struct Jitter {
    /// The width of the window, as a fraction of the period.
    fraction: f64,
    /// Returns numbers from 0 to 1.
    random: Guarded<Box<dyn FnMut() -> f64>>,
}

impl PeriodicCallback {
    /// Creates a callback that is called every `period` after [`start`](Self::start).
    ///
    /// # Panics
    /// Panics if the period is zero.
    #[track_caller]
    pub fn new<M, R: CallbackResult<M>>(mut callback: impl FnMut() -> R + 'static, period: Duration) -> Self {
        assert!(!period.is_zero(), "the period of a PeriodicCallback must be more than zero");
        Self(Rc::new(Periodic {
            callback: Cell::new(Some(Guarded::new(Box::new(move || Box::pin(callback().outcome()))))),
            period,
            jitter: Cell::new(None),
            running: Cell::new(false),
            next_timeout: Cell::new(Duration::ZERO),
            timeout: Cell::new(None),
            started_at: Cell::new(Location::caller()),
            io_loop: RefCell::default(),
            held: Cell::new(None),
        }))
    }

    /// Varies each period at random, within a window centred on the period and `fraction` of it wide, so that callbacks
    /// with equal periods do not all run at once. A `fraction` of 0.1 means up to 5 % more or less.
    ///
    /// # Panics
    /// Panics if `fraction` is negative, or 2 or more.
    #[must_use]
    #[track_caller]
    pub fn jitter(self, fraction: f64) -> Self {
        let mut seed = RandomState::new().hash_one(0);
        self.jitter_by(fraction, move || {
            // A linear congruential generator (Knuth's MMIX); its upper 53 bits are used.
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            #[allow(clippy::cast_precision_loss)]
            let upper = (seed >> 11) as f64;
            upper / 2_f64.powi(53)
        })
    }

    /// Varies each period like [`jitter`](Self::jitter), using the numbers from 0 to 1 that `random` returns; 0.5 is
    /// the middle of the window.
    ///
    /// # Panics
    /// Panics if `fraction` is negative, or 2 or more.
    #[must_use]
    #[track_caller]
    pub fn jitter_by(self, fraction: f64, random: impl FnMut() -> f64 + 'static) -> Self {
        assert!(
            (0.0..2.0).contains(&fraction),
            "the jitter must be from 0 to less than 2, as part of the period"
        );
        self.0.jitter.set(Some(Jitter { fraction, random: Guarded::new(Box::new(random)) }));
        self
    }

    /// Starts the calls on the current loop. The first one is due after one period.
    ///
    /// Starting one that is running adds a second schedule beside the first, as in Tornado. One that was stopped may be
    /// started on another loop. On a closed loop it does not start, and an error is logged.
    #[track_caller]
    pub fn start(&self) {
        let io_loop = IoLoop::current();
        let this = &self.0;
        if io_loop.is_closed() {
            let at = Location::caller();
            let text = format_args!("a PeriodicCallback was not started at {at}: {CLOSED}");
            return log(Level::Error, "squall::ioloop", text);
        }
        *this.io_loop.borrow_mut() = io_loop.downgrade();
        this.started_at.set(Location::caller());
        this.running.set(true);
        this.next_timeout.set(io_loop.time());
        let weak: Weak<Periodic> = Rc::downgrade(this);
        this.held.set(Some(Held::new(weak)));
        this.schedule_next();
    }

    /// Stops the calls. A call that has begun runs to its end.
    pub fn stop(&self) {
        self.0.running.set(false);
        drop(self.0.held.take());
        let io_loop = self.0.io_loop.borrow().upgrade();
        if let (Some(timeout), Some(io_loop)) = (self.0.timeout.take(), io_loop) {
            io_loop.remove_timeout(&timeout);
        }
    }

    /// Returns whether it was started and has not been stopped since, by [`stop`](Self::stop) or by the end of its
    /// loop.
    pub fn is_running(&self) -> bool {
        self.0.running.get()
    }

    /// Returns the period.
    pub fn period(&self) -> Duration {
        self.0.period
    }
}

impl fmt::Debug for PeriodicCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeriodicCallback")
            .field("period", &self.period())
            .field("is_running", &self.is_running())
            .finish_non_exhaustive()
    }
}

impl Periodic {
    /// Makes one call and schedules the next. The loop runs this as a native coroutine, which takes one turn more than
    /// a plain callback.
    async fn periodic_callback(self: Rc<Self>) -> Result<()> {
        if !self.running.get() {
            return Ok(());
        }
        if let Err(exception) = self.call().await {
            if exception.downcast_ref() != Some(&Error::Cancelled) {
                squall_runner::report::report(Problem::Callback, &exception);
            }
        }
        self.schedule_next();
        Ok(())
    }

    /// Calls the callback and waits for the coroutine that it returns. A panic becomes an Exception.
    async fn call(&self) -> Result<()> {
        // The callback is missing while another call of it runs.
        let Some(mut callback) = self.callback.take() else { return Ok(()) };
        let called = Exception::trap(|| Ok(callback()), Err);
        self.callback.set(Some(callback));
        let mut outcome = Guarded::new(called?);
        std::future::poll_fn(|cx| Exception::trap(|| outcome.as_mut().poll(cx), |panic| Err(panic).into()))
            .await
    }

    fn schedule_next(self: &Rc<Self>) {
        let Some(io_loop) = self.io_loop.borrow().upgrade() else { return };
        // At the end of time, which a virtual clock can reach, there is no next call.
        if self.running.get() && io_loop.time() < Timeout::LAST {
            let next = next_timeout(self.next_timeout.get(), io_loop.time(), self.period_with_jitter());
            self.next_timeout.set(next);
            let (this, at) = (self.clone(), self.started_at.get());
            let call = callback(move || run_callback(at, || this.periodic_callback()));
            self.timeout.set(Some(io_loop.add_timer_of(at, next.max(io_loop.time()), call)));
        }
    }

    fn period_with_jitter(&self) -> Duration {
        let Some(mut jitter) = self.jitter.take() else { return self.period };
        let middle = |panic| {
            squall_runner::report::report(Problem::Callback, &panic);
            0.5
        };
        let random = Exception::trap(|| (jitter.random)(), middle);
        // Numbers outside of the window, and NaN, would make the period nothing or endless.
        let random = if random.is_nan() { 0.5 } else { random.clamp(0.0, 1.0) };
        let factor = 1.0 + jitter.fraction * (random - 0.5);
        self.jitter.set(Some(jitter));
        let period = Duration::try_from_secs_f64(self.period.as_secs_f64() * factor.max(0.0));
        period.unwrap_or(Duration::MAX).max(Duration::from_nanos(1))
    }
}

/// Returns when the call after the one due at `next` is due.
fn next_timeout(next: Duration, now: Duration, period: Duration) -> Duration {
    // If the clock went backwards, the schedule moves on by one period rather than to the same time again.
    let Some(late) = now.checked_sub(next) else { return next.saturating_add(period) };
    // A call took too long: skip to the next multiple of the period.
    let cycles = late.as_nanos() / period.as_nanos() + 1;
    u64::try_from(period.as_nanos().saturating_mul(cycles))
        .map_or(Duration::MAX, |nanos| next.saturating_add(Duration::from_nanos(nanos)))
}

impl Withdraw for Periodic {
    /// Stops the calls, since the loop has ended: drops the timer, and keeps the callback for the next start.
    fn withdraw(&self) {
        self.running.set(false);
        drop(self.timeout.take());
    }
}

/// A value that the callback of a [`PeriodicCallback`] may return: nothing; a `Result`, whose error is logged; or a
/// coroutine's Future, an `async` block or another std Future of a `Result`, each of which is waited for.
#[diagnostic::on_unimplemented(
    message = "the callback of a PeriodicCallback may not return `{Self}`",
    label = "not `()`, a Result, or a Future of a Result",
    note = "end the closure with `;` to return nothing, or call a coroutine in it, or return an `async` block"
)]
pub trait CallbackResult<M> {
    #[doc(hidden)]
    fn outcome(self) -> impl StdFuture<Output = Result<()>> + 'static;
}

impl CallbackResult<marker::Moment> for () {
    fn outcome(self) -> impl StdFuture<Output = Result<()>> + 'static {
        std::future::ready(Ok(()))
    }
}

/// The kind of a `Result` that a plain callback returns.
#[derive(Debug)]
pub struct Plain;

impl<E: 'static> CallbackResult<Plain> for Result<(), E>
where
    Exception: From<E>,
{
    fn outcome(self) -> impl StdFuture<Output = Result<()>> + 'static {
        std::future::ready(self.map_err(Exception::from))
    }
}

impl<F, T, E> CallbackResult<marker::Native> for F
where
    F: StdFuture<Output = Result<T, E>> + 'static,
    T: 'static,
    E: 'static,
    Exception: From<E>,
{
    async fn outcome(self) -> Result<()> {
        self.await?;
        Ok(())
    }
}
