//! [`Condition`]: wait until another coroutine notifies.

use std::fmt;
use std::panic::Location;
use std::rc::{Rc, Weak};
use std::time::Duration;

use squall_runner::ready::Withdraw;
use squall_runner::trace::{self, Event, Lock, LockId};
use squall_runner::{Future, Result};

use super::line::Line;
use super::name::{named, Name};
use super::request::{within, Limit, Purpose, Request};

/// Lets coroutines wait until another one notifies them. Unlike a condition variable, it is not tied to a lock.
///
/// ```
/// use squall::{coroutine, locks::Condition, IoLoop};
///
/// let condition = Condition::new();
/// let waiter = condition.clone();
/// let waiter = coroutine(|co| async move { co.yield_(waiter.wait()).await });
/// condition.notify(1);
/// assert!(IoLoop::current().run_sync(|| waiter)?);
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// A coroutine that begins to wait after the last notification waits for ever. A notification that has reached a
/// coroutine is used up, even if the coroutine is dropped before it goes on.
///
/// Debug prints it as Tornado does: `<Condition waiters[1]>`.
///
/// Source: `tornado.locks.Condition`.
#[derive(Clone)]
pub struct Condition {
    waiters: Rc<Waiters>,
}

struct Waiters {
    name: Name,
    line: Line<Request<Wait>>,
}

struct Wait(Weak<Waiters>);

impl Purpose for Wait {
    type Output = bool;

    fn lock(&self) -> Option<LockId> {
        self.0.upgrade().map(|waiters| waiters.name.number())
    }

    fn request(&self) -> Option<String> {
        self.0.upgrade().map(|waiters| waiters.name.request("wait"))
    }

    fn timed_out(&self, _: &'static Location<'static>) -> Result<bool> {
        Ok(false)
    }

    fn left(&self) {
        if let Some(waiters) = self.0.upgrade() {
            waiters.line.leave();
            waiters.tell();
        }
    }
}

impl Default for Condition {
    fn default() -> Self {
        Self::new()
    }
}

impl Condition {
    /// Creates a condition that no coroutine waits for.
    pub fn new() -> Self {
        Self { waiters: Rc::new(Waiters { name: Name::of("Condition"), line: Line::default() }) }
    }

    named!(waiters);

    /// Waits for a notification. The result is `true`.
    #[track_caller]
    pub fn wait(&self) -> Future<bool> {
        self.wait_for(None)
    }

    /// Waits for a notification, for at most `time`. The result is `true` if it came in time, else `false`.
    #[track_caller]
    pub fn wait_within(&self, time: Duration) -> Future<bool> {
        self.wait_for(within(time))
    }

    #[track_caller]
    fn wait_for(&self, limit: Limit) -> Future<bool> {
        let request = Request::pending(Wait(Rc::downgrade(&self.waiters)));
        request.limit(limit);
        self.waiters.line.join(Rc::downgrade(&request), || {
            let whole: Weak<Waiters> = Rc::downgrade(&self.waiters);
            whole
        });
        self.waiters.tell();
        Future::from_core(request)
    }

    /// Notifies the `n` coroutines that have waited longest, or all if there are fewer.
    pub fn notify(&self, n: usize) {
        // A foreign waker that waits again at once is not notified again.
        for _ in 0..n.min(self.waiters.line.positions()) {
            let Some(waiter) = self.waiters.line.next() else { break };
            waiter.serve(true);
        }
        self.waiters.tell();
    }

    /// Notifies all coroutines that wait now.
    pub fn notify_all(&self) {
        for waiter in self.waiters.line.take() {
            waiter.serve(true);
        }
        self.waiters.tell();
    }
}

impl Waiters {
    /// Tells the observer how it stands.
    fn tell(&self) {
        if trace::observed() {
            let (lock, name, kind) = (self.name.number(), self.name.get(), self.name.kind());
            let waiting = self.line.told();
            let is = Lock { permits: None, set: None, holders: &[], waiting: waiting.line() };
            trace::emit(|| Event::Lock { lock, name: &name, kind, is });
        }
    }
}

impl Withdraw for Waiters {
    fn withdraw(&self) {
        self.line.withdraw();
        self.tell();
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.waiters.line.count() {
            0 => f.write_str("<Condition>"),
            waiters => write!(f, "<Condition waiters[{waiters}]>"),
        }
    }
}
