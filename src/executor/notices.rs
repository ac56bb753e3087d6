//! [`Notices`]: the Futures that wait for a change of a pool.

use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use squall_runner::ready::{Run, Withdraw};
use squall_runner::{Future, Resolvable, Shared};

use crate::ioloop::{IoLoop, Ticket, CLOSED};
use crate::kept::Kept;

/// The Futures, on any loops, that wait for one kind of change: room in the queue, or the end of the threads.
#[derive(Default)]
pub(super) struct Notices(Mutex<Tickets>);

/// Tickets that are dropped to notify those that wait, by number. A Future that is dropped takes its ticket with it.
#[derive(Default)]
struct Tickets {
    waiting: BTreeMap<u64, Ticket>,
    /// How many there ever were.
    made: u64,
}

impl Notices {
    fn lock(&self) -> MutexGuard<'_, Tickets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notifies all that wait now.
    pub(super) fn tell(&self) {
        let told = std::mem::take(&mut self.lock().waiting);
        drop(told);
    }

    /// Returns a Future that is done at the next [`tell`](Self::tell), or at once if `has_come` returns `true`. That is
    /// asked while the list is locked: a thread that tells afterwards finds the Future in the list.
    pub(super) fn wait(self: &Arc<Self>, has_come: impl FnOnce() -> bool) -> Future<()> {
        let mut tickets = self.lock();
        if has_come() {
            return Future::ready(());
        }
        let io_loop = IoLoop::current();
        if io_loop.is_closed() {
            return Future::failed(CLOSED);
        }
        tickets.made += 1;
        let (notices, number) = (self.clone(), tickets.made);
        let notice = Rc::new(Notice { shared: Shared::new(), notices, number, kept: Kept::default() });
        io_loop.expect(|ticket| {
            tickets.waiting.insert(number, ticket);
            Rc::new(Told(Rc::downgrade(&notice)))
        });
        drop(tickets);
        Future::from_core(notice)
    }
}

/// A Future that is done when the pool notifies it.
struct Notice {
    shared: Shared<()>,
    notices: Arc<Notices>,
    number: u64,
    kept: Kept<Self>,
}

impl Resolvable for Notice {
    type Output = ();

    fn shared(&self) -> &Shared<()> {
        &self.shared
    }

    fn on_cancel(&self) {
        self.kept.release();
    }

    fn keep(self: Rc<Self>) {
        self.kept.keep(self.clone());
    }
}

impl Drop for Notice {
    fn drop(&mut self) {
        let ticket = self.notices.lock().waiting.remove(&self.number);
        drop(ticket);
    }
}

/// The callback of the loop, which does not hold the Future.
struct Told(Weak<Notice>);

impl Run for Told {
    fn run(self: Rc<Self>) {
        if let Some(notice) = self.0.upgrade() {
            notice.shared.set_result(());
            notice.kept.release();
        }
    }
}

impl Withdraw for Told {
    fn withdraw(&self) {
        if let Some(notice) = self.0.upgrade() {
            notice.shared.end_with_loop();
            notice.kept.release();
        }
    }
}
