//! [`LoopHandle`]: a loop as other threads see it; and how they wake it.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use polling::{Events, Poller};

/// A callback from another thread.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

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
#[derive(Clone)]
pub struct LoopHandle(Arc<Remote>);

/// Counted: the loop itself holds one, every handle outside another.
struct Remote {
    sender: Sender<Job>,
    wakeup: Arc<Wakeup>,
}

impl LoopHandle {
    /// Has `callback` called on the loop's thread, in its next iteration. If the loop is gone, it is dropped.
    pub fn add_callback(&self, callback: impl FnOnce() + Send + 'static) {
        if self.0.sender.send(Box::new(callback)).is_ok() {
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
#[derive(Default)]
pub(crate) struct Wakeup {
    /// Made when the loop first sleeps: one that never does needs no file descriptor.
    poller: OnceLock<Poller>,
    /// Whether the loop sleeps or is about to. Set before it looks into its inbox for the last time.
    sleeping: AtomicBool,
}

impl Wakeup {
    pub(crate) fn wake(&self) {
        if self.sleeping.swap(false, Ordering::SeqCst) {
            if let Some(poller) = self.poller.get() {
                // It fails only if the poller is broken, and then the loop's own wait says so.
                drop(poller.notify());
            }
        }
    }

    pub(crate) fn poller(&self) -> io::Result<&Poller> {
        if self.poller.get().is_none() {
            drop(self.poller.set(Poller::new()?));
        }
        Ok(self.poller.get().expect("it was set just now"))
    }
}

/// The loop's own end.
pub(crate) struct Inbox {
    receiver: Receiver<Job>,
    remote: Arc<Remote>,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = crossbeam_channel::unbounded();
        Self { receiver, remote: Arc::new(Remote { sender, wakeup: Arc::default() }) }
    }

    pub(crate) fn handle(&self) -> LoopHandle {
        LoopHandle(self.remote.clone())
    }

    pub(crate) fn wakeup(&self) -> &Arc<Wakeup> {
        &self.remote.wakeup
    }

    /// Whether somebody outside may still have something called.
    pub(crate) fn has_senders(&self) -> bool {
        Arc::strong_count(&self.remote) > 1 || !self.receiver.is_empty()
    }

    pub(crate) fn pop(&self) -> Option<Job> {
        self.receiver.try_recv().ok()
    }

    /// Sleeps until something happens, at most so long; `None`: however long that takes.
    pub(crate) fn sleep(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        let wakeup = self.wakeup();
        let poller = wakeup.poller()?;
        wakeup.sleeping.store(true, Ordering::SeqCst);
        let timeout = if self.receiver.is_empty() { timeout } else { Some(Duration::ZERO) };
        events.clear();
        let slept = poller.wait(events, timeout);
        wakeup.sleeping.store(false, Ordering::SeqCst);
        match slept {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            slept => slept.map(drop),
        }
    }
}
