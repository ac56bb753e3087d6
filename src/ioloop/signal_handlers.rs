//! Handlers of signals: [`IoLoop::add_signal_handler`].

use std::io::{self, ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use signal_hook::consts;

use super::fds::FdEvents;
use super::signals::Handled;
use super::IoLoop;

impl IoLoop {
    /// Calls `handler` on the loop when the process receives a signal, instead of the system's default action or an
    /// earlier handler of this loop. A signal that arrives while the loop is busy, or before it runs, is handled later.
    /// Several deliveries of a signal before the handler is called count as one.
    ///
    /// ```
    /// use squall::{ioloop::signal::SIGINT, IoLoop};
    ///
    /// let io_loop = IoLoop::current();
    /// let inner = io_loop.clone();
    /// io_loop.add_signal_handler(SIGINT, move || inner.stop())?;
    /// # signal_hook::low_level::raise(SIGINT)?;
    /// io_loop.start();                               // until Ctrl-C
    /// io_loop.remove_signal_handler(SIGINT);
    /// # Ok::<(), squall::Exception>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if the signal cannot be handled, as `SIGKILL` cannot; another error if the process
    /// has no file descriptors left.
    ///
    /// Source: `tornado.ioloop.IOLoop.add_callback_from_signal`, `asyncio.loop.add_signal_handler`.
    pub fn add_signal_handler(&self, signal: i32, mut handler: impl FnMut() + 'static) -> io::Result<()> {
        if consts::FORBIDDEN.contains(&signal) {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                format!("signal {signal} cannot be handled"),
            ));
        }
        self.remove_signal_handler(signal);
        let (read, write) = UnixStream::pair()?;
        read.set_nonblocking(true)?;
        let read = Rc::new(read);
        let coming_in = read.clone();
        self.add_handler(read.clone(), FdEvents::READ, move |_| {
            // Emptied before the call, so that a signal during the call causes another one.
            let mut bytes = [0; 64];
            while matches!((&*coming_in).read(&mut bytes), Ok(64)) {}
            handler();
        })?;
        let sending = Handled::new(signal, write).inspect_err(|_| self.remove_handler(&read))?;
        self.inner.signals.add(signal, read, sending);
        Ok(())
    }

    /// Removes the handler of a signal, and returns whether there was one. Once no loop handles the signal, the
    /// system's default action applies again.
    pub fn remove_signal_handler(&self, signal: i32) -> bool {
        let removed = self.inner.signals.remove(signal);
        removed.is_some_and(|(read, handled)| {
            drop(handled);
            self.remove_handler(&read);
            true
        })
    }
}
