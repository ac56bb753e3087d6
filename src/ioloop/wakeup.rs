//! [`Wakeup`]: how a loop sleeps, and how it is woken.

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::OnceLock;
use std::thread::{self, Thread};
use std::time::Duration;

use polling::Poller;

use super::wait::Wait;

/// The sleep of a loop, and its flag for mail.
///
/// Other threads leave mail, then set the flag; the loop clears the flag, then reads the mail. It falls asleep only if
/// the flag is not set, in one atomic step. So no mail is overlooked.
///
/// A loop that watches no descriptor parks its thread, which takes one system call where the poller's way takes five.
pub(crate) struct Wakeup {
    /// Created for the first descriptor that is watched, on the loop's thread: never while that thread is parked.
    poller: OnceLock<Poller>,
    /// The thread of the loop.
    thread: Thread,
    /// `AWAKE`, `NEWS` or `ASLEEP`.
    state: AtomicU8,
}

/// The loop is awake and has read all mail.
const AWAKE: u8 = 0;
/// Mail was left, or the last handle was dropped, since the loop last read its mail.
const NEWS: u8 = 1;
/// The loop is asleep, or about to be.
const ASLEEP: u8 = 2;

impl Wakeup {
    /// Begins with `NEWS`, since mail may have been left before this was created.
    pub(super) fn new() -> Self {
        Self { poller: OnceLock::new(), thread: thread::current(), state: AtomicU8::new(NEWS) }
    }

    /// Sets the flag, and wakes the loop if it is asleep.
    pub(crate) fn wake(&self) {
        if self.state.swap(NEWS, Ordering::SeqCst) == ASLEEP {
            match self.poller.get() {
                // Fails only if the poller is broken, which the loop's own wait reports.
                Some(poller) => drop(poller.notify()),
                None => self.thread.unpark(),
            }
        }
    }

    /// Clears the flag, and returns whether it was set. The caller then reads the mail.
    #[inline]
    pub(crate) fn take_news(&self) -> bool {
        self.state.load(Ordering::Relaxed) == NEWS && self.state.swap(AWAKE, Ordering::SeqCst) == NEWS
    }

    /// Marks the loop as asleep and returns `true`, unless the flag is set.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.state.compare_exchange(AWAKE, ASLEEP, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Returns whether the loop was woken since it fell asleep.
    pub(crate) fn was_woken(&self) -> bool {
        self.state.load(Ordering::SeqCst) == NEWS
    }

    /// Marks the loop as awake. The flag stays set if it was.
    pub(crate) fn awake(&self) {
        let _ = self.state.compare_exchange(ASLEEP, AWAKE, Ordering::SeqCst, Ordering::SeqCst);
    }

    pub(crate) fn poller(&self) -> io::Result<&Poller> {
        if self.poller.get().is_none() {
            drop(self.poller.set(Poller::new()?));
        }
        Ok(self.poller.get().expect("it was set just now"))
    }

    /// Waits until something happens, for at most `timeout` (`None` for no limit). Returns at once if the loop was
    /// woken since it fell asleep.
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
}
