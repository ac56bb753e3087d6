//! [`Affine`]: a value that belongs to one thread, inside a Python object that any thread may reach. All `unsafe` code of
//! the extension is here.
//!
//! Python hands objects from thread to thread, and drops them on any. squall's values belong to the thread that made them:
//! use on another thread raises `RuntimeError`, the collector sees nothing there, and a drop there is sent home.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use squall::ioloop::WeakHandle;

/// Returns the token of the interpreter, on a thread that is attached to it.
///
/// Only for code that Python has called. The extension detaches its thread in one place, [`detached`].
#[inline]
pub(crate) fn py() -> Python<'static> {
    // SAFETY: all code of this crate runs inside a call from Python, which holds the GIL, but for the closure that
    // `detached` runs: that is the loop's wait for events, which calls nothing of this crate. No other thread of this
    // crate runs code that calls this: `signals` has one that only writes to a loop's mailbox.
    unsafe { Python::assume_attached() }
}

/// Calls `f` while other threads may use the interpreter.
pub(crate) fn detached(f: &mut dyn FnMut()) {
    struct Here<'a>(&'a mut dyn FnMut());
    // SAFETY: `detach` asks for `Send` to keep values of the interpreter out of the closure. It calls the closure on this
    // thread, and the closure is the loop's wait, which holds no such value.
    unsafe impl Send for Here<'_> {}
    impl Here<'_> {
        fn call(self) {
            (self.0)();
        }
    }
    let here = Here(f);
    py().detach(move || here.call());
}

/// The outcome of resuming a generator or a coroutine.
pub(crate) enum Sent {
    Yielded(Py<PyAny>),
    Returned(Py<PyAny>),
    Raised(PyErr),
}

/// Resumes a generator, a coroutine, or another iterator: `body.send(value)`, without a `StopIteration` at the end.
#[inline]
pub(crate) fn send(body: &Py<PyAny>, value: &Bound<'_, PyAny>) -> Sent {
    let py = value.py();
    let mut out = std::ptr::null_mut();
    // SAFETY: both are live objects of this interpreter. `PyIter_Send` accepts generators, coroutines and iterators; the
    // callers have checked which it is. In the first two cases it stores a new reference.
    unsafe {
        match ffi::PyIter_Send(body.as_ptr(), value.as_ptr(), &raw mut out) {
            ffi::PySendResult::PYGEN_NEXT => Sent::Yielded(Bound::from_owned_ptr(py, out).unbind()),
            ffi::PySendResult::PYGEN_RETURN => Sent::Returned(Bound::from_owned_ptr(py, out).unbind()),
            ffi::PySendResult::PYGEN_ERROR => Sent::Raised(PyErr::fetch(py)),
        }
    }
}

/// Sets the `StopIteration` that ends an iterator with a value, for a `__next__` that then returns nothing. Up to Python
/// 3.11 no exception object is made of it, which an `await` would only take the value out of again.
#[inline]
pub(crate) fn stop_iteration(value: &Bound<'_, PyAny>) {
    // SAFETY: the class and the value are live objects; the function takes references of its own.
    unsafe { ffi::PyErr_SetObject(ffi::PyExc_StopIteration, value.as_ptr()) };
}

/// A context of Python's `contextvars`.
pub(crate) struct Context(Py<PyAny>);

impl Context {
    /// Returns a copy of the current context.
    #[inline]
    pub(crate) fn copy_current(py: Python<'_>) -> PyResult<Self> {
        // SAFETY: the function has no arguments, and returns a new reference or sets an exception.
        let copy = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_CopyCurrent())? };
        Ok(Self(copy.unbind()))
    }

    /// Returns a handle of an existing context, or an error if it is not one.
    pub(crate) fn of(context: &Bound<'_, PyAny>) -> PyResult<Self> {
        // SAFETY: it is a live object, whose type is compared.
        if unsafe { ffi::PyContext_CheckExact(context.as_ptr()) } == 0 {
            return Err(pyo3::exceptions::PyTypeError::new_err("a contextvars.Context is expected"));
        }
        Ok(Self(context.clone().unbind()))
    }

    pub(crate) fn object(&self) -> &Py<PyAny> {
        &self.0
    }

    /// Calls `f` in this context. If the context is entered already, further up the stack, calls it in the current one.
    #[inline]
    pub(crate) fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Exit<'a>(&'a Py<PyAny>);
        impl Drop for Exit<'_> {
            fn drop(&mut self) {
                // SAFETY: this context was entered just before, and whatever was entered since was left again.
                unsafe { ffi::PyContext_Exit(self.0.as_ptr()) };
            }
        }
        // SAFETY: both constructors make sure that it is a context.
        if unsafe { ffi::PyContext_Enter(self.0.as_ptr()) } == 0 {
            let _exit = Exit(&self.0);
            return f();
        }
        drop(PyErr::take(py()));
        f()
    }
}

/// A file descriptor that Python owns.
#[derive(Clone, Copy)]
pub(crate) struct Descriptor(pub(crate) RawFd);

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the loop duplicates the descriptor during `add_handler`, and otherwise only asks for its number. A
        // number that is not open is refused by the system there. It is not -1: `Descriptor` is made by `descriptor`.
        unsafe { BorrowedFd::borrow_raw(self.0) }
    }
}

/// Returns the descriptor of that number.
pub(crate) fn descriptor(number: i32) -> PyResult<Descriptor> {
    if number < 0 {
        return Err(pyo3::exceptions::PyValueError::new_err(format!("invalid file descriptor: {number}")));
    }
    Ok(Descriptor(number))
}

/// A value that only the thread that made it uses.
pub(crate) struct Affine<T: 'static> {
    home: u64,
    it: ManuallyDrop<T>,
}

// SAFETY: another thread may hold, move and drop an `Affine`, but reaches the value through no method: `get` and
// `try_get` compare the thread, and `drop` there sends the value home instead of touching it.
unsafe impl<T> Send for Affine<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Affine<T> {}

impl<T> Affine<T> {
    #[inline]
    pub(crate) fn new(it: T) -> Self {
        Self { home: here(), it: ManuallyDrop::new(it) }
    }

    /// Returns the value, on its thread.
    #[inline]
    pub(crate) fn try_get(&self) -> Option<&T> {
        (self.home == here()).then_some(&*self.it)
    }

    /// Returns the value.
    ///
    /// # Errors
    /// `RuntimeError` on another thread.
    #[inline]
    pub(crate) fn get(&self) -> PyResult<&T> {
        self.try_get().ok_or_else(elsewhere)
    }

    /// Returns whether the thread of the value has ended, or ends within that time: Python's `Thread.join` returns a moment
    /// before the thread has.
    pub(crate) fn leaves(&self, within: Duration) -> bool {
        let until = Instant::now() + within;
        loop {
            let has_left = !homes().contains_key(&self.home);
            if has_left || Instant::now() > until {
                return has_left;
            }
            std::thread::yield_now();
        }
    }
}

#[cold]
fn elsewhere() -> PyErr {
    PyRuntimeError::new_err(
        "this object belongs to the IOLoop of another thread: only add_callback may be called from other threads",
    )
}

impl<T> Drop for Affine<T> {
    #[inline]
    fn drop(&mut self) {
        if self.home == here() {
            // SAFETY: it is dropped once, here.
            unsafe { ManuallyDrop::drop(&mut self.it) };
        } else {
            // SAFETY: it is taken once, here.
            send_home(self.home, Sealed(unsafe { ManuallyDrop::take(&mut self.it) }));
        }
    }
}

/// A value on its way home.
struct Sealed<T>(T);

// SAFETY: the only thread that opens it is the one at home; see `Home::empty`.
unsafe impl<T> Send for Sealed<T> {}

trait Anything: Send {}
impl<T> Anything for Sealed<T> {}

#[cold]
fn send_home<T: 'static>(home: u64, it: Sealed<T>) {
    let home = homes().get(&home).cloned();
    match home {
        Some(home) => home.leave(Box::new(it)),
        // Its thread has ended. Nothing may touch the value any more, so it is never freed.
        None => std::mem::forget(it),
    }
}

/// The place of a thread at which values of that thread arrive that other threads have dropped.
#[derive(Default)]
struct Home {
    arrived: Mutex<Vec<Box<dyn Anything>>>,
    has_arrived: AtomicBool,
    /// The loop that the thread runs.
    io_loop: Mutex<Option<WeakHandle>>,
}

impl Home {
    fn leave(&self, it: Box<dyn Anything>) {
        lock(&self.arrived).push(it);
        self.has_arrived.store(true, Ordering::Release);
        let io_loop = lock(&self.io_loop).clone();
        // Wakes the loop, whose next sleep frees what has arrived.
        io_loop.into_iter().for_each(|io_loop| io_loop.add_callback(|| ()));
    }

    /// Drops what has arrived. Called on the thread of this home.
    fn empty(&self) {
        if self.has_arrived.swap(false, Ordering::AcqRel) {
            let arrived = std::mem::take(&mut *lock(&self.arrived));
            drop(arrived);
        }
    }
}

impl Drop for Home {
    /// Forgets what has arrived since its thread ended: only that thread could have freed it.
    fn drop(&mut self) {
        std::mem::forget(std::mem::take(&mut *lock(&self.arrived)));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

static HOMES: LazyLock<Mutex<HashMap<u64, Arc<Home>>>> = LazyLock::new(Mutex::default);

fn homes() -> MutexGuard<'static, HashMap<u64, Arc<Home>>> {
    lock(&HOMES)
}

/// The home of this thread, which ends with it.
struct OwnHome(Arc<Home>);

impl Drop for OwnHome {
    fn drop(&mut self) {
        homes().remove(&HERE.get());
        // Nothing of Python may be used while the thread ends.
        std::mem::forget(std::mem::take(&mut *lock(&self.0.arrived)));
    }
}

thread_local! {
    /// The number of this thread; 0 until it is asked for.
    static HERE: Cell<u64> = const { Cell::new(0) };
    static HOME: RefCell<Option<OwnHome>> = const { RefCell::new(None) };
}

#[inline]
fn here() -> u64 {
    match HERE.get() {
        0 => settle(),
        here => here,
    }
}

#[cold]
fn settle() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let id = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    HERE.set(id);
    let home = Arc::<Home>::default();
    homes().insert(id, home.clone());
    // A thread that is ending keeps nothing.
    let _ = HOME.try_with(|own| own.replace(Some(OwnHome(home))));
    id
}

fn own_home() -> Option<Arc<Home>> {
    here();
    HOME.try_with(|home| home.borrow().as_ref().map(|home| home.0.clone())).ok().flatten()
}

/// Frees the values of this thread that other threads have dropped.
pub(crate) fn free_arrived() {
    own_home().into_iter().for_each(|home| home.empty());
}

/// Sets the loop that is woken when another thread drops a value of this thread, and returns the one before.
pub(crate) fn set_home_loop(io_loop: Option<WeakHandle>) -> Option<WeakHandle> {
    let home = own_home()?;
    let before = std::mem::replace(&mut *lock(&home.io_loop), io_loop);
    before
}
