//! [`Run`] and [`Withdraw`]: what stands on a queue, and what a loop gives up when it ends.

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
    /// Does its work. The loop catches a panic that leaves this.
    fn run(self: Rc<Self>);

    /// Returns whether it is to be put on the queue, now that a Future is done that it waited for. `false` means
    /// that it stands on the queue already and is to run once, or that it did all its work in here. It must resume
    /// no coroutine in here.
    fn is_due(&self) -> bool {
        true
    }

    /// Returns whether it has nothing to do any more, so that whatever will call it later may drop it instead: a
    /// Future that it waits for, a timer. `holders` is how many `Rc` hold it, that one included.
    ///
    /// This is asked when a list would have to grow, so that what waits in vain does not pile up.
    fn is_over(&self, holders: usize) -> bool {
        let _ = holders;
        false
    }

    /// Takes over the work of `later`, which waits for the same Future further back in its list, and returns
    /// whether it did: then `later` is dropped.
    fn merge(&self, later: &dyn Run) -> bool {
        let _ = later;
        false
    }

    /// Returns whether it only reports what it waits for, and no coroutine goes on by it: then a Future that nothing else
    /// waits for is as good as forgotten.
    fn is_report(&self) -> bool {
        false
    }

    /// Returns the name of its type. That of a closure holds the name of the function in which it stands.
    fn type_name(&self) -> &'static str {
        type_name::<Self>()
    }

    /// Returns its name and number, if it is not a coroutine and might as well have come earlier or later than
    /// what waits beside it: a timer, a finished job, bytes that arrive.
    fn choice(&self) -> Option<(Cow<'static, str>, u64)> {
        None
    }
}

/// Something that the end of a loop withdraws, and that tools can ask which coroutine it is. All of it has defaults.
pub trait Withdraw: Any {
    /// Drops what it holds, and forgets the waiters of its Future: it is not going to run.
    fn withdraw(&self) {}

    /// Returns the coroutine that this resumes, while that is suspended.
    fn suspended(&self) -> Option<Suspended> {
        None
    }

    /// Returns itself if the waker at that address is its own, and it is to be put on the queue for that.
    #[doc(hidden)]
    fn woken(self: Rc<Self>, _waker: *const ()) -> Option<Callback> {
        None
    }
}

/// An entry of the queue.
pub type Callback = Rc<dyn Run>;

/// A coroutine that is suspended, as tools see it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Suspended {
    /// The number of the call; `None` where nobody observed it.
    pub call: Option<CallId>,
    /// What it is a call of.
    pub coroutine: &'static Coroutine,
    /// The line of its last yield.
    pub place: Place,
    /// The Future that it waits for. `None` where that is not a squall Future.
    pub waits_for: Option<Rc<dyn Awaited>>,
    /// What a native coroutine waits for that is no squall Future, in words, where squall knows it: `a socket`.
    pub on: Option<&'static str>,
    /// Whether something that this thread cannot see may still wake it.
    pub wakeable: bool,
}

impl fmt::Debug for Suspended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Suspended({} at {})", self.coroutine.name(), self.place)
    }
}

/// Makes a closure an entry of the queue. It runs in the context in which this was called.
pub fn callback(f: impl FnOnce() + 'static) -> Callback {
    callback_in(Context::current(), f)
}

pub(crate) fn callback_in(context: Context, f: impl FnOnce() + 'static) -> Callback {
    Rc::new(Once(Cell::new(Some((context, f)))))
}

/// A closure and the context that it runs in; empty once it has run.
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
