//! [`Pool`]: the idle connections of a client.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::{Rc, Weak};
use std::time::Duration;

use squall_runner::ready::{ReadyQueue, Run, Withdraw};
use url::{Position, Url};

use super::connection::Connection;
use crate::ioloop::{IoLoop, Timeout};
use crate::net::network;

/// Returns the name of a URL's destination on the current network. Any connection to it can serve the request.
pub(super) fn destination(url: &Url) -> Cow<'_, str> {
    // A request carries name and password in a header, so the URL has none.
    let origin = &url[..Position::AfterPort];
    match network::current_number() {
        None => Cow::Borrowed(origin),
        Some(network) => Cow::Owned(format!("{network} {origin}")),
    }
}

/// The connections of a client that no fetch uses.
pub(super) struct Pool {
    /// By the name of the destination. The connection that was used last is at the end. A destination whose connections
    /// are all in use stays until the timer is due, so that a fetch need not enter it again.
    /// In order, since a few comparisons of names cost less than a hash.
    idle: RefCell<BTreeMap<String, VecDeque<Idle>>>,
    max_per_host: usize,
    timeout: Duration,
    /// The timer that closes connections that were idle for too long. Set while any connection is idle, and due no later
    /// than the first of them: a fetch that takes out the last one leaves the timer, which sets itself again.
    timer: Cell<Option<Timeout>>,
    this: Weak<Self>,
}

/// An idle connection.
struct Idle {
    connection: Box<Connection>,
    /// When the connection is closed, on the clock of its loop.
    until: Duration,
    /// The ready queue of its loop. The connection cannot be used on another loop.
    ready: Weak<ReadyQueue>,
}

impl Idle {
    fn is_here(&self) -> bool {
        self.ready.ptr_eq(&Rc::downgrade(&ReadyQueue::current()))
    }
}

impl Pool {
    pub(super) fn new(max_per_host: usize, timeout: Duration) -> Rc<Self> {
        Rc::new_cyclic(|this| Self {
            idle: RefCell::default(),
            max_per_host,
            timeout,
            timer: Cell::default(),
            this: this.clone(),
        })
    }

    /// Takes out the connection that was used last and is still open.
    pub(super) fn take(&self, url: &Url) -> Option<Box<Connection>> {
        let (destination, now) = (destination(url), IoLoop::current().turn_time());
        loop {
            let mut idle = self.take_last(&destination)?;
            if idle.is_here() && idle.until > now && idle.connection.is_reusable() {
                return Some(idle.connection);
            }
        }
    }

    fn take_last(&self, destination: &str) -> Option<Idle> {
        self.idle.borrow_mut().get_mut(destination)?.pop_back()
    }

    /// Keeps a connection that was just used, or closes it if there are enough.
    pub(super) fn put(&self, mut connection: Box<Connection>) {
        if self.max_per_host == 0 || self.timeout.is_zero() || !connection.is_reusable() {
            return;
        }
        connection.rest();
        let io_loop = IoLoop::current();
        let until = io_loop.turn_time().saturating_add(self.timeout);
        let ready = Rc::downgrade(&ReadyQueue::current());
        let oldest = {
            let mut all = self.idle.borrow_mut();
            let of_host = match all.get_mut(&connection.destination) {
                Some(of_host) => of_host,
                None => all.entry(connection.destination.clone()).or_default(),
            };
            of_host.push_back(Idle { connection, until, ready });
            (of_host.len() > self.max_per_host).then(|| of_host.pop_front())
        };
        drop(oldest);
        let timer = self.timer.take().unwrap_or_else(|| self.close_at(&io_loop, until));
        self.timer.set(Some(timer));
    }

    fn close_at(&self, io_loop: &IoLoop, when: Duration) -> Timeout {
        io_loop.add_timer(when, Rc::new(CloseOld(self.this.clone())))
    }

    /// Closes the connections that were idle for too long.
    fn close_old(&self) {
        let io_loop = IoLoop::current();
        let (now, mut old, mut next) = (io_loop.time(), Vec::new(), None::<Duration>);
        self.idle.borrow_mut().retain(|_, of_host| {
            while of_host.front().is_some_and(|idle| idle.until <= now || !idle.is_here()) {
                old.extend(of_host.pop_front());
            }
            let first = of_host.front().map(|idle| idle.until);
            next = next.into_iter().chain(first).min();
            first.is_some()
        });
        drop(old);
        self.timer.set(next.map(|next| self.close_at(&io_loop, next)));
    }

    fn remove_timer(&self) {
        if let Some(timer) = self.timer.take() {
            IoLoop::current().remove_timeout(&timer);
        }
    }

    /// Returns how many connections are idle.
    pub(super) fn len(&self) -> usize {
        self.idle.borrow().values().map(VecDeque::len).sum()
    }
}

/// The callback of the pool's timer.
struct CloseOld(Weak<Pool>);

impl Run for CloseOld {
    fn run(self: Rc<Self>) {
        if let Some(pool) = self.0.upgrade() {
            pool.timer.take();
            pool.close_old();
        }
    }

    /// Names the timer, so that a test does not count it among the timers that are left over: a program with idle
    /// connections is done.
    fn choice(&self) -> Option<(Cow<'static, str>, u64)> {
        Some(("idle_timeout".into(), 0))
    }
}

impl Withdraw for CloseOld {}

impl Drop for Pool {
    fn drop(&mut self) {
        self.remove_timer();
    }
}
