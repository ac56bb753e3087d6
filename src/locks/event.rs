//! [`Event`]: wait until a flag is set.

use std::cell::Cell;
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Duration;

use squall_runner::ready::Withdraw;
use squall_runner::trace::{self, Lock, LockId};
use squall_runner::Future;

use super::line::Line;
use super::name::{named, Name};
use super::request::{nothing_at_once, still_within, Purpose, Request};

/// A flag that coroutines can wait for. While it is set, a wait is done at once.
///
/// ```
/// use squall::locks::Event;
///
/// let event = Event::new();
/// let waiter = event.wait();
/// assert!(!waiter.done());
/// event.set();
/// assert!(waiter.done() && event.wait().done());
/// event.clear();
/// assert!(!event.wait().done());
/// ```
///
/// Waiting for an event without another handle waits for ever: `yield_!(Event::new().wait())?`.
///
/// `Debug` prints it as Tornado does: `<Event set>` or `<Event clear>`.
///
/// Source: `tornado.locks.Event`.
#[derive(Clone)]
pub struct Event {
    flag: Rc<Flag>,
}

struct Flag {
    name: Name,
    set: Cell<bool>,
    /// Holds no pending request immediately after the flag was set.
    line: Line<Request<Wait>>,
}

struct Wait(Weak<Flag>);

impl Purpose for Wait {
    type Output = ();

    fn lock(&self) -> Option<LockId> {
        self.0.upgrade().map(|flag| flag.name.number())
    }

    fn request(&self) -> Option<String> {
        self.0.upgrade().map(|flag| flag.name.request("wait"))
    }

    fn left(&self) {
        if let Some(flag) = self.0.upgrade() {
            flag.line.leave();
            flag.tell();
        }
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl Event {
    /// Creates an event that is not set.
    pub fn new() -> Self {
        Self { flag: Rc::new(Flag { name: Name::of("Event"), set: Cell::new(false), line: Line::default() }) }
    }

    named!(flag);

    /// Returns whether the event is set.
    pub fn is_set(&self) -> bool {
        self.flag.set.get()
    }

    /// Sets the flag. All coroutines that wait go on, in the order in which they came.
    pub fn set(&self) {
        if !self.flag.set.replace(true) {
            for waiter in self.flag.line.take() {
                waiter.serve(());
            }
            self.flag.tell();
        }
    }

    /// Clears the flag: from now on, coroutines have to wait again.
    pub fn clear(&self) {
        self.flag.set.set(false);
        self.flag.tell();
    }

    /// Waits until the flag is set. A coroutine that waited when it was set goes on, even if the flag is cleared at
    /// once.
    #[track_caller]
    pub fn wait(&self) -> Future<()> {
        if self.is_set() {
            return nothing_at_once(|| self.flag.name.requested("wait"));
        }
        let request = Request::pending(Wait(Rc::downgrade(&self.flag)));
        self.flag.line.join(Rc::downgrade(&request), || {
            let whole: Weak<Flag> = Rc::downgrade(&self.flag);
            whole
        });
        self.flag.tell();
        Future::from_core(request)
    }

    /// Waits until the flag is set, for at most `time`; then it fails with [`Error::Timeout`](crate::Error::Timeout).
    ///
    /// A pending wait uses [`with_timeout`](crate::with_timeout), as in Tornado: its coroutine goes on one turn of the
    /// loop later than after [`wait`](Self::wait).
    #[track_caller]
    pub fn wait_within(&self, time: Duration) -> Future<()> {
        still_within(time, self.wait())
    }
}

impl Flag {
    /// Tells the observer how it stands.
    fn tell(&self) {
        if trace::observed() {
            let (lock, name, kind) = (self.name.number(), self.name.get(), self.name.kind());
            let waiting = self.line.told();
            let is = Lock { permits: None, set: Some(self.set.get()), holders: &[], waiting: waiting.line() };
            trace::emit(|| trace::Event::Lock { lock, name: &name, kind, is });
        }
    }
}

impl Withdraw for Flag {
    fn withdraw(&self) {
        self.line.withdraw();
        self.tell();
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set() { "<Event set>" } else { "<Event clear>" })
    }
}
