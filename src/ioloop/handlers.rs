//! Handlers of file descriptors: [`IoLoop::add_handler`].

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::rc::Rc;

use squall_runner::foreign::Guarded;

use super::fds::FdEvents;
use super::IoLoop;

impl IoLoop {
    /// Calls `handler` whenever `fd` is ready for one of `events`, until [`remove_handler`](Self::remove_handler). If
    /// the handler leaves the descriptor ready, it is called again in the next turn of the loop. A panic in it is
    /// logged.
    ///
    /// The loop owns `fd`, so that the descriptor stays open while it is watched. Pass an `Rc`, or a `try_clone`, of a
    /// socket that is used elsewhere.
    ///
    /// ```
    /// use std::io::{Read, Write};
    /// use std::os::unix::net::UnixStream;
    /// use std::rc::Rc;
    /// use squall::{ioloop::FdEvents, IoLoop};
    ///
    /// let (mut here, there) = UnixStream::pair()?;
    /// let there = Rc::new(there);
    /// let io_loop = IoLoop::current();
    /// let inner = io_loop.clone();
    /// let reading = there.clone();
    /// io_loop.add_handler(there.clone(), FdEvents::READ, move |_| {
    ///     let mut text = [0; 5];
    ///     (&*reading).read_exact(&mut text).unwrap();
    ///     assert_eq!(&text, b"hello");
    ///     inner.stop();
    /// })?;
    /// here.write_all(b"hello")?;
    /// io_loop.start();
    /// io_loop.remove_handler(&there);
    ///
    /// // A coroutine can wait for it through a Future that the handler resolves.
    /// let readable = squall::Future::new();
    /// let mut promise = Some(readable.promise());
    /// io_loop.add_handler(there.clone(), FdEvents::READ, move |_| {
    ///     promise.take().into_iter().for_each(|promise| promise.set_result(()));
    /// })?;
    /// here.write_all(b"again")?;
    /// io_loop.run_sync(|| readable)?;
    /// io_loop.remove_handler(&there);
    /// # Ok::<(), squall::Exception>(())
    /// ```
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if the descriptor has a handler already; another error if it cannot be watched,
    /// as a regular file cannot, or if the process has no descriptors left (the loop uses one of its own for each
    /// handler).
    ///
    /// Source: `tornado.ioloop.IOLoop.add_handler`.
    pub fn add_handler(
        &self,
        fd: impl AsFd + 'static,
        events: FdEvents,
        handler: impl FnMut(FdEvents) + 'static,
    ) -> io::Result<()> {
        if self.is_closed() {
            return Err(io::Error::other("the IoLoop is closed"));
        }
        self.inner.lull.end();
        self.inner.fds.add(Rc::new(fd), events, Guarded::new(Box::new(handler)), self.inner.inbox.wakeup())
    }

    /// Changes the directions in which the descriptor is watched. [`FdEvents::NONE`] pauses the handler; paused
    /// handlers do not keep the loop from reporting a deadlock.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if the descriptor has no handler; another error if the system refuses to watch it
    /// again.
    ///
    /// Source: `tornado.ioloop.IOLoop.update_handler`.
    pub fn update_handler(&self, fd: &impl AsFd, events: FdEvents) -> io::Result<()> {
        self.inner.lull.end();
        match self.inner.fds.get(fd.as_fd().as_raw_fd()) {
            Some(handler) => handler.update(events),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "the descriptor has no handler")),
        }
    }

    /// Sets whether a clock that jumps waits while this descriptor is watched, because its other end takes real time: it
    /// then jumps to a timer only after the real time that the timer would take. By default it does not wait.
    ///
    /// ```
    /// use std::io::Write;
    /// use std::os::unix::net::UnixStream;
    /// use std::rc::Rc;
    /// use std::time::Duration;
    /// use squall::ioloop::FdEvents;
    /// use squall::testing::VirtualClock;
    /// use squall::IoLoop;
    ///
    /// let io_loop = IoLoop::with_clock(VirtualClock::new());
    /// let (mut other, here) = UnixStream::pair()?;
    /// let here = Rc::new(here);
    /// io_loop.add_handler(here.clone(), FdEvents::READ, |_| IoLoop::current().stop())?;
    /// io_loop.wait_for_fd(&here, true)?;
    /// io_loop.call_later(Duration::from_secs(3600), || panic!("the other thread would have answered"));
    /// std::thread::spawn(move || other.write_all(b"hello"));
    /// io_loop.start();
    /// # Ok::<(), squall::Exception>(())
    /// ```
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if the descriptor has no handler.
    pub fn wait_for_fd(&self, fd: &impl AsFd, waits: bool) -> io::Result<()> {
        match self.inner.fds.get(fd.as_fd().as_raw_fd()) {
            Some(handler) => {
                handler.wait_for(waits);
                Ok(())
            }
            None => Err(io::Error::new(io::ErrorKind::NotFound, "the descriptor has no handler")),
        }
    }

    /// Removes the handler of a descriptor. It is not called again, not even for an event that was already reported.
    /// Does nothing if there is no handler.
    ///
    /// Source: `tornado.ioloop.IOLoop.remove_handler`.
    pub fn remove_handler(&self, fd: &impl AsFd) {
        let removed = self.inner.fds.remove(fd.as_fd().as_raw_fd());
        drop(removed);
    }
}
