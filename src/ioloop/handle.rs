//! [`LoopHandle`]: a loop as other threads see it, and the mail that they leave.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use squall_runner::foreign::Guarded;
use squall_runner::ready::{is_mostly_empty, Callback, ReadyQueue, Run, Withdraw, Woken};
use squall_runner::Context;

use super::wakeup::Wakeup;

/// A message that another thread leaves for the loop.
pub(crate) enum Mail {
    /// A callback to call.
    Callback(SendCallback),
    /// The key of an expected callback, whose ticket was dropped.
    Arrived(usize),
    /// A native coroutine whose waker was called.
    Woken(Arc<Woken>),
}

type SendCallback = Guarded<Box<dyn FnOnce() + Send>>;

/// A handle by which other threads add callbacks to a loop. While a `LoopHandle` exists, a loop that has nothing else
/// to do sleeps and waits, and does not report a deadlock.
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

/// The state that a loop shares with other threads.
pub(crate) struct Remote {
    /// The messages that the loop has not taken yet, in order. `None` once the loop is closed.
    mail: Mutex<Option<Vec<Mail>>>,
    wakeup: Arc<Wakeup>,
    /// How many [`LoopHandle`]s exist.
    handles: AtomicUsize,
}

impl LoopHandle {
    /// Calls `callback` on the loop's thread, in its next turn. If the loop is closed, the callback is dropped
    /// uncalled.
    pub fn add_callback(&self, callback: impl FnOnce() + Send + 'static) {
        self.0.send(Mail::Callback(Guarded::new(Box::new(callback))));
    }

    /// Returns a handle that does not keep the loop waiting.
    #[must_use]
    pub fn downgrade(&self) -> WeakHandle {
        WeakHandle(self.0.clone())
    }
}

/// A handle like [`LoopHandle`] that does not keep the loop waiting: a loop that has nothing else to do reports a
/// deadlock.
///
/// ```
/// use squall::IoLoop;
///
/// let io_loop = IoLoop::current();
/// let (handle, inner) = (io_loop.handle().downgrade(), io_loop.handle());
/// handle.add_callback(move || drop(inner));
/// # io_loop.run_sync(|| ()).unwrap();
/// ```
#[derive(Clone)]
pub struct WeakHandle(Arc<Remote>);

impl WeakHandle {
    /// Calls `callback` on the loop's thread, in its next turn. If the loop is closed, the callback is dropped
    /// uncalled.
    pub fn add_callback(&self, callback: impl FnOnce() + Send + 'static) {
        self.0.send(Mail::Callback(Guarded::new(Box::new(callback))));
    }
}

impl fmt::Debug for WeakHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakHandle").finish_non_exhaustive()
    }
}

impl Remote {
    pub(crate) fn send(&self, mail: Mail) {
        // A message that is not accepted is dropped after the list is unlocked, since its `Drop` may leave another one.
        let mut refused = None;
        let first = match &mut *self.mail() {
            Some(left) => {
                left.push(mail);
                left.len() == 1
            }
            None => {
                refused = Some(mail);
                false
            }
        };
        drop(refused);
        // The loop takes all messages at once, so only the first one has to wake it.
        if first {
            self.wakeup.wake();
        }
    }

    fn mail(&self) -> MutexGuard<'_, Option<Vec<Mail>>> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
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
            // The loop may be waiting only because handles exist: wake it to see that the last one is gone.
            self.0.wakeup.wake();
        }
    }
}

impl fmt::Debug for LoopHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopHandle").finish_non_exhaustive()
    }
}

/// The loop's own end of the mailbox.
pub(crate) struct Inbox {
    remote: Arc<Remote>,
    /// An empty list with spare room, exchanged for the full one when mail is read.
    spare: Cell<Vec<Mail>>,
    called: Rc<Called>,
}

/// A list that has room for more messages than this is not kept for reuse.
const SPARE: usize = 1024;

impl Inbox {
    pub(crate) fn new() -> Self {
        let remote = Remote {
            mail: Mutex::new(Some(Vec::new())),
            wakeup: Arc::new(Wakeup::new()),
            handles: AtomicUsize::new(0),
        };
        Self { remote: Arc::new(remote), spare: Cell::default(), called: Rc::default() }
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

    /// Returns whether a [`LoopHandle`] exists, so that another thread may still add a callback.
    pub(crate) fn has_handles(&self) -> bool {
        self.remote.handles.load(Ordering::SeqCst) > 0
    }

    #[cfg(any(test, feature = "trace"))]
    pub(crate) fn is_empty(&self) -> bool {
        self.remote.mail().as_ref().is_none_or(Vec::is_empty)
    }

    /// Reads all mail: returns the callbacks and the keys of expected callbacks, and puts the native coroutines that
    /// were woken on `ready`.
    pub(crate) fn take(
        &self,
        ready: &ReadyQueue,
        mut call: impl FnMut(Callback),
        mut arrived: impl FnMut(usize),
    ) {
        let mut taken = self.spare.take();
        if let Some(left) = &mut *self.remote.mail() {
            std::mem::swap(left, &mut taken);
        }
        for mail in taken.drain(..) {
            match mail {
                Mail::Callback(f) => {
                    self.called.0.borrow_mut().push_back(f);
                    call(self.called.clone());
                }
                Mail::Arrived(key) => arrived(key),
                Mail::Woken(woken) => ready.wake(&woken),
            }
        }
        if taken.capacity() <= SPARE {
            self.spare.set(taken);
        }
    }

    /// Returns memory that a burst of callbacks has left unused.
    pub(super) fn give_back_room(&self) {
        let called = &mut *self.called.0.borrow_mut();
        if is_mostly_empty(called.len(), called.capacity()) {
            called.shrink_to_fit();
        }
    }

    /// Refuses all further mail, and drops what was left.
    pub(crate) fn close(&self) {
        let left = self.remote.mail().take();
        drop(left);
        let called = self.called.0.take();
        drop(called);
    }
}

/// The callbacks of other threads, in order. The ready queue holds this once for each of them, so that no callback
/// needs an allocation of its own there.
#[derive(Default)]
struct Called(RefCell<VecDeque<SendCallback>>);

impl Run for Called {
    fn run(self: Rc<Self>) {
        let next = self.0.borrow_mut().pop_front();
        if let Some(f) = next {
            Context::current().enter(f.into_inner());
        }
    }
}

impl Withdraw for Called {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_of_several_sends_is_flagged_once() {
        let inbox = Inbox::new();
        let taken = |inbox: &Inbox| {
            let mut keys = Vec::new();
            assert!(inbox.wakeup().take_news());
            inbox.take(
                &ReadyQueue::current(),
                |_| unreachable!("nothing is to be called"),
                |key| keys.push(key),
            );
            keys
        };
        (0..3).for_each(|key| inbox.remote().send(Mail::Arrived(key)));
        assert_eq!(taken(&inbox), [0, 1, 2]);
        assert!(inbox.is_empty() && !inbox.wakeup().take_news());
        inbox.remote().send(Mail::Arrived(3));
        assert_eq!(taken(&inbox), [3]);
    }

    #[test]
    fn what_comes_to_a_closed_inbox_is_dropped_unlocked() {
        struct Sends(LoopHandle);
        impl Drop for Sends {
            fn drop(&mut self) {
                self.0.add_callback(|| ());
            }
        }
        let inbox = Inbox::new();
        let sends = [Sends(inbox.handle()), Sends(inbox.handle())];
        let [early, late] = sends.map(|sends| move || drop(sends));
        inbox.handle().add_callback(early);
        inbox.close();
        inbox.handle().add_callback(late);
        assert!(inbox.is_empty());
    }
}
