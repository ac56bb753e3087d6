//! [`Signals`]: the signals of the system that a loop handles.

use std::cell::RefCell;
use std::collections::hash_map::{Entry, HashMap};
use std::io;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use signal_hook::low_level::{pipe, unregister};
use signal_hook::{flag, SigId};

/// Signal numbers, such as `SIGINT`.
pub use signal_hook::consts::signal;

/// The signals that a loop handles, each with the socket on which its bytes arrive and the registration that writes
/// them.
#[derive(Default)]
pub(super) struct Signals(RefCell<HashMap<i32, (Rc<UnixStream>, Handled)>>);

impl Signals {
    pub(super) fn add(&self, signal: i32, read: Rc<UnixStream>, handled: Handled) {
        self.0.borrow_mut().insert(signal, (read, handled));
    }

    pub(super) fn remove(&self, signal: i32) -> Option<(Rc<UnixStream>, Handled)> {
        self.0.borrow_mut().remove(&signal)
    }

    pub(super) fn close(&self) {
        drop(self.0.take());
    }
}

/// Writes a byte for each delivery of a signal, until it is dropped.
pub(super) struct Handled {
    signal: i32,
    id: SigId,
}

/// For each signal that was ever handled: whether the system's default action applies, and how many loops handle it.
static DEFAULTS: Mutex<Option<HashMap<i32, (Arc<AtomicBool>, usize)>>> = Mutex::new(None);

impl Handled {
    pub(super) fn new(signal: i32, write: UnixStream) -> io::Result<Self> {
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
