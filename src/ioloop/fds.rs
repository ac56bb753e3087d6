//! [`Fds`]: the file descriptors that a loop watches, and their handlers.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::ops::BitOr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::sync::Arc;

use log::Level;
use polling::Event;
use squall_runner::foreign::Guarded;
use squall_runner::ready::{is_mostly_empty, ReadyQueue, Run, Withdraw};
use squall_runner::{log, Context};

use super::registered::{Mode, Registered};
use super::wait::{Seen, Wait};
use super::wakeup::Wakeup;

/// The directions in which a file descriptor is ready, or is to be watched. Join them with `|`.
///
/// ```
/// use squall::ioloop::FdEvents;
///
/// let both = FdEvents::READ | FdEvents::WRITE;
/// assert!(both.read && both.write);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FdEvents {
    /// Readable; also set when the descriptor has an error or its other end is closed.
    pub read: bool,
    /// Writable; also set when the descriptor has an error or its other end is closed.
    pub write: bool,
}

impl FdEvents {
    /// No direction. The handler is paused, and its descriptor costs nothing, whatever happens at its other end.
    pub const NONE: Self = Self { read: false, write: false };
    /// Tornado's `IOLoop.READ`.
    pub const READ: Self = Self { read: true, write: false };
    /// Tornado's `IOLoop.WRITE`.
    pub const WRITE: Self = Self { read: false, write: true };

    fn and(self, other: Self) -> Self {
        Self { read: self.read && other.read, write: self.write && other.write }
    }
}

impl BitOr for FdEvents {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self { read: self.read || other.read, write: self.write || other.write }
    }
}

/// The handlers of a loop, by the numbers of their descriptors.
#[derive(Default)]
pub(super) struct Fds {
    handlers: RefCell<HashMap<RawFd, Rc<Handler>>>,
    watched: Rc<Watched>,
}

/// How many descriptors are registered with the poller. Those of paused handlers are not.
#[derive(Default)]
struct Watched(Cell<usize>);

impl Fds {
    /// Returns whether at least one descriptor is watched, and so could wake the loop.
    pub(super) fn any_watched(&self) -> bool {
        self.watched.0.get() > 0
    }

    /// Returns whether a watched descriptor is one for which a clock that jumps waits.
    pub(super) fn any_awaited(&self) -> bool {
        let handlers = self.handlers.borrow();
        handlers.values().any(|handler| handler.awaited.get() && handler.events.get() != FdEvents::NONE)
    }

    pub(super) fn get(&self, fd: RawFd) -> Option<Rc<Handler>> {
        self.handlers.borrow().get(&fd).cloned()
    }

    pub(super) fn add(
        &self,
        source: Rc<dyn AsFd>,
        events: FdEvents,
        f: HandlerFn,
        wakeup: &Arc<Wakeup>,
    ) -> io::Result<()> {
        let fd = source.as_fd().as_raw_fd();
        if self.get(fd).is_some() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the descriptor already has a handler"));
        }
        let registration = Registration::new(source, fd, wakeup, &self.watched)?;
        registration.arm(events)?;
        let handler = Handler {
            registration: RefCell::new(Some(registration)),
            events: Cell::new(events),
            ready: Cell::new(FdEvents::NONE),
            awaited: Cell::new(false),
            f: Cell::new(Some(f)),
            context: Context::current(),
        };
        self.handlers.borrow_mut().insert(fd, Rc::new(handler));
        Ok(())
    }

    pub(super) fn remove(&self, fd: RawFd) -> Option<Rc<Handler>> {
        let removed = {
            let handlers = &mut *self.handlers.borrow_mut();
            let removed = handlers.remove(&fd);
            // Returns memory that many removed handlers have left unused.
            if is_mostly_empty(handlers.len(), handlers.capacity()) {
                handlers.shrink_to_fit();
            }
            removed
        };
        removed.inspect(|handler| handler.withdraw())
    }

    /// Puts the handlers of the descriptors that are ready on the ready queue.
    pub(super) fn take_in(&self, wait: &Wait, queue: &ReadyQueue) {
        let handlers = self.handlers.borrow();
        if handlers.is_empty() {
            return;
        }
        wait.each(|Seen { key, read, write, .. }| {
            // Keys are the numbers of the descriptors.
            let handler = RawFd::try_from(key).ok().and_then(|fd| handlers.get(&fd));
            if let Some(handler) = handler {
                handler.ready.set(FdEvents { read, write });
                queue.push(handler.clone());
            }
        });
    }

    /// Removes all handlers.
    pub(super) fn close(&self) {
        let handlers = self.handlers.take();
        handlers.values().for_each(|handler| handler.withdraw());
    }
}

type HandlerFn = Guarded<Box<dyn FnMut(FdEvents)>>;

pub(super) struct Handler {
    /// `None` once the handler is removed.
    registration: RefCell<Option<Registration>>,
    /// The directions in which the descriptor is watched.
    events: Cell<FdEvents>,
    /// The directions in which the last wait found the descriptor ready.
    ready: Cell<FdEvents>,
    /// `true` if a clock that jumps waits while the descriptor is watched.
    awaited: Cell<bool>,
    /// `None` while the handler is being called, and once it is removed.
    f: Cell<Option<HandlerFn>>,
    context: Context,
}

impl Handler {
    pub(super) fn update(&self, events: FdEvents) -> io::Result<()> {
        self.events.set(events);
        self.arm()
    }

    /// Sets whether a clock that jumps waits while the descriptor is watched.
    pub(super) fn wait_for(&self, waits: bool) {
        self.awaited.set(waits);
    }

    /// Watches the descriptor for its next event, since the poller reports each event only once.
    fn arm(&self) -> io::Result<()> {
        match &*self.registration.borrow() {
            Some(registration) => registration.arm(self.events.get()),
            None => Ok(()),
        }
    }
}

impl Run for Handler {
    fn run(self: Rc<Self>) {
        let Some(f) = self.f.take() else { return };
        // Puts the handler back for the next event, even if it panics, unless it was removed meanwhile.
        let mut putting_back = PutBack { handler: &self, f: Some(f) };
        // Armed before the call, so that what the handler leaves ready is seen in the next turn.
        if let Err(error) = self.arm() {
            log(
                Level::Error,
                "squall::ioloop",
                format_args!("a descriptor cannot be watched any more: {error}"),
            );
        }
        let ready = self.ready.take().and(self.events.get());
        if let (Some(f), true) = (&mut putting_back.f, ready != FdEvents::NONE) {
            self.context.clone().enter(|| f(ready));
        }
    }
}

impl Withdraw for Handler {
    /// Removes the handler.
    fn withdraw(&self) {
        drop((self.registration.take(), self.f.take()));
    }
}

struct PutBack<'a> {
    handler: &'a Handler,
    f: Option<HandlerFn>,
}

impl Drop for PutBack<'_> {
    fn drop(&mut self) {
        if self.handler.registration.borrow().is_some() {
            self.handler.f.set(self.f.take());
        }
    }
}

/// A descriptor that is registered with the poller while it is watched in some direction.
///
/// epoll reports a hang-up even for a descriptor that is watched for nothing, again and again; so a paused descriptor
/// is not registered.
struct Registration {
    /// A duplicate of the descriptor, owned by the registration: it stays open for as long as the poller knows it,
    /// whatever is done to `source`.
    registered: Registered<OwnedFd>,
    fd: RawFd,
    watched: Rc<Watched>,
    /// Keeps the descriptor open, so that its number `fd` is not reused for another file.
    _source: Guarded<Rc<dyn AsFd>>,
}

impl Registration {
    /// Registers the descriptor with the poller, which fails if it cannot be watched at all.
    fn new(source: Rc<dyn AsFd>, fd: RawFd, wakeup: &Arc<Wakeup>, watched: &Rc<Watched>) -> io::Result<Self> {
        let registered = Registered::new(source.as_fd().try_clone_to_owned()?, wakeup);
        let registration = Self { registered, fd, watched: watched.clone(), _source: Guarded::new(source) };
        registration.add()?;
        Ok(registration)
    }

    /// Returns the poller's key of the descriptor, which is its number.
    fn key(&self) -> io::Result<usize> {
        usize::try_from(self.fd).map_err(io::Error::other)
    }

    fn add(&self) -> io::Result<()> {
        if !self.registered.is_known() {
            self.registered.add(self.key()?, Mode::Once)?;
            self.watched.0.set(self.watched.0.get() + 1);
        }
        Ok(())
    }

    fn delete(&self) -> io::Result<()> {
        if self.registered.is_known() {
            self.watched.0.set(self.watched.0.get() - 1);
            self.registered.delete()?;
        }
        Ok(())
    }

    /// Watches the descriptor for the next of these events, once.
    fn arm(&self, events: FdEvents) -> io::Result<()> {
        if events == FdEvents::NONE {
            return self.delete();
        }
        self.add()?;
        self.registered.watch(Event::new(self.key()?, events.read, events.write))
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Err(error) = self.delete() {
            log(Level::Error, "squall::ioloop", format_args!("a descriptor could not be forgotten: {error}"));
        }
    }
}
