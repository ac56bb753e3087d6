//! [`PeriodicCallback`]: something that is called again and again.

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

/// Calls something every `period`, while the loop runs.
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
/// The callback may be a plain function, a coroutine or an `async` block ([`CallbackResult`] says what it may
/// give). It is waited for before the next call. What it raises is logged, and it goes on.
///
/// The period is measured from the start of one call to the start of the next. A call that takes longer skips as
/// many as it must to be back on schedule. If the clock goes backwards the schedule is not moved.
///
/// This is a handle: clones mean the same callback, and dropping the last one does not stop it, as the loop
/// holds it. It is stopped by [`stop`](Self::stop), or by the end of its loop. Then it may be started again, on any loop.
///
/// A callback that holds its own handle is never freed, as with any `Rc` that holds itself: let it hold a `Weak`, or drop
/// that handle when it is not needed any more.
///
/// Source: `tornado.ioloop.PeriodicCallback`.
#[derive(Clone)]
pub struct PeriodicCallback(Rc<Periodic>);

struct Periodic {
    /// Empty while it is called.
    callback: Cell<Option<Callback>>,
    /// Never zero.
    period: Duration,
    /// By how much each period differs.
    jitter: Cell<Option<Jitter>>,
    running: Cell<bool>,
    /// When the next call is due, in the time of the loop.
    next_timeout: Cell<Duration>,
    timeout: Cell<Option<Timeout>>,
    /// The line that started it.
    started_at: Cell<&'static Location<'static>>,
    /// The loop on which it was started.
    io_loop: RefCell<WeakLoop>,
    /// Lets the end of the loop stop it. Empty while it does not run.
    held: Cell<Option<Held>>,
}

type Callback = Guarded<Box<dyn FnMut() -> Pin<Box<dyn StdFuture<Output = Result<()>>>>>>;

struct Jitter {
    /// The width of the window, as a part of the period.
    fraction: f64,
    /// Gives numbers from 0 to 1.
    random: Guarded<Box<dyn FnMut() -> f64>>,
}

impl PeriodicCallback {
    /// Creates a callback that is called every `period`, once it is [started](Self::start).
    ///
    /// # Panics
    /// If the period is zero.
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

    /// Makes each period a random one, within a window around the given period that is `fraction` of it wide:
    /// so that those that have the same period do not all run at once. 0.1 means up to 5 % less or more.
    ///
    /// # Panics
    /// If `fraction` is less than 0, or 2 and more.
    #[must_use]
    #[track_caller]
    pub fn jitter(self, fraction: f64) -> Self {
        let mut seed = RandomState::new().hash_one(0);
        self.jitter_by(fraction, move || {
            // A linear congruential generator (Knuth's MMIX), of which the upper 53 bits are used.
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            #[allow(clippy::cast_precision_loss)]
            let upper = (seed >> 11) as f64;
            upper / 2_f64.powi(53)
        })
    }

    /// Makes each period a random one, like [`jitter`](Self::jitter), by the numbers that `random` returns. They are from
    /// 0 to 1: 0.5 is the middle of the window.
    ///
    /// # Panics
    /// If `fraction` is less than 0, or 2 and more.
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

    /// Starts it on the current loop. The first call is a period from now.
    ///
    /// Starting one that runs already adds a second schedule beside the first, as in Tornado. One that was stopped, or whose
    /// loop has ended, may be started on another loop. On a loop that is closed nothing is started, and an error is logged.
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

    /// Stops it. A call that is under way runs on to its end.
    pub fn stop(&self) {
        self.0.running.set(false);
        drop(self.0.held.take());
        let io_loop = self.0.io_loop.borrow().upgrade();
        if let (Some(timeout), Some(io_loop)) = (self.0.timeout.take(), io_loop) {
            io_loop.remove_timeout(&timeout);
        }
    }

    /// Returns whether it was started and not stopped since, by [`stop`](Self::stop) or by the end of its loop.
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
    /// One call. The loop runs it as a native coroutine, which costs a turn more than a plain callback would.
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

    /// Calls the callback and waits for what it gives. A panic is an Exception like any other.
    async fn call(&self) -> Result<()> {
        // It is missing where it is being called already.
        let Some(mut callback) = self.callback.take() else { return Ok(()) };
        let called = Exception::trap(|| Ok(callback()), Err);
        self.callback.set(Some(callback));
        let mut outcome = Guarded::new(called?);
        std::future::poll_fn(|cx| Exception::trap(|| outcome.as_mut().poll(cx), |panic| Err(panic).into()))
            .await
    }

    fn schedule_next(self: &Rc<Self>) {
        let Some(io_loop) = self.io_loop.borrow().upgrade() else { return };
        // At the end of time, to which a virtual clock can jump, there is no next time.
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
        let factor = 1.0 + jitter.fraction * (random - 0.5);
        self.jitter.set(Some(jitter));
        let period = Duration::try_from_secs_f64(self.period.as_secs_f64() * factor.max(0.0));
        period.unwrap_or(Duration::MAX).max(Duration::from_nanos(1))
    }
}

/// When the call after the one of `next` is due.
fn next_timeout(next: Duration, now: Duration, period: Duration) -> Duration {
    // If the clock went backwards, the schedule moves on by one period rather than to the same time again.
    let Some(late) = now.checked_sub(next) else { return next.saturating_add(period) };
    // Back to a multiple of the schedule, if a call took too long.
    let cycles = late.as_nanos() / period.as_nanos() + 1;
    u64::try_from(period.as_nanos().saturating_mul(cycles))
        .map_or(Duration::MAX, |nanos| next.saturating_add(Duration::from_nanos(nanos)))
}

impl Withdraw for Periodic {
    /// The loop has ended. It takes its timer with it, and what is called stays here for the next start.
    fn withdraw(&self) {
        self.running.set(false);
        drop(self.timeout.take());
    }
}

/// What the callback of a [`PeriodicCallback`] may give: nothing; a Result, whose error is logged; a coroutine's
/// Future, an `async` block or any other std Future of a Result, which is waited for.
#[diagnostic::on_unimplemented(
    message = "the callback of a PeriodicCallback may not give `{Self}`",
    label = "not `()`, a Result, or a Future of a Result",
    note = "end the closure with `;` to give nothing, or call a coroutine in it, or give an `async` block"
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

/// The kind of a Result that a plain callback gives.
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
