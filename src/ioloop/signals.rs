//! System signals, handled on the loop: [`IoLoop::add_signal_handler`].

use std::cell::RefCell;
use std::collections::hash_map::{Entry, HashMap};
use std::io::{self, ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use signal_hook::low_level::{pipe, unregister};
use signal_hook::{consts, flag, SigId};

use super::{FdEvents, IoLoop};

/// Signal numbers, such as `SIGINT`.
pub use signal_hook::consts::signal;

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
        self.inner.signals.0.borrow_mut().insert(signal, (read, sending));
        Ok(())
    }

    /// Removes the handler of a signal, and returns whether there was one. Once no loop handles the signal, the
    /// system's default action applies again.
    pub fn remove_signal_handler(&self, signal: i32) -> bool {
        let removed = self.inner.signals.0.borrow_mut().remove(&signal);
        removed.is_some_and(|(read, handled)| {
            drop(handled);
            self.remove_handler(&read);
            true
        })
    }
}

/// The signals that a loop handles, each with the socket on which its bytes arrive and the registration that writes
/// them.
#[derive(Default)]
pub(super) struct Signals(RefCell<HashMap<i32, (Rc<UnixStream>, Handled)>>);

impl Signals {
    pub(super) fn close(&self) {
        drop(self.0.take());
    }
}

/// Writes a byte for each delivery of a signal, until it is dropped.
struct Handled {
    signal: i32,
    id: SigId,
}

/// For each signal that was ever handled: whether the system's default action applies, and how many loops handle it.
static DEFAULTS: Mutex<Option<HashMap<i32, (Arc<AtomicBool>, usize)>>> = Mutex::new(None);

impl Handled {
    fn new(signal: i32, write: UnixStream) -> io::Result<Self> {
        let defaults = &mut *DEFAULTS.lock().unwrap_or_else(PoisonError::into_inner);
        let defaults = defaults.get_or_insert_default();
        let (default, handlers) = match defaults.entry(signal) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let default = Arc::new(AtomicBool::new(false));
                flag::register_conditional_default(signal, default.clone())?;
                entry.insert((default, 0))
            }
        };
        let id = pipe::register(signal, write)?;
        *handlers += 1;
        default.store(false, Ordering::SeqCst);
        Ok(Self { signal, id })
    }
}

impl Drop for Handled {
    fn drop(&mut self) {
        let defaults = &mut *DEFAULTS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((default, handlers)) =
            defaults.as_mut().and_then(|defaults| defaults.get_mut(&self.signal))
        {
            *handlers -= 1;
            default.store(*handlers == 0, Ordering::SeqCst);
        }
        unregister(self.id);
    }
}
