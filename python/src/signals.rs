//! How a signal wakes a loop that sleeps: Python writes to a socket, and a thread that reads from it wakes the loop, whose
//! thread runs Python's handlers.

use std::io::{ErrorKind, Read};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, OnceLock, PoisonError};

use pyo3::prelude::*;
use squall::ioloop::WeakHandle;

use crate::affine::py;
use crate::ioloop::Waker;
use crate::raised::leave;

/// The end of the socket to which Python writes.
static SOCKET: OnceLock<UnixStream> = OnceLock::new();
/// The loop to wake.
static LOOP: Mutex<Option<WeakHandle>> = Mutex::new(None);

/// Sets the loop that a signal wakes. Returns the descriptor for `signal.set_wakeup_fd`, and the loop before.
#[pyfunction]
#[pyo3(signature = (waker))]
pub(crate) fn _wake_by_signals(waker: Option<&Bound<'_, Waker>>) -> PyResult<(i32, Option<Waker>)> {
    let fd = socket()?.as_raw_fd();
    let handle = waker.map(|waker| waker.get().0.clone());
    let before = std::mem::replace(&mut *LOOP.lock().unwrap_or_else(PoisonError::into_inner), handle);
    Ok((fd, before.map(Waker)))
}

fn socket() -> PyResult<&'static UnixStream> {
    if SOCKET.get().is_none() {
        let (reads, writes) = UnixStream::pair()?;
        writes.set_nonblocking(true)?;
        if SOCKET.set(writes).is_ok() {
            std::thread::Builder::new().name("squall-signals".to_owned()).spawn(move || wait(reads))?;
        }
    }
    Ok(SOCKET.get().expect("it was set just now"))
}

/// Wakes the loop for each signal. This thread never uses the interpreter.
fn wait(mut reads: UnixStream) {
    let mut signals = [0; 64];
    loop {
        match reads.read(&mut signals) {
            Ok(0) => return,
            Ok(_) => {}
            // The system may deliver the signal itself to this thread.
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return,
        }
        let handle = LOOP.lock().unwrap_or_else(PoisonError::into_inner).clone();
        handle.into_iter().for_each(|handle| handle.add_callback(run_handlers));
    }
}

/// Runs Python's handlers of the signals that have come.
fn run_handlers() {
    if let Err(raised) = py().check_signals() {
        leave(raised);
    }
}
