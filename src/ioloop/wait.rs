//! How a loop with sockets sleeps: one system call on Linux.
//!
//! `polling`'s own wait takes five system calls: it sets a timer descriptor, arms that and its notifier, waits, and
//! reads the notifier. All of these serve timeouts below a millisecond and notifications, which are rare. It also does
//! not tell whether the other end of a socket is closed. So the loop waits on the poller's descriptor directly, and
//! leaves only notifications to `polling`.

use std::io;
use std::time::Duration;

use polling::{Event, Events, Poller};

/// The events of one descriptor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) key: usize,
    pub(super) read: bool,
    pub(super) write: bool,
    /// The other end sends no more, or the descriptor has an error.
    pub(super) closed: bool,
}

impl Seen {
    /// Converts an event of the poller's own wait.
    fn polled(event: &Event) -> Self {
        // Without `RDHUP`, any socket that can be read from may be at its end.
        let closed = event.readable || event.is_interrupt();
        Self { key: event.key, read: event.readable, write: event.writable, closed }
    }
}

/// The events of one wait. The lists are reused.
pub(super) struct Wait {
    /// Events that the poller's own wait reported, if `polled` is `true`.
    events: Events,
    polled: bool,
    /// Events that the loop's direct wait reported, and with them the poller's notification.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    buffer: Vec<rustix::event::epoll::Event>,
}

impl Wait {
    pub(super) fn new() -> Self {
        Self {
            events: Events::new(),
            polled: false,
            #[cfg(any(target_os = "linux", target_os = "android"))]
            buffer: Vec::new(),
        }
    }

    /// Returns whether nothing had happened.
    pub(super) fn found_nothing(&self) -> bool {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if !self.buffer.is_empty() {
            return false;
        }
        !self.polled || self.events.is_empty()
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.polled) {
            self.events.clear();
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        self.buffer.clear();
    }

    /// Calls `f` with each event of the last wait.
    #[inline]
    pub(super) fn each(&self, mut f: impl FnMut(Seen)) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        for event in &self.buffer {
            if let Some(seen) = seen(event) {
                f(seen);
            }
        }
        if self.polled {
            self.events.iter().for_each(|event| f(Seen::polled(&event)));
        }
    }

    /// Adds the events of the poller's own wait.
    fn poll(&mut self, poller: &Poller, timeout: Option<Duration>) -> io::Result<()> {
        self.polled = true;
        poller.wait(&mut self.events, timeout).map(drop)
    }

    /// Waits until something happens, for at most `timeout` (`None` for no limit). May return early without an event.
    pub(super) fn wait(&mut self, poller: &Poller, timeout: Option<Duration>) -> io::Result<()> {
        self.clear();
        match self.wait_for_any(poller, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            waited => waited,
        }
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn wait_for_any(&mut self, poller: &Poller, timeout: Option<Duration>) -> io::Result<()> {
        self.poll(poller, timeout)
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn wait_for_any(&mut self, poller: &Poller, timeout: Option<Duration>) -> io::Result<()> {
        use rustix::event::{epoll, poll, PollFd, PollFlags, Timespec};

        /// How many events one wait returns at most. Further events come with the next wait.
        const ROOM: usize = 1024;
        /// The resolution of `epoll_wait`.
        const TICK: Duration = Duration::from_millis(1);

        // Whole milliseconds, rounded down. `ppoll` waits for the rest, in nanoseconds.
        let timeout = timeout.map(|timeout| {
            // A longer timeout is waited for in parts.
            let millis = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
            (
                timeout,
                Timespec { tv_sec: (millis / 1000).into(), tv_nsec: (millis % 1000 * 1_000_000).into() },
            )
        });
        if let Some((timeout, _)) = timeout.filter(|(timeout, _)| !timeout.is_zero() && *timeout < TICK) {
            let rest = Timespec { tv_sec: 0, tv_nsec: timeout.subsec_nanos().into() };
            poll(&mut [PollFd::new(poller, PollFlags::IN)], Some(&rest))?;
        }
        let timeout = timeout.map(|(_, millis)| millis);
        self.buffer.reserve(ROOM);
        epoll::wait(poller, rustix::buffer::spare_capacity(&mut self.buffer), timeout.as_ref())?;
        let notified = self.buffer.iter().any(|event| event.data.u64() == NOTIFIED);
        if notified {
            // The poller empties its notifier and arms it again.
            self.poll(poller, Some(Duration::ZERO))?;
        }
        Ok(())
    }
}

/// The key under which `polling` registers its notifier and its timer.
#[cfg(any(target_os = "linux", target_os = "android"))]
const NOTIFIED: u64 = usize::MAX as u64;

/// Converts an event of the system, unless it is the poller's notification.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[inline]
fn seen(event: &rustix::event::epoll::Event) -> Option<Seen> {
    use rustix::event::epoll::EventFlags as E;

    let (key, flags) = (event.data.u64(), event.flags);
    if key == NOTIFIED {
        return None;
    }
    Some(Seen {
        key: usize::try_from(key).ok()?,
        read: flags.intersects(E::IN | E::RDHUP | E::HUP | E::ERR | E::PRI),
        write: flags.intersects(E::OUT | E::HUP | E::ERR),
        closed: flags.intersects(E::RDHUP | E::HUP | E::ERR),
    })
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::time::Instant;

    use rustix::event::epoll::{self, EventData, EventFlags};

    use super::*;

    #[test]
    fn wait_of_less_than_a_millisecond_takes_its_time_and_tells_whether_a_socket_is_closed() {
        const SHORT: Duration = Duration::from_micros(300);

        let (mut one, other) = UnixStream::pair().unwrap();
        let (poller, mut wait) = (Poller::new().unwrap(), Wait::new());
        let flags = EventFlags::IN | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(&poller, &other, EventData::new_u64(5), flags).unwrap();
        let began = Instant::now();
        wait.wait(&poller, Some(SHORT)).unwrap();
        assert!(began.elapsed() >= SHORT);
        wait.each(|seen| unreachable!("{seen:?}"));

        let mut first = || {
            wait.wait(&poller, Some(SHORT)).unwrap();
            let mut first = None;
            wait.each(|seen| first = first.or(Some(seen)));
            first.unwrap()
        };
        one.write_all(b"a").unwrap();
        let seen = first();
        assert!(seen.read && !seen.closed);
        drop(one);
        assert!(first().closed);

        poller.notify().unwrap();
        wait.wait(&poller, Some(SHORT)).unwrap();
        wait.each(|seen| unreachable!("{seen:?}"));
    }
}
