//! [`Request`]: a Future that waits in a line, with an optional time limit.

use std::cell::{Cell, OnceCell};
use std::panic::Location;
use std::rc::{Rc, Weak};
use std::time::Duration;

use squall_runner::foreign::discard;
use squall_runner::ready::{Run, Withdraw};
use squall_runner::trace::{self, FutureId, LockId, Origin, Queued, State};
use squall_runner::{Exception, Future, Place, Resolvable, Result, Shared};

use super::line::InLine;
use super::name::Requested;
use crate::gen::{timed_out, with_timeout};
use crate::ioloop::{IoLoop, Timeout, WeakLoop, CLOSED};
use crate::kept::Kept;

/// A time limit, and the line of the call that set it.
pub(crate) type Limit = Option<(Duration, &'static Location<'static>)>;

/// Returns a time limit that the caller's line sets.
#[track_caller]
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn within(time: Duration) -> Limit {
    Some((time, Location::caller()))
}

/// The object of a request: a permit, an item, room for one, or a notification.
pub(crate) trait Purpose: 'static {
    /// The type of the result.
    type Output: 'static;

    /// Returns the number of the lock or queue, unless that is gone.
    fn lock(&self) -> Option<LockId>;

    /// Returns the line of the request, where that is known.
    fn place(&self) -> Option<Place> {
        None
    }

    /// Returns how a trace calls the request, such as `Lock#2.acquire`, or `None` if the lock or queue is gone.
    fn request(&self) -> Option<String>;

    /// Describes what is waited for, such as a lock and its holder.
    fn describe(&self) -> Option<String> {
        self.request()
    }

    /// Returns the result of a request that is out of time.
    fn timed_out(&self, limit: &'static Location<'static>) -> Result<Self::Output> {
        Err(timed_out(limit, self.describe()))
    }

    /// Called when a request in the line has no use any more: it was cancelled or is out of time, or its last handle
    /// was dropped.
    fn left(&self);

    /// Called with the result if the last handle was dropped before anything took it.
    fn untaken(&self, value: Self::Output) {
        discard(value);
    }
}

/// The Future of a request, which waits in a line while it is pending.
///
/// The line does not hold it: a request whose last handle is dropped leaves the line.
#[repr(C)] // What serving touches lies close together.
pub(crate) struct Request<P: Purpose> {
    shared: Shared<P::Output>,
    /// `Some` only while the request is pending and has a time limit.
    timer: Cell<Option<Rc<Timer<P>>>>,
    kept: Kept<Self>,
    pub(crate) purpose: P,
}

impl<P: Purpose> Request<P> {
    /// Creates a request that has to wait.
    #[track_caller]
    pub(crate) fn pending(purpose: P) -> Rc<Self> {
        Self::new(purpose, Shared::new())
    }

    /// Creates a request that is served at once. Its result may still come back untaken.
    #[track_caller]
    pub(crate) fn served(purpose: P, value: P::Output) -> Rc<Self> {
        Self::new(purpose, Shared::settled(Ok(value)))
    }

    #[inline(always)]
    #[track_caller]
    fn new(purpose: P, shared: Shared<P::Output>) -> Rc<Self> {
        let request = Rc::new(Self { shared, purpose, timer: Cell::new(None), kept: Kept::default() });
        if trace::has_observer() {
            request.tell(Place::caller());
        }
        request
    }

    /// Reports to the observer that the request was created.
    #[cold]
    fn tell(&self, caller: Place) {
        let name = trace::observed().then(|| self.purpose.request().unwrap_or_default());
        let origin = || Origin::Named(name.as_deref().unwrap_or_default());
        self.shared.announce_as(|| (origin(), self.purpose.lock(), self.purpose.place().or(Some(caller))));
    }

    /// Starts the timer of the time limit. On a closed loop, which has no timers, the request fails.
    #[inline]
    pub(crate) fn limit(self: &Rc<Self>, limit: Limit) {
        if let Some((time, limit)) = limit {
            self.limit_to(time, limit);
        }
    }

    fn limit_to(self: &Rc<Self>, time: Duration, limit: &'static Location<'static>) {
        if IoLoop::current().is_closed() {
            // It will neither be served nor run out of time.
            self.shared.set_exception(Exception::from(CLOSED).at(limit));
            self.purpose.left();
        } else {
            self.timer.set(Some(Timer::start(self, time, limit)));
        }
    }

    /// Resolves the request with `value`.
    pub(crate) fn serve(&self, value: P::Output) {
        self.shared.set_result(value);
        self.settled();
    }

    /// Drops what only a pending request needs. The caller holds the request.
    #[inline]
    fn settled(&self) {
        let (timer, kept) = (self.timer.take(), self.kept.take());
        if timer.is_some() || kept.is_some() {
            Self::let_go(timer, kept);
        }
    }

    #[inline(never)]
    fn let_go(timer: Option<Rc<Timer<P>>>, kept: Option<Rc<Self>>) {
        timer.iter().for_each(|timer| timer.stop());
        drop(kept);
    }
}

impl<P: Purpose> Resolvable for Request<P> {
    type Output = P::Output;

    fn shared(&self) -> &Shared<P::Output> {
        &self.shared
    }

    fn on_cancel(&self) {
        self.settled();
        self.purpose.left();
    }

    fn describe(&self) -> Option<String> {
        self.purpose.describe()
    }

    fn keep(self: Rc<Self>) {
        self.kept.keep(self.clone());
    }
}

impl<P: Purpose> InLine for Request<P> {
    fn is_pending(&self) -> bool {
        self.shared.state() == State::Pending
    }

    fn future(&self) -> FutureId {
        self.shared.id()
    }

    fn withdraw(&self) {
        self.shared.end_with_loop();
        self.settled();
    }

    fn line_is_gone(&self) {
        // A request with a time limit will still be resolved by its timer.
        if let Some(timer) = self.timer.take() {
            self.timer.set(Some(timer));
        } else {
            self.kept.release();
        }
    }
}

impl<P: Purpose> Drop for Request<P> {
    fn drop(&mut self) {
        if trace::observed() {
            self.shared.tell_dropped();
        }
        if self.shared.state() == State::Pending {
            self.settled();
            self.purpose.left();
        } else if let Some(value) = self.shared.reclaim() {
            self.purpose.untaken(value);
        }
    }
}

/// The timer of a request. It does not hold the request.
struct Timer<P: Purpose> {
    request: Weak<Request<P>>,
    /// The line of the call that set the time limit.
    limit: &'static Location<'static>,
    /// The loop of the timer, which need not be the current loop when the timer is stopped.
    io_loop: WeakLoop,
    /// `Some` until the timer has run or was stopped.
    timeout: Cell<Option<Timeout>>,
    /// The number of the request in the trace, if it was observed.
    future: Option<FutureId>,
}

impl<P: Purpose> Timer<P> {
    fn start(request: &Rc<Request<P>>, time: Duration, limit: &'static Location<'static>) -> Rc<Self> {
        let io_loop = IoLoop::current();
        let future = trace::observed().then(|| request.shared.id());
        let (request, timeout) = (Rc::downgrade(request), Cell::new(None));
        let timer = Rc::new(Self { request, limit, io_loop: io_loop.downgrade(), timeout, future });
        let timeout = io_loop.add_timer(io_loop.time().saturating_add(time), timer.clone());
        timer.timeout.set(Some(timeout));
        timer
    }

    fn stop(&self) {
        if let Some(timeout) = self.timeout.take() {
            if let Some(io_loop) = self.io_loop.upgrade() {
                io_loop.remove_timeout(&timeout);
            }
        }
    }
}

impl<P: Purpose> Run for Timer<P> {
    /// Resolves the request, which is out of time.
    fn run(self: Rc<Self>) {
        drop(self.timeout.take());
        let Some(request) = self.request.upgrade() else { return };
        if request.shared.set(request.purpose.timed_out(self.limit)) {
            request.settled();
            request.purpose.left();
        }
    }

    fn queued_as(&self) -> Queued {
        self.future.map_or(Queued::Callback(self.type_name()), Queued::Future)
    }
}

impl<P: Purpose> Withdraw for Timer<P> {
    fn withdraw(&self) {
        drop(self.timeout.take());
        if let Some(request) = self.request.upgrade() {
            InLine::withdraw(&*request);
        }
    }
}

/// Returns the Future of a request with a time limit by `with_timeout`, as Tornado does it for events. It takes one
/// turn of the loop more than the request itself.
#[track_caller]
pub(crate) fn still_within(time: Duration, request: Future<()>) -> Future<()> {
    if request.done() {
        return request;
    }
    let limited = with_timeout(time, request.clone());
    limited.watch(move |_| {
        request.cancel();
    });
    limited
}

/// Returns the Future of a request that need not wait. `name` returns how a trace calls it.
#[track_caller]
pub(crate) fn at_once<T: 'static>(name: impl FnOnce() -> Requested, value: T) -> Future<T> {
    let future = Future::ready(value);
    let (requested, caller) = (trace::observed().then(name), Place::caller());
    future.core().shared().announce_as(|| match &requested {
        Some(Requested { lock, name, place }) => (Origin::Named(name), Some(*lock), place.or(Some(caller))),
        None => (Origin::Named(""), None, None),
    });
    future
}

/// Returns the Future of a request that need not wait and has no value. All such requests share one Future, unless an
/// observer could tell them apart.
#[track_caller]
#[inline]
pub(crate) fn nothing_at_once(name: impl FnOnce() -> Requested) -> Future<()> {
    thread_local! {
        static NOTHING: OnceCell<Future<()>> = const { OnceCell::new() };
    }
    if trace::observed() {
        return at_once(name, ());
    }
    let make = || {
        let one = Future::ready(());
        // It is known now how the value is cloned.
        drop(one.clone());
        one
    };
    let nothing = NOTHING.try_with(|nothing| nothing.get_or_init(make).another_handle());
    nothing.unwrap_or_else(|_| Future::ready(()))
}
