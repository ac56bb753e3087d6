//! Things that wait for a Future on behalf of Python: [`Done`], a callback; [`Keep`], which keeps another Future object
//! alive; [`Requests`], the pending requests of a lock.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::{Rc, Weak};

use pyo3::prelude::*;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};
use squall::resolvable::{Run, State, Withdraw};
use squall::AnyFuture;

use crate::affine::{py, Context};
use crate::body::peek;
use crate::collect::Visit;
use crate::future::{value_of, PyFuture};
use crate::ioloop::ensure_current;
use crate::raised::report_callback;

/// A callback of `Future.add_done_callback`.
pub(crate) struct Done {
    /// `None` once it was called or removed.
    call: Cell<Option<Call>>,
    /// The Future object, which the callback is called with: from when it is resolved, or from the beginning if `weak` is
    /// `None`.
    future: Cell<Option<Py<PyFuture>>>,
    /// The Future object, if it does not live on for its callbacks: where Python resolves it, nothing can resolve it once
    /// it is gone. One that squall resolves lives on for them, as what resolves it does not hold it.
    weak: Option<Py<PyWeakrefReference>>,
    this: Weak<Self>,
}

struct Call {
    callback: Py<PyAny>,
    context: Context,
}

impl Done {
    /// Adds a callback to a Future. `lives_on` says that the Future object lives until the call.
    pub(crate) fn add(
        future: &Bound<'_, PyFuture>,
        core: &AnyFuture,
        lives_on: bool,
        callback: Py<PyAny>,
        context: Context,
    ) -> PyResult<()> {
        ensure_current(future.py())?;
        let weak = match lives_on {
            true => None,
            false => Some(PyWeakrefReference::new(future.as_any())?.unbind()),
        };
        let done = Rc::new_cyclic(|this| Self {
            call: Cell::new(Some(Call { callback, context })),
            future: Cell::new(lives_on.then(|| future.clone().unbind())),
            weak,
            this: this.clone(),
        });
        core.call_when_done(done);
        Ok(())
    }

    /// Keeps the Future object until the call.
    pub(crate) fn pin(&self, future: &Py<PyFuture>) {
        self.future.set(Some(future.clone_ref(py())));
    }

    /// Returns itself as what its list holds.
    pub(crate) fn handle(&self) -> Option<Rc<Self>> {
        self.this.upgrade()
    }

    /// Returns whether it calls something equal to `callback`.
    pub(crate) fn calls(&self, callback: &Bound<'_, PyAny>) -> PyResult<bool> {
        let own = peek(&self.call, |call| call.map(|call| call.callback.clone_ref(callback.py())));
        own.map_or(Ok(false), |own| own.bind(callback.py()).eq(callback))
    }

    /// Takes the callback out, so that it is not called.
    pub(crate) fn take(&self) -> Option<impl Sized> {
        let call = self.call.take()?;
        Some((call, self.future.take()))
    }

    pub(crate) fn traverse(&self, visit: &mut Visit<'_, '_>) {
        peek(&self.call, |call| {
            if let Some(Call { callback, context }) = call {
                visit.show(callback);
                visit.show_context(context);
            }
        });
        match &self.weak {
            Some(weak) => visit.show(weak),
            None => peek(&self.future, |future| future.into_iter().for_each(|future| visit.show(future))),
        }
    }
}

impl Run for Done {
    fn is_due(&self) -> bool {
        let is_pinned = peek(&self.future, |future| future.is_some());
        if let Some(weak) = self.weak.as_ref().filter(|_| !is_pinned) {
            let future = weak.bind(py()).upgrade().and_then(|it| it.cast_into::<PyFuture>().ok());
            self.future.set(future.map(Bound::unbind));
        }
        peek(&self.call, |call| call.is_some())
    }

    fn run(self: Rc<Self>) {
        let (Some(Call { callback, context }), Some(future)) = (self.call.take(), self.future.take()) else {
            return;
        };
        let py = py();
        if let Err(raised) = context.run(|| callback.call1(py, (future,))) {
            report_callback(py, &callback, raised);
        }
    }

    fn is_over(&self, _holders: usize) -> bool {
        peek(&self.call, |call| call.is_none())
    }

    fn held(&self, visit: &mut dyn FnMut(&dyn Any)) {
        visit(self);
    }
}

impl Withdraw for Done {
    fn withdraw(&self) {
        drop((self.call.take(), self.future.take()));
    }
}

/// Keeps a Future object alive for as long as another Future is pending, on which it depends.
pub(crate) struct Keep {
    future: Cell<Option<Py<PyFuture>>>,
    /// How many Futures have to be done until the loop resolves `future`, for all that keep it. `None` if something that
    /// the collector does not know resolves it, such as a timer.
    awaited: Option<Rc<Cell<usize>>>,
}

impl Keep {
    /// Keeps `future`, which depends on `core` and others, until nothing can resolve `core`. Once `awaited` of them are
    /// done, it is kept until it is done itself: the loop is about to resolve it, which the collector does not know.
    pub(crate) fn until(core: &AnyFuture, future: Py<PyFuture>, awaited: &Rc<Cell<usize>>) {
        Self::add(core, future, Some(awaited.clone()));
    }

    /// Keeps `future` until it is done itself.
    pub(crate) fn anchor(py: Python<'_>, future: &Py<PyFuture>) -> PyResult<()> {
        let core = future.get().core()?;
        if !core.done() {
            Self::add(&core, future.clone_ref(py), None);
        }
        Ok(())
    }

    fn add(core: &AnyFuture, future: Py<PyFuture>, awaited: Option<Rc<Cell<usize>>>) {
        core.call_when_done(Rc::new(Self { future: Cell::new(Some(future)), awaited }));
    }

    pub(crate) fn traverse(&self, visit: &mut Visit<'_, '_>) {
        if self.awaited.is_some() {
            peek(&self.future, |future| future.into_iter().for_each(|future| visit.show(future)));
        }
    }
}

impl Run for Keep {
    /// Does all its work at once.
    fn is_due(&self) -> bool {
        let future = self.future.take();
        if let (Some(future), Some(awaited)) = (&future, &self.awaited) {
            awaited.set(awaited.get().saturating_sub(1));
            if awaited.get() == 0 {
                // It fails only on another thread than that of the Future, where nothing is done.
                drop(Self::anchor(py(), future));
            }
        }
        false
    }

    fn run(self: Rc<Self>) {}

    fn is_report(&self) -> bool {
        true
    }

    fn held(&self, visit: &mut dyn FnMut(&dyn Any)) {
        visit(self);
    }
}

impl Withdraw for Keep {
    fn withdraw(&self) {
        drop(self.future.take());
    }
}

/// The pending requests of a lock or a queue, which holds their Future objects: a request that its coroutine has dropped
/// keeps its place in the line, as in Tornado.
#[derive(Default)]
pub(crate) struct Requests(Rc<RefCell<ByAddress>>);

/// Future objects by the addresses of their Futures.
type ByAddress = HashMap<usize, Py<PyFuture>, BuildHasherDefault<AddressHasher>>;

/// Hashes one address.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_usize((*byte).into()));
    }

    #[inline]
    fn write_usize(&mut self, address: usize) {
        // The table takes the lowest and the highest bits: multiplying spreads the address to the high ones.
        self.0 = (self.0 ^ address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }
}

impl Requests {
    /// Holds `future` until it is done.
    pub(crate) fn hold(&self, py: Python<'_>, future: Py<PyFuture>) -> PyResult<Py<PyFuture>> {
        let core = future.get().core()?;
        if core.state() == State::Done {
            drop(value_of(core));
        } else if !core.done() {
            let key = core.address() as usize;
            self.0.borrow_mut().insert(key, future.clone_ref(py));
            core.call_when_done(Rc::new(Leaving { key, requests: Rc::downgrade(&self.0) }));
        }
        Ok(future)
    }

    pub(crate) fn traverse(&self, visit: &mut Visit<'_, '_>) {
        self.0.borrow().values().for_each(|future| visit.show(future));
    }

    pub(crate) fn clear(&self) {
        drop(self.0.take());
    }
}

/// Takes a request that is done out of the set.
struct Leaving {
    key: usize,
    requests: Weak<RefCell<ByAddress>>,
}

impl Leaving {
    /// Takes the request out.
    fn leave(&self) -> Option<Py<PyFuture>> {
        let requests = self.requests.upgrade()?;
        let left = requests.borrow_mut().remove(&self.key);
        left
    }
}

impl Run for Leaving {
    /// Does all its work at once.
    fn is_due(&self) -> bool {
        // What was handed over counts as taken: if nothing receives it, it is lost, as in Tornado.
        if let Some(core) = self.leave().and_then(|left| left.get().core().ok()) {
            if core.state() == State::Done {
                drop(value_of(core));
            }
        }
        false
    }

    fn run(self: Rc<Self>) {}

    fn is_report(&self) -> bool {
        true
    }
}

impl Withdraw for Leaving {}

impl Drop for Leaving {
    /// The loop has ended.
    fn drop(&mut self) {
        drop(self.leave());
    }
}
