//! [`Run`] and [`Withdraw`]: entries of a ready queue, and what a loop withdraws when it ends.

use std::any::{type_name, Any};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use crate::context::Context;
use crate::coroutine::{Awaited, Coroutine};
use crate::foreign::discard;
use crate::numbers::CallId;
use crate::place::Place;
use crate::queued::Queued;

/// Something that can be called soon: a Runner, a Task, a closure.
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use squall_runner::ready::{call_soon, ReadyQueue, Run, Withdraw};
///
/// struct Count(Cell<u32>);
/// impl Withdraw for Count {}
/// impl Run for Count {
///     fn run(self: Rc<Self>) { self.0.set(self.0.get() + 1) }
/// }
///
/// let count = Rc::new(Count(Cell::new(0)));
/// call_soon(count.clone());
/// ReadyQueue::current().pop().unwrap().run();
/// assert_eq!(count.0.get(), 1);
/// ```
pub trait Run: Withdraw {
    /// Does its work. The loop catches a panic.
    fn run(self: Rc<Self>);

    /// Returns whether to put it on the ready queue, now that a Future it waited for is done. `false` means that it is
    /// already queued and has to run only once, or that it did all its work in this call. It must not resume a
    /// coroutine here.
    fn is_due(&self) -> bool {
        true
    }

    /// Returns whether it has nothing left to do, so that whatever would call it later, such as a Future or a timer,
    /// may drop it instead. `holders` is the number of `Rc`s that hold it, including that one.
    ///
    /// Called when a list would have to grow, so that useless entries do not pile up.
    fn is_over(&self, holders: usize) -> bool {
        let _ = holders;
        false
    }

    /// Takes over the work of `later`, which waits for the same Future further back in its list, and returns whether it
    /// did: then `later` is dropped.
    fn merge(&self, later: &dyn Run) -> bool {
        let _ = later;
        false
    }

    /// Shows what it holds while it waits to `visit`, for the cycle collector of another language. Shows nothing while
    /// it runs.
    fn held(&self, visit: &mut dyn FnMut(&dyn Any)) {
        let _ = visit;
    }

    /// Returns whether it only reports a failure, and resumes no coroutine: a Future without other waiters may then be
    /// treated as abandoned.
    fn is_report(&self) -> bool {
        false
    }

    /// Returns the name of its type. For a closure it contains the name of the function around it.
    fn type_name(&self) -> &'static str {
        type_name::<Self>()
    }

    /// Returns what it is, as a trace names it. This is asked only while something observes.
    fn queued_as(&self) -> Queued {
        Queued::Callback(self.type_name())
    }

    /// Returns a name and number if it is not a coroutine and its order among the entries beside it is arbitrary: a
    /// timer, a finished job, bytes that arrive.
    fn choice(&self) -> Option<(Cow<'static, str>, u64)> {
        None
    }
}

/// A value that the end of a loop withdraws, and that tools can ask for its coroutine. All methods have defaults.
pub trait Withdraw: Any {
    /// Drops what it holds, and forgets the waiters of its Future, since it is not going to run.
    fn withdraw(&self) {}

    /// Returns the coroutine that it resumes, while that is suspended.
    fn suspended(&self) -> Option<Suspended> {
        None
    }

    /// Returns itself if `_waker` is the address of its own waker and it has to be queued for that.
    #[doc(hidden)]
    fn woken(self: Rc<Self>, _waker: *const ()) -> Option<Callback> {
        None
    }
}

/// An entry of the ready queue.
pub type Callback = Rc<dyn Run>;

/// A suspended coroutine, as tools see it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Suspended {
    /// The number of the call; `None` if the call is not observed.
    pub call: Option<CallId>,
    /// The coroutine function.
    pub coroutine: &'static Coroutine,
    /// The line of its last yield.
    pub place: Place,
    /// The Future that it waits for; `None` if that is not a squall Future.
    pub waits_for: Option<Rc<dyn Awaited>>,
    /// A description of what a native coroutine waits for, if that is not a squall Future but known to squall: `a
    /// socket`.
    pub on: Option<&'static str>,
    /// `true` if something that this thread cannot see, such as another thread, may still wake it.
    pub wakeable: bool,
}

impl fmt::Debug for Suspended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Suspended({} at {})", self.coroutine.name(), self.place)
    }
}

/// Makes a closure an entry of the ready queue. It runs in the context that is current now.
pub fn callback(f: impl FnOnce() + 'static) -> Callback {
    callback_in(Context::current(), f)
}

pub(crate) fn callback_in(context: Context, f: impl FnOnce() + 'static) -> Callback {
    Rc::new(Once(Cell::new(Some((context, f)))))
}

/// A closure with the context in which it runs; empty once it has run.
struct Once<F>(Cell<Option<(Context, F)>>);

impl<F: FnOnce() + 'static> Run for Once<F> {
    fn run(self: Rc<Self>) {
        if let Some((context, f)) = self.0.take() {
            context.enter(f);
        }
    }

    fn type_name(&self) -> &'static str {
        type_name::<F>()
    }
}

impl<F: FnOnce() + 'static> Withdraw for Once<F> {
    fn withdraw(&self) {
        self.0.take().into_iter().for_each(discard);
    }
}

impl<F> Drop for Once<F> {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(discard);
    }
}
