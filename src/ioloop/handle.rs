//! [`LoopHandle`]: a loop as other threads see it; and how they wake it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use polling::Poller;
use squall_runner::foreign::Guarded;
use squall_runner::ready::{is_mostly_empty, Callback, ReadyQueue, Run, Withdraw, Woken};
use squall_runner::Context;

use super::wait::Wait;

/// What other threads leave for the loop.
pub(crate) enum Mail {
    /// To be called.
    Callback(SendCallback),
    /// What is expected under this key has come.
    Arrived(usize),
    /// A native coroutine was woken.
    Woken(Arc<Woken>),
}

type SendCallback = Guarded<Box<dyn FnOnce() + Send>>;

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
    /// What was left and not taken in yet, in order. `None` once the loop takes nothing any more.
    mail: Mutex<Option<Vec<Mail>>>,
    wakeup: Arc<Wakeup>,
    /// How many handles there are.
    handles: AtomicUsize,
}

impl LoopHandle {
    /// Has `callback` called on the loop's thread, in its next iteration. If the loop is gone, it is dropped.
    pub fn add_callback(&self, callback: impl FnOnce() + Send + 'static) {
        self.0.send(Mail::Callback(Guarded::new(Box::new(callback))));
    }
}

impl Remote {
    pub(crate) fn send(&self, mail: Mail) {
        // What is not taken is dropped once the list is not locked any more: its `Drop` may send something.
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
        // The loop takes all of it at once: whoever left the first wakes it for the others, too.
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
/// Others say that there is news *after* they have left something; the loop takes the news down *before* it looks for
/// what was left, and falls asleep only if there is none, in one step. So nothing that is left stays unseen.
///
/// A loop that watches no descriptor parks its thread: that takes one call of the system, the poller's way five.
pub(crate) struct Wakeup {
    /// Made for the first descriptor that is watched, and by the loop's thread: never while that is parked.
    poller: OnceLock<Poller>,
    /// The loop's.
    thread: Thread,
    /// One of the three below.
    state: AtomicU8,
}

/// The loop is awake, and has seen everything that others have said that they left.
const AWAKE: u8 = 0;
/// Somebody has left something, or has gone, since the loop looked.
const NEWS: u8 = 1;
/// The loop sleeps, or is about to.
const ASLEEP: u8 = 2;

impl Wakeup {
    /// Of a loop of this thread, for which something may have been left before it was made.
    fn new() -> Self {
        Self { poller: OnceLock::new(), thread: thread::current(), state: AtomicU8::new(NEWS) }
    }

    /// There is news: wakes the loop, if it sleeps.
    pub(crate) fn wake(&self) {
        if self.state.swap(NEWS, Ordering::SeqCst) == ASLEEP {
            match self.poller.get() {
                // It fails only if the poller is broken, and then the loop's own wait says so.
                Some(poller) => drop(poller.notify()),
                None => self.thread.unpark(),
            }
        }
    }

    /// Whether there is news. It is none any more then: the caller looks for what was left.
    pub(crate) fn take_news(&self) -> bool {
        self.state.load(Ordering::Relaxed) == NEWS && self.state.swap(AWAKE, Ordering::SeqCst) == NEWS
    }

    /// Falls asleep, unless there is news.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.state.compare_exchange(AWAKE, ASLEEP, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Whether somebody has woken the loop since it fell asleep.
    pub(crate) fn was_woken(&self) -> bool {
        self.state.load(Ordering::SeqCst) == NEWS
    }

    /// The loop does not sleep any more. News stays news.
    pub(crate) fn awake(&self) {
        let _ = self.state.compare_exchange(ASLEEP, AWAKE, Ordering::SeqCst, Ordering::SeqCst);
    }

    pub(crate) fn poller(&self) -> io::Result<&Poller> {
        if self.poller.get().is_none() {
            drop(self.poller.set(Poller::new()?));
        }
        Ok(self.poller.get().expect("it was set just now"))
    }

    /// Waits until something happens, at most so long; `None`: however long that takes. Does not wait if
    /// somebody has woken the loop since it fell asleep.
    pub(super) fn wait(&self, wait: &mut Wait, timeout: Option<Duration>) -> io::Result<()> {
        wait.clear();
        let timeout = if self.was_woken() { Some(Duration::ZERO) } else { timeout };
        let Some(poller) = self.poller.get() else {
            match timeout {
                Some(timeout) if timeout.is_zero() => {}
                Some(timeout) => thread::park_timeout(timeout),
                None => thread::park(),
            }
            return Ok(());
        };
        wait.wait(poller, timeout)
    }
}

/// The loop's own end.
pub(crate) struct Inbox {
    remote: Arc<Remote>,
    /// An empty list, which the next one to be filled is exchanged for: it keeps its room.
    spare: Cell<Vec<Mail>>,
    called: Rc<Called>,
}

/// So many may have been left at once for their list to be used again.
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

    /// Whether somebody outside may still have something called.
    pub(crate) fn has_handles(&self) -> bool {
        self.remote.handles.load(Ordering::SeqCst) > 0
    }

    #[cfg(any(test, feature = "trace"))]
    pub(crate) fn is_empty(&self) -> bool {
        self.remote.mail().as_ref().is_none_or(Vec::is_empty)
    }

    /// Takes everything out that was left until now: what is to be called, and the keys of what was expected. The
    /// native coroutines that were woken go to `ready`.
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

    /// Gives the memory of many callbacks back that have been called.
    pub(super) fn give_back_room(&self) {
        let called = &mut *self.called.0.borrow_mut();
        if is_mostly_empty(called.len(), called.capacity()) {
            called.shrink_to_fit();
        }
    }

    /// Takes nothing any more, and drops what has come.
    pub(crate) fn close(&self) {
        let left = self.remote.mail().take();
        drop(left);
        let called = self.called.0.take();
        drop(called);
    }
}

/// What others want called, in order. It stands on the ready queue as often as there is something in it: so none of
/// them needs a place of its own there.
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
    fn a_loop_that_has_news_does_not_fall_asleep_until_it_has_taken_it() {
        let wakeup = Wakeup::new();
        assert!(wakeup.take_news() && !wakeup.take_news());
        assert!(wakeup.fall_asleep() && !wakeup.was_woken());
        wakeup.wake();
        wakeup.awake();
        assert!(!wakeup.fall_asleep());
        assert!(wakeup.take_news() && wakeup.fall_asleep());
    }

    #[test]
    fn whoever_leaves_the_first_brings_the_news_of_all() {
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
