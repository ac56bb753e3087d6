//! [`LoopHandle`]: a loop as other threads see it; and how they wake it.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use polling::{Events, Poller};

/// What other threads leave for the loop.
pub(crate) enum Mail {
    /// To be called.
    Callback(Box<dyn FnOnce() + Send>),
    /// What is expected under this key has come.
    Arrived(usize),
}

/// A loop as other threads see it: they may have something called on it. While there is one, a loop that has
/// nothing to do sleeps and waits for it.
///
/// ```
/// use squall::{Future, IoLoop};
///
/// let io_loop = IoLoop::current();
/// let (promise, future) = { let f = Future::<i32>::new(); (f.promise(), f) };
/// let handle = io_loop.handle();
/// let thread = std::thread::spawn(move || {
///     let answer = 42;
///     handle.add_callback(move || println!("on the loop's thread: {answer}"));
/// });
/// thread.join().unwrap();
/// promise.set_result(5);
/// assert_eq!(io_loop.run_sync(|| future)?, 5);
/// # Ok::<(), squall::Exception>(())
/// ```
pub struct LoopHandle(Arc<Remote>);

/// What the loop and those outside share.
pub(crate) struct Remote {
    sender: Sender<Mail>,
    wakeup: Arc<Wakeup>,
    /// How many handles there are.
    handles: AtomicUsize,
    /// Whether the loop takes nothing any more.
    closed: AtomicBool,
}

impl LoopHandle {
    /// Has `callback` called on the loop's thread, in its next iteration. If the loop is gone, it is dropped.
    pub fn add_callback(&self, callback: impl FnOnce() + Send + 'static) {
        self.0.send(Mail::Callback(Box::new(callback)));
    }
}

impl Remote {
    pub(crate) fn send(&self, mail: Mail) {
        if !self.closed.load(Ordering::SeqCst) && self.sender.send(mail).is_ok() {
            self.wakeup.wake();
        }
    }
}

impl Clone for LoopHandle {
    fn clone(&self) -> Self {
        self.0.handles.fetch_add(1, Ordering::SeqCst);
        Self(self.0.clone())
    }
}

impl Drop for LoopHandle {
    fn drop(&mut self) {
        if self.0.handles.fetch_sub(1, Ordering::SeqCst) == 1 {
            // The loop may be waiting for nothing else: it has to see that nobody is left.
            self.0.wakeup.wake();
        }
    }
}

impl fmt::Debug for LoopHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopHandle").finish_non_exhaustive()
    }
}

/// How a loop sleeps, and is woken.
///
/// The loop says that it falls asleep *before* it looks for the last time for what others have left; they say
/// that there is something *after* they have left it. So one of both always sees the other.
///
/// A loop that watches no descriptor parks its thread: that takes one call of the system, the poller's way five.
pub(crate) struct Wakeup {
    /// Made for the first descriptor that is watched, and by the loop's thread: never while that is parked.
    poller: OnceLock<Poller>,
    /// The loop's.
    thread: Thread,
    /// Whether the loop sleeps or is about to, and nobody has woken it yet.
    sleeping: AtomicBool,
}

impl Wakeup {
    /// Of a loop of this thread.
    fn new() -> Self {
        Self { poller: OnceLock::new(), thread: thread::current(), sleeping: AtomicBool::new(false) }
    }

    pub(crate) fn wake(&self) {
        if self.sleeping.load(Ordering::SeqCst) && self.sleeping.swap(false, Ordering::SeqCst) {
            match self.poller.get() {
                // It fails only if the poller is broken, and then the loop's own wait says so.
                Some(poller) => drop(poller.notify()),
                None => self.thread.unpark(),
            }
        }
    }

    pub(crate) fn fall_asleep(&self) {
        self.sleeping.store(true, Ordering::SeqCst);
    }

    /// Whether somebody has woken the loop since it fell asleep.
    pub(crate) fn was_woken(&self) -> bool {
        !self.sleeping.load(Ordering::SeqCst)
    }

    pub(crate) fn awake(&self) {
        self.sleeping.store(false, Ordering::SeqCst);
    }

    pub(crate) fn poller(&self) -> io::Result<&Poller> {
        if self.poller.get().is_none() {
            drop(self.poller.set(Poller::new()?));
        }
        Ok(self.poller.get().expect("it was set just now"))
    }

    /// Waits until something happens, at most so long; `None`: however long that takes. Does not wait if
    /// somebody has woken the loop since it fell asleep.
    pub(crate) fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.clear();
        let timeout = if self.was_woken() { Some(Duration::ZERO) } else { timeout };
        let Some(poller) = self.poller.get() else {
            match timeout {
                Some(timeout) if timeout.is_zero() => {}
                Some(timeout) => thread::park_timeout(timeout),
                None => thread::park(),
            }
            return Ok(());
        };
        match poller.wait(events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            slept => slept.map(drop),
        }
    }
}

/// The loop's own end.
pub(crate) struct Inbox {
    receiver: Receiver<Mail>,
    remote: Arc<Remote>,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = crossbeam_channel::unbounded();
        let remote = Remote {
            sender,
            wakeup: Arc::new(Wakeup::new()),
            handles: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        };
        Self { receiver, remote: Arc::new(remote) }
    }

    pub(crate) fn handle(&self) -> LoopHandle {
        self.remote.handles.fetch_add(1, Ordering::SeqCst);
        LoopHandle(self.remote.clone())
    }

    pub(crate) fn remote(&self) -> &Arc<Remote> {
        &self.remote
    }

    pub(crate) fn wakeup(&self) -> &Arc<Wakeup> {
        &self.remote.wakeup
    }

    /// Whether somebody outside may still have something called.
    pub(crate) fn has_handles(&self) -> bool {
        self.remote.handles.load(Ordering::SeqCst) > 0
    }

    /// How much there is in it.
    pub(crate) fn len(&self) -> usize {
        self.receiver.len()
    }

    pub(crate) fn pop(&self) -> Option<Mail> {
        self.receiver.try_recv().ok()
    }

    /// Takes nothing any more, and drops what has come.
    pub(crate) fn close(&self) {
        self.remote.closed.store(true, Ordering::SeqCst);
        while self.pop().is_some() {}
    }
}
