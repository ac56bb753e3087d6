//! [`Permits`]: the common mechanism of locks and semaphores, and their [`Guard`].

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::rc::{Rc, Weak};

use squall_runner::ready::Withdraw;
use squall_runner::trace::{self, Event, Lock, LockId};
use squall_runner::{Future, Place};

use super::holders::{Holder, Holders, Key};
use super::line::{InLine, Line};
use super::name::{Name, Requested};
use super::request::{at_once, nothing_at_once, Limit, Purpose, Request};

/// The state that the handles of a lock or semaphore share.
pub(super) struct Permits {
    pub(super) name: Name,
    /// How many permits are free.
    value: Cell<usize>,
    /// The largest allowed value of `value`; `usize::MAX` for no limit.
    bound: usize,
    /// How many guards exist.
    guards: Cell<usize>,
    /// `true` if a permit is being granted further up the stack.
    granting: Cell<bool>,
    /// Holds no pending request while `value` is not 0.
    line: Line<dyn Enter>,
    holders: Holders,
}

/// A request for a permit.
trait Enter: InLine {
    fn enter(&self, permits: &Rc<Permits>);
}

/// The result of a granted request: a guard, or `()`.
pub(super) trait Permit: Sized + 'static {
    fn granted(permits: &Rc<Permits>, holder: Holder) -> Self;

    /// Returns the Future of a request that is granted at once.
    fn at_once(permits: &Rc<Permits>, holder: Holder) -> Future<Self> {
        at_once(|| permits.request_at_once(&holder), Self::granted(permits, holder.clone()))
    }
}

impl Permit for () {
    fn granted(permits: &Rc<Permits>, holder: Holder) {
        permits.holders.add(holder, true);
    }

    fn at_once(permits: &Rc<Permits>, holder: Holder) -> Future<()> {
        Self::granted(permits, holder.clone());
        nothing_at_once(|| permits.request_at_once(&holder))
    }
}

impl Permit for Guard {
    fn granted(permits: &Rc<Permits>, holder: Holder) -> Self {
        permits.guards.set(permits.guards.get() + 1);
        Self { key: permits.holders.add(holder, false), permits: Some(permits.clone()) }
    }
}

struct Acquire<P> {
    permits: Weak<Permits>,
    /// The coroutine that will hold the permit.
    holder: Holder,
    _permit: PhantomData<fn() -> P>,
}

impl<P: Permit> Purpose for Acquire<P> {
    type Output = P;

    fn lock(&self) -> Option<LockId> {
        self.permits.upgrade().map(|permits| permits.name.number())
    }

    fn place(&self) -> Option<Place> {
        Some(self.holder.place())
    }

    fn request(&self) -> Option<String> {
        self.permits.upgrade().map(|permits| permits.request())
    }

    fn describe(&self) -> Option<String> {
        self.permits.upgrade().map(|permits| format!("{}{}", permits.name.get(), permits.holders))
    }

    fn left(&self) {
        if let Some(permits) = self.permits.upgrade() {
            permits.line.leave();
            permits.tell();
        }
    }
}

impl<P: Permit> Enter for Request<Acquire<P>> {
    fn enter(&self, permits: &Rc<Permits>) {
        self.serve(P::granted(permits, self.purpose.holder.clone()));
    }
}

impl Permits {
    pub(super) fn new(kind: &'static str, value: usize, bound: usize) -> Rc<Self> {
        Rc::new(Self {
            name: Name::of(kind),
            holders: Holders::default(),
            value: Cell::new(value),
            bound,
            guards: Cell::new(0),
            granting: Cell::new(false),
            line: Line::default(),
        })
    }

    /// Returns how a trace calls a request.
    fn request(&self) -> String {
        self.name.request("acquire")
    }

    /// Tells the observer that a permit was granted at once, and returns what the request is called.
    fn request_at_once(&self, holder: &Holder) -> Requested {
        self.tell();
        Requested { place: Some(holder.place()), ..self.name.requested("acquire") }
    }

    /// Tells the observer how it stands.
    #[inline]
    fn tell(&self) {
        if trace::observed() {
            self.tell_observer();
        }
    }

    #[cold]
    fn tell_observer(&self) {
        let (lock, name, kind) = (self.name.number(), self.name.get(), self.name.kind());
        let (holders, waiting) = (self.holders.told(), self.line.told());
        let permits = Some(self.value.get());
        let is = Lock { permits, set: None, holders: &holders, waiting: waiting.line() };
        trace::emit(|| Event::Lock { lock, name: &name, kind, is });
    }

    pub(super) fn acquire<P: Permit>(self: &Rc<Self>, limit: Limit, holder: Holder) -> Future<P> {
        if self.take_free() {
            return P::at_once(self, holder);
        }
        let permits = Rc::downgrade(self);
        let request = Request::pending(Acquire { permits, holder, _permit: PhantomData });
        request.limit(limit);
        let place: Weak<Request<Acquire<P>>> = Rc::downgrade(&request);
        self.line.join(place, || {
            let whole: Weak<Self> = Rc::downgrade(self);
            whole
        });
        self.tell();
        Future::from_core(request)
    }

    /// Takes a permit if one is free.
    #[cfg(feature = "http-client-plain")]
    pub(super) fn acquire_now(self: &Rc<Self>, holder: Holder) -> Option<Guard> {
        self.take_free().then(|| Guard::granted(self, holder))
    }

    #[inline]
    fn take_free(&self) -> bool {
        let is_free = self.value.get() > 0 && !self.is_promised();
        if is_free {
            self.value.set(self.value.get() - 1);
        }
        is_free
    }

    /// Returns whether the free permits go to the requests in line: a waker that one of them has called asks for a
    /// permit, and would overtake the others.
    #[inline]
    fn is_promised(&self) -> bool {
        self.granting.get() && self.line.count() >= self.value.get()
    }

    /// Returns whether a permit was granted without a guard, so that `release` may end it.
    pub(super) fn is_held_by_hand(&self) -> bool {
        self.value.get() + self.guards.get() < self.bound
    }

    pub(super) fn release_by_hand(self: &Rc<Self>) {
        self.holders.release();
        self.release();
    }

    fn release(self: &Rc<Self>) {
        // At `usize::MAX` the count stays: that many permits are as good as no limit.
        self.value.set(self.value.get().saturating_add(1));
        if self.granting.replace(true) {
            // A call further up the stack is granting permits: its loop will grant this one.
            return;
        }
        while self.value.get() > 0 {
            let Some(waiter) = self.line.next() else { break };
            self.value.set(self.value.get() - 1);
            waiter.enter(self);
        }
        self.granting.set(false);
        self.tell();
    }
}

impl fmt::Debug for Permits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} [", self.name.kind())?;
        match self.value.get() {
            0 => f.write_str("locked")?,
            value => write!(f, "unlocked,value:{value}")?,
        }
        match self.line.count() {
            0 => f.write_str("]>"),
            waiters => write!(f, ",waiters:{waiters}]>"),
        }
    }
}

impl Withdraw for Permits {
    fn withdraw(&self) {
        self.line.withdraw();
        self.tell();
    }
}

/// A permit of a lock or semaphore. Dropping it releases the permit, which the next request in line gets.
#[must_use = "the lock is released when this is dropped: bind it to a name such as `_guard`"]
pub struct Guard {
    /// `None` only in a guard that was forgotten.
    permits: Option<Rc<Permits>>,
    /// Identifies the recorded holder, if it is recorded.
    key: Option<Key>,
}

impl Guard {
    /// Keeps the permit without a guard, until `release` is called.
    ///
    /// ```
    /// use squall::locks::Lock;
    ///
    /// let lock = Lock::new();
    /// lock.acquire().into_result()?.forget();
    /// assert!(!lock.acquire().done());
    /// lock.release()?;
    /// # Ok::<(), squall::Exception>(())
    /// ```
    pub fn forget(mut self) {
        if let Some(permits) = self.permits.take() {
            permits.guards.set(permits.guards.get() - 1);
            self.key.into_iter().for_each(|key| permits.holders.forget_guard(key));
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(permits) = self.permits.take() {
            permits.guards.set(permits.guards.get() - 1);
            self.key.into_iter().for_each(|key| permits.holders.remove(key));
            permits.release();
        }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").finish_non_exhaustive()
    }
}
